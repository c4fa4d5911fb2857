"""The job that forgets what is too old: runs of jobs with their folders, and what is kept of people (bot/privacy/retention.py).

Who was erased and came back, with a restored backup or because a question of theirs was just being answered, is erased again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bot.backup.shelf import FOLDER, BackupShelf
from bot.privacy.retention import DAY, sweep
from bot.store import days
from bot.store import jobs as runs
from jobs.build_examples import TUNE
from jobs.job import JobContext, JobParts, JobSpec
from jobs.learning.leftovers import tidy


def retain(parts: JobParts, context: JobContext) -> Mapping[str, Any]:
    """Keep the newest `keep_runs` of each job, and whatever is not over. Folders of forgotten runs go first, so a crash loses no track.

    Of the newest run of each job that succeeded the row stays, however old: it tells what was done already.
    """
    keep = parts.settings.jobs.keep_runs
    chosen = parts.settings.privacy
    too_old = time.time() - chosen.job_days * DAY if chosen.job_days else None
    root = context.folder.parent
    folders = {folder.name for folder in root.iterdir() if folder.is_dir()} if root.is_dir() else set()
    every = parts.store.run_now(runs.every)  # after the folders: a run's row is always older than its folder
    over: dict[str, list[str]] = {}
    for run in every:
        # A stopped run that is to be gone on with is not over.
        if run.state in ("done", "failed", "missed") or (run.state == "stopped" and run.until is None):
            over.setdefault(run.job, []).append(run.id)
    old = {run_id for ids in over.values() for run_id in ids[: max(0, len(ids) - keep)]}
    ended = {run.id: run.ended_at or run.due_at for run in every}
    old |= {run_id for ids in over.values() for run_id in ids if too_old is not None and ended[run_id] < too_old}
    unknown = folders - {run.id for run in every}  # of another machine's or a forgotten run
    gone = sorted((old & folders) | unknown)
    for number, name in enumerate(gone):
        context.progress(number, len(gone), "folders")
        context.check()
        shutil.rmtree(root / name, ignore_errors=True)
    # With arguments of its own a run has done something else (bot/store/jobs.py, last_done).
    newest = {(run.job, bool(run.arguments)): run.id for run in every if run.state == "done"}
    forgotten = old - set(newest.values())
    parts.store.run_now(runs.forget, forgotten)
    tidy(parts.store, root, (run for run in every if run.job == TUNE and run.id not in old))
    # What the days came to stays (bot/store/days.py), so it is counted before what it is made of goes.
    while parts.store.run_now(days.roll_up, ZoneInfo(parts.settings.jobs.timezone), now=time.time()):
        context.check()
    context.progress(0, None, "people")
    went = sweep(parts.store, parts.settings.data_dir, chosen, now=time.time(), check=context.check)
    # They hold whoever was erased since; where backups are made elsewhere or not at all, nothing else looks after them.
    copies = BackupShelf(parts.settings.data_dir / FOLDER).forget_before_updates(time.time())
    erased = 0
    if parts.rights is not None:
        with parts.rights() as rights:
            erased = len(rights.reapply(by="job:retention"))
    return {"runs": len(forgotten), "folders": len(gone), **went, "before_updates": len(copies), "erased_again": erased}


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec("retention", "오래된 기록 정리", "Forget what is too old", lambda context: retain(parts, context))
