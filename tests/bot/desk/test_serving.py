"""The service around the desk: starting, signals while starting, leases, and an end that always comes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from bot import serving
from bot.errors import AdapterError
from bot.serving import Platform, Service
from bot.store import facts
from knowledge.errors import ExplainedError
from tests.bot.desk.conftest import DIRECT, Bench, asked
from tests.fakes.recording_adapter import RecordingAdapter

DOWN = AdapterError(platform="discord", reason="down", remedy="")


class Startable(RecordingAdapter):
    """Starts as told: at once, never, or with an error; remembers what was asked of it."""

    def __init__(self, name: str = "slack", *, errors: Iterable[Exception] = ()) -> None:
        super().__init__(name)
        self.calls: list[str] = []
        self.hangs = False
        self.errors = iter(errors)

    async def start(self) -> None:
        self.calls.append("start")
        self.changed.set()
        if self.hangs:
            await asyncio.Event().wait()
        if error := next(self.errors, None):
            raise error

    async def stop_intake(self) -> None:
        self.calls.append("stop_intake")

    async def close(self) -> None:
        self.calls.append("close")


class Runs:
    """Services on one store, each with its own desk."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.said: list[str] = []
        self.warned: list[ExplainedError] = []
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, *platforms: Platform, owner: str = "p0") -> tuple[Service, asyncio.Task[None]]:
        desk = self.bench.open_desk()
        service = Service(
            desk,
            self.bench.stores[-1],
            platforms,
            owner=owner,
            drain_seconds=1.0,
            say=self.said.append,
            ready=lambda: "ready",
            warn=self.warned.append,
        )
        task = asyncio.create_task(service.run())
        self.tasks.append(task)
        return service, task

    def lease_of(self, name: str, owner: str) -> bool:
        """Whether `owner` could hold the lease now."""
        return self.bench.stores[0].run_now(facts.hold_lease, name, owner, now=time.time(), seconds=0.0)


@pytest.fixture
async def runs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runs]:
    monkeypatch.setattr(serving, "_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(serving, "_LEASE_SECONDS", 0.6)
    one = Runs(bench)
    yield one
    for task in one.tasks:
        task.cancel()
    await asyncio.gather(*one.tasks, return_exceptions=True)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError):
            loop.remove_signal_handler(number)


async def test_a_signal_stops_intake_drains_and_closes(runs: Runs) -> None:
    adapter = Startable()
    _, task = runs.start(Platform(adapter))
    await adapter.wait_for(lambda: runs.said == ["ready"])
    await runs.bench.desks[0].ask(asked(key="a", place=DIRECT))
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 40)
    assert adapter.calls == ["start", "stop_intake", "close"]
    assert adapter.sent["a"].replies


async def test_a_signal_while_a_platform_connects_is_obeyed(runs: Runs) -> None:
    adapter = Startable()
    adapter.hangs = True
    _, task = runs.start(Platform(adapter, alone=True))
    await adapter.wait_for(lambda: adapter.calls == ["start"])
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 40)
    assert runs.said == []
    assert adapter.calls[-1] == "close"
    assert runs.lease_of("slack", "other")


async def test_no_platform_at_all_is_an_error(runs: Runs) -> None:
    _, task = runs.start(Platform(Startable(errors=[DOWN])))
    with pytest.raises(AdapterError):
        await asyncio.wait_for(task, 40)


async def test_a_platform_that_fails_at_first_is_tried_again_beside_one_that_works(runs: Runs) -> None:
    works, fails = Startable(), Startable("discord", errors=(DOWN, RuntimeError("a surprise"), DOWN))
    service, task = runs.start(Platform(works), Platform(fails))
    await fails.wait_for(lambda: fails.calls.count("start") == 4)
    assert runs.said == ["ready"]
    assert runs.warned == [DOWN]
    service.stop()
    await asyncio.wait_for(task, 40)
    assert fails.calls[-1] == "close"


async def test_who_cannot_connect_does_not_keep_others_from_it(runs: Runs) -> None:
    works, fails = Startable(), Startable("discord", errors=itertools.repeat(DOWN))
    runs.start(Platform(works), Platform(fails, alone=True))
    await works.wait_for(lambda: runs.said == ["ready"])
    standby = Startable("discord")
    runs.start(Platform(Startable()), Platform(standby, alone=True), owner="p1")
    await standby.wait_for(lambda: "start" in standby.calls)


async def test_a_lease_is_kept_while_a_platform_takes_its_time_to_connect(runs: Runs) -> None:
    slow = Startable("discord")
    slow.hangs = True
    runs.start(Platform(slow, alone=True))
    await slow.wait_for(lambda: slow.calls == ["start"])
    await asyncio.sleep(1.0)  # longer than a lease
    assert not runs.lease_of("discord", "other")


async def test_a_lost_lease_ends_the_process_in_order(runs: Runs) -> None:
    adapter = Startable("discord")
    _, task = runs.start(Platform(adapter, alone=True))
    await adapter.wait_for(lambda: runs.said == ["ready"])

    def steal(connection: Any) -> None:
        facts.drop_lease(connection, "discord", "p0")
        assert facts.hold_lease(connection, "discord", "p1", now=time.time(), seconds=60.0)

    runs.bench.stores[0].run_now(steal)
    with pytest.raises(AdapterError, match="discord"):  # not 0: a supervisor must start it anew, to stand by
        await asyncio.wait_for(task, 40)
    assert adapter.calls == ["start", "stop_intake", "close"]
    assert not runs.lease_of("discord", "p2")  # the new holder's lease stands
