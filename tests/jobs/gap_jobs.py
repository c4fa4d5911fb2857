"""Parts for the jobs about gaps, over a store and whatever a test puts in the place of search and platform."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from bot.examples.masking import mask
from bot.gaps.digest import DigestOptions
from bot.gaps.finding import FindOptions
from bot.settings import Settings
from bot.store.database import Store
from jobs.gap_parts import GapParts
from jobs.job import JobContext, JobParts


def not_wanted(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("nothing of this is needed")


def gap_parts(**changes: Any) -> GapParts:
    """Nothing is asked again and nothing posted unless a test says so."""
    made = GapParts(
        find=FindOptions(likeness=0.25),
        reask=True,
        most=5,
        edition=lambda: "e1",
        asking=not_wanted,
        readable=lambda: lambda place: frozenset(),
        mask=lambda text: mask(text).text,
        digest=DigestOptions(),
        platform="",
        place="",
        announcer=not_wanted,
    )
    return replace(made, **changes)


def job_parts(store: Store, gaps: GapParts) -> JobParts:
    """With nothing else behind it."""
    return JobParts(
        settings=Settings(),
        store=store,
        reindex=not_wanted,
        workbench=not_wanted,
        learning=not_wanted,
        backup=not_wanted,
        gaps=lambda: gaps,
    )


async def run_job(job: Any, parts: JobParts, tmp_path: Path, run: str = "run-1", **context: Any) -> dict[str, Any]:
    """On a thread of its own, as in a worker's process: the job has an event loop of its own."""
    return dict(await asyncio.to_thread(job, parts, JobContext(run, tmp_path, **context)))
