"""Which pages an account may read, over a real edition."""

from __future__ import annotations

import asyncio

import pytest

from bot.web import page_readers
from bot.web.page_readers import AnySource, PageReaders
from knowledge.page import Passage
from knowledge.search import SearchIndex


def one_of(index: SearchIndex, *, everyone: bool) -> Passage:
    return next(one for one in index.edition.passages if one.audience.admits(frozenset({"everyone"})) is everyone)


async def test_groups_decide_and_a_page_that_is_gone_is_nobodys(index: SearchIndex) -> None:
    readers = PageReaders(lambda: index)
    for everyone in (True, False):
        passage = one_of(index, everyone=everyone)
        names = {(passage.source, passage.page), (AnySource, passage.page)}
        groups = {group for clause in passage.audience.clauses for group in clause}
        assert await readers([], names) == (names if everyone else frozenset())
        assert await readers(groups, names) == names
        assert await readers(["another"], names) == (names if everyone else frozenset())
    assert await readers([], [("wiki", "gone.md"), ("elsewhere", one_of(index, everyone=True).page)]) == frozenset()


async def test_two_visitors_after_a_swap_look_through_the_edition_once(
    index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    real = page_readers._by_page

    def counted(one: SearchIndex) -> object:
        looks.append(one.name)
        return real(one)

    monkeypatch.setattr(page_readers, "_by_page", counted)
    readers = PageReaders(lambda: index)
    passage = one_of(index, everyone=True)
    names = {(passage.source, passage.page)}
    assert await asyncio.gather(readers([], names), readers([], names)) == [names, names]
    assert looks == [index.name]
