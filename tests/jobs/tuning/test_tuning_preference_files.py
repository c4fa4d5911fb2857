"""Preferences as files and as tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.errors import BadExamples
from bot.writers.engine import Turn
from jobs.tuning.dataset import Example
from jobs.tuning.preferences import (
    Preference,
    apart_from,
    encode_preferences,
    load_preferences,
    write_preferences,
)

PASSAGE = "휴가 규정\n연차는 3일 전에 신청한다."


class Characters:
    """A character is a token; 0 ends an answer."""

    def prompt(self, turns: Sequence[Turn]) -> list[int]:
        return [ord(character) for turn in turns for character in turn.text]

    def answer(self, text: str) -> list[int]:
        return [*map(ord, text), 0]


def test_files_come_back_as_they_were_written(tmp_path: Path) -> None:
    some = [
        Preference("a", "언제?", (PASSAGE,), "3일 전입니다 [1]."),
        Preference("b", "언제?", (PASSAGE, "다른 글"), rejected="모릅니다.", turns=("휴가는?",)),
        Preference("c", "언제?", (PASSAGE,), "3일 전입니다 [1].", "5일 전입니다 [1]."),
    ]
    write_preferences(tmp_path / "p.jsonl", some)
    assert load_preferences(tmp_path / "p.jsonl") == some


@pytest.mark.parametrize(
    "broken",
    [{"question": "?", "passages": ["글"]}, {"passages": ["글"], "answer": "가"}, {"question": "?", "answer": "가"}],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: dict[str, object]) -> None:
    whole = {"question": "?", "passages": ["글"], "rejected": "가"}
    file = tmp_path / "p.jsonl"
    file.write_text(f"{json.dumps(whole)}\n{json.dumps(broken)}\n", encoding="utf-8")
    with pytest.raises(BadExamples) as caught:
        load_preferences(file)
    assert caught.value.details["line"] == 2


def test_both_answers_follow_the_same_prompt_and_the_kind_is_what_is_there() -> None:
    pair, up, down = encode_preferences(
        [
            Preference("p", "언제?", (PASSAGE,), "셋", "다섯"),
            Preference("u", "언제?", (PASSAGE,), "셋"),
            Preference("d", "언제?", (PASSAGE,), rejected="다섯"),
        ],
        Characters(),
        4000,
    )
    assert (pair.kind, up.kind, down.kind) == ("pair", "up", "down")
    assert pair.up is not None
    assert pair.down is not None
    assert up.up is not None
    assert down.down is not None
    assert pair.up.tokens == up.up.tokens
    assert pair.down.tokens == down.down.tokens
    begins = pair.up.answer_begins
    assert pair.down.answer_begins == begins
    assert pair.up.tokens[:begins] == pair.down.tokens[:begins]
    assert [*pair.down.tokens[begins:]] == [ord("다"), ord("섯"), 0]


def test_one_of_which_an_answer_is_too_long_is_left_out_whole() -> None:
    given = [Preference("p", "언제?", (PASSAGE,), "셋", "다섯" * 3000)]
    assert encode_preferences(given, Characters(), 4000) == ()


def test_what_shares_a_passage_with_the_held_out_part_is_not_learnt_from() -> None:
    held_out = [Example("h", "언제?", ("휴가 규정\n 연차는  3일 전에 신청한다.", "남"), "답")]
    near, far = Preference("n", "?", ("글", PASSAGE), "답"), Preference("f", "?", ("글",), "답")
    assert apart_from([near, far], held_out) == [far]
