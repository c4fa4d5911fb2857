"""A web site on this machine, over real sockets. It refuses and remembers what a polite crawler would not send."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What an address answers. `tagged`: with an ETag of the body, and 304 to whoever shows it."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    tagged: bool = False


@dataclass
class WebSite:
    """`replies`: path with query as sent → what is answered: always the last of the list, those before it once each."""

    url: str = ""
    agent: str = "SaseoBot"
    authorisation: str | None = None
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every request but those for robots.txt."""
    answered: list[int] = field(default_factory=list)
    """The status of each of them."""
    complaints: list[str] = field(default_factory=list)

    def page(self, path: str, body: str = "", **more: object) -> None:
        """An HTML page; `more` as in Reply."""
        self.reply(path, Reply(body.encode(), **more))  # type: ignore[arg-type]

    def reply(self, path: str, *replies: Reply) -> None:
        """What `path` answers from now on."""
        self.replies[path] = list(replies)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        path = request.raw_path
        self._check(request)
        if self.authorisation is not None and request.headers.get("Authorization") != self.authorisation:
            return self._noted(path, web.Response(status=401, headers={"WWW-Authenticate": "Bearer"}))
        if path in self.handlers:
            self.asked.append(path)
            return await self.handlers[path](request)
        waiting = self.replies.get(path)
        if waiting is None:
            return self._noted(path, web.Response(status=404, text="Not Found"))
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        headers = {"Content-Type": reply.content_type, **reply.headers}
        if reply.tagged:
            headers["ETag"] = f'"{hashlib.sha256(reply.body).hexdigest()[:12]}"'
            if request.headers.get("If-None-Match") == headers["ETag"]:
                return self._noted(path, web.Response(status=304, headers={"ETag": headers["ETag"]}))
        return self._noted(path, web.Response(status=reply.status, body=reply.body, headers=headers))

    def _noted(self, path: str, response: web.Response) -> web.Response:
        if path != "/robots.txt":
            self.asked.append(path)
            self.answered.append(response.status)
        return response

    def _check(self, request: web.Request) -> None:
        headers = request.headers
        expected = {
            "GET only": request.method == "GET",
            "Host as in the address": f"http://{headers.get('Host')}" == self.url,
            "our name": headers.get("User-Agent") == self.agent,
            "no cookies": "Cookie" not in headers,
            "gzip only": headers.get("Accept-Encoding") == "gzip",
            "no body": not request.can_read_body,
            "no token but the one for this site": headers.get("Authorization") in (None, self.authorisation),
            "one spelling": "#" not in request.raw_path and request.raw_path.isascii(),
        }
        self.complaints += [f"{request.raw_path}: {rule}" for rule, kept in expected.items() if not kept]


@contextmanager
def running(site: WebSite) -> Iterator[WebSite]:
    """Serves `site` from a thread of its own on a free port; its `url` has no slash at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", site.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, runner.addresses[0][1]

    async def stop(runner: web.AppRunner) -> None:
        # A connection that was closed at once is accepted, noticed and let go in rounds of the loop; so are those that
        # the clean-up closes.
        await rounds()
        await runner.cleanup()
        await rounds()

    async def rounds() -> None:
        for _ in range(20):
            await asyncio.sleep(0.001)

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    site.url = f"http://127.0.0.1:{port}"
    try:
        yield site
    finally:
        asyncio.run_coroutine_threadsafe(stop(runner), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
