"""The serving edition as the examples need it: which passages still stand, and may be read by everyone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
        for (source, path), passages in self._pages.items():
            first = passages[0]
            if page in (path, first.title, first.url) and _is_open(passages):
                return tuple(Evidence(source, path, one.number, one.context, one.text) for one in passages)
        return ()


def _is_open(passages: Sequence[Passage]) -> bool:
    everyone = reader_of()
    return bool(passages) and all(one.audience.admits(everyone) and one.replaced_by is None for one in passages)
