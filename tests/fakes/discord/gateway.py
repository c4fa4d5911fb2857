"""The gateway (docs: events/gateway): identify, resume with replay, heartbeats, and its failures on demand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.discord.records import JSON

if TYPE_CHECKING:
    from tests.fakes.discord.server import DiscordServer

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME, RECONNECT = 0, 1, 2, 3, 4, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 8, 9, 10, 11
GUILDS, GUILD_MEMBERS, GUILD_PRESENCES, GUILD_MESSAGES, GUILD_REACTIONS = 1 << 0, 1 << 1, 1 << 8, 1 << 9, 1 << 10
DIRECT_MESSAGES, DIRECT_REACTIONS, MESSAGE_CONTENT = 1 << 12, 1 << 13, 1 << 15
ALL_INTENTS = (1 << 26) - 1
SENDS_PER_MINUTE = 120

Describe = Callable[["Session"], JSON]


@dataclass(eq=False)
class Session:
    """One identified bot; it outlives its connection, so that it can be resumed."""

    id: str
    intents: int
    events: list[tuple[int, str, JSON]] = field(default_factory=list)
    connection: Connection | None = None
    ended: bool = False
    """Invalidated, or closed by the bot with 1000: cannot be resumed."""

    def dispatch(self, event: str, data: JSON) -> None:
        """Send an event now, or keep it for a resume."""
        self.events.append((len(self.events) + 1, event, data))
        if self.connection is not None:
            self.connection.dispatch(*self.events[-1])


class Connection:
    """One WebSocket. A task of its own writes, so that events leave in order."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request, *, compressed: bool) -> None:
        self.ws = ws
        self.session: Session | None = None
        self._request = request
        self._compressor = zlib.compressobj() if compressed else None
        self._outgoing: asyncio.Queue[JSON | int] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())
        self.received: list[float] = []

    def send(self, op: int, data: Any = None) -> None:
        """Queue a payload."""
        self._outgoing.put_nowait({"op": op, "d": data, "s": None, "t": None})

    def dispatch(self, sequence: int, event: str, data: JSON) -> None:
        """Queue an event."""
        self._outgoing.put_nowait({"op": DISPATCH, "d": data, "s": sequence, "t": event})

    def close(self, code: int) -> None:
        """Close with this code once everything queued was sent."""
        self._outgoing.put_nowait(code)

    def reset(self) -> None:
        """Cut the TCP connection without a goodbye (RST)."""
        transport = self._request.transport
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def stop(self) -> None:
        """End the writing task."""
        self._writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._writer

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):  # the bot is gone; the reading side notices as well
            while True:
                item = await self._outgoing.get()
                if isinstance(item, int):
                    await self.ws.close(code=item)
                    return
                text = json.dumps(item, ensure_ascii=False)
                if self._compressor is None:
                    await self.ws.send_str(text)
                else:
                    data = self._compressor.compress(text.encode()) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
                    await self.ws.send_bytes(data)


