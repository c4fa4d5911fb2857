"""Announcements into a Discord channel, from any process: logged in, but without the gateway. Their last line is their mark."""

from __future__ import annotations

import datetime as dt
import logging
from types import TracebackType
from typing import Self

import discord

from adapters.discord import operator_texts
from adapters.discord.endpoints import point_at, proxy_for
from adapters.discord.guard import UNREACHABLE
from adapters.discord.login import login_error
from adapters.discord.logs import record
from adapters.discord.render import CONTENT_CHARACTERS, link
from adapters.text import Markdown, inline, shorten
from bot.conversation import Announcement, Place
from bot.errors import AdapterError, DeliveryFailed
from bot.messages import Language
from bot.settings import DiscordSettings

logger = logging.getLogger(__name__)
LOOKED_AT = 500
"""Messages since a report was first tried, among which it is looked for."""


class DiscordAnnouncer:
    """See bot.platforms.Announcer. Posts only into channels of the configured servers."""

    def __init__(self, settings: DiscordSettings, token: str, *, language: Language) -> None:
        """`language`: of what the operator reads."""
        point_at(settings)
        self._settings = settings
        self._token = token
        self._language = language
        self._client = discord.Client(
            intents=discord.Intents.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=60.0,
            proxy=proxy_for(settings),
        )

    async def __aenter__(self) -> Self:
        """Log in. Raises AdapterError."""
        language = self._language
        if not self._token.strip():
            raise AdapterError(
                platform="Discord", reason=operator_texts.no_token(language), remedy=operator_texts.new_token(language)
            )
        try:
            await self._client.login(self._token)
        except UNREACHABLE as error:
            await self._client.close()
            raise login_error(error, language) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out."""
        await self._client.close()

    async def place(self, place: str) -> Place:
        """A channel of a configured server. Raises DeliveryFailed."""
        channel = await self._channel(place)
        return Place("discord", place, "channel", str(channel.guild.id))

    async def find(self, place: str, mark: str, since: float) -> str | None:
        """Among our messages since then. Raises DeliveryFailed."""
        channel = await self._channel(place)
        own = self._client.user.id if self._client.user is not None else 0
        after = dt.datetime.fromtimestamp(since, dt.UTC) - dt.timedelta(minutes=1)  # clocks differ
        try:
            async for message in channel.history(limit=LOOKED_AT, after=after, oldest_first=True):
                if message.author.id == own and message.content.endswith(_foot(mark)):
                    return f"{place}:{message.id}"
        except UNREACHABLE as error:
            raise _refused(error) from error
        return None

    async def post(self, place: str, announcement: Announcement) -> str:
        """Once; Discord itself drops a second one with the same nonce within minutes. Raises DeliveryFailed."""
        channel = await self._channel(place)
        try:
            sent = await channel.send(content(announcement), suppress_embeds=True, nonce=announcement.mark[:25])
        except UNREACHABLE as error:
            raise _refused(error) from error
        return f"{place}:{sent.id}"

    async def _channel(self, place: str) -> discord.TextChannel | discord.Thread:
        try:
            found = await self._client.fetch_channel(int(place))
        except ValueError:
            raise DeliveryFailed(platform="Discord", reason="not_a_channel") from None
        except UNREACHABLE as error:
            raise _refused(error) from error
        if not isinstance(found, discord.TextChannel | discord.Thread):
            raise DeliveryFailed(platform="Discord", reason="not_a_text_channel")
        if found.guild.id not in self._settings.guild_ids:
            raise DeliveryFailed(platform="Discord", reason="not_a_configured_server")
        return found


def content(announcement: Announcement) -> str:
    """The message: its text, the link, and the mark; cut so that these two always fit."""
    foot = _foot(announcement.mark)
    linked = link(inline(announcement.label, "discord"), announcement.url) if announcement.url else ""
    if linked and announcement.label:
        foot = f"\n{linked}{foot}"
    room = CONTENT_CHARACTERS - len(foot)
    body = Markdown("discord").render(announcement.text, {})
    return shorten(body, room) + foot


def _foot(mark: str) -> str:
    return f"\n-# {mark}"


def _refused(error: BaseException) -> DeliveryFailed:
    code = getattr(error, "code", None) or getattr(error, "status", None) or type(error).__name__
    record(logger, "announcement_refused", logging.WARNING, code=code)
    return DeliveryFailed(platform="Discord", reason=str(code))
