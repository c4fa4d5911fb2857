"""The clock's rows: what came due by a schedule since it was last looked after. What becomes of a due run stands in bot/store/jobs.py."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.store import facts
from bot.store.job_rows import add, alone, change, read
from bot.store.jobs import CLOCK, paused
from bot.store.schema import job_runs

_AHEAD = 3600.0
"""Seconds; machines' clocks may differ by less. A schedule that was looked after until later than that was so by a clock that was wrong."""
_SCHEDULES = 4
"""Of one job that are remembered: that of each service, and of before a change."""


@dataclass(frozen=True, slots=True)
class _LookedAfter:
    """Of a job's schedules: two services on one store may have different ones, and none may begin the other's times anew."""

    at: Mapping[str, float]
    """Schedule → up to when it has been looked after."""
    came: float = 0.0
    """The newest time of any of them."""


def fire(
    connection: Connection,
    job: str,
    schedule: str,
    fires: Callable[[float, float], Sequence[float]],
    *,
    now: float,
    grace: float,
) -> float:
    """Bring the rows of a schedule up to date: one due row for all times since the last call, or one that was missed.

    `fires(after, until)`: the schedule's times in (after, until], oldest first. Harmless in several processes, also where they disagree
    about the schedule (the job then runs by each), and when the machine's clock is set back. Returns up to when the schedule has been
    looked after.
    """
    alone(connection)
    kept = _looked_after(connection, job)
    after = kept.at.get(schedule)
    # New, changed, or of a wrong clock: its times begin now.
    if after is None or after > now + _AHEAD:
        _keep(connection, job, replace(kept, at={**kept.at, schedule: now}))
        return now
    times = fires(after, now)
    if not times:
        return after
    newest = times[-1]
    # By another schedule the job's time has come since: this one was changed, and is changed back.
    passed = newest <= kept.came <= now + _AHEAD
    came = kept.came if passed else newest
    _keep(connection, job, _LookedAfter({**kept.at, schedule: newest}, came))
    if passed or paused(connection, job):
        return newest
    if now - newest > grace:
        late = {"ended_at": now, "result": {"missed": len(times)}}
        add(connection, _clock_id(job, newest), job, "missed", by=CLOCK, due_at=newest, **late)
        return newest
    for waiting in read(connection, job_runs.c.job == job, job_runs.c.state == "due"):
        if not waiting.arguments:
            if waiting.asked_by == CLOCK:
                change(connection, waiting.id, due_at=newest)
            return newest
    add(connection, _clock_id(job, newest), job, "due", by=CLOCK, due_at=newest)
    return newest


def looked_after(connection: Connection, job: str, schedule: str) -> float | None:
    """Up to when `fire` has looked after this schedule; None: never."""
    return _looked_after(connection, job).at.get(schedule)


def _clock_id(job: str, at: float) -> str:
    """The same in every process, so that two clocks add one row."""
    return hashlib.sha256(f"{job} {at:.0f}".encode()).hexdigest()[:16]


def _looked_after(connection: Connection, job: str) -> _LookedAfter:
    kept = json.loads(facts.get(connection, f"clock:{job}") or "{}")
    if "schedule" in kept:  # as it was written when there was one for all
        return _LookedAfter({kept["schedule"]: float(kept["at"])}, float(kept["at"]))
    return _LookedAfter(kept.get("at", {}), kept.get("came", 0.0))


def _keep(connection: Connection, job: str, kept: _LookedAfter) -> None:
    latest = dict(sorted(kept.at.items(), key=lambda one: one[1])[-_SCHEDULES:])
    facts.put(connection, f"clock:{job}", json.dumps({"at": latest, "came": kept.came}))
