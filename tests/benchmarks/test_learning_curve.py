"""The learning curve: nested sets, nothing held out is learnt, answers are read rightly; and the whole of it on a tiny model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import learning_curve
from benchmarks.learning_curve import row_of, show_held_out, split
from benchmarks.tuned_answers import AnswerLog
from bot.prompts import REFUSAL
from jobs.tuning.dataset import Example, write_examples
from knowledge.korean import Analyser
from tests.fakes.tiny_gguf import write_tiny_qwen2


def examples(count: int) -> list[Example]:
    return [Example(f"e{n}", f"질문 {n}?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(count)]


def test_smaller_sets_are_the_beginning_of_larger_ones_and_share_no_passage_with_what_is_held_out() -> None:
    pool, held = split(examples(50), 10)
    assert len(held) == 10
    assert {one.passages for one in pool}.isdisjoint(one.passages for one in held)
    assert split(examples(50), 10) == (pool, held)
    assert [one.id for one in pool] != sorted(one.id for one in pool)


@pytest.mark.parametrize(
    ("text", "outcome", "cited"),
    [
        ("3일입니다 [1]. 끝 [2].", "answered", ["1", "2"]),
        (REFUSAL, "abstained", []),
        ("제공된  문서에서 확인할 수 없습니다", "abstained", []),
        ("죄송합니다. 문서에서 확인할 수 없습니다.", "abstained", []),
        (f"3일입니다 [1]. {REFUSAL}", "answered", ["1"]),
        (" [1]", "abstained", []),
    ],
)
def test_an_answer_is_what_it_says(text: str, outcome: str, cited: list[str], analyser: Analyser) -> None:
    row = row_of(examples(4)[3], text, "answered", 1.0, analyser)
    assert (row["outcome"], row["cited"]) == (outcome, cited)
    assert row["answers"] == ["3일입니다."]
    assert row["pages"] == ["1"]
    assert row["group"].startswith("문서 3")


def test_a_reference_that_refuses_is_unanswerable(analyser: Analyser) -> None:
    row = row_of(Example("e", "질문?", ("문서\n없음",), REFUSAL), "답입니다 [1].", "answered", 1.0, analyser)
    assert (row["answerable"], row["answers"], row["pages"], row["outcome"]) == (False, [], [], "answered")


def _run(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["learning_curve.py", *arguments])
    learning_curve.main()


def test_answers_of_another_training_or_prompt_are_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], analyser: Analyser
) -> None:
    log = AnswerLog(tmp_path / "answers.jsonl")
    stamps = [("older", "none", "n"), ("now", "none", "n"), ("now", "2", "two epochs"), ("now", "2", "three epochs")]
    for prompt, side, digest in stamps:
        key = {"set": "held-out", "writer": "w", "edition": "given", "prompt": prompt}
        for example in examples(3):
            text = example.answer if digest == "three epochs" else "4일입니다 [1]."
            answer = row_of(example, text, "answered", 1.0, analyser)
            log.add({**key, "id": example.id, "side": side, "lora_sha256": digest, "run": "r", **answer})
    show_held_out(log, argparse.Namespace(writer="w", data=tmp_path))
    report = json.loads(capsys.readouterr().out.splitlines()[0])
    assert [report["sides"][side]["outcomes"]["answered"] for side in ("none", "2")] == [3, 3]
    assert report["sides"]["2"]["measures"]["character_f1"]["value"] == 1.0


@pytest.mark.slow
def test_from_examples_to_a_curve_and_again_without_doing_anything_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny_qwen2(tmp_path / "tiny.gguf")
    write_examples(tmp_path / "examples.jsonl", examples(8))
    data = tmp_path / "data"
    arguments = ["--data", str(data), "--examples", str(tmp_path / "examples.jsonl")]
    arguments += ["--writer", str(tmp_path / "tiny.gguf"), "--sizes", "0,2,4,99", "--held-out", "2"]
    arguments += ["--epochs", "1", "--threads", "1", "--most-tokens", "4000"]
    _run(monkeypatch, arguments)
    said = capsys.readouterr()
    report = json.loads(next(line for line in said.out.splitlines() if line.startswith("{")))
    assert list(report["sides"]) == ["none", "2", "4"]
    assert report["questions"] == 2
    assert "99: only 6 examples may be learnt" in said.err
    rows = [json.loads(line) for line in (data / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 3 * 2
    assert len({row["lora_sha256"] for row in rows}) == 3

    before = {path: path.stat().st_mtime_ns for path in data.rglob("*") if path.suffix in (".jsonl", ".gguf")}
    _run(monkeypatch, arguments)
    assert {path: path.stat().st_mtime_ns for path in before} == before
