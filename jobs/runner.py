"""One run of a job in this process: claimed in the store, kept by heartbeats, its log and result written down.

A job's function never sees the store's table. Whoever cannot renew a claim leaves before it ends, so that the next holder is alone.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import StoreError
from bot.logs import JsonLines
from bot.store import jobs as runs
from bot.store.database import Store
from bot.store.job_rows import Run
from jobs.job import THEN, JobContext, JobSpec, JobStopped
from jobs.registry import Registry
from knowledge.errors import ExplainedError

_log = logging.getLogger(__name__)
LOG = "log.jsonl"
"""In a run's folder."""
_MOST_SECONDS_BETWEEN_BEATS = 5.0
_TRIES = 3
"""Of a run that ends with an error of `JobSpec.kept_after`: what it kept may be what is wrong."""
_FIRST_WAIT = 60.0
_LONGEST_WAIT = 1800.0
"""Seconds before a run is tried again that ended with an error of `JobSpec.waits_after`: each wait is twice the one before."""
_WAITS = 24
"""In about ten hours: what has not passed by then is a failure that somebody must look at."""


def _leave() -> None:
    os._exit(75)  # EX_TEMPFAIL: whatever the job does now, it must not go on beside the next holder


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """How runs are held."""

    owner: str
    """Of this process, never used twice."""
    folder: Path
    """Of all runs: each gets one of its own in it."""
    lease: float
    """Seconds."""
    follow: Collection[str] = ()
    """Jobs that may become due because another one asked for them."""
    language: str = "ko"
    """Of a run's `error`."""


