"""Answers on disk: found again under their stamp and no other, whatever a crash left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import AnswersNotKept, GateBusy
from bot.messages import Outcome
from jobs.gate.answers import GateAnswer, Stamp
from jobs.gate.kept import KeptAnswers

STAMP = Stamp("base", "lora", "edition-1", "ko-1", "160")
ANSWER = GateAnswer(Outcome.ANSWERED, "연차는 15일입니다.", ("a.md",), ("rewritten",), 12, 0.5, 1.25, "run")


def test_what_is_kept_is_found_again_the_newest_of_each(tmp_path: Path) -> None:
    with KeptAnswers(tmp_path / "gate") as kept:
        kept.keep(STAMP, "q1", ANSWER)
        kept.keep(STAMP, "q2", GateAnswer(Outcome.FAILED))
        kept.keep(STAMP, "q2", ANSWER)
        assert kept.of(STAMP) == {"q1": ANSWER, "q2": ANSWER}
    with KeptAnswers(tmp_path / "gate") as kept:
        kept.keep(STAMP, "q3", ANSWER)
        assert kept.of(STAMP) == {"q1": ANSWER, "q2": ANSWER, "q3": ANSWER}


@pytest.mark.parametrize("part", ["base", "lora", "edition", "prompt", "dials"])
def test_another_stamp_knows_nothing_of_it(tmp_path: Path, part: str) -> None:
    with KeptAnswers(tmp_path) as kept:
        kept.keep(STAMP, "q1", ANSWER)
        assert kept.of(replace(STAMP, **{part: "other"})) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("torn", range(1, 60, 7))
def test_a_line_that_a_crash_cut_off_is_dropped_and_the_next_one_is_whole(tmp_path: Path, torn: int) -> None:
    with KeptAnswers(tmp_path) as kept:
        kept.keep(STAMP, "q1", ANSWER)
        kept.keep(STAMP, "q2", ANSWER)
    [file] = tmp_path.glob("answers-*.jsonl")
    file.write_bytes(file.read_bytes()[:-torn])
    with KeptAnswers(tmp_path) as kept:
        assert kept.of(STAMP) == {"q1": ANSWER}
        kept.keep(STAMP, "q3", ANSWER)
        assert kept.of(STAMP) == {"q1": ANSWER, "q3": ANSWER}


def test_lines_that_make_no_sense_do_not_count(tmp_path: Path) -> None:
    with KeptAnswers(tmp_path) as kept:
        kept.keep(STAMP, "q1", ANSWER)
    [file] = tmp_path.glob("answers-*.jsonl")
    junk = [
        b"[]",
        b"7",
        b'{"case": "q"}',
        b'{"case": "q", "answer": {"outcome": "maybe"}}',
        b"\xff\xfe",
        b'{"case": "q", "answer": 3}',
    ]
    file.write_bytes(file.read_bytes() + b"\n".join(junk) + b"\n")
    with KeptAnswers(tmp_path) as kept:
        assert kept.of(STAMP) == {"q1": ANSWER}


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with KeptAnswers(tmp_path), pytest.raises(GateBusy), KeptAnswers(tmp_path):
        pass


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnswersNotKept), KeptAnswers(tmp_path / "file" / "gate"):
        pass


def test_answers_that_nobody_needs_any_more_are_deleted(tmp_path: Path) -> None:
    other = replace(STAMP, lora="none")
    with KeptAnswers(tmp_path) as kept:
        for stamp in (STAMP, other, replace(STAMP, prompt="ko-0")):
            kept.keep(stamp, "q1", ANSWER)
    with KeptAnswers(tmp_path) as kept:
        assert kept.forget_all_but([STAMP, other]) == 1
        assert kept.of(STAMP) == kept.of(other) == {"q1": ANSWER}
