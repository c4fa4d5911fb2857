"""Page, Section, Block, Passage, Audience: the frozen data of the wiki. No behaviour beyond validation.

A parser (knowledge/formats) makes a `Document`; a source adds where it came from and who may read it, which makes
a `Page`; the chunker (knowledge/chunk.py) cuts the page into `Passage`s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

EVERYONE = "everyone"

BlockKind = Literal["paragraph", "list", "table", "code"]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may read a page: every clause must name at least one group of the reader.

    A page's own audience never widens its source's: both become clauses.
    `Audience()` (no clause) admits everybody; use `Audience.of(["everyone"])` for the same, said aloud.
    """

    clauses: frozenset[frozenset[str]] = frozenset()

    @classmethod
    def of(cls, groups: Iterable[str]) -> Audience:
        """One clause over `groups`; a clause that names `everyone` demands nothing. An empty list admits nobody."""
        clause = frozenset(group.strip() for group in groups)
        return cls() if EVERYONE in clause else cls(frozenset([clause]))

    def narrowed(self, other: Audience) -> Audience:
        """Readers must satisfy both."""
        return Audience(self.clauses | other.clauses)

    def admits(self, reader: frozenset[str]) -> bool:
        """`reader`: the groups of the person, or the groups that everyone in the channel shares."""
        return all(clause & reader for clause in self.clauses)

    def within(self, other: Audience) -> bool:
        """Whether `other` admits every reader that this one admits."""
        return all(any(mine <= theirs for mine in self.clauses) for theirs in other.clauses)

    def as_lists(self) -> list[list[str]]:
        """For JSON: sorted lists, `[]` for everybody."""
        return sorted(sorted(clause) for clause in self.clauses)

    @classmethod
    def from_lists(cls, clauses: list[list[str]]) -> Audience:
        """The inverse of `as_lists`."""
        return cls(frozenset(frozenset(clause) for clause in clauses))


def reader_of(groups: Iterable[str] = ()) -> frozenset[str]:
    """The reader's groups, `everyone` always among them."""
    return frozenset(groups) | {EVERYONE}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece that should not be cut if it can be helped.

    `text`: for `list` one item per line; for `table` one row per line with cells joined by ` | `, the header first.
    """

    text: str
    kind: BlockKind = "paragraph"


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading. `heading` is the path from the outermost heading, without the page title."""

    heading: tuple[str, ...]
    blocks: tuple[Block, ...]
    page_number: int | None = None
    """1-based, for paged formats."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a format's parser found in the bytes; knows neither its path nor its readers."""

    title: str | None
    sections: tuple[Section, ...]
    meta: dict[str, object] = field(default_factory=dict)
    """Front matter or document properties: `title`, `updated`, `audience`, `url`, `replaced_by` are used."""


@dataclass(frozen=True, slots=True)
class Page:
    """One document of the wiki. `path` is NFC, `/`-separated, relative to its source; it is the page's identity."""

    source: str
    path: str
    title: str
    url: str | None
    modified: dt.date | None
    audience: Audience
    sections: tuple[Section, ...]
    replaced_by: str | None = None
    """Path of the page that replaces this one; an outdated page ranks below its replacement."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a page that can be retrieved and cited. `number` counts from 0 within the page."""

    source: str
    page: str
    number: int
    title: str
    heading: tuple[str, ...]
    text: str
    url: str | None = None
    modified: dt.date | None = None
    audience: Audience = Audience()
    page_number: int | None = None
    replaced_by: str | None = None

    @property
    def context(self) -> str:
        """Title and heading path, the line put before the text for indexing and for the writer."""
        return " > ".join(dict.fromkeys((self.title, *self.heading)))

    @property
    def indexed_text(self) -> str:
        """What is embedded and tokenised (retrieval.md 2d: the title line helped every column)."""
        return f"{self.context}\n{self.text}"
