"""The indexing job: callable by a clock, a command or cron alike. All of it is knowledge's; this is its one way in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobs.job import JobContext, JobParts, JobSpec
from knowledge.build import BuildOptions, BuildProgress, BuildReport, BuildRequest, build
from knowledge.embed import Embedder
from knowledge.korean import Analyser
from knowledge.sources.base import Source


def reindex(
    sources: Sequence[Source],
    options: BuildOptions,
    make_analyser: Callable[[], Analyser],
    make_embedder: Callable[[], Embedder],
    *,
    full: bool,
    progress: BuildProgress,
) -> BuildReport:
    """Read every source and publish an edition; see `knowledge.build.build` for what it raises."""
    return build(sources, options, make_analyser, make_embedder, BuildRequest(full=full), progress)


def run(parts: JobParts, context: JobContext) -> Mapping[str, Any]:
    """The same as a job. Argument `full`: ignore the caches. Stopped in between, the serving edition stays; what was read is cached."""

    def told(step: str, done: int, total: int) -> None:
        context.progress(done, total, step)
        context.check()

    report = parts.reindex(bool(context.arguments.get("full")), told)
    return {
        "edition": report.edition,
        "pages": report.pages,
        "passages": report.passages,
        "added": len(report.added),
        "changed": len(report.changed),
        "removed": len(report.removed),
        "failed": len(report.failed),
        "reused": report.reused,
    }


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec("reindex", "위키 다시 색인", "Re-index the wiki", lambda context: run(parts, context))
