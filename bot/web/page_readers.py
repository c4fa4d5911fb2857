"""Whose groups may read which pages of the wiki, for pages of the console that show its titles and texts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Protocol

from knowledge.page import Audience, reader_of

if TYPE_CHECKING:
    from knowledge.search import SearchIndex

AnySource = ""
"""Instead of a source's name: every page of that name, in whichever source. What a citation of an older answer says."""
PageName = tuple[str, str]
"""(source or AnySource, page)."""


class MayRead(Protocol):
    """What a page of the console asks; `PageReaders` is the real one."""

    async def __call__(self, groups: Collection[str], pages: Iterable[PageName]) -> frozenset[PageName]:
        """Those of `pages` of which these groups may read every passage."""


class PageReaders:
    """Over the edition that answers now. Of a page that is gone nobody can say who may read it: then nobody may."""

    def __init__(self, index: Callable[[], SearchIndex]) -> None:
        """`index`: what answers now."""
        self._index = index
        self._known: tuple[str, dict[PageName, frozenset[Audience]]] = ("", {})
        self._looking = asyncio.Lock()

    async def __call__(self, groups: Collection[str], pages: Iterable[PageName]) -> frozenset[PageName]:
        """See `MayRead`. Going through a new edition's passages happens on another thread."""
        audiences = await self._audiences()
        reader = reader_of(groups)
        return frozenset(
            page
            for page in set(pages)
            if page in audiences and all(audience.admits(reader) for audience in audiences[page])
        )

    async def _audiences(self) -> dict[PageName, frozenset[Audience]]:
        async with self._looking:  # who comes meanwhile waits for the one look
            index = self._index()
            if self._known[0] != index.name:
                self._known = (index.name, await asyncio.to_thread(_by_page, index))
            return self._known[1]


def _by_page(index: SearchIndex) -> dict[PageName, frozenset[Audience]]:
    found: dict[PageName, set[Audience]] = {}
    for passage in index.edition.passages:
        for source in (passage.source, AnySource):
            found.setdefault((source, passage.page), set()).add(passage.audience)
    return {page: frozenset(audiences) for page, audiences in found.items()}
