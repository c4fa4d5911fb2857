"""Questions written while no process was connected. The gateway replays events to a resumed session only, never to a new one,
so after a restart the channels are looked through for messages that address the bot and that nobody heard.

How far everything was heard is kept as a snowflake in the store; it stands still while nothing is heard, and until all that
was missed has been read. A little is looked at twice: the core knows its duplicates.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import discord

from adapters.discord.events import said
from adapters.discord.guard import UNREACHABLE, may_pass
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
OVERLAP_SECONDS = 90.0
"""A dead connection goes unnoticed for up to a minute (discord.py's heartbeat_timeout), then is closed."""
EVERY_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""Before what could not be read is read again."""


class CatchingUp:
    """One per client."""

    def __init__(self, client: SaseoClient) -> None:
        self._client = client
        self._keeping: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._read: set[int] = set()
        """Channels that were looked through since the session began."""

    def connected(self) -> None:
        """A new session: look for what was missed, and keep the time from now on."""
        loop = asyncio.get_running_loop()
        self._read = set()
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
        if self._keeping is not None and self._all_heard():
            await self._keep()
        self._keeping = None

    async def remember_direct(self, channel: int) -> None:
        """A question came from this direct channel."""
        known = [one for one in ((await self._client.desk.remembered(DIRECTS)) or "").split() if one != str(channel)]
        await self._client.desk.remember(DIRECTS, " ".join([*known, str(channel)][-MOST_DIRECTS:]))

    def _all_heard(self) -> bool:
        """Whether everything was heard until now: the gateway is there, and what came before it has been looked through."""
        looked = self._looking is not None and self._looking.done() and not self._looking.cancelled()
        return self._client.online and looked

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if self._all_heard():
                await self._keep()

    async def _keep(self) -> None:
        try:
            await self._client.desk.remember(HEARD, str(snowflake_at(time.time() - OVERLAP_SECONDS)))
        except Exception as error:  # noqa: BLE001 - the store is away: then a little more is looked through next time
            record(logger, "heard_not_kept", logging.WARNING, error=type(error).__name__)

    async def _look(self) -> None:
        """Ends when everything was read."""
        pause = FIRST_PAUSE_SECONDS
        while not await self._read_all():
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _read_all(self) -> bool:
        """False: something could not be read just now, or the session is a newer one than when this began."""
        read = self._read
        try:
            heard = await self._client.desk.remembered(HEARD)
            if heard is None or not heard.isdigit():
                # The first start: what people said before is none of our business, what they say from now on is.
                await self._keep()
                return read is self._read
            after = max(int(heard), snowflake_at(time.time() - LONGEST_SECONDS))
            directs = [int(one) for one in ((await self._client.desk.remembered(DIRECTS)) or "").split()]
            places = [id_ for id_ in [*self._channels(after), *directs] if id_ not in read]
            for id_ in places:
                if await self._read_one(id_, after):
                    read.add(id_)
            return read.issuperset(places) and read is self._read
        except Exception as error:  # noqa: BLE001 - the session goes on without it
            record(logger, "not_caught_up", logging.WARNING, error=type(error).__name__)
            return False

    def _channels(self, after: int) -> list[int]:
        """Those in which something was written since: the server tells each channel's last message."""
        found: list[int] = []
        for guild in self._client.guilds:
            if guild.id in self._client.settings.guild_ids:
                places: list[discord.TextChannel | discord.VoiceChannel | discord.Thread] = [
                    *guild.text_channels,
                    *guild.voice_channels,
                    *guild.threads,
                ]
                found += [place.id for place in places if (place.last_message_id or 0) > after]
        return found

    async def _read_one(self, channel_id: int, after: int) -> bool:
        """Whether this channel needs no further look: it was read, or we may not."""
        try:
            # A bot is not told of its direct channels at the start.
            channel = self._client.get_channel(channel_id) or await self._client.fetch_channel(channel_id)
            if isinstance(channel, discord.abc.Messageable):
                found = await self._missed_in(channel, after)
                record(logger, "caught_up", channel=channel_id, messages=found)
        except UNREACHABLE as error:
            record(logger, "not_looked_through", channel=channel_id, code=getattr(error, "code", None))
            return not may_pass(error)
        return True

    async def _missed_in(self, channel: discord.abc.Messageable, after: int) -> int:
        from adapters.discord import listening  # it needs the client, which needs this

        found = 0
        direct = isinstance(channel, discord.DMChannel)
        async for message in channel.history(limit=None, after=discord.Object(after), oldest_first=True):
            # A mention alone got its sentence, or needs none any more.
            if message.author.bot or not said(message.content):
                continue
            if direct or listening.is_addressed(self._client, message):
                found += 1
                await listening.heard(self._client, message)
        return found
