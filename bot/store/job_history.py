"""Runs of jobs for whoever looks at them: the newest of each, what is on its way, and the history page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from bot.store.cursor import Cursor
from bot.store.job_rows import Run, State
from bot.store.schema import facts, job_runs, job_switches

_ACTIVE = ("due", "running")


@dataclass(frozen=True, slots=True)
class Switches:
    """What the store knows of all jobs at one moment."""

    paused: frozenset[str]
    stopping: frozenset[str]
    """Ids of runs that were told to stop and have not yet."""
    last: dict[str, Run]
    """Of each job: the run that was worked on last, which may be running; one that waits or was missed only where there is no other."""
    active: tuple[Run, ...]
    """Waiting or running, in the order in which they came due."""


def now_of(connection: Connection, jobs: Collection[str]) -> Switches:
    """How the jobs of these names stand."""
    paused = connection.execute(select(job_switches.c.job).where(job_switches.c.paused)).scalars()
    keys = connection.execute(select(facts.c.key).where(facts.c.key.startswith("stop:", autoescape=True))).scalars()
    stopping = frozenset(key.partition(":")[2] for key in keys)
    newest_first = [job_runs.c.started_at.is_(None), job_runs.c.started_at.desc(), job_runs.c.due_at.desc()]
    place = func.row_number().over(partition_by=job_runs.c.job, order_by=newest_first)
    placed = select(job_runs.c.id, place.label("place")).where(job_runs.c.job.in_(list(jobs))).subquery()
    newest = select(placed.c.id).where(placed.c.place == 1)
    last = {run.job: run for run in _rows(connection, [job_runs.c.id.in_(newest)], [job_runs.c.id], len(jobs))}
    active = _rows(connection, [job_runs.c.state.in_(_ACTIVE)], [job_runs.c.due_at, job_runs.c.id], 200)
    return Switches(frozenset(paused), stopping, last, tuple(active))


def page(
    connection: Connection,
    *,
    job: str = "",
    state: State | None = None,
    by: str = "",
    before: Cursor | None = None,
    most: int = 50,
) -> list[Run]:
    """Newest first. `by`: `clock`, `change`, `web:NAME` …, or the beginning of one with its colon (`web:`). Page on with `before` =
    `Cursor(due_at, id)` of the last one."""
    wanted: list[ColumnElement[bool]] = []
    if job:
        wanted.append(job_runs.c.job == job)
    if state is not None:
        wanted.append(job_runs.c.state == state)
    if by.endswith(":"):
        wanted.append(job_runs.c.asked_by.startswith(by, autoescape=True))
    elif by:
        wanted.append(job_runs.c.asked_by == by)
    if before is not None:
        earlier_id = and_(job_runs.c.due_at == before.at, job_runs.c.id < before.id)
        wanted.append(or_(job_runs.c.due_at < before.at, earlier_id))
    return _rows(connection, wanted, [job_runs.c.due_at.desc(), job_runs.c.id.desc()], most)


def last_of(connection: Connection, jobs: Collection[str], most: int = 200) -> list[Run]:
    """Runs of these jobs that were begun, newest first."""
    wanted = [job_runs.c.job.in_(list(jobs)), job_runs.c.started_at.is_not(None)]
    return _rows(connection, wanted, [job_runs.c.started_at.desc(), job_runs.c.id.desc()], most)


def count(connection: Connection) -> int:
    """All runs that are kept."""
    return connection.execute(select(func.count()).select_from(job_runs)).scalar_one()


def _rows(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]], most: int
) -> list[Run]:
    rows = connection.execute(select(job_runs).where(*wanted).order_by(*order).limit(most))
    return [Run(**row._mapping) for row in rows]
