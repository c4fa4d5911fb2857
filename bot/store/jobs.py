"""Runs of jobs: the truth about what is due, runs and ran, for every process that shares the store.

A clock adds rows in state `due`; a runner claims one with a lease and renews it. Who lost a claim can write nothing any more:
`owner` and `attempt` fence. Jobs of one group never run at the same time.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, delete, select, update

from bot.store import job_stops
from bot.store.inserting import insert_into
from bot.store.job_rows import Run, add, alone, change, read
from bot.store.schema import job_runs, job_switches

CHANGE = "change"
"""Who asked: a watched folder in which something changed."""
CLOCK = "clock"
"""Who asked, when nobody did."""
_JOB = "job:"
"""Begins who asked, when another job did."""
DIED = "ProcessDied"
"""`error` of a run whose process was killed and that nobody may go on with."""
_ENDED = ("done", "failed", "stopped", "missed")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a claim must know about the jobs."""

    groups: Mapping[str, Collection[str]]
    """Of each job: every job that may not run beside it, itself included."""
    resumable: Collection[str]
    """A run of these is gone on with after its process died or stopped; of others it ends there."""
    grace: float
    """Seconds after its time that a run of the clock may still begin; later it is missed."""
    deaths: int = 3
    """Processes that may die on one run."""


def ask(connection: Connection, job: str, *, by: str, now: float, arguments: Mapping[str, Any] | None = None) -> Run:
    """A run that is due now. One that already waits with the same arguments is returned instead of a second.

    A postponed one is tried now, unless it is only one more change that asks: changes may be many, and its tries are counted.
    """
    alone(connection)
    wanted = dict(arguments or {})
    for waiting in read(connection, job_runs.c.job == job, job_runs.c.state == "due"):
        if waiting.arguments == wanted:
            if waiting.due_at > now and by != CHANGE:
                change(connection, waiting.id, due_at=now)
                return replace(waiting, due_at=now)
            return waiting
    return add(connection, secrets.token_hex(8), job, "due", by=by, due_at=now, arguments=wanted)


def ready(
    connection: Connection, rules: Rules, jobs: Collection[str], *, now: float, on_request: Collection[str] = ()
) -> list[str]:
    """Which of `jobs` have a run that `claim` would start; what came due first comes first, so that of a group none is always passed over.

    `on_request`: jobs that do not run by themselves; they are ready when somebody has asked for them, or what was left is a person's. Also
    closes runs that are over: dead for good, or missed.
    """
    alone(connection)
    _close(connection, rules, now)
    resting = _paused(connection)
    waiting = {}
    for job in (*jobs, *on_request):
        if job not in resting and not _busy(connection, job, rules, now):
            run = _next(connection, job, rules, now, off=job not in jobs)
            if run is not None:
                waiting[job] = run.due_at
    return sorted(waiting, key=waiting.__getitem__)


def claim(
    connection: Connection,
    job: str,
    owner: str,
    rules: Rules,
    *,
    now: float,
    lease: float,
    asked_by: str = "",
    arguments: Mapping[str, Any] | None = None,
) -> Run | None:
    """Start the next run of `job`, or go on with one that was left; None: there is none, its group is busy, or it is paused.

    With `asked_by` a run with `arguments` is there in any case, and no other one is taken.
    """
    alone(connection)
    _close(connection, rules, now)
    if paused(connection, job) or _busy(connection, job, rules, now):
        return None
    found = (
        ask(connection, job, by=asked_by, now=now, arguments=arguments)
        if asked_by
        else _next(connection, job, rules, now)
    )
    if found is None:
        return None
    if found.state == "due" and job in rules.resumable:
        found = _last_left(connection, found) or found
    by = found.asked_by
    if found.state != "due":  # whatever waits for the same is merged into it
        for waiting in read(connection, job_runs.c.job == job, job_runs.c.state == "due"):
            if waiting.arguments == found.arguments:
                if _is_a_persons(waiting) and not _is_a_persons(found):
                    by = waiting.asked_by  # who waits for it from now on: left again, it is gone on with for them
                connection.execute(delete(job_runs).where(job_runs.c.id == waiting.id))
    died = found.state == "running"
    change(
        connection,
        found.id,
        state="running",
        asked_by=by,
        owner=owner,
        until=now + lease,
        attempt=found.attempt + 1,
        started_at=found.started_at if found.started_at is not None else now,
        ended_at=None,
        progress={**found.progress, **found.counts, "deaths": found.deaths + died},
        error="",
    )
    return get(connection, found.id)


