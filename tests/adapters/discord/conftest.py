"""A desk, an adapter over it, and simcord's world around the adapter's client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import discord
import pytest
import simcord
from discord.gateway import DiscordWebSocket

from adapters.discord.adapter import DiscordAdapter
from bot.settings import DiscordSettings
from tests.adapters.discord.desk import ScriptedDesk
from tests.adapters.discord.office import GUILD, Office
from tests.adapters.discord.wire import World, a_world


@pytest.fixture(autouse=True)
def _library_addresses() -> Iterator[None]:
    """`point_at` sets class attributes of the library: put them back."""
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for in earnest, in tests only for a moment."""
    monkeypatch.setattr("adapters.discord.delivery.FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("adapters.discord.surfaces.ChannelSurface.delay", 0.6)
    monkeypatch.setattr("adapters.discord.surfaces.ResponseSurface.delay", 0.3)


@pytest.fixture
def desk() -> ScriptedDesk:
    """Answers every question."""
    return ScriptedDesk()


@pytest.fixture
def settings() -> DiscordSettings:
    """One server."""
    return DiscordSettings(enabled=True, guild_ids=(GUILD,))


@pytest.fixture
def adapter(desk: ScriptedDesk, settings: DiscordSettings) -> DiscordAdapter:
    """Not started: simcord, or a test, connects its client."""
    made = DiscordAdapter(settings, "token", desk, language="ko")
    desk.adapter = made
    return made


@pytest.fixture
def simcord_bot(adapter: DiscordAdapter) -> discord.Client:
    """For simcord's own fixture."""
    return adapter.client


@pytest.fixture
def office(simcord_env: simcord.Env, desk: ScriptedDesk) -> Office:
    """The usual world."""
    desk.waits = lambda gate: simcord_env.external_wait(gate, reason="the model is writing")
    return Office(simcord_env)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nothing is connected yet. At the end the bot must have sent nothing that Discord would complain about."""
    async with a_world() as made:
        yield made
