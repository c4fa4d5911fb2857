"""One REST request from arrival to answer: faults, rate limits, the token, the route, and what is written down of it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.discord.faults import limited
from tests.fakes.discord.records import JSON, ApiError, Form, Request

if TYPE_CHECKING:
    from tests.fakes.discord.server import DiscordServer

_TOKEN = re.compile(r"^(/webhooks/\d+|/interactions/\d+)/([^/]+)")
_MAJOR = re.compile(r"^/(?:(?:channels|guilds)/\d+|(?:webhooks|interactions)/\d+/[^/]+)")


@dataclass
class Call:
    """What a route's function gets."""

    args: dict[str, str]
    query: dict[str, str]
    body: Any
    files: dict[str, bytes]
    """`<index>/<file name>` to content."""
    form: Form = field(default_factory=Form)

    def id(self, name: str) -> int:
        """An id from the path."""
        return int(self.args[name])


@dataclass(frozen=True)
class Reply:
    """An answer with another status than 200 (a value) or 204 (None)."""

    status: int
    body: Any = None


Handler = Callable[["DiscordServer", Call], Any]


@dataclass(frozen=True)
class Route:
    """A method, a path pattern, and what answers."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    authorized: bool


def route(method: str, path: str, handler: Handler, *, authorized: bool = True) -> Route:
    """`{name_id}` in the path matches digits, `{name}` anything up to the next slash."""
    pattern = re.sub(r"\{(\w+_id)\}", r"(?P<\1>\\d+)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method, re.compile(pattern), handler, authorized)


class Rest:
    """The REST side of the server."""

    def __init__(self, server: DiscordServer, routes: Iterable[Route]) -> None:
        self._server = server
        self._routes = list(routes)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        arrived = time.monotonic()
        path = request.path.removeprefix("/api/v10")
        shown = _TOKEN.sub(r"\1/:token", path)
        try:
            body, files = await _read(request)
        except (ConnectionError, ValueError):
            body, files = None, {}
        record = Request(request.method, shown, body, files, arrived, query=dict(request.query))
        self._server.requests.append(record)
        self._server.changed()
        fault = self._server.faults.take(request.method, shown)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        headers, wait = self._server.rate_limits.take(f"{request.method} {_bucket(shown)}|{_major(path)}")
        if fault is not None and fault.refuses:
            if fault.applied:
                self._answer(request, path, shown, body, files)
            if fault.drop_connection:
                _reset(request)
                record.status = 0
                return web.Response(status=500)  # never arrives
            answer: Any
            status, answer = fault.status or 500, {"message": f"{fault.status}: fault", "code": fault.code}
            if status == 429:
                answer, more = limited(fault.retry_after, everywhere=fault.everywhere)
                headers |= more
        elif wait is not None:
            status = 429
            answer, more = limited(wait)
            headers |= more
        else:
            status, answer = self._answer(request, path, shown, body, files)
        record.status, record.response = status, answer
        record.code = answer.get("code", 0) if isinstance(answer, dict) and status >= 400 else 0
        self._server.changed()
        if status == 204:
            return web.Response(status=204, headers=headers)
        text = json.dumps(answer, ensure_ascii=False).encode()
        # Exactly this content type: discord.py parses nothing else.
        return web.Response(status=status, body=text, headers=headers | {"Content-Type": "application/json"})

    def _answer(
        self, request: web.Request, path: str, shown: str, body: Any, files: dict[str, bytes]
    ) -> tuple[int, Any]:
        where = f"{request.method} {shown}"
        call = Call({}, dict(request.query), body, files)
        try:
            found = self._find(request.method, path, call)
            if found is None:
                self._server.violated(where, "no such route in this fake")
                return 404, {"message": "404: Not Found", "code": 0}
            if found.authorized:
                self._authorize(request, where)
            result = found.handler(self._server, call)
        except ApiError as error:
            if error.violation:
                self._server.violated(where, f"{error.code} {error.message} {json.dumps(error.errors or {})}")
            return error.status, error.body()
        finally:
            for name in call.form.unknown_fields:
                self._server.violated(where, f"unknown field {name}")
        if isinstance(result, Reply):
            return result.status, result.body
        return (204, None) if result is None else (200, result)

    def _find(self, method: str, path: str, call: Call) -> Route | None:
        for candidate in self._routes:
            match = candidate.pattern.fullmatch(path) if candidate.method == method else None
            if match is not None:
                call.args = match.groupdict()
                return candidate
        return None

    def _authorize(self, request: web.Request, where: str) -> None:
        if request.headers.get("Authorization") != f"Bot {self._server.token}":
            raise ApiError(401, 0, "401: Unauthorized")
        if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
            # docs: reference, user agent. Others may be blocked by the proxy in front of Discord.
            self._server.violated(where, "the user agent is not of the form `DiscordBot (url, version)`")


async def _read(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    """The JSON body and the files, whichever way they were sent. Raises ValueError for what is not JSON."""
    if not request.can_read_body:
        return None, {}
    if request.content_type != "multipart/form-data":
        text = await request.text()
        return (json.loads(text) if text else None), {}
    body: JSON = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        name = getattr(part, "name", None) or ""
        if name == "payload_json":
            body = json.loads(await part.text())  # type: ignore[union-attr]
        else:
            index = name.removeprefix("files[").removesuffix("]")
            files[f"{index}/{part.filename}"] = bytes(await part.read())  # type: ignore[union-attr]
    return body, files


def _major(path: str) -> str:
    match = _MAJOR.match(path)
    return match.group() if match is not None else ""


def _bucket(shown: str) -> str:
    return re.sub(r"\d+", ":id", shown)


def _reset(request: web.Request) -> None:
    if request.transport is None:
        return
    raw = request.transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
