"""The job that forgets old runs of jobs: their rows and their folders, and what people said where nothing needs it any more."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from bot.store import jobs as runs
from jobs.build_examples import TUNE
from jobs.job import JobContext, JobParts, JobSpec
from jobs.learning.leftovers import tidy


def retain(parts: JobParts, context: JobContext) -> Mapping[str, Any]:
    """Keep the newest `keep_runs` of each job, and whatever is not over. Folders of forgotten runs go first, so a crash loses no track."""
    keep = parts.settings.jobs.keep_runs
    root = context.folder.parent
    folders = {folder.name for folder in root.iterdir() if folder.is_dir()} if root.is_dir() else set()
    every = parts.store.run_now(runs.every)  # after the folders: a run's row is always older than its folder
    over: dict[str, list[str]] = {}
    for run in every:
        # A stopped run that is to be gone on with is not over.
        if run.state in ("done", "failed", "missed") or (run.state == "stopped" and run.until is None):
            over.setdefault(run.job, []).append(run.id)
    old = {run_id for ids in over.values() for run_id in ids[: max(0, len(ids) - keep)]}
    unknown = folders - {run.id for run in every}  # of another machine's or a forgotten run
    gone = sorted((old & folders) | unknown)
    for number, name in enumerate(gone):
        context.progress(number, len(gone), "folders")
        context.check()
        shutil.rmtree(root / name, ignore_errors=True)
    parts.store.run_now(runs.forget, old)
    tidy(parts.store, root, (run for run in every if run.job == TUNE and run.id not in old))
    return {"runs": len(old), "folders": len(gone)}


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec("retention", "지난 작업 기록 정리", "Forget old runs", lambda context: retain(parts, context))
