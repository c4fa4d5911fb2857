"""Reports over small fakes: an index and a flow that hold just what is used of them."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from bot.live import EXTRACTIVE
from bot.messages import Answer, Citation, Outcome, Question, Seconds, Tokens
from jobs.evaluate import evaluate_answers, evaluate_retrieval
from jobs.evaluation_set import Case
from knowledge.korean import Analyser
from knowledge.page import Audience, Passage
from knowledge.search import Evidence, Found, Hit

EVERYBODY = Audience()
HR = Audience.of(["hr"])


class FakeAnalyser:
    """Tags every word as a noun, and `그럼` as none."""

    def tagged(self, text: str) -> list[tuple[str, str]]:
        return [(word, "NNG") for word in text.split() if word != "그럼"]


def _hit(page: str, audience: Audience = EVERYBODY) -> Hit:
    passage = Passage("wiki", page, 0, page, (), "글", audience=audience)
    return Hit(passage, 0, 1.0, 1.0, 1.0, 1.0, {})


class FakeIndex:
    """Finds what it was told to find."""

    name = "edition-1"
    analyser = cast(Analyser, FakeAnalyser())

    def __init__(self, found: Mapping[str, list[Hit] | BaseException]) -> None:
        self._found = found
        self.asked: list[tuple[str, frozenset[str], int, bool]] = []

    def rarity(self, reader: frozenset[str]) -> Callable[[str], float]:
        return lambda token: float(len(token))

    def search(self, question: str, reader: frozenset[str], k: int = 10, *, one_per_page: bool = False) -> Found:
        self.asked.append((question, reader, k, one_per_page))
        found = self._found[question]
        if isinstance(found, BaseException):
            raise found
        return Found(tuple(found), Evidence(), (0.010 * len(self.asked), 0.002))


def _case(question: str, page: str = "", **more: Any) -> Case:
    pages = more.pop("pages", (page,) if page else ())
    return Case(question, question, pages, **{"answerable": bool(pages), **more})


def test_retrieval_scores_times_and_kinds() -> None:
    index = FakeIndex({
        "q1": [_hit("a.md"), _hit("b.md")],
        "q2": [_hit("b.md"), _hit("a.md")],
        "q3": [_hit("c.md")],
    })  # fmt: skip
    steps: list[tuple[int, int]] = []
    cases = [_case("q1", "a.md", kind="plain"), _case("q2", "a.md", kind="typo"), _case("q3")]
    report = evaluate_retrieval(cases, index, lambda done, total: steps.append((done, total)))
    assert {name: measure.mean for name, measure in report.measures.items()} == {
        "recall@1": 0.5, "recall@5": 1.0, "recall@10": 1.0, "mrr@10": 0.75,
        "ndcg@10": pytest.approx((1 + 0.6309) / 2, abs=1e-3), "leak_rate": 0.0,
    }  # fmt: skip
    assert report.measures["recall@1"].n == 2  # the unanswerable question has no rank
    assert report.kinds["typo"]["mrr@10"].mean == 0.5
    assert report.embedding.p50 == pytest.approx(20.0)
    assert report.search.p95 == pytest.approx(2.0)
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert {(k, one) for _, _, k, one in index.asked} == {(10, True)}
    raw = json.loads(json.dumps(report.as_json()))
    assert raw["recall@5"] == {"mean": 1.0, "low": 1.0, "high": 1.0, "n": 2}
    assert (raw["edition"], raw["cases"], raw["done"], raw["partial"]) == ("edition-1", 3, 3, False)
    assert set(raw["by_kind"]) == {"plain", "typo"}


def test_retrieval_condenses_follow_ups_and_asks_as_the_reader() -> None:
    index = FakeIndex({"연차 휴가 그럼 신청은?": [_hit("a.md", HR)]})
    case = _case("그럼  신청은?", "a.md", turns=("연차 휴가",), groups=frozenset({"hr"}))
    report = evaluate_retrieval([case], index)
    assert report.errors == {}
    assert index.asked[0][1] == {"hr", "everyone"}
    assert report.leaks == 0


def test_retrieval_counts_a_page_that_its_reader_may_not_see() -> None:
    index = FakeIndex({"q1": [_hit("open.md"), _hit("pay.md", HR)], "q2": [_hit("open.md"), _hit("b.md")]})
    report = evaluate_retrieval([_case("q1"), _case("q2", groups=frozenset({"it"}))], index)
    assert report.leaks == 1
    assert report.measures["leak_rate"].mean == 0.25
    assert report.measures["recall@1"].mean is None


def test_retrieval_goes_on_after_an_error_which_scores_nothing(tmp_path: Path) -> None:
    index = FakeIndex({"q1": ValueError("x"), "q2": [_hit("a.md")]})
    details = tmp_path / "details.jsonl"
    report = evaluate_retrieval([_case("q1", "a.md"), _case("q2", "a.md")], index, details=details)
    assert report.errors == {"ValueError": 1}
    assert report.measures["recall@1"].mean == 0.5
    lines = [json.loads(line) for line in details.read_text(encoding="utf-8").splitlines()]
    assert [(line["id"], line["error"], line["found"]) for line in lines] == [
        ("q1", "ValueError", []), ("q2", "", ["a.md"])
    ]  # fmt: skip


def test_retrieval_interrupted_is_partial() -> None:
    index = FakeIndex({"q1": [_hit("a.md")], "q2": KeyboardInterrupt()})
    report = evaluate_retrieval([_case("q1", "a.md"), _case("q2", "a.md")], index)
    assert (report.partial, report.done, report.cases) == (True, 1, 2)
    assert report.as_json()["partial"] is True


def _cited(*pages: str) -> tuple[Citation, ...]:
    return tuple(Citation(n, page, page, None, "글") for n, page in enumerate(pages, start=1))


def _answer(text: str, *pages: str, outcome: Outcome = Outcome.ANSWERED, **more: Any) -> Answer:
    return Answer(
        outcome=outcome, text=text, citations=_cited(*pages), edition="e1", prompt="p1", tokens=Tokens(),
        **{"model": "small", "lora": "none", "seconds": Seconds(0.1, 0.5, 1.0), **more},
    )  # fmt: skip


class FakeFlow:
    """Says what it was told to say."""

    def __init__(self, answers: Mapping[str, Answer | BaseException]) -> None:
        self._answers = answers
        self.asked: list[Question] = []

    async def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        found = self._answers[question.text]
        if isinstance(found, BaseException):
            raise found
        return found


ABSTAINED = Outcome.ABSTAINED
FLOW: dict[str, Answer | BaseException] = {
    "exact": _answer("15일 [1]", "a.md"),
    "said": _answer("연차는 15일입니다. [1][2]", "a.md", "x.md", seconds=Seconds(0.3, 0.7, 3.0), notes=("rewritten",)),
    "half": _answer(
        "국내는 4만 원입니다. [1]", "a.md", model=EXTRACTIVE, seconds=Seconds(0.1, None, 1.0), notes=("no_writer",)
    ),
    "declined": _answer("15일은 모릅니다.", outcome=ABSTAINED, nearest=_cited("a.md", "pay.md"), model=EXTRACTIVE),
    "unknown": _answer("모릅니다.", outcome=ABSTAINED, model=EXTRACTIVE, notes=("no_evidence",)),
    "made up": _answer("그렇습니다. [1]", "x.md"),
    "broken": _answer("문제가 생겼습니다.", outcome=Outcome.FAILED, seconds=Seconds(0.0, None, 0.0)),
    "raises": RuntimeError("x"),
}
CASES = [
    _case("exact", "a.md", answers=("15일",), kind="plain"),
    _case("said", "a.md", answers=("15일",), kind="plain", groups=frozenset({"hr"}), turns=("연차는?",)),
    _case("half", pages=("a.md", "b.md"), answers=("4만 원", "90달러"), kind="two-page"),
    _case("declined", "a.md", answers=("15일",)),
    _case("unknown"),
    _case("made up"),
    _case("broken", "a.md", answers=("15일",)),
    _case("raises", "a.md", answers=("15일",)),
]


def _readable(page: str, reader: frozenset[str]) -> bool:
    return page != "pay.md" or "hr" in reader


async def test_answers_are_scored() -> None:
    flow = FakeFlow(FLOW)
    report = await evaluate_answers(CASES, flow, _readable)
    found = {name: measure.mean for name, measure in report.measures.items()}
    assert found == {
        "exact_match": pytest.approx(1 / 6),
        "contains": pytest.approx(3 / 6),  # the abstention names 15일 and still scores nothing
        # 1 + 0.5 + F1("국내는4만원입니다", "4만원") = 2·3/(9+3) = 0.5, the other three 0
        "character_f1": pytest.approx(2 / 6),
        "contains_all": 0.0,
        "citation_precision": pytest.approx((1 + 0.5 + 1) / 3),
        "citation_recall": pytest.approx((1 + 1 + 0.5) / 3),
        "abstention_precision": 0.5,
        "abstention_recall": 0.5,
        "abstention_f1": 0.5,
        "leak_rate": pytest.approx(1 / 7),  # pages shown: 1 + 2 + 1 + 2 + 0 + 1
    }
    assert {name: measure.mean for name, measure in report.given_answered.items()} == {
        "exact_match": pytest.approx(1 / 3), "contains": 1.0, "character_f1": pytest.approx(2 / 3), "contains_all": 0.0,
    }  # fmt: skip
    assert report.leaks == 1
    assert report.outcomes == {"answered": 4, "abstained": 2, "escalated": 0, "failed": 2}
    assert report.models == {"small": 3, EXTRACTIVE: 1}
    assert report.notes == {"rewritten": 1, "no_writer": 1, "no_evidence": 1}
    assert report.errors == {"RuntimeError": 1}
    assert flow.asked[1].groups == {"hr"}
    assert flow.asked[1].turns == ("연차는?",)
    assert len({question.id for question in flow.asked}) == len(CASES)


async def test_answer_times_leave_out_failures_and_missing_first_tokens() -> None:
    report = await evaluate_answers(CASES, FakeFlow(FLOW), _readable)
    assert (report.seconds["total"].n, report.seconds["first_token"].n) == (6, 5)
    assert report.seconds["total"].p50 == 1.0


async def test_answer_report_as_json(tmp_path: Path) -> None:
    details = tmp_path / "details.jsonl"
    report = await evaluate_answers(CASES, FakeFlow(FLOW), _readable, details=details)
    raw = json.loads(json.dumps(report.as_json()))
    assert (raw["edition"], raw["prompt"], raw["lora"], raw["extractive"]) == ("e1", "p1", "none", 1)
    assert raw["exact_match"]["n"] == 6
    assert raw["given_answered"]["exact_match"]["n"] == 3
    assert raw["by_kind"]["plain"]["outcomes"]["answered"] == 2
    assert raw["by_kind"]["two-page"]["contains_all"]["n"] == 1
    lines = {line["id"]: line for line in map(json.loads, details.read_text(encoding="utf-8").splitlines())}
    assert lines["declined"]["leaks"] == ["pay.md"]
    assert lines["raises"]["error"] == "RuntimeError"
    assert (lines["said"]["contains"], lines["said"]["exact_match"]) == (1.0, 0.0)
    assert lines["unknown"]["contains"] is None
    assert lines["exact"]["citations"][0]["page"] == "a.md"


async def test_no_case_answered_gives_means_of_nothing() -> None:
    report = await evaluate_answers([CASES[4]], FakeFlow(FLOW), _readable)
    assert report.measures["exact_match"].as_json() == {"mean": None, "low": None, "high": None, "n": 0}
    assert report.measures["abstention_recall"].mean == 1.0
    assert report.kinds == {}


def test_ctrl_c_under_asyncio_returns_the_partial_report() -> None:
    class Interrupted(FakeFlow):
        async def answer(self, question: Question) -> Answer:
            if question.text == "said":
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(5)
            return await super().answer(question)

    after: list[str] = []

    async def run() -> dict[str, object]:
        report = await evaluate_answers(CASES, Interrupted(FLOW), _readable)
        await asyncio.sleep(0)  # closing the flow and the worker must still be possible
        after.append("closed")
        return report.as_json()

    raw = asyncio.run(run())
    assert (raw["partial"], raw["done"], raw["cases"], after) == (True, 1, 8, ["closed"])
