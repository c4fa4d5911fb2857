"""`/metrics`, `/healthz` and `/readyz` as routes: for a port of their own, or within the console.

Health is told without a login, to anybody, and says nothing but one word per check. `/metrics` names sources, jobs and LoRAs: on a
port of its own it may ask for a token; within the console its login stands before it.
"""

from __future__ import annotations

import asyncio
import gzip
import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.telemetry.collector import SnapshotCollector, WithoutCreated
from bot.telemetry.health import readiness
from bot.telemetry.standing import Standing

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
_NEVER_KEPT = {"Cache-Control": "no-store"}


class Endpoints:
    """The three answers. `/metrics` lets everybody in who comes so far; `behind_token` and the console's guard stand before it."""

    def __init__(self, registry: CollectorRegistry | None, collector: SnapshotCollector, standing: Standing) -> None:
        """`registry` None: no metrics. `collector` must be registered with it."""
        self._told = WithoutCreated(registry) if registry is not None else None
        self._collector = collector
        self._standing = standing

    async def healthz(self, request: Request) -> Response:
        """The process lives: whoever reads this has seen its event loop turn."""
        return JSONResponse({"status": "ok"}, headers=_NEVER_KEPT)

    async def readyz(self, request: Request) -> Response:
        """200, or 503 with the reasons."""
        found = await readiness(self._standing)
        return JSONResponse(found.as_json(), 200 if found.ready else 503, headers=_NEVER_KEPT)

    async def metrics(self, request: Request) -> Response:
        """In the form that the scraper asks for: OpenMetrics or the older text."""
        if self._told is None:
            return PlainTextResponse("404\n", 404, headers=_NEVER_KEPT)
        self._collector.snapshot = await self._standing.snapshot()
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        headers = {**_NEVER_KEPT, "Content-Type": kind, "Vary": "Accept, Accept-Encoding"}
        body = await asyncio.to_thread(encode, self._told)
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = await asyncio.to_thread(gzip.compress, body, 5)
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers=headers)


def shows(request: Request, token: str) -> bool:
    """Whether the request shows `token` as a bearer token."""
    shown = request.headers.get("authorization", "")
    return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())


def behind_token(handler: Handler, token: str) -> Handler:
    """`handler` for who shows `token`; for everybody when there is none."""

    async def guarded(request: Request) -> Response:
        if token and not shows(request, token):
            return PlainTextResponse("401\n", 401, headers={**_NEVER_KEPT, "WWW-Authenticate": 'Bearer realm="saseo"'})
        return await handler(request)

    return guarded


def alone(endpoints: Endpoints, token: str) -> Starlette:
    """For a port of its own."""
    return Starlette(
        routes=[
            Route("/healthz", endpoints.healthz),
            Route("/readyz", endpoints.readyz),
            Route("/metrics", behind_token(endpoints.metrics, token)),
        ]
    )


class Around:
    """The console with health before its guard, and metrics for who shows the token; all else is the console's.

    Health must not need the store (the guard asks it who comes), nor the console's own host name: a probe calls an address.
    """

    def __init__(self, console: ASGIApp, endpoints: Endpoints, token: str, *, metrics: bool) -> None:
        """`metrics`: whether the console has them at all; without a login only by a token."""
        self._console = console
        self._own = alone(endpoints, token)
        self._token = token if metrics else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "http":
            path = scope["path"]
            token = self._token and path == "/metrics" and shows(Request(scope), self._token)
            if path in ("/healthz", "/readyz") or token:
                await self._own(scope, receive, send)
                return
        await self._console(scope, receive, send)
