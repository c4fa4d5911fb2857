"""Jobs beside `saseo serve`: the clock adds due rows, and each run gets a process of its own. Nothing here does a job's work.

A worker process claims a run itself, so it is as good as any other runner: killed with or without this process, its run is taken
over when its lease ends. Its standard input is a pipe that closes with this process, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from bot.store import jobs as runs
from bot.store.database import Store
from bot.telemetry.observer import Observer
from jobs.clock import Clock
from jobs.file_changes import FileChanges

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 5.0
_REST_SECONDS = 60.0
"""Before a job is tried again whose worker failed without taking its run."""


class Worker(Protocol):
    """A started process, as `asyncio.subprocess.Process`."""

    pid: int

    def terminate(self) -> None:
        """Ask it to stop."""

    def kill(self) -> None:
        """End it."""

    async def wait(self) -> int:
        """Its exit status."""


class JobService:
    """Runs until cancelled; then `close` waits for the workers."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rules: runs.Rules,
        jobs: Collection[str],
        start: Callable[[str], Awaitable[Worker]],
        *,
        changes: FileChanges | None = None,
        on_request: Collection[str] = (),
        look_seconds: float = _LOOK_SECONDS,
        rest_seconds: float = _REST_SECONDS,
        observer: Observer | None = None,
    ) -> None:
        """`jobs`: those that run by themselves. `on_request`: those that a person may ask for in the console. `start` starts the worker
        process for a job. `changes` is watched beside the clock."""
        self._observer = observer or Observer()
        self._store = store
        self._clock = clock
        self._rules = rules
        self._jobs = jobs
        self._on_request = on_request
        self._start = start
        self._changes = changes
        self._look_seconds = look_seconds
        self._rest_seconds = rest_seconds
        self._workers: dict[str, Worker] = {}
        self._waiting: set[asyncio.Task[None]] = set()
        self._resting: dict[str, float] = {}

    async def run(self) -> None:
        """Whatever goes wrong is logged and tried again: the service answers without jobs, too."""
        started = False
        watching = asyncio.create_task(self._changes.run(), name="watch-sources") if self._changes else None
        try:
            while True:
                try:
                    if not started:
                        await self._clock.start()
                        started = True
                    await self._look()
                except Exception as error:  # noqa: BLE001
                    _log.error(json.dumps({"event": "jobs_not_looked_after", "error": type(error).__name__}))
                await asyncio.sleep(self._look_seconds)
        finally:
            if watching is not None:
                watching.cancel()
            self._clock.stop()
            for worker in self._workers.values():
                with contextlib.suppress(ProcessLookupError):
                    worker.terminate()

    async def close(self, seconds: float) -> None:
        """After `run` was cancelled, which asked the workers to stop: give them so long, then end them."""
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=max(seconds, 0.1))
        for job, worker in list(self._workers.items()):
            _log.warning(json.dumps({"event": "job_killed", "job": job}))  # another process goes on with its run
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _look(self) -> None:
        """Start a worker for each job that has something to do and none here."""
        ready = await self._store.run(runs.ready, self._rules, self._jobs, now=time.time(), on_request=self._on_request)
        for job in ready:
            beside = set(self._rules.groups[job]) & set(self._workers)
            if not beside and time.monotonic() >= self._resting.get(job, 0.0):
                worker = await self._start(job)
                self._workers[job] = worker
                task = asyncio.create_task(self._wait(job, worker), name=f"job-{job}")
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
                _log.info(json.dumps({"event": "worker_started", "job": job, "pid": worker.pid}))

    async def _wait(self, job: str, worker: Worker) -> None:
        code = await worker.wait()
        self._workers.pop(job, None)
        self._observer.worker_ended(job, "killed" if code < 0 else "failed" if code else "ok")
        if code < 0:  # killed, perhaps in the middle of a run: its lease and the count of deaths hold the next one back
            _log.warning(json.dumps({"event": "worker_killed", "job": job, "signal": -code}))
        elif code:
            self._resting[job] = time.monotonic() + self._rest_seconds
            _log.warning(json.dumps({"event": "worker_failed", "job": job, "exit": code}))
