"""What an indexing run tells, while it runs and at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from knowledge.edition import Recall
from knowledge.errors import PageError, SourceError


class BuildProgress(Protocol):
    """Told how far a step is: `listing`, `reading`, `morphemes`, `vectors`, `publishing`. May raise to stop the run."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """`done` of `total`."""


@dataclass(frozen=True, slots=True)
class FailedPage:
    """A page that could not be read, and why (`error` explains itself in Korean and English)."""

    source: str
    page: str
    """Relative to its source, as everywhere."""
    error: PageError
    kept: bool = False
    """Its former passages stay in the index until it can be read again or is not listed any more."""
    tries: int = 1
    """In a row, without the page having been read between them."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A source that was not taken as it is: its pages are those of the edition before. `now` None: nobody knows."""

    source: str
    error: SourceError
    before: int
    now: int | None


@dataclass(frozen=True, slots=True)
class MovedPage:
    """The same page under another path."""

    source: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a run did. Pages by `source/path`, compared with the edition that served before."""

    edition: str
    """That serves now; empty after a dry run without one."""
    pages: int
    passages: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[FailedPage, ...]
    seconds: float
    reused: bool
    """The serving edition stays: nothing had changed, or nothing since a person went back from another one."""
    moved: tuple[MovedPage, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    dry_run: bool = False
    rolled_back: bool = False
    """Reused because a person went back to the serving edition and nothing has changed since then."""
    recall: Recall | None = None
    """Of the regression questions, where there are any and an edition was made."""