class Gateway:
    """All sessions of the bot."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server
        self.sessions: list[Session] = []
        self.connections: set[Connection] = set()
        self.heartbeat_interval = 41.25
        """Seconds."""
        self.acknowledges = True
        """False: heartbeats go unanswered (a zombie connection)."""
        self.identifies: list[float] = []
        """When, `time.monotonic()`."""
        self.resumes = 0
        self.heartbeats = 0
        self.handshakes = 0
        """All attempts to connect, the refused ones too."""
        self._refuse = 0

    @property
    def connected(self) -> bool:
        """Whether an identified or resumed bot is there now."""
        return any(session.connection is not None for session in self.sessions)

    def refuse(self, times: int) -> None:
        """The next handshakes get a 503."""
        self._refuse = times

    def ask_to_reconnect(self) -> None:
        """Op 7 to every connection."""
        for connection in list(self.connections):
            connection.send(RECONNECT)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9 to every connection; unless resumable, the sessions end."""
        for connection in list(self.connections):
            if connection.session is not None and not resumable:
                connection.session.ended = True
            connection.send(INVALID_SESSION, resumable)

    def forget_sessions(self) -> None:
        """No session can be resumed any more; connections stay until they fail."""
        for session in self.sessions:
            session.ended = True

    def close(self, code: int = 4000) -> None:
        """Close every connection with this code."""
        for connection in list(self.connections):
            connection.close(code)

    def reset(self) -> None:
        """Cut every connection without a goodbye."""
        for connection in list(self.connections):
            connection.reset()

    def dispatch(self, event: str, data: JSON | Describe, intent: int = 0) -> None:
        """Send an event to every session that has the intent (0: needs none)."""
        for session in self.sessions:
            if not session.ended and (intent == 0 or session.intents & intent):
                session.dispatch(event, data(session) if callable(data) else data)
        self._server.changed()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One WebSocket, from its handshake to its end."""
        self.handshakes += 1
        if self._refuse > 0:
            self._refuse -= 1
            return web.Response(status=503)
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        connection = Connection(ws, request, compressed=request.query.get("compress") == "zlib-stream")
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            connection.close(4012)
        self.connections.add(connection)
        goodbye = False
        connection.send(HELLO, {"heartbeat_interval": int(self.heartbeat_interval * 1000), "_trace": []})
        try:
            while (message := await ws.receive()).type is WSMsgType.TEXT:
                self._received(connection, message.data)
            # A bot that closes with 1000 or 1001 ends its session (docs: gateway, resuming).
            goodbye = message.type is WSMsgType.CLOSE and message.data in (WSCloseCode.OK, WSCloseCode.GOING_AWAY)
        finally:
            self.connections.discard(connection)
            session = connection.session
            if session is not None and session.connection is connection:
                session.connection = None
                session.ended = session.ended or goodbye
            await connection.stop()
            self._server.changed()
        return ws

    async def shut(self) -> None:
        """The server goes away."""
        for connection in list(self.connections):
            await connection.stop()
            await connection.ws.close(code=WSCloseCode.GOING_AWAY)

    def _received(self, connection: Connection, text: str) -> None:
        now = time.monotonic()
        connection.received = [at for at in connection.received if now - at < 60] + [now]
        if len(connection.received) > SENDS_PER_MINUTE:
            self._complain(connection, 4008, "more than 120 payloads in 60 seconds")
            return
        try:
            payload = json.loads(text)
            op, data = payload["op"], payload.get("d")
        except (ValueError, KeyError, TypeError):
            self._complain(connection, 4002, "not a payload")
            return
        if len(text.encode()) > 4096:
            self._complain(connection, 4002, "a payload of more than 4096 bytes")
        elif op == HEARTBEAT:
            self.heartbeats += 1
            if self.acknowledges:
                connection.send(HEARTBEAT_ACK)
        elif op == IDENTIFY:
            self._identify(connection, data)
        elif op == RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            self._complain(connection, 4003, f"op {op} before identifying")
        elif op == REQUEST_MEMBERS:
            self._members(connection.session, data)
        elif op not in (PRESENCE, VOICE_STATE):
            self._complain(connection, 4001, f"unknown op {op}")
        self._server.changed()

    def _complain(self, connection: Connection, code: int, detail: str) -> None:
        self._server.violated("gateway", f"{code}: {detail}")
        connection.close(code)

    def _identify(self, connection: Connection, data: JSON) -> None:
        self.identifies.append(time.monotonic())
        if connection.session is not None:
            self._complain(connection, 4005, "identified twice")
            return
        if data.get("token") != self._server.token:
            connection.close(4004)
            return
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            self._complain(connection, 4013, f"invalid intents {intents}")
            return
        if intents & ~self._server.allowed_intents & (GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT):
            connection.close(4014)
            return
        session = Session(secrets.token_hex(16), intents, connection=connection)
        connection.session = session
        self.sessions.append(session)
        session.dispatch("READY", self._ready(session, data))
        if intents & GUILDS:
            for guild in self._server.guilds:
                if guild.bot_in:
                    session.dispatch("GUILD_CREATE", guild.create_payload(self._server.bot))

    def _ready(self, session: Session, data: JSON) -> JSON:
        return {
            "v": 10,
            "user": self._server.bot.payload() | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0},
            "private_channels": [],
            "relationships": [],
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in self._server.guilds if guild.bot_in],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._server.gateway_url,
            "shard": data.get("shard", [0, 1]),
            "application": {"id": str(self._server.application_id), "flags": self._server.application_flags},
            "_trace": [],
        }

    def _resume(self, connection: Connection, data: JSON) -> None:
        if data.get("token") != self._server.token:
            connection.close(4004)
            return
        session = next((s for s in self.sessions if s.id == data.get("session_id") and not s.ended), None)
        if session is None:
            connection.send(INVALID_SESSION, False)
            return
        sequence = data.get("seq")
        if not isinstance(sequence, int) or sequence > len(session.events):
            connection.close(4007)
            return
        self.resumes += 1
        session.connection = connection
        connection.session = session
        for missed in session.events[sequence:]:
            connection.dispatch(*missed)
        session.dispatch("RESUMED", {"_trace": []})

    def _members(self, session: Session, data: JSON) -> None:
        guild = self._server.find_guild(int(data["guild_id"]))
        if guild is None:
            return
        wanted = data.get("user_ids")
        listed = [wanted] if isinstance(wanted, str | int) else wanted
        members = list(guild.members.values())
        if listed is not None:
            members = [member for member in members if str(member.user.id) in set(map(str, listed))]
        elif not session.intents & GUILD_MEMBERS and not data.get("query"):
            members = []
        chunk: JSON = {
            "guild_id": str(guild.id),
            "members": [member.payload() for member in members],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        if data.get("nonce"):
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)
