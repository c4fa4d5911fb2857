"""While people wait for answers, tuning waits: said to the training runs of this machine. What else runs does so at the lowest priority."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from bot.store import jobs as runs
from bot.store import questions
from jobs.learning.tune import RUNS, TUNE
from jobs.tuning.pause import make_way


def give_way(connection: Connection, folder: Path, *, now: float) -> bool:
    """Look once; call it every few seconds. `folder`: of all runs. True while somebody waits."""
    running = runs.running(connection, [TUNE], now=now)
    waiting = running is not None and questions.open_now(connection) > 0
    if running is not None:
        for name in RUNS:
            make_way(folder / running.id / name, waiting=waiting)
    return waiting
