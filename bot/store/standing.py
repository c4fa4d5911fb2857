"""A few numbers of how things stand, for metrics: counts and times by job, example, gap, request. In one short transaction; no texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Table, func, select

from bot.store.schema import audit, examples, gaps, job_runs, job_switches, privacy_requests, questions

_WORKED_ON = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class JobStanding:
    """One job's runs, as far as they are kept. Times in seconds since the epoch."""

    runs: Mapping[str, int]
    """By state."""
    succeeded_at: float | None
    """When a run was last done."""
    failed: bool
    """Whether the run that ended last failed."""
    seconds: float | None
    """From start to end of the run that ended last; pauses between processes are in it."""
    paused: bool


@dataclass(frozen=True, slots=True)
class StoreStanding:
    """What the store says."""

    jobs: Mapping[str, JobStanding]
    examples: Mapping[str, int]
    """By state."""
    gaps: Mapping[str, int]
    """By state."""
    requests: int = 0
    """Of people, about their data, that wait."""
    due_at: float | None = None
    """When the most urgent of these is due; in the past: it is late."""


def standing(connection: Connection) -> StoreStanding:
    """Now. Grouped by the database, so that its cost is that of a few hundred kept runs and two indexes."""
    runs: dict[str, dict[str, int]] = {}
    of = job_runs.c
    for job, state, count in connection.execute(select(of.job, of.state, func.count()).group_by(of.job, of.state)):
        runs.setdefault(job, {})[state] = count
    done = select(of.job, func.max(of.ended_at)).where(of.state == "done").group_by(of.job)
    succeeded: dict[str, float] = {row[0]: row[1] for row in connection.execute(done)}
    newest = (
        select(of.job, func.max(of.ended_at).label("at")).where(of.state.in_(_WORKED_ON)).group_by(of.job).subquery()
    )
    last = select(of.job, of.state, of.started_at, of.ended_at).join(
        newest, (newest.c.job == of.job) & (newest.c.at == of.ended_at)
    )
    ended = {row.job: row for row in connection.execute(last)}
    paused = set(connection.execute(select(job_switches.c.job).where(job_switches.c.paused)).scalars())
    jobs = {}
    for job, states in runs.items():
        row = ended.get(job)
        seconds = None if row is None or row.started_at is None else max(row.ended_at - row.started_at, 0.0)
        jobs[job] = JobStanding(
            states, succeeded.get(job), row is not None and row.state == "failed", seconds, job in paused
        )
    waiting = select(func.count(), func.min(privacy_requests.c.due_at)).where(privacy_requests.c.done_at.is_(None))
    requests, due_at = connection.execute(waiting).one()
    by_state = (_by(connection, examples, examples.c.state), _by(connection, gaps, gaps.c.state))
    return StoreStanding(jobs, *by_state, requests, due_at)


def began(connection: Connection) -> float | None:
    """When the oldest question or deed that is still kept was; None: there is none."""
    first = [connection.execute(select(func.min(of))).scalar() for of in (questions.c.asked_at, audit.c.at)]
    return min((at for at in first if at is not None), default=None)


def _by(connection: Connection, table: Table, column: Column[str]) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).select_from(table).group_by(column))
    return {row[0]: row[1] for row in rows}
