"""Nearness of texts to a question, on the search's own scale."""

from __future__ import annotations

import pytest

from knowledge.closeness import strength
from knowledge.page import reader_of
from knowledge.search import SearchIndex

QUESTION = "국내 출장 일비는 얼마인가요?"


def test_a_passage_is_as_near_as_the_search_says(index: SearchIndex) -> None:
    best = index.search(QUESTION, reader_of(), 1).hits[0]
    [near] = index.closeness(QUESTION, index.rarity(reader_of())).of([best.passage.indexed_text])
    assert near == pytest.approx(strength(best.dense, best.coverage), abs=1e-3)


def test_what_is_beside_the_point_is_farther(index: SearchIndex) -> None:
    near, beside = index.closeness(QUESTION, index.idf).of(
        ["국내 출장 규정\n국내 출장 일비는 40,000원입니다.", "회의실 예약\n10분 안에 들어가지 않으면 취소됩니다."]
    )
    assert near > beside + 1


def test_words_of_the_question_count_however_they_are_inflected(index: SearchIndex) -> None:
    one, other = index.closeness("연차를 신청하려면?", index.idf).of(["연차는 신청합니다", "회의실은 예약합니다"])
    assert one > other


def test_no_text_is_no_work(index: SearchIndex) -> None:
    assert index.closeness(QUESTION, index.idf).of([]) == []
