"""What somebody who watches a run sees."""

from __future__ import annotations

import io
from typing import Literal

import pytest
from rich.console import Console

from jobs.tuning.progress_bar import TuningBar

STEP: dict[str, object] = {"event": "step", "step": 3, "steps": 12, "loss": 1.25, "seconds_left": 290.0}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ko", "학습 중 · 손실 1.250 · 검증 손실 1.500 · 약 5분 남음"),
        ("en", "Training · loss 1.250 · held-out loss 1.500 · about 5 min left"),
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
        assert bar.description == "학습 예제 30개, 검증 예제 4개, 너무 길어 제외한 예제 1개"
        bar.show({"event": "something of a later version"})
        assert bar.description.startswith("학습 예제 30개")
    assert "학습 예제 30개" in out.getvalue()