def renew(
    connection: Connection, run: Run, progress: Mapping[str, Any], *, now: float, lease: float
) -> Literal["held", "paused", "stopped", "lost"]:
    """Heartbeat with progress. `paused`, `stopped`: the claim is held, but the job shall stop, `stopped`: and not be gone on with by
    itself."""
    alone(connection)  # a late heartbeat and a takeover must not both succeed
    values = {"until": now + lease, "progress": {**progress, **run.counts}}
    if not connection.execute(update(job_runs).where(*_mine(run)).values(**values)).rowcount:
        return "lost"
    if job_stops.is_asked(connection, run.id):
        return "stopped"
    return "paused" if paused(connection, run.job) else "held"


def finish(
    connection: Connection,
    run: Run,
    state: Literal["done", "failed", "stopped"],
    *,
    now: float,
    progress: Mapping[str, Any],
    result: Mapping[str, Any] | None = None,
    error: str = "",
    goes_on: bool = False,
    then: Sequence[str] = (),
) -> bool:
    """End a run and make `then` due; False: the claim was lost, and nothing is written.

    `goes_on`, of a stopped run: any runner may take it up again at once. One that is stopped with an `error` is counted (`Run.errors`).
    """
    alone(connection)
    counts = {**run.counts, "errors": run.errors + (state == "stopped" and bool(error))}
    values: dict[str, Any] = {
        "state": state,
        "ended_at": now,
        "until": now if goes_on else None,
        "progress": {**progress, **counts},
        "result": dict(result or {}),
        "error": error,
    }
    if not connection.execute(update(job_runs).where(*_mine(run)).values(**values)).rowcount:
        return False
    job_stops.over(connection, run.id)
    for job in then:
        ask(connection, job, by=f"{_JOB}{run.job}", now=now)
    return True


def postpone(
    connection: Connection, run: Run, *, now: float, due_at: float, progress: Mapping[str, Any], error: str
) -> bool:
    """Let a run wait again, until `due_at`; False: the claim was lost, and nothing is written.

    What began to wait for the same meanwhile is merged into it. Who was told to stop is stopped.
    """
    alone(connection)
    if job_stops.is_asked(connection, run.id):
        return finish(connection, run, "stopped", now=now, progress=progress, error=error)
    values: dict[str, Any] = {
        "state": "due",
        "due_at": due_at,
        "started_at": None,
        "until": None,
        "progress": {**progress, **run.counts},
        "error": error,
    }
    if not connection.execute(update(job_runs).where(*_mine(run)).values(**values)).rowcount:
        return False
    for waiting in read(connection, job_runs.c.job == run.job, job_runs.c.state == "due"):
        if waiting.id != run.id and waiting.arguments == run.arguments:
            if waiting.asked_by != CLOCK:  # a person waits for it: it is not to be missed
                change(connection, run.id, asked_by=waiting.asked_by)
            connection.execute(delete(job_runs).where(job_runs.c.id == waiting.id))
    return True


def get(connection: Connection, run_id: str) -> Run | None:
    """By its id."""
    found = read(connection, job_runs.c.id == run_id)
    return found[0] if found else None


def running(connection: Connection, jobs: Collection[str], *, now: float) -> Run | None:
    """A run of one of `jobs` that a living process holds."""
    found = read(connection, job_runs.c.job.in_(list(jobs)), job_runs.c.state == "running", job_runs.c.until > now)
    return found[0] if found else None


def newest(connection: Connection, job: str | None = None) -> Run | None:
    """The run that was last worked on, of one job or of all; waiting and missed ones count as a last resort."""
    found = read(connection, *([job_runs.c.job == job] if job else []))
    return max(found, key=lambda run: (run.started_at or 0.0, run.due_at), default=None)


def every(connection: Connection, job: str | None = None) -> list[Run]:
    """All runs, oldest first."""
    return read(connection, *([job_runs.c.job == job] if job else []))


