"""The whole gate in a process of its own with a real tiny model: killed at any moment, the next start goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.gate.verdict import Decision, Verdict
from tests.fakes.lora_folders import write_random_lora
from tests.fakes.tiny_gguf import write_tiny_qwen2
from tests.jobs.gate.gate_process import QUESTIONS

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_random_lora(tmp_path / "faq-1.gguf", write_tiny_qwen2(tmp_path / "base.gguf"), 1)
    return tmp_path


def lines_of(folder: Path, *, kill_after: tuple[str, int] | None = None) -> Iterator[dict[str, object]]:
    """What the process tells; killed as soon as it says that so many questions of a side are answered."""
    command = [sys.executable, "-m", "tests.jobs.gate.gate_process", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            line = json.loads(text)
            yield line
            if kill_after is not None and (line.get("side"), line.get("done")) == kill_after:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == (0 if kill_after is None else -signal.SIGKILL)


def answered(lines: list[dict[str, object]], side: str) -> int:
    return sum(line["event"] == "asked" and line["side"] == side and line["done"] != 0 for line in lines)


def test_killed_twice_it_asks_only_what_was_not_answered_and_ends_with_a_verdict(folder: Path) -> None:
    first = [*lines_of(folder, kill_after=("none", 3))]
    assert answered(first, "none") == 3
    second = [*lines_of(folder, kill_after=("faq-1", 2))]
    # The one that was being asked at the kill may have been kept in the same instant; one is timed anew in every run.
    assert QUESTIONS - 4 <= answered(second, "none") <= QUESTIONS - 2
    third = [*lines_of(folder)]
    assert answered(third, "none") == 1
    assert QUESTIONS - 3 <= answered(third, "faq-1") <= QUESTIONS - 1
    verdict = Verdict.from_json(third[-1]["verdict"])  # type: ignore[arg-type]
    assert verdict.decision in (Decision.NOT_ENOUGH, Decision.NOT_BETTER)  # eight questions can prove nothing
    assert verdict.questions == QUESTIONS
    kept = [path.read_bytes().splitlines() for path in (folder / "gate").glob("answers-*.jsonl")]
    assert len(kept) == 2
    assert all(json.loads(line) for lines in kept for line in lines)


def test_another_lora_of_the_same_name_is_asked_everything_and_what_serves_now_almost_nothing(folder: Path) -> None:
    whole = [*lines_of(folder)]
    assert (answered(whole, "none"), answered(whole, "faq-1")) == (QUESTIONS, QUESTIONS)
    write_random_lora(folder / "faq-1.gguf", folder / "base.gguf", 2)
    again = [*lines_of(folder)]
    assert (answered(again, "none"), answered(again, "faq-1")) == (1, QUESTIONS)
    texts = {path.name: path.read_bytes() for path in (folder / "gate").glob("answers-*.jsonl")}
    assert len(texts) == 3
