"""Quotes: the nearest sentences, verbatim, and never a FAQ's question."""

from __future__ import annotations

import pytest

from bot.answering.excerpts import Excerpt
from bot.answering.extractive import best_quotes
from knowledge.page import Passage
from knowledge.search import SearchIndex

SENTENCES = (
    "연차는 며칠 전까지 신청합니까?",
    "연차는 사용 3일 전까지 신청합니다.",
    "연차 신청은 그룹웨어에서 합니다.",
    "회의실은 캘린더에서 예약합니다.",
)


@pytest.fixture
def shown() -> list[Excerpt]:
    text = "\n".join(SENTENCES)
    return [Excerpt(Passage("wiki", "휴가.md", 0, "연차 규정", (), text), text, SENTENCES, frozenset())]


def test_the_nearest_sentence_comes_first_and_a_question_never(index: SearchIndex, shown: list[Excerpt]) -> None:
    quotes = best_quotes(index.closeness("연차는 며칠 전까지 신청합니까?", index.idf), shown, most=4)
    assert quotes[0] == (SENTENCES[1], 0)
    assert SENTENCES[0] not in [sentence for sentence, _ in quotes]
    assert SENTENCES[3] not in [sentence for sentence, _ in quotes]  # far below the best


def test_below_the_floor_nothing_is_quoted(index: SearchIndex, shown: list[Excerpt]) -> None:
    closeness = index.closeness("연차는 며칠 전까지 신청합니까?", index.idf)
    assert best_quotes(closeness, shown, floor=99.0) == []
    assert best_quotes(closeness, []) == []
