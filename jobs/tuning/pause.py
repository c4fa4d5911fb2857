"""Making way: while people wait for answers, training waits. One file in the run's folder says so. No torch.

Whoever started the run (`jobs.tuning.run`) calls `make_way(folder, waiting=True)` while a question is open, at least every few minutes,
and `waiting=False` when none is. A file that nobody touched for ten minutes is of a process that died, and counts no more.
"""

from __future__ import annotations

import time
from pathlib import Path

from jobs.tuning.job import RunFolder

STALE_SECONDS = 600.0


def pause_file(folder: Path) -> Path:
    """The file of the run in `folder`."""
    return RunFolder(folder).pause


def make_way(folder: Path, *, waiting: bool) -> None:
    """Say that people wait, or that nobody does. Cheap; nothing happens when there is no such run."""
    file = pause_file(folder)
    if not waiting:
        file.unlink(missing_ok=True)
    elif folder.is_dir():
        file.touch()


def is_paused(folder: Path, *, now: float | None = None) -> bool:
    """Whether the run should wait. `now`: seconds since the epoch."""
    try:
        touched = pause_file(folder).stat().st_mtime
    except OSError:
        return False
    return (time.time() if now is None else now) - touched < STALE_SECONDS
