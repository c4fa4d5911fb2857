"""A loopback Slack with one channel and two people, a scripted desk, and the real adapter between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.slack.adapter import SlackAdapter, SlackTokens, Timing
from bot.settings import SlackSettings
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer

TIMING = Timing(ping=0.5, stuck=0.5, refresh=0.3, pace=0.05, post=0.05, connect=10.0, drain=3.0)


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with SlackServer() as server:
        server.channel("C1", members=["U1", "U2", "U9"])
        server.user("U1", "kim", "Kim@Example.com")
        server.user("U2", "lee", "lee@example.com")
        server.user("U9", "helper", "helper@example.com")
        yield server


@asynccontextmanager
async def running(
    slack: SlackServer, desk: ScriptedDesk, timing: Timing = TIMING, **settings: Any
) -> AsyncIterator[SlackAdapter]:
    """The adapter, connected; ended at the end, with whatever the desk still delivers."""
    settings = {"connections": 1} | settings
    adapter = SlackAdapter(
        SlackSettings(enabled=True, api_base_url=slack.api_base_url, **settings),
        SlackTokens(slack.bot_token, slack.app_token, slack.signing_secret),
        desk,
        language="ko",
        timing=timing,
    )
    desk.adapter = adapter
    await adapter.start()
    try:
        if adapter.health().detail != "http":
            await slack.wait_connected(settings["connections"])
        yield adapter
    finally:
        for task in desk.tasks:
            if not task.done():
                task.cancel()
        await adapter.close()


@pytest.fixture
def desk() -> ScriptedDesk:
    return ScriptedDesk()


@pytest.fixture
async def adapter(slack: SlackServer, desk: ScriptedDesk) -> AsyncIterator[SlackAdapter]:
    async with running(slack, desk) as made:
        yield made
