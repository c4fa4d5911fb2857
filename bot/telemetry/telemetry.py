"""Metrics, health and traces of one process, put together from the settings."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route

from bot import texts
from bot.errors import ConsoleNotStarted, MetricsNotServed
from bot.telemetry.collector import SnapshotCollector
from bot.telemetry.http import Around, Endpoints, alone
from bot.telemetry.metrics import Metrics
from bot.telemetry.observer import Observer, Safely
from bot.telemetry.standing import Places, Standing
from bot.telemetry.traces import Traces

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from bot.settings import Settings
    from bot.web.server import WebServer

TOKEN = "SASEO_METRICS_TOKEN"  # noqa: S105 - the name of a variable
"""Who shows it as a bearer token may read `/metrics`."""


class Telemetry:
    """One per process. `observer` is handed to whoever has something to tell; `standing` is told of the parts as they come to life."""

    def __init__(
        self,
        settings: Settings,
        *,
        platforms: Collection[str],
        failed_pages: Callable[[], Mapping[str, int]] = dict,
        held_back: Callable[[], Collection[str]] = tuple,
        backup_at: Callable[[], float | None] = lambda: None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`platforms`: that may ask. Raises ExtraMissing where traces are wanted and their packages are not there."""
        version = importlib.metadata.version("saseo")
        self._chosen = settings.metrics
        self._token = environment.get(TOKEN, "").strip()
        self.standing = Standing(
            Places(settings.service.queue_size, settings.writer.queue_size),
            settings.data_dir,
            [source.name for source in settings.sources],
            failed_pages=failed_pages,
            held_back=held_back,
            backup_at=backup_at,
        )
        self.metrics = Metrics(version, platforms) if settings.metrics.enabled else None
        endpoint = settings.telemetry.traces_endpoint
        self._traces = Traces.to(endpoint, version) if endpoint else None
        heard: list[Observer] = [one for one in (self.metrics, self._traces) if one is not None]
        self.observer: Observer = Safely(*heard) if heard else Observer()
        self._collector = SnapshotCollector()
        registry = self.metrics.registry if self.metrics is not None else None
        if registry is not None:
            registry.register(self._collector)
        self._endpoints = Endpoints(registry, self._collector, self.standing)

    def know_jobs(self, names: Collection[str]) -> None:
        """The jobs there are: others are not told of."""
        self._collector.jobs = tuple(sorted(names))
        if self.metrics is not None:
            self.metrics.know_jobs(names)

    def server(self) -> WebServer | None:
        """Listening on the port of its own; None: there is none. Raises MetricsNotServed."""
        from bot.web.server import WebServer

        if not self._chosen.enabled or not self._chosen.port:
            return None
        server = WebServer(alone(self._endpoints, self._token), self._chosen.host, self._chosen.port, name="metrics")
        try:
            server.open()
        except ConsoleNotStarted as error:
            raise MetricsNotServed(**error.details) from error
        return server

    def console_routes(self) -> list[BaseRoute]:
        """What the console serves behind its login."""
        return [Route("/metrics", self._endpoints.metrics)] if self._in_console else []

    def around(self, console: ASGIApp) -> ASGIApp:
        """The console with what needs no login."""
        return Around(console, self._endpoints, self._token, metrics=self._in_console)

    @property
    def _in_console(self) -> bool:
        return self._chosen.enabled and not self._chosen.port

    @asynccontextmanager
    async def serving(self, warn: Callable[[str], None], language: texts.Language = "ko") -> AsyncIterator[None]:
        """Meanwhile the port of its own answers, from before the model is loaded until everything has ended. One that is taken is told."""
        server = None
        try:
            server = self.server()
        except MetricsNotServed as error:
            warn(error.explain(language))  # people's answers do not depend on it
        running = asyncio.create_task(server.run(), name="metrics") if server is not None else None
        try:
            yield
        finally:
            if server is not None and running is not None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await server.close(0)
            if self._traces is not None:
                await asyncio.to_thread(self._traces.close)
