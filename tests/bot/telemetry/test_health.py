"""Alive and ready: what anybody may ask, and how little it says."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from bot.errors import ExtraMissing, MetricsNotServed, StoreError
from bot.settings import Settings
from bot.store.standing import standing
from bot.telemetry.health import readiness
from bot.telemetry.http import Around, alone
from bot.telemetry.standing import PlatformState
from bot.telemetry.telemetry import Telemetry
from bot.worker import WorkerStats
from tests.bot.telemetry.conftest import Watched, get


class Doors:
    """A service."""

    def __init__(self, *states: PlatformState, stopping: bool = False) -> None:
        self.states = states
        self.stopping = stopping

    def platform_states(self) -> tuple[PlatformState, ...]:
        return self.states


class Writer:
    """A worker."""

    def __init__(self, loaded: bool) -> None:
        self.loaded = loaded

    def stats(self) -> WorkerStats:
        return WorkerStats(0, 0, 0, 0)


UP = PlatformState("slack", True, False)


async def ready(watched: Watched) -> None:
    """Everything is there."""
    await watched.desk()
    watched.telemetry.standing.writer = Writer(True)
    watched.telemetry.standing.doors = Doors(UP, PlatformState("discord", False, True))


async def test_ready_when_everything_is_there_and_a_platform_may_stand_by(watched: Watched) -> None:
    await ready(watched)
    address = await watched.listen(alone(watched.telemetry._endpoints, ""))
    response = await get(address, "/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "reasons": [],
        "checks": {
            "service": "ok", "edition": "ok", "model": "ok", "store": "ok", "slack": "ok", "discord": "standing_by",
        },
    }  # fmt: skip


async def test_from_the_first_second_on_it_says_what_is_still_missing(watched: Watched) -> None:
    address = await watched.listen(alone(watched.telemetry._endpoints, ""))
    assert (await get(address, "/healthz")).status_code == 200
    response = await get(address, "/readyz")
    assert response.status_code == 503
    assert response.json()["reasons"] == ["service_loading", "edition_loading", "model_loading", "store_unreachable"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: setattr(s, "writer", None), "model_missing"),
        (lambda s: setattr(s, "writer", Writer(False)), "model_missing"),
        (lambda s: setattr(s, "doors", Doors(PlatformState("slack", False, False))), "slack_disconnected"),
        (lambda s: setattr(s, "doors", Doors(UP, stopping=True)), "service_stopping"),
        (lambda s: setattr(s, "store", None), "store_unreachable"),
    ],
)
async def test_what_is_gone_is_named_in_one_word(watched: Watched, change: Any, reason: str) -> None:
    await ready(watched)
    change(watched.telemetry.standing)
    found = await readiness(watched.telemetry.standing)
    assert not found.ready
    assert found.as_json()["reasons"] == [reason]


async def test_a_store_that_hangs_costs_three_seconds_and_is_not_asked_again_meanwhile(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(watched)
    monkeypatch.setattr("bot.telemetry.standing._STORE_SECONDS", 0.05)
    calls = 0

    async def hangs(*args: Any, **__: Any) -> Any:
        nonlocal calls
        calls += args[0] is standing
        await asyncio.sleep(60)

    monkeypatch.setattr(watched.store, "run", hangs)
    seen = watched.telemetry.standing
    for _ in range(3):
        assert (await readiness(seen)).checks["store"] == "unreachable"
    assert calls == 1
    assert seen._asking is not None
    seen._asking.cancel()


async def test_a_store_that_is_back_is_seen_again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    await ready(watched)

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreError(where="postgresql://saseo@db/saseo", reason="secret reason")

    with monkeypatch.context() as gone:
        gone.setattr(watched.store, "run", away)
        found = await readiness(watched.telemetry.standing)
        assert found.checks["store"] == "unreachable"
        assert "db" not in str(found.as_json())
    assert (await readiness(watched.telemetry.standing)).ready


async def test_health_in_the_console_needs_neither_its_guard_nor_the_store(watched: Watched) -> None:
    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("the guard asks the store, which hangs", 500)(scope, receive, send)

    address = await watched.listen(Around(guarded, watched.telemetry._endpoints, "", metrics=True))
    assert (await get(address, "/healthz", {"host": "10.0.0.7:8787"})).status_code == 200
    assert (await get(address, "/readyz")).status_code == 503
    assert (await get(address, "/metrics")).status_code == 500
    assert (await get(address, "/healthz/../metrics")).status_code == 500


async def test_a_port_that_is_taken_is_told_and_the_service_goes_on(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        telemetry = Telemetry(Settings(data_dir=tmp_path, metrics={"port": port}), platforms=[])  # type: ignore[arg-type]
        with pytest.raises(MetricsNotServed):
            telemetry.server()
        warned: list[str] = []
        async with telemetry.serving(warned.append):
            pass
        assert str(port) in warned[0]


async def test_its_own_port_answers_while_serving_and_is_free_afterwards(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    telemetry = Telemetry(Settings(data_dir=tmp_path, metrics={"port": port}), platforms=["slack"])  # type: ignore[arg-type]
    address = f"http://127.0.0.1:{port}"
    async with telemetry.serving(lambda text: None):
        assert "saseo_build_info" in (await get(address, "/metrics")).text
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


def test_switched_off_nothing_is_counted(tmp_path: Path) -> None:
    telemetry = Telemetry(Settings(data_dir=tmp_path, metrics={"enabled": False, "port": 9}), platforms=[])  # type: ignore[arg-type]
    assert telemetry.metrics is None
    assert telemetry.server() is None
    assert telemetry.console_routes() == []
    telemetry.observer.asked("slack")


def test_traces_without_their_packages_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    settings = Settings(data_dir=tmp_path, telemetry={"traces_endpoint": "http://127.0.0.1:1/v1/traces"})  # type: ignore[arg-type]
    with pytest.raises(ExtraMissing) as caught:
        Telemetry(settings, platforms=[])
    assert "'.[otel]'" in caught.value.explain("ko")
