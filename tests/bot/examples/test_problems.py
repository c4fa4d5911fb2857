"""What masking leaves behind may make an example useless."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.examples.problems import placeholders, problems
from tests.bot.examples.rows import LEAVE, FakeGrounding, example


@pytest.mark.parametrize(
    ("question", "answer", "found"),
    [
        ("연차는 며칠입니까?", "15일입니다 [1].", ()),
        ("문의는 어디로 합니까?", "[이메일]로 문의합니다 [1].", ("masked_answer",)),
        ("[이름] 대리님 휴가는 언제 승인됩니까?", "사흘 안에 승인합니다 [1].", ()),
        ("[전화번호] 뭐야", "총무팀입니다 [1].", ("masked_question",)),
        ("[이름]", "[이름]입니다 [1].", ("masked_answer", "masked_question")),
        ("[1] [제목] 이 뭐예요", "[메모]입니다 [1].", ()),
    ],
)
def test_a_placeholder_counts_where_it_takes_the_sense_away(question: str, answer: str, found: tuple[str, ...]) -> None:
    assert placeholders(question, answer) == found


def test_a_placeholder_is_a_problem_beside_those_of_the_passages() -> None:
    made = example(answer="[이름]에게 묻습니다 [1].")
    assert problems(made, FakeGrounding()) == ("support", "masked_answer")
    assert problems(example(answer=f"{LEAVE} [1]"), FakeGrounding()) == ()


def test_own_instructions_claim_no_page_but_may_be_masked() -> None:
    plain = example(kind="imported", passages=(), answer="Hello")
    assert problems(plain, FakeGrounding()) == ()
    assert problems(example(kind="imported", passages=(), answer="[계좌번호]"), FakeGrounding()) == ("masked_answer",)
    assert problems(example(kind="liked", passages=(), answer="Hello"), FakeGrounding()) == ("support",)


def test_a_thumb_down_has_nothing_to_check_until_somebody_writes_an_answer_for_it() -> None:
    down = example(kind="disliked", answer="", rejected="[이름]")
    assert problems(down, FakeGrounding()) == ()
    assert problems(replace(down, answer=f"{LEAVE} [1]"), FakeGrounding()) == ()
    assert problems(replace(down, answer="[이름]에게 묻습니다 [1]."), FakeGrounding()) == ("support", "masked_answer")
