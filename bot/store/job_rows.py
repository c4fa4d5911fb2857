"""Rows of `job_runs` as frozen runs: read, add, change. What may follow what is decided in `bot/store/jobs.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, select, update

from bot.store.inserting import insert_into
from bot.store.schema import job_runs

State = Literal["due", "running", "done", "failed", "stopped", "missed"]


@dataclass(frozen=True, slots=True)
class Run:
    """One row. Times in seconds since the epoch."""

    id: str
    job: str
    state: State
    asked_by: str
    due_at: float
    started_at: float | None
    ended_at: float | None
    owner: str
    until: float | None
    attempt: int
    arguments: Mapping[str, Any]
    progress: Mapping[str, Any]
    result: Mapping[str, Any]
    error: str

    @property
    def deaths(self) -> int:
        """Processes that died on it."""
        return int(self.progress.get("deaths", 0))

    @property
    def errors(self) -> int:
        """Times that it was stopped by an error and is gone on with when asked for; whoever stops it does not count."""
        return int(self.progress.get("errors", 0))

    @property
    def counts(self) -> dict[str, int]:
        """What is counted of it, beside what its job tells: parts of `progress`."""
        return {"deaths": self.deaths, "errors": self.errors}


def alone(connection: Connection) -> None:
    """Nobody else decides about runs until this transaction ends. SQLite's write transactions are alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(5344)")  # an arbitrary number of our own


def read(connection: Connection, *conditions: ColumnElement[bool]) -> list[Run]:
    """In the order in which they came due."""
    rows = connection.execute(select(job_runs).where(*conditions).order_by(job_runs.c.due_at, job_runs.c.id))
    return [Run(**row._mapping) for row in rows]


def add(connection: Connection, run_id: str, job: str, state: State, *, by: str, due_at: float, **more: Any) -> Run:
    """A new row; nothing happens when the id is known."""
    empty: dict[str, Any] = {
        "started_at": None,
        "ended_at": None,
        "owner": "",
        "until": None,
        "attempt": 0,
        "error": "",
    }
    empty |= {"arguments": {}, "progress": {}, "result": {}}
    run = Run(id=run_id, job=job, state=state, asked_by=by, due_at=due_at, **empty | more)
    connection.execute(insert_into(connection, job_runs).values(**asdict(run)).on_conflict_do_nothing())
    return run


def change(connection: Connection, run_id: str, **values: Any) -> None:
    """Set columns of one row."""
    connection.execute(update(job_runs).where(job_runs.c.id == run_id).values(**values))
