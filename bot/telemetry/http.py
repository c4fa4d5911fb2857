"""`/metrics`, `/healthz` and `/readyz` as routes: for a port of their own, or within the console.

Health is told without a login, to anybody, and says nothing but one word per check. `/metrics` names sources, jobs and LoRAs: on a
port of its own it may ask for a token; within the console its login stands before it.
"""

from __future__ import annotations

import asyncio
import gzip
import hmac
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.telemetry.collector import SnapshotCollector
from bot.telemetry.health import readiness
from bot.telemetry.standing import Standing

_NEVER_KEPT = {"Cache-Control": "no-store"}


class TelemetryRoutes:
    """The three answers. `allowed`: whether a request may read `/metrics`; health is open."""

    def __init__(
        self,
        registry: CollectorRegistry,
        collector: SnapshotCollector,
        standing: Standing,
        *,
        allowed: Callable[[Request], bool] = lambda request: True,
    ) -> None:
        """`collector` must be registered with `registry`."""
        self._registry = registry
        self._collector = collector
        self._standing = standing
        self._allowed = allowed

    def health(self) -> list[Route]:
        """Open to anybody."""
        return [Route("/healthz", self.healthz), Route("/readyz", self.readyz)]

    def routes(self) -> list[Route]:
        """All three."""
        return [*self.health(), Route("/metrics", self.metrics)]

    async def healthz(self, request: Request) -> Response:
        """The process lives: whoever reads this has seen its event loop turn."""
        return JSONResponse({"status": "ok"}, headers=_NEVER_KEPT)

    async def readyz(self, request: Request) -> Response:
        """200, or 503 with the reasons."""
        found = await readiness(self._standing)
        return JSONResponse(found.as_json(), 200 if found.ready else 503, headers=_NEVER_KEPT)

    async def metrics(self, request: Request) -> Response:
        """In the form that the scraper asks for: OpenMetrics or the older text."""
        if not self._allowed(request):
            return PlainTextResponse("401\n", 401, headers={**_NEVER_KEPT, "WWW-Authenticate": 'Bearer realm="saseo"'})
        self._collector.snapshot = await self._standing.snapshot()
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        headers = {**_NEVER_KEPT, "Content-Type": kind, "Vary": "Accept, Accept-Encoding"}
        body = await asyncio.to_thread(encode, self._registry)
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = await asyncio.to_thread(gzip.compress, body, 5)
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers=headers)


def bearer(token: str) -> Callable[[Request], bool]:
    """Lets in who shows `token` (`Authorization: Bearer …`); everybody when there is none."""

    def allowed(request: Request) -> bool:
        shown = request.headers.get("authorization", "")
        return not token or hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())

    return allowed


def application(routes: TelemetryRoutes) -> Starlette:
    """For a port of its own."""
    return Starlette(routes=routes.routes())
