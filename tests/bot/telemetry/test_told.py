"""The parts tell an observer what happens to them: the writer's worker, the service, the jobs beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import WriterBusy, WriterFailed, WriterTimeout
from bot.serving import Platform, Service
from bot.store import facts, jobs
from bot.store.database import open_store
from bot.telemetry.observer import Observer, Unwritten, WorkerEnd
from bot.worker import ModelWorker
from bot.writers.engine import StopFlag, Turn, WritingReport, WritingRequest
from jobs.clock import Clock
from jobs.job import JobSpec
from jobs.registry import Registry
from jobs.service import JobService, Worker
from tests.bot.telemetry.conftest import Watched
from tests.fakes.recording_adapter import RecordingAdapter

REPORT = WritingReport(12, 3, 4, 0.5, 0.25, "end")


class Heard(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.written: list[tuple[WritingReport, float]] = []
        self.unwritten: list[str] = []
        self.workers: list[tuple[str, str]] = []
        self.late: list[float] = []

    def wrote(self, report: WritingReport, waited: float) -> None:
        self.written.append((report, waited))

    def not_written(self, why: Unwritten) -> None:
        self.unwritten.append(why)

    def worker_ended(self, job: str, end: WorkerEnd) -> None:
        self.workers.append((job, end))

    def loop_late(self, seconds: float) -> None:
        self.late.append(seconds)


class Engine:
    """Writes at once, waits to be stopped, or crashes."""

    name, context_tokens = "x", 100

    def write(self, request: WritingRequest, stop: StopFlag) -> Iterator[str | WritingReport]:
        text = request.turns[-1].text
        if text == "crash":
            raise ZeroDivisionError
        while text == "wait" and not stop.is_set():
            time.sleep(0.002)
        yield "글"
        yield REPORT

    def close(self) -> None:
        pass


def request(text: str) -> WritingRequest:
    return WritingRequest((Turn("user", text),))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.02)


async def test_the_worker_tells_each_end_once() -> None:
    heard = Heard()
    worker = ModelWorker(Engine, queue_size=8, per_person=2, observer=heard)  # type: ignore[arg-type]

    async def write(text: str, **options: Any) -> None:
        async for _ in worker.submit(request(text), asker=text, **options).pieces():
            pass

    assert not worker.loaded
    await write("hello")
    assert worker.loaded
    assert heard.written[0][0] == REPORT
    assert heard.written[0][1] >= 0
    with pytest.raises(WriterFailed):
        await write("crash")
    with pytest.raises(WriterTimeout):
        await write("wait", timeout=0.05)
    first, second = (worker.submit(request("wait"), asker="one") for _ in range(2))
    with pytest.raises(WriterBusy):
        worker.submit(request("wait"), asker="one")
    first.cancel()
    second.cancel()
    await worker.close()
    assert heard.unwritten == ["failed", "timeout", "busy", "cancelled", "cancelled"]
    assert len(heard.written) == 1


@pytest.mark.parametrize(
    ("code", "end"),
    [("pass", "ok"), ("raise SystemExit(3)", "failed"), ("import os; os.kill(os.getpid(), 9)", "killed")],
)
async def test_the_end_of_each_jobs_process_is_told(tmp_path: Path, code: str, end: str) -> None:
    store, heard = open_store("", tmp_path), Heard()
    known = Registry([JobSpec("small", "작은 작업", "Small", lambda context: {})])
    store.run_now(jobs.ask, "small", by="kim", now=time.time())

    def start(job: str) -> Awaitable[Worker]:
        return asyncio.create_subprocess_exec(sys.executable, "-c", code)

    clock = Clock(store, {}, grace=60.0)
    service = JobService(store, clock, known.rules(60.0), ["small"], start, look_seconds=0.05, observer=heard)
    task = asyncio.create_task(service.run())
    await until(lambda: bool(heard.workers))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await service.close(30.0)
    store.close()
    assert heard.workers[0] == ("small", end)


class Adapter(RecordingAdapter):
    """Connects at once."""

    async def start(self) -> None:
        pass

    async def stop_intake(self) -> None:
        pass

    async def close(self) -> None:
        pass


async def test_the_service_tells_who_is_connected_and_who_stands_by(watched: Watched) -> None:
    heard = Heard()
    desk = watched.bench.open_desk()
    other = {"now": time.time(), "seconds": 600.0}
    assert watched.store.run_now(facts.hold_lease, "discord", "another process", **other)
    service = Service(
        desk,
        watched.store,
        [Platform(Adapter("slack")), Platform(Adapter("discord"), alone=True)],
        owner="p0",
        drain_seconds=1.0,
        say=lambda text: None,
        ready=lambda: "ready",
        warn=lambda error: None,
        observer=heard,
    )
    task = asyncio.create_task(service.run())
    await until(lambda: any(one.standing_by for one in service.platform_states()))
    slack, discord = service.platform_states()
    assert (slack.name, slack.connected, slack.standing_by) == ("slack", True, False)
    assert (discord.name, discord.connected, discord.standing_by) == ("discord", False, True)
    await until(lambda: len(heard.late) > 3)
    assert not service.stopping
    service.stop()
    assert service.stopping
    await asyncio.wait_for(task, 40)
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError):
            asyncio.get_running_loop().remove_signal_handler(number)
