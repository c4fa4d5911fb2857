"""Socket Mode: tickets, connections, envelopes, acknowledgements.

Facts (docs.slack.dev, Socket Mode): a ticket opens one connection once; at most ten connections per app; every payload goes to
one of them; `hello` comes first; `disconnect` announces a refresh and the old connection lives on for a moment.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack.delivery import EVENTS, Attempt, Failure
from tests.fakes.slack.records import JSON, Ack, Violation
from tests.fakes.slack.state import APP

MOST_CONNECTIONS = 10


@dataclass(eq=False, slots=True)
class Connection:
    """One WebSocket of the bot."""

    number: int
    ws: web.WebSocketResponse
    request: web.Request
    draining: bool = False
    """A `disconnect` was announced: it gets no new payload while another connection lives."""
    frozen: bool = False
    """It answers nothing, not even pings, and gets no payload: a dead network path."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    received: int = 0

    @property
    def usable(self) -> bool:
        """A payload can be sent."""
        return not self.ws.closed and not self.closed.is_set()

    def reset(self) -> None:
        """Break the TCP connection without a close frame (RST)."""
        transport = self.request.transport
        if transport is not None:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    def freeze(self) -> None:
        """From now on the bot hears nothing on it, although the TCP connection stands."""
        self.frozen = True

    async def refresh(self, reason: str = "refresh_requested", grace: float = 0.3) -> None:
        """Announce the end (`refresh_requested`, `warning`, `too_many_websockets`) and close after `grace` seconds."""
        self.draining = True
        await self.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
        if reason != "warning":
            try:
                await asyncio.wait_for(self.closed.wait(), grace)
            except TimeoutError:
                await self.ws.close()


@dataclass(eq=False, slots=True)
class _Pending:
    attempt: Attempt
    sent: float
    connection: Connection
    acked: asyncio.Future[Ack]


class SocketMode:
    """All connections of the app. `changed` is called whenever something happened that a test may wait for."""

    def __init__(
        self, base: Callable[[], str], acks: list[Ack], violations: list[Violation], changed: Callable[[], None]
    ) -> None:
        self.connections: list[Connection] = []
        self.opened = 0
        """Connections there have ever been."""
        self.refused = 0
        """Handshakes refused."""
        self.refuse_next = 0
        """How many handshakes to refuse; each burns its ticket."""
        self._base = base
        self._acks = acks
        self._violations = violations
        self._changed = changed
        self._tickets: set[str] = set()
        self._pending: dict[str, _Pending] = {}
        self._turn = 0

    @property
    def live(self) -> list[Connection]:
        """Those that a payload may go to."""
        usable = [connection for connection in self.connections if connection.usable]
        return [connection for connection in usable if not connection.draining] or usable

    def new_url(self) -> str:
        """For `apps.connections.open`: good for one handshake."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"{self._base()}/link/?ticket={ticket}&app_id={APP}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint."""
        ticket = request.query.get("ticket", "")
        known = ticket in self._tickets
        self._tickets.discard(ticket)
        if self.refuse_next > 0 or not known:
            self.refuse_next = max(0, self.refuse_next - 1)
            self.refused += 1
            self._changed()
            return web.Response(status=503 if known else 404)
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        self.opened += 1
        connection = Connection(self.opened, ws, request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "fake"}})
            await ws.close()
            return ws
        self.connections.append(connection)
        await ws.send_json(
            {
                "type": "hello",
                "num_connections": len(self.connections),
                "connection_info": {"app_id": APP},
                "debug_info": {"host": "fake", "build_number": 1, "approximate_connection_time": 18060},
            }
        )
        self._changed()
        try:
            await self._read(connection)
        finally:
            connection.closed.set()
            self.connections.remove(connection)
            self._changed()
        return ws

    async def _read(self, connection: Connection) -> None:
        async for message in connection.ws:
            if connection.frozen:
                continue
            if message.type is WSMsgType.PING:
                await connection.ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._receive(connection, message.data)

    def _receive(self, connection: Connection, text: str) -> None:
        try:
            body = json.loads(text)
            envelope_id = str(body["envelope_id"])
        except (ValueError, KeyError, TypeError):
            self._violations.append(Violation("socket", "unreadable_frame", text[:200]))
            return
        pending = self._pending.get(envelope_id)
        if pending is None:
            self._violations.append(Violation("socket", "unknown_envelope", envelope_id))
            return
        if pending.connection is not connection:
            self._violations.append(Violation("socket", "acked_on_another_connection", envelope_id))
        payload = body.get("payload") or None
        if payload and pending.attempt.kind == EVENTS:
            self._violations.append(Violation("socket", "response_payload_not_accepted", envelope_id))
        seconds = time.monotonic() - pending.sent
        late = pending.acked.done()
        ack = Ack(
            envelope_id, pending.attempt.kind, pending.attempt.name, pending.attempt.number, seconds, late, payload
        )
        self._acks.append(ack)
        if not late:
            pending.acked.set_result(ack)
        self._changed()

    async def send(self, attempt: Attempt, seconds: float) -> Ack | Failure:
        """To one connection, by turns; fails at once when there is none or it breaks before the acknowledgement."""
        connection = self._choose()
        if connection is None:
            return Failure("no_connection")
        envelope_id = secrets.token_hex(12)
        pending = _Pending(attempt, time.monotonic(), connection, asyncio.get_running_loop().create_future())
        self._pending[envelope_id] = pending
        envelope: JSON = {
            "envelope_id": envelope_id,
            "type": attempt.kind,
            "payload": attempt.payload,
            "accepts_response_payload": attempt.kind != EVENTS,
        }
        if attempt.kind == EVENTS:
            envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
        if not connection.frozen:
            connection.received += 1
            try:
                await connection.ws.send_json(envelope)
            except (ConnectionError, RuntimeError):
                return self._failed(pending, "connection_closed")
        closed = asyncio.ensure_future(connection.closed.wait())
        waiting: set[asyncio.Future[Any]] = {pending.acked, closed}
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        if pending.acked.done():
            return pending.acked.result()
        return self._failed(pending, "connection_closed" if connection.closed.is_set() else "timeout")

    async def ready(self, seconds: float) -> None:
        """Wait for a connection, at most so long."""
        end = time.monotonic() + seconds
        while not self.live and time.monotonic() < end:
            await asyncio.sleep(0.02)

    @staticmethod
    def _failed(pending: _Pending, reason: str) -> Failure:
        pending.acked.cancel()  # an acknowledgement from now on is a late one
        return Failure(reason)

    def _choose(self) -> Connection | None:
        live = self.live
        if not live:
            return None
        self._turn += 1
        return live[self._turn % len(live)]

    async def close(self) -> None:
        """Close every connection."""
        for connection in list(self.connections):
            await connection.ws.close()
