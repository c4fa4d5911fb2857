"""The real check on whole answers, and the marks it would set."""

from __future__ import annotations

import pytest

from bot import prompts
from bot.examples.example import Evidence
from bot.examples.grounding import SentenceGrounding
from knowledge.korean import Analyser

PASSAGES = (
    Evidence("wiki", "VPN.md", 0, "VPN 안내", "VPN은 회사 노트북에서만 쓸 수 있습니다."),
    Evidence("wiki", "연차.md", 0, "연차 규정", "연차는 1년에 15일을 줍니다.\n미사용 연차는 이월할 수 없습니다."),
)


@pytest.fixture(scope="module")
def grounding(analyser: Analyser) -> SentenceGrounding:
    return SentenceGrounding(analyser, lambda _: 1.0)


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        ("연차는 1년에 15일을 줍니다 [2].", ()),
        ("연차는 1년에 15일을 줍니다 [2]. VPN은 회사 노트북에서만 쓸 수 있습니다 [1].", ()),
        (prompts.REFUSAL, ()),
        (" ", ("empty",)),
        ("연차는 1년에 20일을 줍니다 [2].", ("number",)),
        ("연차는 1년에 15일을 줍니다 [2]. 사내 식당은 12시에 엽니다 [1].", ("support",)),
        ("미사용 연차는 이월할 수 있습니다 [2].", ("negation",)),
        ("연차는 1년에 15일을 줍니다.", ("no_mark",)),
        ("연차는 1년에 15일을 줍니다 [1].", ("wrong_mark",)),
        ("연차는 1년에 15일을 줍니다 [7].", ("wrong_mark",)),
        ("연차는 1년에 15일을 줍니다 [1, 2].", ("wrong_mark",)),
    ],
)
def test_every_sentence_must_hold(grounding: SentenceGrounding, answer: str, problems: tuple[str, ...]) -> None:
    assert grounding.problems("며칠입니까?", PASSAGES, answer) == problems


def test_an_answer_over_nothing_is_not_supported(grounding: SentenceGrounding) -> None:
    assert grounding.problems("며칠입니까?", (), "연차는 15일입니다.") == ("no_passages",)


def test_marks_are_set_where_a_passage_carries_the_sentence(grounding: SentenceGrounding) -> None:
    text = "연차는 1년에 15일을 줍니다. VPN은 회사 노트북에서만 쓸 수 있습니다. 사내 식당은 맛있습니다."
    marked = grounding.marked("며칠입니까?", PASSAGES, text)
    assert (
        marked == "연차는 1년에 15일을 줍니다 [2]. VPN은 회사 노트북에서만 쓸 수 있습니다 [1]. 사내 식당은 맛있습니다."
    )
