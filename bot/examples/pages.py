"""The serving edition as the examples need it: which passages still stand, and may be read by everyone."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Sequence
from functools import cached_property

from bot.examples.example import Evidence
from knowledge.page import Passage, reader_of


class EditionPages:
    """Over an edition's passages. A page with one restricted passage is restricted as a whole."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._pages: dict[tuple[str, str], list[Passage]] = {}
        for passage in passages:
            self._pages.setdefault((passage.source, passage.page), []).append(passage)

    def context(self, source: str, page: str, number: int, text: str) -> str | None:
        """Title and headings of the passage that still says every line of `text`; the same number first."""
        here = self._pages.get((source, page), [])
        if not _is_open(here):
            return None
        wanted = [line.strip() for line in text.splitlines() if line.strip()]
        for passage in sorted(here, key=lambda one: (one.number != number, one.number)):
            if all(line in passage.text for line in wanted):
                return passage.context
        return None

    def is_open(self, source: str, page: str) -> bool:
        """Whether the page is there, is not outdated, and everyone may read all of it."""
        return _is_open(self._pages.get((source, page), []))

    def may_read(self, source: str, page: str, reader: Collection[str]) -> bool:
        """Whether someone in these groups may read all of a page of this edition."""
        here = self._pages.get((source, page), [])
        mine = reader_of(reader)
        return bool(here) and all(one.audience.admits(mine) for one in here)

    def open_passages(self, sources: Collection[str] = ()) -> list[Passage]:
        """Every passage of the pages that everyone may read and that are not outdated; of `sources` only, where some are named."""
        return [
            passage
            for (source, _), passages in self._pages.items()
            if _is_open(passages) and (not sources or source in sources)
            for passage in passages
        ]

    def evidence(self, page: str) -> tuple[Evidence, ...]:
        """The passages of a page named by its path, its title or its address; empty when there is none for everyone."""
        return tuple(
            Evidence(one.source, one.page, one.number, one.context, one.text)
            for one in self._by_name.get(_name(page), ())
        )

    def like(self, page: str) -> str:
        """The name nearest to a mistyped or shortened one, of a page that everyone may read; empty: none is near."""
        wanted = _name(page)
        holding = [name for name in self._by_name if wanted and wanted in name]
        if holding:
            return min(holding, key=len)
        return next(iter(difflib.get_close_matches(wanted, self._by_name, n=1)), "")

    @cached_property
    def _by_name(self) -> dict[str, list[Passage]]:
        """Of two open pages with one name the first."""
        found: dict[str, list[Passage]] = {}
        for (_, path), passages in self._pages.items():
            if _is_open(passages):
                for name in filter(None, (path, passages[0].title, passages[0].url)):
                    found.setdefault(_name(name), passages)
        return found


def _name(written: str) -> str:
    """As names are compared: a file's name copied on a Mac comes in parts of syllables."""
    return unicodedata.normalize("NFC", written).strip()


def _is_open(passages: Sequence[Passage]) -> bool:
    everyone = reader_of()
    return bool(passages) and all(one.audience.admits(everyone) and one.replaced_by is None for one in passages)
