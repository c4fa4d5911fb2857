"""Mistakes that are put into questions: the ones meant, the same every time, and never more than typing explains."""

from __future__ import annotations

import random

import pytest

from benchmarks.mistyped import MISTAKES, Mistake, mistyped
from knowledge.keyboard import is_hangul, keys_of

QUESTION = "법인카드 분실신고는 어디에 하나요?"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_same_seed_makes_the_same_mistake(mistake: Mistake) -> None:
    first, again = (mistyped(QUESTION, mistake, random.Random(3)) for _ in range(2))
    assert first == again != QUESTION


def test_spaces_and_layout() -> None:
    assert mistyped(QUESTION, "joined", random.Random(0)) == "법인카드분실신고는어디에하나요?"
    assert mistyped(QUESTION, "torn", random.Random(0)).replace(" ", "") == QUESTION.replace(" ", "")
    assert mistyped(QUESTION, "layout", random.Random(0)) == f"법인카드 {keys_of('분실신고는')} 어디에 하나요?"


@pytest.mark.parametrize("seed", range(30))
def test_a_slip_leaves_whole_syllables_one_or_two_keys_away(seed: int) -> None:
    words = mistyped(QUESTION, "slips", random.Random(seed)).rstrip("?").split()
    for word, was in zip(words, QUESTION.rstrip("?").split(), strict=True):
        assert is_hangul(word)
        assert abs(len(keys_of(word)) - len(keys_of(was))) <= 1


@pytest.mark.parametrize("question", ["VPN?", "가", ""])
def test_where_there_is_no_word_for_a_mistake_the_question_stays(question: str) -> None:
    assert mistyped(question, "slips", random.Random(0)) == question
