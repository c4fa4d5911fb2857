"""People's words in the folders of tuning runs, and when they must go from there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from sqlalchemy import Connection

from bot.errors import BadExamples
from bot.examples.workbench import withheld
from bot.store import examples as kept
from bot.store import privacy
from bot.store.database import Store
from bot.store.job_rows import Run
from jobs.tuning.dataset import load_examples
from jobs.tuning.job import RunFolder
from jobs.tuning.preferences import load_preferences

RUNS = ("plain", "preferences")
"""Folders of training runs within a run of the job."""
EXAMPLES, PREFERENCES = "examples.jsonl", "preferences.jsonl"
GIVEN = "given.sha256"
"""Of the files that a person named in place of the store's examples, as they were read."""


def clear(folder: Path) -> None:
    """All but what the job says of itself."""
    for name in RUNS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (EXAMPLES, PREFERENCES, GIVEN):
        (folder / name).unlink(missing_ok=True)


def forget_words(folder: Path) -> None:
    """The words alone, and what was learnt from them; what tells why a run failed stays."""
    for name in (EXAMPLES, PREFERENCES):
        (folder / name).unlink(missing_ok=True)
    for run in (RunFolder(folder / name) for name in RUNS):
        for learnt in (run.checkpoints, run.result):
            shutil.rmtree(learnt, ignore_errors=True)


def any_gone(connection: Connection, ids: Collection[str]) -> bool:
    """Whether the store does not know one of these examples any more, erased or too old, or somebody behind one objects by now."""
    silent = privacy.suspended(connection)
    known = {one.id for one in kept.every(connection) if silent.isdisjoint((*one.people, one.asker))}
    return not set(ids) <= known


def any_withheld(connection: Connection, ids: Collection[str]) -> bool:
    """Whether somebody behind one of these examples, which the store need not know, was forgotten, or objects by now."""
    return bool(withheld(connection, ids))


def tidy(store: Store, root: Path, runs: Iterable[Run]) -> None:
    """In `root`, of `runs` of the job: a failed one is never gone on with, and one that may be must not hold who was forgotten."""
    for run in runs:
        folder = root / run.id
        left = run.state == "stopped" or (run.state == "running" and (run.until or 0.0) < time.time())
        gone = any_withheld if run.arguments.get("examples") else any_gone
        if run.state == "failed" or (left and _holds(store, folder, gone)):
            forget_words(folder)


def _holds(store: Store, folder: Path, gone: Callable[[Connection, Collection[str]], bool]) -> bool:
    examples, preferences = folder / EXAMPLES, folder / PREFERENCES
    begun = preferences.is_file() or any((folder / name).exists() for name in RUNS)
    if begun and not (examples.is_file() and preferences.is_file()):
        return True  # an erasure took one of them: nothing goes on from the rest, and what was learnt must not stay
    if not examples.is_file():
        return False
    try:
        ids = [one.id for one in load_examples(examples)]
        if preferences.is_file() and preferences.stat().st_size:
            ids += [one.id for one in load_preferences(preferences)]
    except BadExamples:  # killed while it was written: it is written anew
        return True
    return store.run_now(gone, ids)
