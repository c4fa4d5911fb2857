"""DiscordAdapter: connecting, stopping, and how the connection stands."""

from __future__ import annotations

import asyncio
import logging
import math
from time import monotonic

import discord

from adapters.discord import operator_texts
from adapters.discord.client import SaseoClient
from adapters.discord.delivery import DiscordDelivery
from adapters.discord.endpoints import point_at
from adapters.discord.guard import UNREACHABLE
from adapters.discord.login import login_error
from adapters.discord.logs import record, where
from bot.conversation import Health
from bot.errors import AdapterError
from bot.messages import Language
from bot.platforms import Delivery, Desk, Remember
from bot.settings import DiscordSettings

logger = logging.getLogger(__name__)
READY_SECONDS = 60.0
AGAIN_SECONDS = 5.0


class DiscordAdapter:
    """See `bot.platforms.Adapter`. One gateway session per token: run it in one process at a time."""

    name = "discord"

    def __init__(self, settings: DiscordSettings, token: str, desk: Desk, *, language: Language) -> None:
        self._token = token
        self._language = language
        self._settings = settings
        self._desk = desk
        point_at(settings)
        self.client = SaseoClient(settings, desk, language)
        self._session: asyncio.Task[None] | None = None
        self._end: AdapterError | None = None
        """Why the session is over for good."""

    async def start(self) -> None:
        """Log in and connect; returns when the gateway is ready. Raises AdapterError, after which it may be called again."""
        language = self._language
        if self.client.is_closed():  # by a start that failed: the library's clients cannot be opened again
            self.client = SaseoClient(self._settings, self._desk, language)
        if not self._token.strip():
            raise AdapterError(
                platform="Discord", reason=operator_texts.no_token(language), remedy=operator_texts.new_token(language)
            )
        try:
            await self.client.login(self._token)
        except UNREACHABLE as error:
            await self.client.close()
            raise login_error(error, language) from error
        except BaseException:  # ours, such as a store that is away
            await self.client.close()
            raise
        self._session = asyncio.get_running_loop().create_task(self._keep_connected(), name="discord-gateway")
        ready = asyncio.get_running_loop().create_task(self.client.wait_until_ready())
        try:
            await asyncio.wait({self._session, ready}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not self.client.is_ready():
                ended = self._session.exception() if self._session.done() else None
                await self.close()
                raise login_error(ended or TimeoutError(), language) from ended
        finally:
            ready.cancel()
        self._session.add_done_callback(self._ended)
        record(logger, "discord_started", guilds=len(self.client.guilds))

    async def _keep_connected(self) -> None:
        """The library reconnects by itself. It gives up over what a person must change, which is raised, and over its own
        mistakes during a reconnect, after which it is started again."""
        while True:
            try:
                await self.client.connect()
                return
            except (discord.ConnectionClosed, discord.PrivilegedIntentsRequired):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the service must come back
                if self.client.is_closed():
                    return
                record(logger, "gateway_broke", logging.ERROR, error=type(error).__name__, where=where(error))
                self.client.online = False
                await asyncio.sleep(AGAIN_SECONDS)

    def _ended(self, session: asyncio.Task[None]) -> None:
        self.client.online = False
        error = None if session.cancelled() else session.exception()
        if error is not None:
            self._end = login_error(error, self._language)
            told = self._end.explain(self._language)
            code = getattr(error, "code", None)
            record(logger, "discord_ended", logging.ERROR, error=type(error).__name__, code=code, told=told)

    async def stop_intake(self) -> None:
        """Commands get a sentence now, messages are left to the next process; votes by reaction are not seen; deliveries go on."""
        await self.client.catching_up.stop()
        self.client.taking = False
        record(logger, "intake_stopped")

    async def close(self) -> None:
        """Disconnect. Safe to repeat."""
        await self.client.catching_up.stop()
        self.client.taking = False
        await self.client.close()
        if self._session is not None:
            await asyncio.wait({self._session}, timeout=READY_SECONDS)
            if not self._session.done():
                self._session.cancel()

    def delivery(self, question_id: str, reply_to: str, draft: str, remember: Remember) -> Delivery:
        """Works in any process whose client is logged in."""
        return DiscordDelivery(self.client, question_id, reply_to, draft, remember)

    def health(self) -> Health:
        """From memory."""
        client = self.client
        connected = client.online and client.is_ready() and not client.is_closed()
        latency = client.latency if client.ws is not None else math.nan
        detail = operator_texts.latency(latency * 1000, self._language) if math.isfinite(latency) else ""
        if self._end is not None:
            detail = self._end.explain(self._language)
        age = monotonic() - client.last_event if client.last_event else None
        return Health(connected, detail, age)
