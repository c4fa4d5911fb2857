"""The composition root's part for jobs: beside `saseo serve`, in a worker process, and for `saseo jobs`. Only bot/app.py imports this."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

from bot.commands.tools import JobLine
from bot.errors import JobBusy, JobPaused, UnknownJob, UnknownRun
from bot.job_book import KnownJob
from bot.job_settings import JobTable
from bot.serve_app import process_name
from bot.settings import Settings
from bot.settings_file import default_folder
from bot.store import audit, job_clock
from bot.store import jobs as runs
from bot.store.job_rows import Run
from knowledge.errors import ExplainedError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.reindexing import Reindexing
    from bot.telemetry.observer import Observer
    from jobs.clock import Schedule
    from jobs.job import JobParts, JobSpec
    from jobs.registry import Registry
    from jobs.runner import Runner
    from jobs.service import JobService

_log = logging.getLogger(__name__)
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bot.jobs_app import work; work()"
_NICE = 19
"""Below answering and everything else."""


def _table(settings: Settings, spec: JobSpec) -> JobTable:
    """Whether and when a job runs by itself: `[jobs.NAME]`, or where its times stand."""
    return settings.jobs.of(spec.name) if spec.schedule is None else JobTable(enabled=True, schedule=spec.schedule)


def by_themselves(settings: Settings, registry: Registry) -> list[str]:
    """Jobs that run without being asked for."""
    return [spec.name for spec in registry if settings.jobs.enabled and _table(settings, spec).enabled]


def on_request(settings: Settings, registry: Registry) -> list[str]:
    """Jobs that do not run by themselves and are run here once a person asked: all in the console, re-indexing in chat, too."""
    from jobs.reindex import NAME

    chosen = by_themselves(settings, registry)
    in_chat = settings.jobs.enabled and (settings.slack.enabled or settings.discord.enabled)
    return [
        spec.name
        for spec in registry
        if spec.name not in chosen and (settings.web.enabled or (in_chat and spec.name == NAME))
    ]


def schedules(settings: Settings, registry: Registry) -> dict[str, Schedule]:
    """When those jobs are due that have a time. Raises InvalidSetting."""
    from jobs.clock import parse

    zone = ZoneInfo(settings.jobs.timezone)
    parsed = {
        spec.name: parse(
            _table(settings, spec).schedule,
            zone,
            key=f"{spec.name}: [[sources]] schedule" if spec.schedule is not None else f"[jobs.{spec.name}] schedule",
        )
        for spec in registry
    }
    return {name: one for name, one in parsed.items() if one is not None}


def rules(settings: Settings, registry: Registry) -> runs.Rules:
    """`[jobs]` as the store wants it."""
    return registry.rules(settings.jobs.grace_minutes * 60)


def make_runner(parts: JobParts, registry: Registry, without: Collection[str] = ()) -> Runner:
    """Runs jobs in this process. `without`: jobs that do not become due by them."""
    from jobs.runner import Runner, RunnerOptions

    settings = parts.settings
    options = RunnerOptions(
        owner=process_name(),
        folder=settings.data_dir / "jobs",
        lease=settings.jobs.lease_seconds,
        follow=[name for name in by_themselves(settings, registry) if name not in without],
        language=settings.language,
    )
    return Runner(parts.store, registry, rules(settings, registry), options)


def job_names(parts: JobParts) -> list[str]:
    """Every job there is, whether it runs by itself or not."""
    from jobs.registry import registry

    return registry(parts).names()


def job_service(parts: JobParts, config: Path | None, observer: Observer | None = None) -> JobService | None:
    """What runs beside `saseo serve`; None when `[jobs]` and the console are off: nobody can ask for a job then.

    `config`: of `--config`. Raises InvalidSetting.
    """
    from jobs.clock import Clock
    from jobs.file_changes import FileChanges
    from jobs.registry import registry as make_registry
    from jobs.reindex import name_of
    from jobs.service import JobService, Worker

    settings = parts.settings
    registry = make_registry(parts)
    timed = schedules(settings, registry)
    chosen = by_themselves(settings, registry)
    asked_for = on_request(settings, registry)
    if not chosen and not asked_for:
        return None

    async def start(job: str) -> Worker:
        given = ["--config", str(config)] if config is not None else []
        # Its own session: Ctrl-C at the terminal reaches the service alone, which asks its workers to stop.
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", _START, str(default_folder()), *given, job,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
            env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
        )  # fmt: skip

    clock = Clock(
        parts.store,
        {name: timed[name] for name in chosen if name in timed},
        grace=settings.jobs.grace_minutes * 60,
    )

    async def due(source: str) -> None:
        await parts.store.run(runs.ask, name_of(source), by=runs.CHANGE, now=time.time())

    watched = {one.name: one.watched for one in settings.sources if one.watched is not None}
    return JobService(
        parts.store,
        clock,
        rules(settings, registry),
        chosen,
        start,
        changes=FileChanges(watched, due) if watched else None,
        observer=observer,
        on_request=asked_for,
    )


def reindexing(parts: JobParts) -> Reindexing:
    """What an admin asks for in chat. Raises InvalidSetting."""
    from bot.reindexing import Reindexing
    from jobs.registry import registry as make_registry
    from jobs.reindex import NAME

    settings, registry = parts.settings, make_registry(parts)
    runs_here = NAME in {*by_themselves(settings, registry), *on_request(settings, registry)}
    return Reindexing(parts.store, Book(parts), runs_here=runs_here)


def work() -> NoReturn:
    """A worker process: take the next run of one job and leave. Stops on a signal, and when its standard input closes."""
    from bot.app import Root

    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    parser.add_argument("job")
    given = parser.parse_args()
    # What the job starts in its turn must not read the pipe that tells whether the service still lives.
    pipe, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.nice(_NICE)
    root = Root(given.config)
    try:
        with root.jobs() as workshop:
            workshop.work(given.job, pipe)
    except ExplainedError as error:
        _log.error(json.dumps({"event": "worker_failed", "job": given.job, "error": type(error).__name__}))
        sys.exit(1)
    sys.exit(0)


class Workshop:
    """What `saseo jobs` uses; see `bot.commands.tools.JobTools`. Raises StoreError and what each method names."""

    def __init__(self, parts: JobParts) -> None:
        from jobs.registry import registry

        self._parts = parts
        self._registry = registry(parts)
        self._folder = parts.settings.data_dir / "jobs"

    def lines(self) -> list[JobLine]:
        """One per job. Raises InvalidSetting."""
        store, settings, now = self._parts.store, self._parts.settings, time.time()
        timed = schedules(settings, self._registry)
        chosen = by_themselves(settings, self._registry)
        lines = []
        for spec in self._registry:
            schedule = timed.get(spec.name)
            paused = store.run_now(runs.paused, spec.name)
            at = None
            if schedule is not None and spec.name in chosen and not paused:
                at = schedule.next(store.run_now(job_clock.looked_after, spec.name, schedule.text) or now)
                at = at if at >= now else schedule.next(now)
            lines.append(
                JobLine(
                    name=spec.name,
                    title=spec.title(settings.language),
                    enabled=spec.name in chosen,
                    schedule=_table(settings, spec).schedule,
                    next_at=at,
                    paused=paused,
                    last=store.run_now(runs.newest, spec.name),
                )
            )
        return lines

    def run(
        self,
        job: str,
        *,
        by: str,
        told: Callable[[int, int | None, str], None],
        arguments: Mapping[str, Any] | None = None,
        without: Collection[str] = (),
        watch: Callable[[Mapping[str, Any]], None] = lambda event: None,
    ) -> Run:
        """Run it here and now; the run as it ended. `without`: jobs that do not become due by it; `watch`: takes what the job tells
        of itself. Raises UnknownJob, JobPaused, JobBusy."""
        self._known(job)
        os.nice(_NICE)
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        store = self._parts.store
        if store.run_now(runs.paused, job):
            raise JobPaused(job=job)
        runner = make_runner(self._parts, self._registry, without)

        def began(claimed: Run) -> None:
            detail = {"run": claimed.id, **claimed.arguments}
            who = audit.auditor(by)
            store.run_now(audit.record, by=who, action="job.run", subject=job, detail=detail, now=time.time())

        # What a person stops waits until somebody asks for it again.
        with _signals(lambda: runner.stop(goes_on=False)):
            run = runner.run(job, asked_by=by, told=told, arguments=arguments, began=began, tell=watch)
        if run is None:
            group = rules(self._parts.settings, self._registry).groups[job]
            busy = store.run_now(runs.running, group, now=time.time())
            raise JobBusy(
                job=job,
                running=busy.job if busy else job,
                where=busy.owner if busy else "?",
                run=busy.id if busy else job,
            )
        return run

    def work(self, job: str, pipe: int) -> None:
        """The worker's part: the next run of `job`, if there is one. `pipe` closes with the process that started this one."""
        if job not in self._registry:
            return
        runner = make_runner(self._parts, self._registry)

        def watch() -> None:
            with contextlib.suppress(OSError):
                os.read(pipe, 1)
            runner.stop()

        threading.Thread(target=watch, name="parent", daemon=True).start()
        with _signals(runner.stop):
            runner.run(job)

    def find(self, name: str | None) -> tuple[Run, Path]:
        """A run by its id, a job's last run, or the last of all; and its log file. Raises UnknownRun."""
        store = self._parts.store
        if name is None or name in self._registry:
            run = store.run_now(runs.newest, name)
        else:
            run = store.run_now(runs.get, name)
        if run is None:
            raise UnknownRun(run=name or "-")
        from jobs.runner import LOG

        return run, self._folder / run.id / LOG

    def switch(self, job: str, pause: bool, *, by: str) -> None:
        """Pause or resume. Raises UnknownJob."""
        self._known(job)
        now = time.time()

        def write(connection: Connection) -> None:
            runs.switch(connection, job, pause, by=by, now=now)
            action = "job.pause" if pause else "job.resume"
            audit.record(connection, by=audit.auditor(by), action=action, subject=job, now=now)

        self._parts.store.run_now(write)

    def _known(self, job: str) -> None:
        if job not in self._registry:
            raise UnknownJob(job=job, known=", ".join(self._registry.names()))


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """The first signal asks to stop; a second Ctrl-C interrupts at once."""
    asked = False

    def heard(number: int, frame: object) -> None:
        nonlocal asked
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked = True
        stop()

    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    # `nohup` and a shell's background ignore some on purpose.
    before = {number: signal.signal(number, heard) for number in wanted if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Book:
    """What the console knows of jobs; see `bot.job_book.JobBook`."""

    def __init__(self, parts: JobParts) -> None:
        """Raises InvalidSetting."""
        from jobs.registry import registry
        from jobs.reindex import NAME, name_of

        settings = parts.settings
        specs = registry(parts)
        chosen = by_themselves(settings, specs)
        groups = rules(settings, specs).groups
        self._timed = {name: one for name, one in schedules(settings, specs).items() if name in chosen}
        self._folder = settings.data_dir / "jobs"
        self._reindex, self._name_of = NAME, name_of
        self.jobs = {
            spec.name: KnownJob(
                spec.name,
                spec.ko,
                spec.en,
                spec.name in chosen,
                _table(settings, spec).schedule,
                frozenset(groups[spec.name]),
            )
            for spec in specs
        }

    def next_times(self, connection: Connection, *, now: float) -> dict[str, float]:
        """When each job is due by its schedule; paused ones, too."""
        found = {}
        for name, schedule in self._timed.items():
            at = schedule.next(job_clock.looked_after(connection, name, schedule.text) or now)
            found[name] = at if at >= now else schedule.next(now)
        return found

    def log_of(self, run: str) -> Path:
        """Its log file, which may be missing."""
        from jobs.runner import LOG

        return self._folder / run / LOG

    def reading(self, source: str | None = None) -> tuple[str, dict[str, list[str]]]:
        """Which job reads a source again (None: all of them), and with which arguments."""
        if source is None:
            return self._reindex, {}
        own = self._name_of(source)
        return (own, {}) if own in self.jobs else (self._reindex, {"sources": [source]})
