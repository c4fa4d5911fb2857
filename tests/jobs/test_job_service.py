"""Jobs beside the service: each run in a real worker process; whatever such a process does, the service goes on."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.app import Root
from bot.job_settings import JobTable
from bot.jobs_app import Workshop, by_themselves, job_service, schedules
from bot.store import job_clock, jobs
from bot.store.database import Store, open_store
from jobs import registry as registry_module
from jobs.clock import Clock
from jobs.job import JobContext, JobParts, JobSpec
from jobs.registry import Registry, registry
from jobs.service import JobService, Worker


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not true():
            await asyncio.sleep(0.05)


def root(tmp_path: Path, more: str = "") -> Root:
    config = tmp_path / "saseo.toml"
    config.write_text(f'data_dir = "data"\n{more}', encoding="utf-8")
    return Root(config)


def process(code: str) -> Callable[[str], Awaitable[Worker]]:
    async def start(job: str) -> Worker:
        return await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.DEVNULL)

    return start


SMALL = Registry([JobSpec("small", "작은 작업", "Small", lambda context: {})])


def service(store: Store, start: Callable[[str], Awaitable[Worker]]) -> JobService:
    rules = SMALL.rules(60.0)
    return JobService(store, Clock(store, {}, grace=60.0), rules, ["small"], start, look_seconds=0.05)


@pytest.fixture
def small_store(tmp_path: Path):  # type: ignore[no-untyped-def]
    store = open_store("", tmp_path)
    yield store
    store.close()


def test_every_job_of_the_settings_exists_and_is_off_or_on_as_documented(tmp_path: Path) -> None:
    one = root(tmp_path)
    store = open_store("", tmp_path)
    try:
        known = registry(one.job_parts(store))
        tables = {name for name, value in one.settings.jobs if isinstance(value, JobTable)}
        assert tables <= set(known.names())
        assert {"examples", "retention"} <= set(by_themselves(one.settings, known))
        assert "reindex" not in by_themselves(one.settings, known)
        assert set(schedules(one.settings, known)) >= {"examples", "reindex", "retention"}
        assert all(spec.ko and spec.en for spec in known)
    finally:
        store.close()


def test_jobs_of_a_group_know_each_other() -> None:
    some = Registry(
        JobSpec(name, name, name, lambda context: {}, group=group)
        for name, group in [("a", "g"), ("b", "g"), ("c", "")]
    )
    assert some.rules(1.0).groups == {"a": {"a", "b"}, "b": {"a", "b"}, "c": {"c"}}


async def test_a_due_job_is_run_by_a_worker_process_of_low_priority(tmp_path: Path) -> None:
    one = root(tmp_path, '[jobs.retention]\nschedule = "every 1s"\n[jobs.examples]\nenabled = false\n')
    store = open_store("", tmp_path / "data")
    running = job_service(one.job_parts(store), one.config)
    assert running is not None
    task = asyncio.create_task(running.run())
    try:
        await until(lambda: any(run.state == "done" for run in store.run_now(jobs.every, "retention")))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await running.close(30.0)
    done = next(run for run in store.run_now(jobs.every, "retention") if run.state == "done")
    assert done.asked_by == "clock"
    assert f":{os.getpid()}:" not in done.owner
    assert (tmp_path / "data" / "jobs" / done.id / "log.jsonl").is_file()
    store.close()


def test_with_the_jobs_off_nothing_runs_by_itself(tmp_path: Path, small_store: Store) -> None:
    one = root(tmp_path, "[jobs]\nenabled = false\n[web]\nenabled = false\n")
    assert job_service(one.job_parts(small_store), one.config) is None


async def test_a_job_that_is_off_runs_when_a_person_asks_for_it(small_store: Store) -> None:
    now = time.time()
    small_store.run_now(job_clock.fire, "small", "every 1s", lambda after, until: [until], now=now - 9, grace=60.0)
    small_store.run_now(job_clock.fire, "small", "every 1s", lambda after, until: [until], now=now - 8, grace=60.0)
    started: list[str] = []

    async def start(job: str) -> Worker:
        started.append(job)
        return await process("pass")(job)

    running = JobService(
        small_store, Clock(small_store, {}, grace=60.0), SMALL.rules(60.0), [], start,
        on_request=["small"], look_seconds=0.02,
    )  # fmt: skip
    task = asyncio.create_task(running.run())
    try:
        await asyncio.sleep(0.3)
        assert started == []  # the clock's run waits for a job that is on
        small_store.run_now(jobs.ask, "small", by="web:kim", now=time.time(), arguments={"full": True})
        await until(lambda: bool(started))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await running.close(10.0)


async def test_a_worker_that_breaks_is_started_again_only_after_a_rest(
    small_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    small_store.run_now(jobs.ask, "small", by="kim", now=time.time())
    started: list[str] = []

    async def start(job: str) -> Worker:
        started.append(job)
        return await process("raise SystemExit(7)")(job)

    running = service(small_store, start)
    task = asyncio.create_task(running.run())
    await until(lambda: "worker_failed" in caplog.text)
    await asyncio.sleep(0.3)  # several looks
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await running.close(5.0)
    assert started == ["small"]
    assert [run.state for run in small_store.run_now(jobs.every)] == ["due"]


async def test_a_worker_that_does_not_stop_is_ended_when_the_service_ends(small_store: Store, tmp_path: Path) -> None:
    small_store.run_now(jobs.ask, "small", by="kim", now=time.time())
    deaf = tmp_path / "deaf"
    code = f"import pathlib, signal, time; signal.signal(15, signal.SIG_IGN); pathlib.Path({str(deaf)!r}).touch(); time.sleep(300)"
    made: list[Any] = []

    async def start(job: str) -> Worker:
        made.append(await process(code)(job))
        return made[-1]  # type: ignore[no-any-return]

    running = service(small_store, start)
    task = asyncio.create_task(running.run())
    await until(deaf.exists)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await running.close(0.2)
    assert made[0].returncode == -9
    assert len(made) == 1  # one run of a job at a time


async def test_a_store_that_is_gone_does_not_end_it(
    small_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    small_store.run_now(jobs.ask, "small", by="kim", now=time.time())
    whole, broken, started = jobs.ready, [True], asyncio.Event()

    def ready(*args: Any, **kwargs: Any) -> list[str]:
        if broken[0]:
            raise OSError("disk")
        return whole(*args, **kwargs)

    monkeypatch.setattr(jobs, "ready", ready)

    async def start(job: str) -> Worker:
        started.set()
        return await process("")(job)

    running = service(small_store, start)
    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(running.run())
        await until(lambda: "jobs_not_looked_after" in caplog.text)
    broken[0] = False
    await asyncio.wait_for(started.wait(), 60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await running.close(30.0)


def test_a_worker_stops_when_the_process_that_started_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()

    def work(context: JobContext) -> Mapping[str, Any]:
        os.close(writing)  # as the system does when the other process ends
        wait = threading.Event()
        while not wait.wait(0.02):
            context.check()
        return {}

    def make(parts: JobParts) -> JobSpec:
        return JobSpec("long", "오래", "Long", work)

    monkeypatch.setattr(registry_module, "FACTORIES", (make,))
    with root(tmp_path).jobs() as workshop:
        assert isinstance(workshop, Workshop)
        workshop._parts.store.run_now(jobs.ask, "long", by="kim", now=0.0)
        workshop.work("long", reading)
        run, _ = workshop.find("long")
    assert (run.state, run.until is not None) == ("stopped", True)
    os.close(reading)
