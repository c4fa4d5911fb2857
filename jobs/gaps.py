"""The job that groups what was not answered into gaps, and asks their typical questions again when there is a new edition."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.gaps.finding import DAY, Finder
from bot.gaps.reasking import Asker, SearchAsker, WriterAsker, reask
from bot.store import gaps
from jobs.gap_parts import AskingParts, GapParts
from jobs.job import JobContext, JobParts, JobSpec

NAME = "gaps"


def update_gaps(parts: JobParts, context: JobContext) -> Mapping[str, Any]:
    """Find first, so that the nearest pages are those of the new edition; then ask again. Nothing is loaded while there is nothing to do.

    Raises NoEdition, ModelError, StoreError.
    """
    wanted, store, now = parts.gaps(), parts.store, time.time()
    edition = wanted.edition()
    context.progress(0, None, "gaps")
    due = _due(parts, wanted, edition, now)
    if not due:
        store.run_now(gaps.tidy, now=now)
        return {"edition": edition, "questions": 0}

    def told(step: str, done: int, total: int) -> None:
        context.progress(done, total, step)
        context.check()

    with wanted.asking() as asking:
        finder = Finder(store, asking.index, asking.threshold, wanted.mask, wanted.find)
        found = finder.run(now=now, progress=lambda done, total: told("reading", done, total))
        result: dict[str, Any] = {"edition": asking.index.name, **asdict(found)}
        if wanted.reask:
            again = reask(
                store,
                _asker(asking, wanted),
                asking.index.name,
                now=now,
                most=wanted.most,
                progress=lambda done, total: told("asking", done, total),
            )
            result |= {f"reask_{name}": number for name, number in asdict(again).items()}
    return result


def _due(parts: JobParts, wanted: GapParts, edition: str, now: float) -> bool:
    """Whether anything is in a gap or may be, or names wait to be made anew."""
    since = now - wanted.find.days * DAY
    return bool(parts.store.run_now(gaps.missed, since=since, most=1)) or any(
        one.asked_edition != edition for one in parts.store.run_now(gaps.every, states=("open", "answered"))
    )


def _asker(asking: AskingParts, wanted: GapParts) -> Asker:
    if asking.answer is not None:
        return WriterAsker(asking.answer, wanted.readable())
    return SearchAsker(asking.index, asking.threshold, wanted.readable())


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec(NAME, "위키의 빈틈 찾기", "Find knowledge gaps", lambda context: update_gaps(parts, context))
