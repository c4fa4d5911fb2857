"""What people see of a verdict: a sentence, the reasons, a table, a picture."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bot.releases.shortage import Shortage
from bot.texts import Language
from jobs.evaluation_set import load_set
from jobs.gate import texts
from jobs.gate.measures import MEASURES
from jobs.gate.parity import Parity
from jobs.gate.plot import write_plot
from jobs.gate.settings import Margins
from jobs.gate.shown import shown as for_console
from jobs.gate.table import rendered
from jobs.gate.verdict import Decision, Verdict, Who
from tests.jobs.gate.sides import QUICK, answers_of, judged, make_cases, wrong

ROOT = Path(__file__).parents[3]
CASES = make_cases(200)
GOOD, HALF = [True] * 200, [number % 2 == 0 for number in range(200)]
FEW = CASES[:30]


def verdicts() -> dict[Decision, Verdict]:
    good, half = answers_of(CASES, GOOD), answers_of(CASES, HALF)
    return {
        Decision.PASSED: judged(CASES, good, half, parity=Parity(4, 99, 0.02, 0.98, 0.5)),
        Decision.UNFAITHFUL: judged(CASES, good, half, parity=Parity(4, 99, 0.4, 0.7, 0.5)),
        Decision.WORSE: judged(CASES, answers_of(CASES, HALF, bad=wrong), good),
        Decision.NOT_BETTER: judged(CASES, half, half),
        Decision.NOT_ENOUGH: judged(FEW, answers_of(FEW, GOOD[:30]), answers_of(FEW, HALF[:30])),
    }


@pytest.fixture(scope="module")
def made() -> dict[Decision, Verdict]:
    return verdicts()


def shown(verdict: Verdict, language: Language) -> str:
    console = Console(file=StringIO(), width=130)
    console.print(rendered(verdict, language))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("decision", list(Decision))
@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_decision_is_said_with_its_reasons_in_both_languages(
    made: dict[Decision, Verdict], decision: Decision, language: Language
) -> None:
    verdict = made[decision]
    assert verdict.decision is decision
    text = shown(verdict, language)
    assert texts.decision(verdict, language) in text
    reasons = texts.reasons(verdict, language)
    assert bool(reasons) == (decision is not Decision.PASSED)
    for measure in MEASURES:
        assert texts.measure(measure.name, language) in text
    if language == "en":
        assert not re.search("[가-힣]", text)
    else:
        assert all(re.search("[가-힣]", reason) for reason in reasons)


def test_too_few_questions_are_told_with_the_number_that_would_do(made: dict[Decision, Verdict]) -> None:
    verdict = made[Decision.NOT_ENOUGH]
    first, *_ = texts.reasons(verdict, "ko")
    assert f"약 {verdict.needed}개" in first
    assert "30개" in first


@pytest.mark.parametrize("language", ["ko", "en"])
def test_who_failed_for_want_of_questions_alone_is_told_how_many_there_were_and_what_to_do(
    made: dict[Decision, Verdict], language: Language
) -> None:
    verdict = made[Decision.NOT_ENOUGH]
    short = verdict.shortage
    assert short is not None
    assert (short.questions, short.groups, short.groups_needed) == (30, verdict.main.clusters, 30)
    assert short.questions_needed is not None
    assert short.questions_needed >= 60  # 30 groups of two questions
    assert short.unanswerable == sum(not case.answerable for case in FEW)
    assert short.unanswerable_needed is not None
    assert short.unanswerable_needed > short.unanswerable
    text = " ".join(shown(verdict, language).split())
    for number in (30, short.questions_needed, short.groups_needed, short.unanswerable, short.unanswerable_needed):
        assert str(number) in short.counted(language)
    assert " ".join(short.counted(language).split())[:60] in text
    before, *lines, after = short.advice("faq-1", language)
    assert all(line in for_console(verdict.as_json(), language).reasons for line in (before, *lines, after))
    assert "evaluation_sets" in after
    assert "saseo loras evaluate faq-1" in after


def test_the_lines_it_shows_are_lines_of_an_evaluation_set(made: dict[Decision, Verdict], tmp_path: Path) -> None:
    short = made[Decision.NOT_ENOUGH].shortage
    assert short is not None
    for language in ("ko", "en"):
        _, *lines, _ = short.advice("faq-1", language)  # type: ignore[arg-type]
        (tmp_path / "set.jsonl").write_text("\n".join(line.strip() for line in lines), encoding="utf-8")
        assert [one.answerable for one in load_set(tmp_path / "set.jsonl")] == [True, False]


def test_what_more_questions_would_not_help_is_not_called_too_few(made: dict[Decision, Verdict]) -> None:
    assert {name for name, verdict in made.items() if verdict.shortage is not None} == {Decision.NOT_ENOUGH}


def test_without_a_single_unanswerable_question_those_come_on_top() -> None:
    cases = make_cases(200, unanswerable=0.0)
    short = judged(cases, answers_of(cases, GOOD), answers_of(cases, HALF)).shortage
    assert short is not None
    assert short.unanswerable == 0
    assert short.unanswerable_needed is not None
    assert short.questions_needed == 200 + short.unanswerable_needed


@pytest.mark.parametrize("language", ["ko", "en"])
def test_where_a_guard_came_out_worse_that_is_said_and_no_number_of_questions_is_promised(language: Language) -> None:
    cases = make_cases(100, unanswerable=0.1)
    made_up = next(number for number, case in enumerate(cases) if not case.answerable)
    candidate = answers_of(cases, [number != made_up for number in range(100)], bad=wrong)
    settings = replace(QUICK, margins=Margins(wrong_language=0.01))
    verdict = judged(cases, candidate, answers_of(cases, HALF[:100]), settings)
    assert verdict.decision is Decision.NOT_ENOUGH
    stopped = {guard.comparison.measure: guard.needed for guard in verdict.stopped_by}
    assert stopped.keys() == {"abstention_recall", "wrong_language"}
    assert stopped["wrong_language"] is not None  # which says nothing about the other one
    short = verdict.shortage
    assert short is not None
    assert (short.questions_needed, short.worse) == (None, ("abstention_recall",))
    assert Shortage.from_json(json.loads(json.dumps(short.as_json()))) == short
    said = short.counted(language)
    assert ("훨씬 많은 질문" if language == "ko" else "many more") in said
    assert ("나빠서가 아니라" if language == "ko" else "did not fail by being worse") not in said
    told = next(
        line for line in texts.reasons(verdict, language) if texts.measure("abstention_recall", language) in line
    )
    assert ("나빠진 것으로 측정" if language == "ko" else "came out worse by more than 5%") in told


@pytest.mark.parametrize("suffix", [".svg", ".png"])
@pytest.mark.parametrize("decision", list(Decision))
def test_a_picture_of_every_decision(
    made: dict[Decision, Verdict], tmp_path: Path, decision: Decision, suffix: str
) -> None:
    write_plot(made[decision], tmp_path / f"verdict{suffix}")
    content = (tmp_path / f"verdict{suffix}").read_bytes()
    assert content.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")


def test_the_picture_names_every_measure_that_could_be_compared_as_text(
    made: dict[Decision, Verdict], tmp_path: Path
) -> None:
    verdict = made[Decision.PASSED]
    write_plot(verdict, tmp_path / "a.svg")
    write_plot(verdict, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    words = {html.unescape(one).strip() for one in re.findall(r"<text[^>]*>([^<]*)</text>", svg)}
    for one in verdict.measures:
        assert (texts.measure(one.measure, "en") in words) == (one.difference is not None)
    assert "passed" in words


def test_a_korean_name_and_a_verdict_over_nothing_are_drawn_too(made: dict[Decision, Verdict], tmp_path: Path) -> None:
    verdict = made[Decision.PASSED]
    korean = replace(verdict, candidate=Who("사내-규정-3", verdict.candidate.stamp))
    write_plot(korean, tmp_path / "a.svg")
    assert "사내-규정-3" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    one = make_cases(1)
    empty = judged(one, answers_of(one, [True]), answers_of(one, [False]))
    write_plot(empty, tmp_path / "b.svg")
    assert shown(empty, "ko")


def test_matplotlib_rich_torch_and_llamacpp_are_loaded_only_when_needed() -> None:
    code = (
        "import sys, jobs.gate.run, jobs.gate.table, jobs.gate.plot, jobs.gate.parity;"
        "print([m for m in ('torch', 'matplotlib', 'llama_cpp', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