class Runner:
    """Runs jobs one after the other on the calling thread."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        rules: runs.Rules,
        options: RunnerOptions,
        *,
        clock: Callable[[], float] = time.time,
        leave: Callable[[], None] = _leave,
    ) -> None:
        """`leave` ends the process at once: it is called where a claim is about to end and the job does not."""
        self._store = store
        self._registry = registry
        self._rules = rules
        self._options = options
        self._clock = clock
        self._leave = leave
        self._stop = threading.Event()
        self._goes_on = True

    def stop(self, *, goes_on: bool = True) -> None:
        """Ask the running job to stop; safe in a signal handler. `goes_on`: other processes may take its run up at once."""
        self._goes_on = goes_on
        self._stop.set()

    def run(
        self,
        job: str,
        *,
        asked_by: str = "",
        arguments: Mapping[str, Any] | None = None,
        told: Callable[[int, int | None, str], None] = lambda done, total, message: None,
        began: Callable[[Run], None] = lambda run: None,
        tell: Callable[[Mapping[str, Any]], None] = lambda event: None,
    ) -> Run | None:
        """The run that was made here, as it ended; None: there was none to take, its group is busy, or it is paused.

        With `asked_by` a run is there in any case. `began` is told the claimed run, `told` its progress, `tell` what its
        context is told. Raises StoreError.
        """
        options = self._options
        claimed = self._store.run_now(
            runs.claim, job, options.owner, self._rules,
            now=self._clock(), lease=options.lease, asked_by=asked_by, arguments=arguments,
        )  # fmt: skip
        if claimed is None:
            return None
        folder = options.folder / claimed.id
        folder.mkdir(0o700, parents=True, exist_ok=True)  # examples of what people asked may lie in it
        began(claimed)
        with _log_in(folder / LOG):
            _log.info(json.dumps({"event": "run_began", "run": claimed.id, "job": job, "attempt": claimed.attempt}))
            self._work(self._registry[job], claimed, folder, told, tell, may_wait=not asked_by)
        return self._store.run_now(runs.get, claimed.id)

    def _work(
        self,
        spec: JobSpec,
        run: Run,
        folder: Path,
        told: Callable[[int, int | None, str], None],
        tell: Callable[[Mapping[str, Any]], None],
        *,
        may_wait: bool,
    ) -> None:
        """`may_wait`: nobody waits here for how it ends."""
        holding = _Holding(self._store, run, self._options.lease, self._clock, self._stop, self._leave)

        def progress(done: int, total: int | None = None, message: str = "") -> None:
            holding.progress = {"done": done, "total": total, "message": message}
            told(done, total, message)

        context = JobContext(
            run.id, folder, run.arguments, run.attempt > 1, progress,
            lambda: self._stop.is_set() or holding.over, tell,
        )  # fmt: skip
        end: dict[str, Any] = {}
        with holding:
            try:
                context.check()
                result = dict(spec.run(context))
                wanted = result.pop(THEN, ())
                then = [name for name in wanted if name in self._options.follow]
                end = {"state": "done", "result": result, "then": then}
                if len(then) < len(wanted):
                    _log.info(json.dumps({"event": "not_followed", "jobs": sorted(set(wanted) - set(then))}))
            except (JobStopped, KeyboardInterrupt):
                # A paused job may go on as soon as it is resumed; a run that a person stopped waits to be asked for again.
                goes_on = spec.resumable and not holding.told_to_stop and (self._goes_on or holding.paused)
                end = {"state": "stopped", "goes_on": goes_on}
            except ExplainedError as error:
                goes_on = spec.resumable and isinstance(error, spec.kept_after) and run.errors + 1 < _TRIES
                waits = may_wait and isinstance(error, spec.waits_after) and run.attempt <= _WAITS
                end = {"state": "due" if waits else "stopped" if goes_on else "failed"}
                end["error"] = f"{type(error).__name__}: {error.explain(self._options.language)}"
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one job, its run ends on the record
                _log.exception(json.dumps({"event": "run_broke", "run": run.id}))
                end = {"state": "failed", "error": type(error).__name__}
        end |= {"now": self._clock(), "progress": holding.progress}
        if end["state"] == "due":
            wait = min(_FIRST_WAIT * 2.0 ** (run.attempt - 1), _LONGEST_WAIT)
            later = {"now": end["now"], "due_at": end["now"] + wait, "progress": end["progress"], "error": end["error"]}
            kept = self._store.run_now(lambda connection: runs.postpone(connection, run, **later))
        else:
            kept = self._store.run_now(lambda connection: runs.finish(connection, run, **end))
        said = {"state": end["state"], "error": end.get("error", ""), "kept": kept}
        _log.info(json.dumps({"event": "run_ended", "run": run.id, **said}, ensure_ascii=False))


class _Holding:
    """Renews a claim on a thread of its own, with the newest progress."""

    def __init__(
        self,
        store: Store,
        run: Run,
        lease: float,
        clock: Callable[[], float],
        stop: threading.Event,
        leave: Callable[[], None],
    ) -> None:
        self.progress: Mapping[str, Any] = {key: run.progress[key] for key in run.progress if key not in run.counts}
        self.over = False
        """The job shall stop: paused, told to, or the claim is lost."""
        self.paused = False
        self.told_to_stop = False
        self._store = store
        self._run = run
        self._lease = lease
        self._clock = clock
        self._stop = stop
        self._leave = leave
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="job-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._watch()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._last.cancel()
        self._thread.join()
        self._last.cancel()  # once more: a heartbeat that was about to end may have started another one

    def _watch(self) -> None:
        """Leave before the lease ends, however long the store takes to say no."""
        self._last = threading.Timer(self._lease * 0.9, self._leave)
        self._last.daemon = True
        self._last.start()

    def _keep(self) -> None:
        pause = min(_MOST_SECONDS_BETWEEN_BEATS, self._lease / 6)
        held_at = time.monotonic()
        while not self._ended.wait(pause):
            began = time.monotonic()
            try:
                state = self._store.run_now(runs.renew, self._run, self.progress, now=self._clock(), lease=self._lease)
            except StoreError as error:
                _log.warning(json.dumps({"event": "heartbeat_failed", "run": self._run.id, "reason": str(error)}))
                self.over = self.over or began - held_at > self._lease / 2
                continue
            if state == "lost":
                self.over = True
                _log.error(json.dumps({"event": "claim_lost", "run": self._run.id}))
                if not self._ended.wait(pause):  # the job's chance to notice
                    self._leave()
                return
            self._last.cancel()
            held_at = began
            if not self._ended.is_set():
                self._watch()
            self.paused = state == "paused"
            self.told_to_stop = self.told_to_stop or state == "stopped"
            self.over = self.over or self.paused or self.told_to_stop


@contextmanager
def _log_in(path: Path) -> Iterator[None]:
    """Everything from INFO up also goes into `path`, as JSON lines; what the terminal shows stays as it is."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    handler.setLevel(logging.INFO)
    root = logging.getLogger()
    before = root.level
    quiet = [(one, one.level) for one in root.handlers if one.level < before]
    for one, _ in quiet:
        one.setLevel(before)
    root.setLevel(min(before, logging.INFO))
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
        root.setLevel(before)
        for one, level in quiet:
            one.setLevel(level)
