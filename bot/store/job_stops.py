"""A person's wish that one run end, kept beside its row: what runs is told at its next heartbeat, what waits is given up at once."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from bot.store import facts
from bot.store.job_rows import Run, alone, change, read
from bot.store.schema import facts as table
from bot.store.schema import job_runs


def stop(connection: Connection, run_id: str, *, by: str, now: float) -> Run | None:
    """The run as it was when it was told to stop; None: there is none, or it is over. Its job goes on with it only when asked for again."""
    alone(connection)
    found = read(connection, job_runs.c.id == run_id, job_runs.c.state.in_(["due", "running", "stopped"]))
    run = found[0] if found else None
    if run is None or (run.state == "stopped" and run.until is None):
        return None
    if run.state == "running" and run.until is not None and run.until > now:
        facts.put(connection, _key(run_id), by)
    else:  # nobody holds it: it waits, its process died, or it would be gone on with
        change(connection, run_id, state="stopped", ended_at=now, until=None)
    return run


def is_asked(connection: Connection, run_id: str) -> bool:
    """Whether somebody wants it to end."""
    return facts.get(connection, _key(run_id)) is not None


def over(connection: Connection, run_id: str) -> None:
    """It has ended: the wish is fulfilled."""
    connection.execute(delete(table).where(table.c.key == _key(run_id)))


def _key(run_id: str) -> str:
    return f"stop:{run_id}"
