"""Socket Mode: several connections, and a watchdog over them.

slack_sdk 3.47's aiohttp client asks for a WebSocket URL only when it has none and keeps the one it has when a handshake
fails: a single-use ticket that was refused once is then tried for ever. The watchdog takes such a URL away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import log, web
from adapters.slack.intake import Intake
from adapters.slack.taking import take

PING_SECONDS = 4.0
"""After a connection reset without a goodbye the client notices within this time (its default of 10 was measured at 10 s)."""
STUCK_SECONDS = 5.0
_LOOK_SECONDS = 0.5
_CLOSE_SECONDS = 5.0
_logger = logging.getLogger(__name__)


class GatedHandler(AsyncSocketModeHandler):
    """Bolt's handler behind our gate."""

    def __init__(self, app: AsyncApp, app_token: str, client: AsyncWebClient, intake: Intake, ping: float) -> None:
        super().__init__(app, app_token, logger=client.logger, web_client=client, ping_interval=ping)
        self._intake = intake

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Not acknowledged when the gate does not take it."""
        self._intake.heard()
        if not self._intake.takes:
            log.event(_logger, logging.WARNING, "slack_envelope_left", kind=req.type)
            return
        began = time.time()
        found = AsyncBoltRequest(mode="socket_mode", body=req.payload, headers=build_headers(req))
        await send_async_response(client, req, await take(self.app, found, self._intake), began)


class SocketMode:
    """All connections of one adapter."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        client: AsyncWebClient,
        intake: Intake,
        *,
        connections: int,
        ping: float = PING_SECONDS,
        stuck: float = STUCK_SECONDS,
    ) -> None:
        """`ping`: seconds between pings. `stuck`: seconds without a connection after which its URL is dropped."""
        self._handlers = [GatedHandler(app, app_token, client, intake, ping) for _ in range(connections)]
        self._stuck = stuck
        self._down_since: dict[int, float] = {}
        self._connected = 0
        self._watch: asyncio.Task[None] | None = None

    @property
    def connected(self) -> int:
        """How many connections stand, as last seen."""
        return self._connected

    @property
    def connections(self) -> int:
        """How many there should be."""
        return len(self._handlers)

    async def open(self, seconds: float) -> None:
        """Connect all. Raises `web.REFUSALS`: the first ticket is fetched here, where a bad token can still be reported."""
        for handler in self._handlers:
            handler.client.wss_uri = await handler.client.issue_new_wss_url()
        self._watch = asyncio.create_task(self._watchdog(), name="slack-watchdog")
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(handler.connect_async() for handler in self._handlers))  # type: ignore[no-untyped-call]
        await self._look()

    async def close(self) -> None:
        """Disconnect; Slack then delivers elsewhere, or later."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.gather(*(self._hang_up(handler) for handler in self._handlers))
        self._connected = 0

    @staticmethod
    async def _hang_up(handler: GatedHandler) -> None:
        """A peer that does not answer the goodbye must not hold up the end."""
        with contextlib.suppress(*web.REFUSALS):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await handler.close_async()  # type: ignore[no-untyped-call]
        await handler.client.aiohttp_client_session.close()

    async def _watchdog(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        up = [await handler.client.is_connected() for handler in self._handlers]
        if sum(up) != self._connected:
            log.event(_logger, logging.INFO, "slack_connections", up=sum(up), of=len(up))
        self._connected = sum(up)
        for number, (handler, connected) in enumerate(zip(self._handlers, up, strict=True)):
            if connected:
                self._down_since.pop(number, None)
            elif now - self._down_since.setdefault(number, now) >= self._stuck:
                log.event(_logger, logging.WARNING, "slack_ticket_dropped", connection=number)
                handler.client.wss_uri = None
                self._down_since[number] = now
