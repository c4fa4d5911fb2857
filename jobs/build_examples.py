"""The job that brings training examples up to date with what people said, and asks for tuning when enough new ones are approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.store import jobs as runs
from jobs.job import THEN, JobContext, JobParts, JobSpec

TUNE = "tune"


def build_examples(parts: JobParts, context: JobContext) -> Mapping[str, Any]:
    """Votes, corrections and resolved escalations → examples. The result's `then` names `tune` when it is worth while."""
    context.progress(0, None, "examples")
    with parts.workbench() as bench:
        built = bench.build()
        usable = bench.training_set()
    context.check()
    tuned = parts.store.run_now(runs.last_done, TUNE)
    fresh = sum(tuned is None or (one.decided_at or 0.0) > tuned for one in usable)
    result: dict[str, Any] = {**asdict(built), "usable": len(usable), "fresh": fresh}
    if fresh >= parts.settings.jobs.examples.tune_after:
        result[THEN] = [TUNE]
    return result


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec("examples", "학습 예시 만들기", "Build examples", lambda context: build_examples(parts, context))
