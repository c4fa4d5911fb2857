"""The console's address: taken at once or told, silent visitors leave, it is free after the end."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.errors import ConsoleNotStarted
from bot.web import server as room
from bot.web.server import WebServer


async def hello(request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", hello)])


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    first = WebServer(APP, "127.0.0.1", 0)
    first.open()
    port = int(first.address.rpartition(":")[2])
    with pytest.raises(ConsoleNotStarted) as refused:
        WebServer(APP, "127.0.0.1", port).open()
    assert "[web] port" in refused.value.explain("ko")
    asyncio.run(first.close(0))
    second = WebServer(APP, "127.0.0.1", port)
    second.open()
    asyncio.run(second.close(0))


async def test_connections_that_say_nothing_or_only_half_a_word_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_FIRST_SECONDS", 0.2)
    server = WebServer(APP, "127.0.0.1", 0)
    server.open()
    running = asyncio.create_task(server.run())
    port = int(server.address.rpartition(":")[2])
    silent, other = await asyncio.open_connection("127.0.0.1", port)
    half, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
    async with httpx.AsyncClient() as client:
        assert (await client.get(server.address)).text == "hello"
        assert await asyncio.wait_for(silent.read(), 10) == b""
        assert b"200" not in await asyncio.wait_for(half.read(), 10)
        assert (await client.get(server.address)).text == "hello"  # whoever has asked stays connected
    for one in (writer, other):
        one.close()
    await server.close(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
