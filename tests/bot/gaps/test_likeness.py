"""How alike questions are: what raises it, what does not, and that the zero is measured."""

from __future__ import annotations

import numpy as np
import pytest

from bot.gaps.likeness import Likeness, Read, overlap
from knowledge.korean import Analyser
from tests.fakes.hash_embedder import HashEmbedder


@pytest.fixture(scope="module")
def likeness(analyser: Analyser) -> Likeness:
    return Likeness(analyser, HashEmbedder(), lambda word: 1.0)


def read(likeness: Likeness, *texts: str) -> Read:
    return Read(np.stack([likeness.vector(text) for text in texts]), tuple(likeness.words(text) for text in texts))


def test_a_paraphrase_is_more_alike_than_a_near_miss_and_that_more_than_anything_else(likeness: Likeness) -> None:
    both = read(
        likeness,
        "법인카드 한도가 얼마예요?",
        "법카 한도 알려줘",
        "법인카드를 잃어버렸어요",
        "회의실 예약은 어떻게 하나요?",
    )
    first = likeness.between(both, both)[0]
    assert first[0] == pytest.approx(1.0, abs=0.01)
    assert first[0] > first[1] > first[3]
    assert first[2] > first[3]


def test_words_that_stand_in_any_question_make_no_two_alike(likeness: Likeness) -> None:
    assert set(likeness.words("연차 신청은 어떻게 하나요? 방법 좀 알려 주세요")) == {"연차", "신청"}


@pytest.mark.parametrize("text", ["안녕하세요", "ㅋㅋㅋㅋ", "ㅠㅠ", "그거 뭐야?", "!!!"])
def test_a_question_that_names_nothing_has_no_topic(likeness: Likeness, text: str) -> None:
    assert not likeness.names_a_topic(text)


@pytest.mark.parametrize("text", ["연차 며칠?", "VPN 안 됨", "주차 등록은 어디서 하나요"])
def test_a_question_that_names_something_has_one(likeness: Likeness, text: str) -> None:
    assert likeness.names_a_topic(text)


def test_unrelated_questions_lie_around_zero_whatever_the_embedder(likeness: Likeness) -> None:
    class Narrow(HashEmbedder):
        """All cosines above 0.8, as E5's are."""

        def query(self, text: str) -> np.ndarray:  # type: ignore[type-arg]
            common = np.full(self.dimension, 2.0 / np.sqrt(self.dimension), dtype=np.float32)
            vector = super().query(text) + common
            return vector / np.linalg.norm(vector)

    narrow = Likeness(likeness._analyser, Narrow(), lambda word: 1.0)
    assert narrow.unrelated > 0.8
    asked = read(narrow, "임진왜란은 몇 년에 일어났나요?", "주차 등록은 어디서 하나요?")
    assert narrow.between(asked, asked)[0, 1] < 0.1


def test_overlap_is_one_for_the_same_words_and_zero_without_common_ones() -> None:
    found = overlap([{"a": 1.0, "b": 2.0}, {}], [{"a": 1.0, "b": 2.0}, {"c": 1.0}])
    assert found == pytest.approx(np.array([[1.0, 0.0], [0.0, 0.0]]))
