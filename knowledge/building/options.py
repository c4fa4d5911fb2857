"""What an indexing run is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from knowledge import formats, korean
from knowledge.cache import key_of
from knowledge.documents import Parse
from knowledge.edition import EditionShelf, Recall
from knowledge.search import SearchIndex, SearchOptions

BUILD_VERSION = 2
"""Change it when the same pages give other passages or scores."""


class Regression(Protocol):
    """Questions that every edition must go on finding the pages for."""

    def recall(self, index: SearchIndex, pages: Collection[str]) -> Recall:
        """Recall@5 on those questions of which some wanted page is among `pages` (paths within their sources)."""


@dataclass(frozen=True, slots=True)
class RegressionLimits:
    """`floor`: the least recall@5; `fall`: how far below the serving edition's it may be."""

    floor: float = 0.0
    fall: float = 0.05


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a run needs besides its sources."""

    shelf: EditionShelf
    cache: Path
    embedder_id: str
    passage_size: int = 600
    passage_overlap: int = 100
    max_file_mb: int = 50
    parse: Parse = formats.parse
    """`ParsingProcess.parse` where the files are not trusted."""
    limits: str = ""
    """What else decides whether a page can be read: a page that failed under other limits is tried again at once."""
    search: SearchOptions = dataclasses.field(default_factory=SearchOptions)
    analyser_id: str = korean.ANALYSER
    shrink_share: float = 0.5
    """A source that lists less than this share of its pages in the serving edition is held back."""
    regression: Regression | None = None
    regression_limits: RegressionLimits = RegressionLimits()

    @property
    def ledger(self) -> Path:
        """Beside the cache."""
        return self.cache.with_name(f"{self.cache.stem}-files.sqlite")


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What is wanted of this one run."""

    full: bool = False
    """Ignore the caches, and publish even if nothing changed."""
    only: tuple[str, ...] = ()
    """Names of the only sources to read; the others' pages are taken over as they are. Empty: all."""
    accept: frozenset[str] = frozenset()
    """Names of sources that may shrink as far as they like."""
    dry_run: bool = False
    """Read and compare, publish nothing."""


def recipe_of(options: BuildOptions) -> str:
    """Changes when the same page would be cut otherwise."""
    return key_of(str(BUILD_VERSION), str(options.passage_size), str(options.passage_overlap))[:16]
