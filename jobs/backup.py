"""The job that makes a backup at night and keeps the last ones ([backup])."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.job import JobContext, JobParts, JobSpec


def back_up(parts: JobParts, context: JobContext) -> Mapping[str, Any]:
    """One more backup; the oldest go. Stopped or killed it leaves nothing behind, and starts over. Raises a `BackupError`."""

    def told(step: str, done: int, total: int | None) -> None:
        context.progress(done, total, step)
        context.check()

    return parts.backup(parts.store, told)


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec("backup", "백업", "Back up", lambda context: back_up(parts, context))
