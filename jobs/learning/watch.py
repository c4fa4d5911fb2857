"""The job that looks after what answers: when people like it clearly less than what answered before, that answers again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.releases.watch import watch as look
from jobs.job import JobContext, JobParts, JobSpec
from jobs.learning.parts import LearningParts


def watch(parts: LearningParts, context: JobContext) -> Mapping[str, Any]:
    """Look once. Raises StoreError, ModelError."""
    context.progress(0, None, "watching")
    base = parts.base()
    with parts.releases() as releases:
        found = look(releases, base.name, parts.options.watch)
    return {
        "watched": found.watched,
        "against": found.against,
        "rates": [str(rate) for rate in found.rates],
        "no_longer": ", ".join(str(rate) for rate in found.rates if rate.ended),
        "rolled_back_to": found.release.lora if found.release is not None else "",
    }


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec("watch", "LoRA 지켜보기", "Watch what answers", lambda context: watch(parts.learning(), context))
