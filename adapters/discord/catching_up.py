"""Questions written while no process was connected. The gateway replays events to a resumed session only, never to a new one,
so after a restart the channels are looked through for messages that address the bot and that nobody heard.

How far everything was heard is kept as a snowflake in the store. A little is looked at twice: the core knows its duplicates.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import discord

from adapters.discord.guard import UNREACHABLE
from adapters.discord.logs import record
from adapters.discord.snowflakes import snowflake_at

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
HEARD = "discord:heard"
"""The fact: a snowflake; everything before it was heard."""
DIRECTS = "discord:directs"
"""The fact: ids of direct channels that questions came from, the latest last. A bot is not told of them at the start."""
MOST_DIRECTS = 100
LONGEST_SECONDS = 3600.0
"""Older questions are not answered any more: whoever asked them has gone on."""
OVERLAP_SECONDS = 15.0
EVERY_SECONDS = 10.0
MOST_MESSAGES = 100
"""Read back in one channel."""


class CatchingUp:
    """One per client."""

    def __init__(self, client: SaseoClient) -> None:
        self._client = client
        self._keeping: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    def connected(self) -> None:
        """A new session: look for what was missed, and keep the time from now on."""
        loop = asyncio.get_running_loop()
        if self._looking is None or self._looking.done():
            self._looking = loop.create_task(self._look(), name="discord-catching-up")
        if self._keeping is None or self._keeping.done():
            self._keeping = loop.create_task(self._keep_time(), name="discord-heard")

    async def stop(self) -> None:
        """Nothing more is heard here; what was until now is written down."""
        for task in (self._keeping, self._looking):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in (self._keeping, self._looking) if task), return_exceptions=True)
        if self._keeping is not None and self._looking is not None and not self._looking.cancelled():
            await self._keep()
        self._keeping = None

    async def remember_direct(self, channel: int) -> None:
        """A question came from this direct channel."""
        known = [one for one in ((await self._client.desk.remembered(DIRECTS)) or "").split() if one != str(channel)]
        await self._client.desk.remember(DIRECTS, " ".join([*known, str(channel)][-MOST_DIRECTS:]))

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            # While the past is being looked through it has not been heard yet.
            if self._client.online and (self._looking is None or self._looking.done()):
                await self._keep()

    async def _keep(self) -> None:
        try:
            await self._client.desk.remember(HEARD, str(snowflake_at(time.time() - OVERLAP_SECONDS)))
        except Exception as error:  # noqa: BLE001 - the store is away: then a little more is looked through next time
            record(logger, "heard_not_kept", logging.WARNING, error=type(error).__name__)

    async def _look(self) -> None:
        try:
            heard = await self._client.desk.remembered(HEARD)
            if heard is None or not heard.isdigit():
                # The first start: what people said before is none of our business, what they say from now on is.
                await self._keep()
                return
            after = max(int(heard), snowflake_at(time.time() - LONGEST_SECONDS))
            found = 0
            for channel in self._channels(after):
                found += await self._missed_in(channel, after)
            for known in ((await self._client.desk.remembered(DIRECTS)) or "").split():
                found += await self._missed_directly(int(known), after)
            record(logger, "caught_up", messages=found)
        except Exception as error:  # noqa: BLE001 - the session goes on without it
            record(logger, "not_caught_up", logging.WARNING, error=type(error).__name__)

    def _channels(self, after: int) -> list[discord.abc.Messageable]:
        """Those in which something was written since: the server tells each channel's last message."""
        found: list[discord.abc.Messageable] = []
        for guild in self._client.guilds:
            if guild.id in self._client.settings.guild_ids:
                places: list[discord.TextChannel | discord.VoiceChannel | discord.Thread] = [
                    *guild.text_channels,
                    *guild.voice_channels,
                    *guild.threads,
                ]
                found += [place for place in places if (place.last_message_id or 0) > after]
        return found

    async def _missed_directly(self, channel_id: int, after: int) -> int:
        try:
            channel = await self._client.fetch_channel(channel_id)
        except UNREACHABLE as error:
            record(logger, "direct_not_looked_through", code=getattr(error, "code", None))
            return 0
        return await self._missed_in(channel, after) if isinstance(channel, discord.DMChannel) else 0

    async def _missed_in(self, channel: discord.abc.Messageable, after: int) -> int:
        from adapters.discord import listening  # it needs the client, which needs this

        found = 0
        try:
            history = channel.history(limit=MOST_MESSAGES, after=discord.Object(after), oldest_first=True)
            async for message in history:
                direct = isinstance(channel, discord.DMChannel)
                if not message.author.bot and (direct or listening.is_addressed(self._client, message)):
                    found += 1
                    await listening.heard(self._client, message)
        except UNREACHABLE as error:
            record(logger, "not_looked_through", code=getattr(error, "code", None))
        return found
