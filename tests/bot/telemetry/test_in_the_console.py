"""Metrics and health within the console: one behind its login, the other before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.settings import Settings
from bot.store.database import Store, open_store
from bot.telemetry.telemetry import TOKEN, Telemetry
from bot.web.app import WebOptions, make_app
from tests.bot.web.conftest import Browser, add_account


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store("", tmp_path)
    yield opened
    opened.close()


EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens; the console is asked over ASGI


def browser(store: Store, folder: Path, *, host: str = "127.0.0.1", token: str = "", port: int = 0) -> Browser:
    """At the console as `saseo serve` puts it together."""
    settings = Settings(data_dir=folder, metrics={"port": port})  # type: ignore[arg-type]
    telemetry = Telemetry(settings, platforms=["web"], environment={TOKEN: token})
    telemetry.standing.store = store
    app = make_app([], store, WebOptions(host, "", "ko", "shared", ZoneInfo("Asia/Seoul")))
    app.router.routes.extend(telemetry.console_routes())
    return Browser(telemetry.around(app))


async def test_beyond_loopback_metrics_need_a_login_and_health_does_not(store: Store, tmp_path: Path) -> None:
    add_account(store, "kim", "viewer")
    one = browser(store, tmp_path, host=EVERYWHERE)
    refused = await one.http.get("/metrics", headers={"accept": "*/*"})
    assert refused.status_code == 401
    assert "saseo_" not in refused.text
    assert (await one.http.get("/healthz")).json() == {"status": "ok"}
    assert (await one.http.get("/readyz")).status_code == 503
    await one.log_in("kim")
    assert "saseo_questions_asked_total" in (await one.http.get("/metrics")).text


async def test_a_scraper_shows_a_token_instead(store: Store, tmp_path: Path) -> None:
    add_account(store, "kim")
    one = browser(store, tmp_path, host=EVERYWHERE, token="s3cret")
    right = await one.http.get("/metrics", headers={"authorization": "Bearer s3cret", "host": "saseo:8787"})
    assert "saseo_build_info" in right.text
    wrong = await one.http.get("/metrics", headers={"authorization": "Bearer other", "accept": "*/*"})
    assert wrong.status_code == 401


async def test_a_token_in_another_script_is_wrong_and_breaks_nothing(store: Store, tmp_path: Path) -> None:
    add_account(store, "kim")
    one = browser(store, tmp_path, token="s3cret")
    odd = await one.http.get("/metrics", headers={"authorization": "Bearer 비밀".encode(), "accept": b"*/*"})  # type: ignore[dict-item]
    assert odd.status_code == 401


async def test_with_a_port_of_their_own_the_console_has_no_metrics(store: Store, tmp_path: Path) -> None:
    one = browser(store, tmp_path, token="s3cret", port=9464)
    assert (await one.http.get("/metrics", headers={"authorization": "Bearer s3cret"})).status_code == 404
    assert (await one.http.get("/healthz")).status_code == 200
