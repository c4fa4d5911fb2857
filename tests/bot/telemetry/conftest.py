"""A real desk, flow and store that are observed, and what a scraper reads over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.desk.desk import ReferenceDesk
from bot.settings import Settings
from bot.store.database import Store
from bot.telemetry.telemetry import Telemetry
from bot.web.server import WebServer
from knowledge.search import SearchIndex
from tests.bot.desk.conftest import Bench
from tests.fakes.recording_adapter import RecordingAdapter

JOBS = ("examples", "reindex")


class Scrape:
    """One answer of `/metrics`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}

    def value(self, name: str, /, **labels: str) -> float:
        """Of one sample; 0 where there is none."""
        found = [
            sample.value
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found)

    def labels(self, name: str, label: str, /) -> set[str]:
        """All values of one label of one family."""
        return {sample.labels[label] for sample in self.families[name].samples if label in sample.labels}


class Watched:
    """A desk whose parts an operator may measure, with a port of its own."""

    def __init__(self, index: SearchIndex, folder: Path, **settings: object) -> None:
        given = {"data_dir": folder, "metrics": {"port": 1}} | settings
        self.telemetry = Telemetry(Settings(**given), platforms=["slack"], environment={})  # type: ignore[arg-type]
        self.telemetry.know_jobs(JOBS)
        self.bench = Bench(index, folder, self.telemetry.observer)
        self.server: WebServer | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def store(self) -> Store:
        return self.bench.stores[-1]

    @property
    def adapter(self) -> RecordingAdapter:
        return self.bench.adapter

    async def desk(self, **options: object) -> ReferenceDesk:
        """A started one, of which the telemetry knows."""
        desk = await self.bench.start_desk(**options)  # type: ignore[arg-type]
        standing = self.telemetry.standing
        standing.store, standing.live, standing.line = self.store, self.bench.flow.live, desk
        return desk

    async def listen(self, app: object) -> str:
        """Serve an application on a free port of this machine; its address."""
        self.server = WebServer(app, "127.0.0.1", 0)  # type: ignore[arg-type]
        self.server.open()
        self._running = asyncio.create_task(self.server.run())
        return self.server.address

    async def close(self) -> None:
        if self.server is not None and self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            await self.server.close(0)
        await self.bench.close()


async def get(address: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Over a real connection."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(address + path, headers=headers)


@pytest.fixture
async def watched(index: SearchIndex, tmp_path: Path) -> AsyncIterator[Watched]:
    one = Watched(index, tmp_path)
    yield one
    await one.close()
