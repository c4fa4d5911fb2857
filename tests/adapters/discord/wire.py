"""The world of the tests over real HTTP and WebSocket: the loopback server, and the processes started against it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.discord.adapter import DiscordAdapter
from bot.settings import DiscordSettings
from tests.adapters.discord.desk import ScriptedDesk
from tests.fakes.discord import DiscordServer
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Person
from tests.fakes.discord.places import Channel, Guild


@dataclass
class World:
    """A server with a channel and two people, and the processes that were started against it."""

    server: DiscordServer
    desk: ScriptedDesk
    guild: Guild
    channel: Channel
    kim: Person
    lee: Person
    adapters: list[DiscordAdapter] = field(default_factory=list)

    def settings(self, **changes: object) -> DiscordSettings:
        """Pointing at the server."""
        usual: dict[str, object] = {
            "guild_ids": (self.guild.id,),
            "api_base_url": self.server.api_base_url,
            "gateway_url": self.server.gateway_url,
        }
        return DiscordSettings.model_validate(usual | changes)

    async def start(self, **changes: object) -> DiscordAdapter:
        """A process."""
        adapter = DiscordAdapter(self.settings(**changes), self.server.token, self.desk, language="ko")
        self.adapters.append(adapter)
        self.desk.adapter = adapter
        adapter.client._connection.guild_ready_timeout = 0.2  # the library waits this long for further servers
        await adapter.start()
        return adapter

    async def answered(self, number: int = 1, timeout: float = 40.0) -> None:
        """Until so many answers were delivered or failed."""
        done: Callable[[], bool] = lambda: len(self.desk.posted) + len(self.desk.failures) >= number  # noqa: E731
        await self.server.wait_for(done, timeout, "an answer")

    def answers(self) -> list[Message]:
        """The bot's messages in the channel."""
        return self.server.sent(self.channel)


@asynccontextmanager
async def a_world(*, message_content: bool = False) -> AsyncIterator[World]:
    async with DiscordServer(message_content=message_content) as server:
        guild = server.guild()
        world = World(
            server, ScriptedDesk(), guild, guild.channels[0], server.user(name="kim"), server.user(name="lee")
        )
        try:
            yield world
        finally:
            for adapter in world.adapters:
                await adapter.close()
        assert [str(v) for v in server.violations] == []
