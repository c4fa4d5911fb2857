"""The indexing job: callable by a clock, a command or cron alike. All of it is knowledge's; this is its one way in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jobs.gaps import NAME as GAPS
from jobs.job import THEN, JobContext, JobParts, JobSpec
from knowledge.build import BuildOptions, BuildProgress, BuildReport, BuildRequest, build
from knowledge.embed import Embedder
from knowledge.errors import IndexBusy
from knowledge.korean import Analyser
from knowledge.sources.base import Source

NAME = "reindex"
_MOST_NAMED = 50
"""Pages that a run's record names; how many there are is counted in any case."""
_LONGEST_NAME = 32
"""Characters of a job's name in the store."""
_PASSING = (IndexBusy,)
"""`saseo index` of another process ends some time; what changed must not wait for the next change or schedule because of it."""


def reindex(
    sources: Sequence[Source],
    options: BuildOptions,
    make_analyser: Callable[[], Analyser],
    make_embedder: Callable[[], Embedder],
    request: BuildRequest,
    progress: BuildProgress,
) -> BuildReport:
    """Read sources and publish an edition; see `knowledge.build.build` for what it raises."""
    return build(sources, options, make_analyser, make_embedder, request, progress)


def run(parts: JobParts, context: JobContext, sources: Sequence[str] = ()) -> Mapping[str, Any]:
    """The same as a job. Arguments: `full`, `sources` and `accept` (names), as `BuildRequest`; `sources` here come first.

    Stopped in between, the serving edition stays; what was read is cached.
    """

    def told(step: str, done: int, total: int) -> None:
        context.progress(done, total, step)
        context.check()

    given = context.arguments
    request = BuildRequest(
        full=bool(given.get("full")),
        only=tuple(sources or given.get("sources") or ()),
        accept=frozenset(given.get("accept") or ()),
    )
    report = parts.reindex(request, told)
    result = as_result(report, parts.settings.language)
    if not report.reused:
        result[THEN] = [GAPS]  # does the new edition answer what the old one did not?
    return result


def as_result(report: BuildReport, language: str) -> dict[str, Any]:
    """What the run's record keeps: numbers, names of pages and reasons, bounded."""
    return {
        "edition": report.edition,
        "pages": report.pages,
        "passages": report.passages,
        "added": len(report.added),
        "changed": len(report.changed),
        "moved": len(report.moved),
        "removed": len(report.removed),
        "failed": len(report.failed),
        "reused": report.reused,
        "rolled_back": report.rolled_back,
        "recall": report.recall.at5 if report.recall else None,
        "failures": [
            {"page": f"{one.source}/{one.page}", "reason": one.error.explain(language)[:300], "kept": one.kept}
            for one in report.failed[:_MOST_NAMED]
        ],
        "held_back": [
            {"source": one.source, "reason": one.error.explain(language)[:300], "before": one.before, "now": one.now}
            for one in report.held_back
        ],
    }


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec(
        NAME,
        "위키 다시 색인",
        "Re-index the wiki",
        lambda context: run(parts, context),
        waits_after=_PASSING,
        group=NAME,
    )


def jobs_of_sources(parts: JobParts) -> Iterator[JobSpec]:
    """One for each source that is read by itself, at its own times or when something changed in it. None runs beside another one
    or the whole run."""
    for source in parts.settings.sources:
        if source.schedule or source.watched:
            yield _job_of(parts, source.name, source.schedule)


def _job_of(parts: JobParts, source: str, schedule: str) -> JobSpec:
    return JobSpec(
        name_of(source),
        f"출처 '{source}' 다시 색인",
        f"Re-index the source '{source}'",
        lambda context: run(parts, context, [source]),
        waits_after=_PASSING,
        group=NAME,
        schedule=schedule,
    )


def name_of(source: str) -> str:
    """`reindex:NAME`; of a long name the beginning and a hash."""
    name = f"{NAME}:{source}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
