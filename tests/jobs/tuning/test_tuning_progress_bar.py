"""What somebody who watches a run sees."""

from __future__ import annotations

import io
from typing import Literal

import pytest
from rich.console import Console

from jobs.tuning.progress_bar import TuningBar
from jobs.tuning.progress_lines import TuningLines
from jobs.tuning.sparkline import sparkline

STEP: dict[str, object] = {"event": "step", "step": 3, "steps": 12, "loss": 1.25, "seconds_left": 290.0}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ko", "학습 중 3/12단계 · 손실 1.250 · 검증 손실 1.500 · 약 5분 남음"),
        ("en", "Training, step 3 of 12 · loss 1.250 · held-out loss 1.500 · about 5 min left"),
    ],
)
def test_the_bar_follows_the_steps(language: Literal["ko", "en"], expected: str) -> None:
    with TuningBar(Console(file=io.StringIO()), language) as bar:
        bar.show({"event": "training", "steps": 12, "done": 1})
        assert bar.share == pytest.approx(1 / 12)
        bar.show({"event": "held_out", "step": 0, "loss": 1.5})
        bar.show(STEP)
        assert bar.share == pytest.approx(0.25)
        assert bar.description == expected
        bar.show({**STEP, "step": 12, "seconds_left": 0.0})
        assert bar.description == expected.rpartition(" · ")[0].replace("3", "12", 1)


def test_before_training_it_says_what_is_prepared_and_how_many_examples_there_are() -> None:
    out = io.StringIO()
    with TuningBar(Console(file=out, width=120), "ko") as bar:
        bar.show({"event": "base", "stage": "verify", "done": 50, "total": 100})
        assert bar.share == 0.5
        assert bar.description == "모델 파일을 확인하고 있습니다"
        bar.show({"event": "base", "stage": "convert", "done": 0, "total": 1})
        assert bar.description == "모델을 학습용으로 바꾸고 있습니다"
        bar.show({"event": "examples", "learnt": 30, "held_out": 4, "replay": 0, "too_long": {"a": 1600}})
        assert bar.share is None
        assert bar.description == "학습 예시 30개, 검증 예시 4개, 너무 길어 제외한 예시 1개"
        bar.show({"event": "something of a later version"})
        assert bar.description.startswith("학습 예시 30개")
    assert "학습 예시 30개" in out.getvalue()


def test_under_the_bar_the_losses_draw_their_course_and_the_held_out_ones_are_marked() -> None:
    out = io.StringIO()
    with TuningBar(Console(file=out, width=120), "ko") as bar:
        bar.show({"event": "training", "steps": 4, "done": 0})
        bar.show({"event": "held_out", "step": 0, "loss": 2.5})
        assert bar.curve == []
        for step, loss in enumerate((2.0, 1.5, 1.0, 1.25), start=1):
            bar.show({**STEP, "step": step, "steps": 4, "loss": loss})
            if step == 2:
                bar.show({"event": "held_out", "step": 2, "loss": 1.75})
        assert bar.curve == ["█▅▁▃  손실 2.00 → 1.25", "○●    검증 손실 최저 1.75 (2단계)"]
    assert "█▅▁▃  손실 2.00 → 1.25" in out.getvalue()


def test_a_resumed_run_marks_the_held_out_losses_of_its_own_part() -> None:
    with TuningBar(Console(file=io.StringIO()), "en") as bar:
        bar.show({"event": "training", "steps": 8, "done": 4})
        for step, loss in ((5, 1.0), (6, 0.5)):
            bar.show({**STEP, "step": step, "steps": 8, "loss": loss})
        bar.show({"event": "held_out", "step": 6, "loss": 0.7})
        assert bar.curve == ["█▁  loss 1.00 → 0.50", " ●  lowest held-out loss 0.70 (step 6)"]


def test_a_pause_is_told_until_it_is_over() -> None:
    with TuningBar(Console(file=io.StringIO()), "ko") as bar:
        bar.show(STEP)
        bar.show({"event": "paused"})
        assert bar.description == "답변을 기다리는 분이 있어 학습을 잠시 멈췄습니다"
        bar.show({"event": "resumed", "seconds": 3.0})
        assert bar.description.startswith("학습 중")


def test_what_is_left_out_is_said_above_the_bar_and_stays() -> None:
    out = io.StringIO()
    with TuningBar(Console(file=out, width=200), "ko") as bar:
        assert bar.description == "학습 예시를 모으고 있습니다"
        bar.show({"event": "examples_changed", "too_late": False})
        bar.show({"event": "left_out", "file": "own.jsonl", "line": 3, "reasons": ["support"]})
        bar.show({"event": "examples", "learnt": 9, "held_out": 1, "too_long": {"a[1]": 1600}})
        bar.show({"event": "training", "steps": 12, "done": 0})
    lines = out.getvalue().splitlines()
    assert "예시 파일이 바뀌어 처음부터 다시 학습합니다" in lines
    assert "own.jsonl 3행을 제외했습니다: 구절이 뒷받침하지 않음" in lines
    assert "너무 길어 예시 1개를 제외했습니다([tuning.training] most_tokens): a[1] (1600토큰)" in lines


def test_a_second_run_begins_a_curve_of_its_own() -> None:
    with TuningBar(Console(file=io.StringIO()), "en") as bar:
        for step in (1, 2, 3):
            bar.show({**STEP, "step": step})
        bar.show({"event": "examples", "learnt": 9, "held_out": 1, "too_long": {}})
        assert bar.curve == []


def test_without_a_terminal_a_few_lines_tell_of_a_run_however_long_it_is() -> None:
    told: list[str] = []
    lines = TuningLines(told.append, "en")
    lines.show({"event": "examples_changed", "too_late": True})
    lines.show({"event": "left_out", "file": "own.jsonl", "line": 3, "reasons": ["support"]})
    lines.show({"event": "examples", "learnt": 9, "held_out": 1, "too_long": {str(n): 1600 + n for n in range(7)}})
    for done in (0, 50, 100):
        lines.show({"event": "base", "stage": "convert", "done": done, "total": 100})
    lines.show({"event": "training", "steps": 200, "done": 0})
    for step in range(1, 201):
        lines.show({**STEP, "step": step, "steps": 200})
        if step == 100:
            lines.show({"event": "held_out", "step": step, "loss": 1.5})
    lines.show({"event": "something of a later version"})
    assert told[:7] == [
        "Gathering the examples",
        "The files of examples have changed, but what they held was learnt already. Run it once more to learn what they hold now",
        "own.jsonl line 3 is left out: the passages do not support it",
        "9 examples to learn, 1 held out, 7 left out as too long",
        "7 left out as too long ([tuning.training] most_tokens): 0 (1600 tokens), 1 (1601 tokens), 2 (1602 tokens), "
        "3 (1603 tokens), 4 (1604 tokens) and 2 more",
        "Making the model ready for training",
        "Training, step 0 of 200",
    ]
    assert told[7] == "Training, step 10 of 200 · loss 1.250 · about 5 min left"
    assert told[-1] == "Training, step 200 of 200 · loss 1.250 · held-out loss 1.500"
    assert len(told) == 7 + 20


@pytest.mark.parametrize(("count", "width"), [(3, 48), (48, 48), (49, 48), (1000, 48)])
def test_a_long_course_is_drawn_in_the_width_there_is(count: int, width: int) -> None:
    numbers = [float(n) for n in range(count)]
    line = sparkline(numbers, width)
    assert len(line) == min(count, width)
    assert list(line) == sorted(line)
    assert (line[0], line[-1]) == ("▁", "█")
    assert sparkline([1.0] * count, width) == "▁" * min(count, width)