def last_done(connection: Connection, job: str) -> float | None:
    """When the newest run came due that succeeded, or still may: it waits, runs, or is gone on with by itself.

    One that was missed, failed, or was stopped by a person has done nothing; one with arguments of its own has done something else.
    """
    plain = (run for run in read(connection, job_runs.c.job == job) if not run.arguments)
    good = (run.due_at for run in plain if run.state in ("done", "due", "running") or _goes_on(run))
    return max(good, default=None)


def _goes_on(run: Run) -> bool:
    return run.state == "stopped" and run.until is not None


def forget(connection: Connection, run_ids: Collection[str]) -> None:
    """Delete runs that are over."""
    if run_ids:
        connection.execute(delete(job_runs).where(job_runs.c.id.in_(list(run_ids)), job_runs.c.state.in_(_ENDED)))


def switch(connection: Connection, job: str, pause: bool, *, by: str, now: float) -> None:
    """Pause or resume a job. A paused one does nothing: what runs is stopped by its next heartbeat, what comes due is left out."""
    values = {"paused": pause, "by": by, "at": now}
    statement = insert_into(connection, job_switches).values(job=job, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[job_switches.c.job], set_=values))


def paused(connection: Connection, job: str) -> bool:
    """Whether the job is paused."""
    return job in _paused(connection)


def _close(connection: Connection, rules: Rules, now: float, keep: str = "") -> None:
    """End what nobody will run any more."""
    for run in read(connection, job_runs.c.state == "running", job_runs.c.until <= now):
        if job_stops.is_asked(connection, run.id):  # its process died before it could stop
            change(connection, run.id, state="stopped", ended_at=now, until=None)
            job_stops.over(connection, run.id)
            continue
        if run.job in rules.groups and (run.job not in rules.resumable or run.deaths + 1 >= rules.deaths):
            dead = {**run.progress, "deaths": run.deaths + 1}
            change(connection, run.id, state="failed", ended_at=now, until=None, error=DIED, progress=dead)
    late = (job_runs.c.state == "due", job_runs.c.asked_by == CLOCK, job_runs.c.due_at < now - rules.grace)
    for run in read(connection, *late):
        if run.job in rules.groups and run.id != keep:
            change(connection, run.id, state="missed", ended_at=now)


def _busy(connection: Connection, job: str, rules: Rules, now: float) -> bool:
    return running(connection, rules.groups[job], now=now) is not None


def _next(connection: Connection, job: str, rules: Rules, now: float, *, off: bool = False) -> Run | None:
    """What was left comes before what is due. `off`: the job does not run by itself, and only what was asked for counts."""
    mine = read(connection, job_runs.c.job == job, job_runs.c.state.in_(["running", "stopped", "due"]))
    # One that a person stopped has no `until` and is not left. What the clock or another job began was to end with switching it off.
    left = [run for run in mine if run.state != "due" and run.until is not None and run.until <= now]
    left = [run for run in left if not off or _is_a_persons(run)]
    if left and job in rules.resumable:
        return left[0]
    due = [run for run in mine if run.state == "due" and run.due_at <= now and not (off and run.asked_by == CLOCK)]
    return due[0] if due else None


def _is_a_persons(run: Run) -> bool:
    """Neither the clock wanted it nor another job."""
    return run.asked_by != CLOCK and not run.asked_by.startswith(_JOB)


def _last_left(connection: Connection, due: Run) -> Run | None:
    """The job's last run, if it was stopped or its process died, and it is about the same: to be gone on with instead of `due`."""
    worked_on = [run for run in read(connection, job_runs.c.job == due.job) if run.started_at is not None]
    last = max(worked_on, key=lambda run: run.ended_at or run.until or 0.0, default=None)
    left = last is not None and last.state in ("stopped", "running") and last.arguments == due.arguments
    return last if left else None


def _mine(run: Run) -> tuple[ColumnElement[bool], ...]:
    return (
        job_runs.c.id == run.id,
        job_runs.c.state == "running",
        job_runs.c.owner == run.owner,
        job_runs.c.attempt == run.attempt,
    )


def _paused(connection: Connection) -> set[str]:
    return set(connection.execute(select(job_switches.c.job).where(job_switches.c.paused)).scalars())
