"""Why a passage stands where it does: told from the numbers that the search ranked by, and only about what the reader may read."""

from __future__ import annotations

import os

import pytest

from knowledge.explained import LEGS, places_of
from knowledge.korean import Analyser
from knowledge.page import reader_of
from knowledge.rerank import Reranker
from knowledge.search import SearchIndex, SearchOptions
from knowledge.signals import Signals
from tests.conftest import Indexer


def test_an_explanation_is_of_the_very_search(index: SearchIndex) -> None:
    for question in ("연차는 며칠이야?", "국내 출장 일비", "VPN 전화번호", "zzz 없는 말"):
        found = index.search(question, reader_of(), 5)
        told = index.explain(question, reader_of(), 5)
        assert told.found.hits == found.hits
        assert told.evidence == found.evidence
        assert [why.hit for why in told.whys] == list(found.hits)


def test_the_parts_of_a_score_add_up_to_it(index: SearchIndex) -> None:
    told = index.explain("국내 출장 일비는 얼마야?", reader_of(), 6)
    assert any(why.outdated < 1 for why in told.whys)  # the page of last year names its replacement
    for why in told.whys:
        assert why.fused == pytest.approx(sum(why.legs[leg].part for leg in LEGS))
        assert why.hit.score == pytest.approx(why.fused * why.outdated)
        assert sum(why.legs[leg].weight for leg in LEGS) == pytest.approx(1)
        for leg in LEGS:
            assert (why.legs[leg].rank is not None) == (leg in why.hit.shares)


def test_the_first_of_a_leg_has_its_highest_raw_score(index: SearchIndex) -> None:
    told = index.explain("연차 신청 그룹웨어", reader_of(), 6)
    for leg in LEGS:
        ranked = sorted((why.legs[leg] for why in told.whys if why.legs[leg].rank), key=lambda one: one.rank or 0)
        assert [one.raw for one in ranked] == sorted((one.raw for one in ranked), reverse=True)
        if ranked and ranked[0].rank == 1:
            assert ranked[0].share == 1


def test_signals_are_told_apart(indexer: Indexer, analyser: Analyser) -> None:
    for page in indexer.wiki.iterdir():
        os.utime(page, (0, 0))
    indexer.build()
    index = SearchIndex(
        indexer.shelf.open(), analyser, indexer.embedder, SearchOptions(signals=Signals(recency=0.03, authority=0.02))
    )
    for why in index.explain("출장 규정", reader_of(), 5).whys:
        assert 0 < why.recency <= 0.03 + 1e-9
        assert why.authority == 0  # all pages stand at the top of their source
        assert why.hit.score == pytest.approx(why.fused * (1 - why.recency - why.authority) * why.outdated)


def test_what_the_cross_encoder_read_is_told(index: SearchIndex) -> None:
    class Second(Reranker):
        most = 2

        def scores(self, question, texts):  # type: ignore[no-untyped-def]
            import numpy as np

            return np.array([0.0, 1.0])[: len(texts)]

    index.reranker, before = Second(), index.reranker
    try:
        told = index.explain("연차 신청", reader_of(), 4)
    finally:
        index.reranker = before
    assert sorted(why.read for why in told.whys if why.read is not None) == [0.0, 1.0]
    assert sum(why.read is None for why in told.whys) == len(told.whys) - 2


def test_nothing_a_reader_may_not_read_is_counted_or_named(index: SearchIndex) -> None:
    closed = index.explain("연봉 상한", reader_of(), 10)
    opened = index.explain("연봉 상한", reader_of(["hr"]), 10)
    assert "연봉.md" not in {why.hit.passage.page for why in closed.whys}
    assert "연봉.md" in {why.hit.passage.page for why in opened.whys}
    assert {word.text: word.passages for word in closed.words}["연봉"] == 0
    assert {word.text: word.passages for word in opened.words}["연봉"] == 1
    assert opened.readable == closed.readable + 1


def test_words_that_a_passage_holds_are_told_and_found_in_its_text(index: SearchIndex, analyser: Analyser) -> None:
    told = index.explain("연차 신청은 어디서 해?", reader_of(), 1)
    why = told.whys[0]
    assert {"연차", "신청"} <= why.words
    text = why.hit.passage.text
    marked = [text[start:end] for start, end in places_of(text, why.words, analyser)]
    assert "신청" in marked
    assert places_of("ＶＰＮ과 VPN", {"vpn"}, analyser) == [(0, 3), (5, 8)]
    assert places_of("㎏이면 신청", {"신청"}, analyser) == [(4, 6)]  # one character that is two when normalised
    assert places_of("", {"신청"}, analyser) == []


def test_nothing_to_search_is_explained_as_nothing(index: SearchIndex) -> None:
    told = index.explain(" ?! ", reader_of(), 5)
    assert (told.whys, told.words, told.searched) == ((), (), "")
