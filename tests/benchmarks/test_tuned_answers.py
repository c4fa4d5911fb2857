"""Base beside LoRAs: the order of asking, what is kept, and that a rerun goes on where the last one stopped."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.tuned_answers import AnswerLog, QuestionSet, ask, drawn, lora_sides, question_sets, report, show, turns
from bot.live import Canary, name_of
from bot.messages import Answer, Citation, Event, Finished, Outcome, Progressed, Question, Seconds, Shown, Tokens
from bot.trace import Trace
from bot.writers.engine import LoraFile
from jobs.evaluation_set import Case


@dataclass(frozen=True)
class FakeLive:
    """What is used of a `Live`."""

    lora: LoraFile | None = None
    canary: Canary | None = None
    prompt: str = "ko-1"
    edition: str = "e1"
    writer: Any = None

    @property
    def index(self) -> Any:
        return SimpleNamespace(name=self.edition)


@dataclass
class FakeWriter:
    """Writes down what it was warmed with."""

    warmed: list[str] = field(default_factory=list)

    async def ainvoke(self, messages: object, *, lora: LoraFile | None, **_: object) -> None:
        self.warmed.append(name_of(lora))


@dataclass
class FakeFlow:
    """Answers rightly with a LoRA and declines without."""

    live_now: FakeLive
    asked: list[tuple[str, str]] = field(default_factory=list)
    breaks_after: int = 10**6

    def live(self) -> FakeLive:
        return self.live_now

    def swap(self, live: FakeLive) -> None:
        assert live.canary is None
        self.live_now = live

    async def stream(self, question: Question) -> AsyncIterator[Event]:
        yield Progressed("searching")
        answer = self.answered(question)
        yield Finished(
            answer,
            Trace(
                answer.edition, "m", answer.lora, answer.prompt, 0.5, refusal=0.6 if answer.lora == "tuned" else None
            ),
        )

    def answered(self, question: Question) -> Answer:
        if len(self.asked) >= self.breaks_after:
            raise KeyboardInterrupt
        lora = self.live_now.lora
        self.asked.append((question.text, name_of(lora)))
        outcome, text = (Outcome.ANSWERED, "15일입니다 [1].") if lora else (Outcome.ABSTAINED, "모릅니다")
        return Answer(
            outcome=outcome,
            text=text,
            citations=(Citation(1, "a.md", "A", None, "연차는 15일"),) if lora else (),
            model="m",
            lora=name_of(lora),
            edition=self.live_now.edition,
            prompt=self.live_now.prompt,
            tokens=Tokens(10, 5),
            seconds=Seconds(0.1, 0.2, 0.5),
            shown=(Shown("wiki", "a.md", 0, "연차는 15일"),),
        )


CASES = tuple(Case(str(n), f"질문 {n}?", ("a.md",), ("15일",), True) for n in range(3))
SIDES = {"none": None, "tuned": LoraFile("tuned", Path("x.gguf"), "ab" * 32)}
QUESTIONS = QuestionSet("demo", Path("wiki"), CASES)


def fresh(**changed: Any) -> FakeFlow:
    return FakeFlow(FakeLive(writer=FakeWriter(), **changed))


async def run(flow: FakeFlow, path: Path, dials: str = "d1") -> AnswerLog:
    log = AnswerLog(path)
    await ask(QUESTIONS, SIDES, flow, "m", log, lambda text: None, dials)  # type: ignore[arg-type]
    return log


def test_sides_alternate_and_so_does_the_one_that_begins() -> None:
    order = [(case.id, side) for case, side in turns(CASES, ["none", "tuned"])]
    assert order == [("0", "none"), ("0", "tuned"), ("1", "tuned"), ("1", "none"), ("2", "none"), ("2", "tuned")]
    order = [(case.id, side) for case, side in turns(CASES, ["none", "tuned"], together=2)]
    assert order == [("0", "none"), ("1", "none"), ("0", "tuned"), ("1", "tuned"), ("2", "tuned"), ("2", "none")]


async def test_each_side_answers_each_question_once_with_its_own_lora(tmp_path: Path) -> None:
    flow = fresh()
    log = await run(flow, tmp_path / "answers.jsonl")
    assert sorted(flow.asked) == sorted((case.question, side) for case in CASES for side in SIDES)
    assert {(row["side"], row["stamped"]) for row in log.rows} == {("none", "none"), ("tuned", "tuned")}
    # The beginning of the prompt is read again whenever the LoRA changes, and only then.
    assert flow.live_now.writer.warmed == ["none", "tuned", "none", "tuned"]


async def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    first = fresh()
    first.breaks_after = 3
    with pytest.raises(KeyboardInterrupt):
        await run(first, path)
    path.write_bytes(path.read_bytes() + b'{"set": "demo", "id"')  # killed while it wrote
    second = fresh()
    await run(second, path)
    assert len(first.asked) == 3
    assert sorted(first.asked + second.asked) == sorted((case.question, side) for case in CASES for side in SIDES)
    third = fresh()
    log = await run(third, path)
    assert third.asked == []
    assert len(log.rows) == 6


@pytest.mark.parametrize("changed", [{"edition": "e2"}, {"prompt": "ko-2"}])
async def test_another_stamp_is_asked_anew_and_the_older_answers_are_not_compared(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    await run(fresh(), tmp_path / "answers.jsonl")
    again = fresh(**changed)
    log = await run(again, tmp_path / "answers.jsonl")
    assert len(again.asked) == 6
    found = report(log.rows)["demo"]
    assert (found["questions"], found["older_answers"]) == (3, 6)


async def test_other_settings_are_asked_anew_too(tmp_path: Path) -> None:
    await run(fresh(), tmp_path / "answers.jsonl")
    again = fresh()
    log = await run(again, tmp_path / "answers.jsonl", "d2")
    assert len(again.asked) == 6
    assert report(log.rows)["demo"]["older_answers"] == 6


async def test_the_report_compares_with_the_base_and_keeps_no_page_text(tmp_path: Path) -> None:
    log = await run(fresh(), tmp_path / "answers.jsonl")
    assert "연차는" not in (tmp_path / "answers.jsonl").read_text(encoding="utf-8")
    sides = report(log.rows)["demo"]["sides"]
    assert list(sides) == ["none", "tuned"]
    assert {(row["side"], row["refusal"]) for row in log.rows} == {("none", None), ("tuned", 0.6)}
    assert sides["tuned"]["difference"]["contains, shown"]["value"] == 1.0
    assert sides["none"]["measures"]["abstention_precision"]["value"] == 0.0
    out = io.StringIO()
    show(report(log.rows), out)
    assert set(json.loads(out.getvalue().splitlines()[0])) == {"demo"}
    assert "| contains | 0.000" in out.getvalue()


async def test_without_a_model_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        await run(FakeFlow(FakeLive()), tmp_path / "answers.jsonl")


def test_everybody_draws_the_same_sample() -> None:
    cases = [Case(str(n), f"질문 {n}?") for n in range(100)]
    assert drawn(cases, 10, "q") == drawn(cases, 10, "q")
    assert len({case.id for case in drawn(cases, 10, "q")}) == 10


def test_a_set_without_its_folder_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(sets="korquad,demo", korquad=None, rnd=None, limit=5, answerable=1, unanswerable=1)
    [only] = question_sets(options)
    assert (only.name, len(only.cases)) == ("demo", 5)
    assert "korquad" in capsys.readouterr().err


def test_sides_are_files_or_what_a_run_left(tmp_path: Path) -> None:
    result = tmp_path / "first-run"
    result.mkdir()
    (result / "lora.gguf").write_bytes(b"a")
    (tmp_path / "other.gguf").write_bytes(b"b")
    sides = lora_sides(f"none,{result},{tmp_path / 'other.gguf'}")
    assert list(sides) == ["none", "first-run", "other"]
    assert sides["first-run"] is not None
    assert sides["first-run"].path == result / "lora.gguf"
