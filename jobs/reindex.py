"""The indexing job: callable by a clock, a command or cron alike. All of it is knowledge's; this is its one way in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from knowledge.build import BuildOptions, BuildProgress, BuildReport, build
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
    return build(sources, options, make_analyser, make_embedder, full=full, progress=progress)
