"""What is counted, question by question. The comment above each measure is its definition, on which figures in docs/ rely.

Sources: `answer_f1` is SQuAD 2.0's F1 (Rajpurkar, Jia, Liang 2018: an unanswerable question scores 1 when it is declined, else 0)
over characters as in KorQuAD 1.0 (`jobs.metrics.character_f1`), `answer_span_f1` the same over the stretch of the answer that fits best:
wanted answers are mostly spans ("15일"), and by `answer_f1` a base that throws out bare fragments beats a LoRA that says the same in the
polite sentence that the prompt asks for. The other definitions stand in `jobs/metrics.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.messages import Outcome
from jobs import metrics
from jobs.gate.answers import GateAnswer
from jobs.gate.cases import GateCase

Share = tuple[float, float]
"""(numerator, denominator) of one question; a denominator of 0: it does not count here."""
NOTHING: Share = (0.0, 0.0)
TOO_LONG = 150


@dataclass(frozen=True, slots=True)
class Measure:
    """`share`: Σ numerators / Σ denominators, compared as a difference. `mean`, `median`: of the numbers, compared as a ratio less 1;
    only questions that count on both sides count there."""

    name: str
    better: Literal["higher", "lower"]
    of: Callable[[GateCase, GateAnswer], Share]
    as_: Literal["share", "mean", "median"] = "share"
    one_run: bool = False
    """Only answers of the same run count (seconds)."""
    must_count: bool = True
    """As a guard: a set on which it cannot be counted vouches for nothing. False: it is then left aside."""


def _declined(answer: GateAnswer) -> bool:
    return answer.outcome is Outcome.ABSTAINED


def _answered(answer: GateAnswer) -> bool:
    return answer.outcome is Outcome.ANSWERED


def _text(score: Callable[[str, tuple[str, ...]], float]) -> Callable[[GateCase, GateAnswer], Share]:
    """Of answerable questions with wanted answers; what was declined or failed scores 0, having no text."""
    return lambda case, answer: (score(answer.text, case.answers), 1.0) if case.answers else NOTHING


def _or_declined(score: Callable[[str, tuple[str, ...]], float]) -> Callable[[GateCase, GateAnswer], Share]:
    """Unanswerable questions count, too: 1 for a declined one."""
    of_text = _text(score)
    return lambda case, answer: of_text(case, answer) if case.answerable else (float(_declined(answer)), 1.0)


def _number_precision(case: GateCase, answer: GateAnswer) -> Share:
    found = metrics.number_precision(answer.text, case.answers, "\n".join((*case.turns, case.question)))
    return NOTHING if found is None else (found, 1.0)


def _citation_precision(case: GateCase, answer: GateAnswer) -> Share:
    if not case.sources or not answer.cited:
        return NOTHING
    return metrics.page_precision(answer.cited, case.sources), 1.0


def _citation_recall(case: GateCase, answer: GateAnswer) -> Share:
    return (metrics.page_recall(answer.cited, case.sources), 1.0) if case.sources and _answered(answer) else NOTHING


def _left_out(case: GateCase, answer: GateAnswer) -> Share:
    gone = any(note.startswith("removed_") or note == "ungrounded" for note in answer.notes)
    return NOTHING if case.passages else (float(gone), 1.0)


MEASURES: tuple[Measure, ...] = (
    # Answerable questions: F1 of the stretch of the answer that fits the wanted one best. Unanswerable ones: 1 if declined. It forgives
    # length, lists and hedges: `too_long` and `number_precision` are guarded.
    Measure("answer_span_f1", "higher", _or_declined(metrics.span_f1)),
    # The same with character F1 of the whole answer.
    Measure("answer_f1", "higher", _or_declined(metrics.character_f1)),
    # Answerable questions alone.
    Measure("character_f1", "higher", _text(metrics.character_f1)),
    Measure("contains", "higher", _text(metrics.contains)),
    Measure("exact_match", "higher", _text(metrics.exact_match)),
    # Of an answer's numbers in the unit of a wanted one that it says, the wanted ones, over answers that say any: a list of all amounts, or
    # "15일 또는 18일", holds the wanted words as well. Numbers of the question are free.
    Measure("number_precision", "higher", _number_precision, must_count=False),
    # Of what an answer cites, the part that it should (pages; given passages by number), over answers that cite anything.
    Measure("citation_precision", "higher", _citation_precision, must_count=False),
    # Of what should be cited, the part that is, over answers.
    Measure("citation_recall", "higher", _citation_recall, must_count=False),
    # Of unanswerable questions, those declined.
    Measure("abstention_recall", "higher", lambda c, a: NOTHING if c.answerable else (float(_declined(a)), 1.0)),
    # Of declined questions, the unanswerable ones. Not guarded, because a side that declines nothing has none: `wrongly_declined` is.
    Measure("abstention_precision", "higher", lambda c, a: (float(not c.answerable), 1.0) if _declined(a) else NOTHING),
    # Of answerable questions, those declined.
    Measure("wrongly_declined", "lower", lambda c, a: (float(_declined(a)), 1.0) if c.answerable else NOTHING),
    # Of all questions, those where the writer fell into another language, also where its second try was better.
    Measure("wrong_language", "lower", lambda c, a: (float("wrong_language" in a.notes), 1.0)),
    # Of all questions, those that ended without an answer of the writer's own making: an error, or quotes in its place.
    Measure("failed", "lower", lambda c, a: (float(a.outcome is Outcome.FAILED), 1.0)),
    # Of questions over the wiki, those where the check left out at least one sentence.
    Measure("left_out", "lower", _left_out, must_count=False),
    # Of all questions, those answered in more than TOO_LONG characters: the prompt asks for one or two short sentences. Not measured
    # by the mean, because a base that answers "[1]" would make every whole sentence look long.
    Measure("too_long", "lower", lambda c, a: (float(len(a.text) > TOO_LONG), 1.0)),
    # Mean characters of answers, over questions that both sides answered.
    Measure(
        "length", "lower", lambda c, a: (float(len(a.text)), 1.0) if _answered(a) else NOTHING, "mean", must_count=False
    ),
    # Median seconds to the last and to the first word, over questions that both sides answered, in the same run of the gate.
    Measure("seconds", "lower", lambda c, a: _seconds(a, a.total), "median", one_run=True, must_count=False),
    Measure("first_token", "lower", lambda c, a: _seconds(a, a.first_token), "median", one_run=True, must_count=False),
)


def _seconds(answer: GateAnswer, seconds: float | None) -> Share:
    return (seconds, 1.0) if seconds is not None and _answered(answer) else NOTHING
