"""Jobs as console and chat know them: which there are, when they are due, and asking for one of them on the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bot.errors import JobPaused, NotFoundInConsole
from bot.messages import Language

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.job_rows import Run

LEFT = "left"
"""State of a run that says `running` though nobody holds it any more: its process died."""


@dataclass(frozen=True, slots=True)
class KnownJob:
    """One job."""

    name: str
    ko: str
    """Its title."""
    en: str
    enabled: bool
    """It runs by itself."""
    schedule: str
    """As configured; empty: when something else makes it due."""
    group: frozenset[str]
    """Jobs that never run beside it, itself among them."""

    def title(self, language: Language) -> str:
        """For people."""
        return self.ko if language == "ko" else self.en


class JobBook(Protocol):
    """What pages need to know of jobs beside their rows. The real one stands in bot/jobs_app.py."""

    @property
    def jobs(self) -> Mapping[str, KnownJob]:
        """By name, in the registry's order."""

    def next_times(self, connection: Connection, *, now: float) -> dict[str, float]:
        """When each job that runs by itself at certain times is due next. Times in seconds since the epoch."""

    def log_of(self, run: str) -> Path:
        """The log file of a run of this installation, which may be missing."""

    def reading(self, source: str | None = None) -> tuple[str, dict[str, list[str]]]:
        """The job that reads a source again (None: all), and its arguments."""


def ask(
    connection: Connection,
    book: JobBook,
    job: str,
    *,
    by: str,
    origin: str,
    now: float,
    arguments: Mapping[str, Any] | None = None,
) -> Run:
    """Make the job due, on the record; the run that waits. Raises NotFoundInConsole, JobPaused."""
    from bot.store import audit, job_rows, jobs

    if job not in book.jobs:
        raise NotFoundInConsole
    if jobs.paused(connection, job):
        raise JobPaused(job=job)
    run = jobs.ask(connection, job, by=by, now=now, arguments=arguments)
    if run.asked_by == jobs.CLOCK:  # a person waits for it now: it is not to be missed, nor left because the job is off
        job_rows.change(connection, run.id, asked_by=by, due_at=now)
    detail = {"run": run.id, **(arguments or {})}
    audit.record(connection, by=by, action="job.run", subject=job, detail=detail, origin=origin, now=now)
    return run


def state_of(run: Run, now: float) -> str:
    """Its state, or LEFT."""
    return LEFT if run.state == "running" and run.until is not None and run.until < now else run.state
