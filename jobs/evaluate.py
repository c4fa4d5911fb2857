"""Measure the search, or whole answers, on an evaluation set: question by question, then one report.

One question at a time, since there is one model. A question that raises counts as failed (it scores 0 everywhere) and
the run goes on; Ctrl-C ends it with what there is, marked `partial`. Formulas: jobs/metrics.py.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from bot.answering.condense import condense
from bot.live import EXTRACTIVE
from bot.messages import Answer, Outcome, Question
from jobs import metrics
from jobs.evaluation_set import Case, details_file
from jobs.metrics import Mean, Percentiles
from knowledge.korean import Analyser
from knowledge.page import reader_of
from knowledge.search import Found

DEPTH = 10
"""Pages looked at per question."""

Progress = Callable[[int, int], None]
Readable = Callable[[str, frozenset[str]], bool]
"""(page, the reader's groups) → whether they may read it."""

_MARKS = re.compile(r"\s*\[\d+\]")


class Searching(Protocol):
    """What is used of a `SearchIndex`."""

    @property
    def name(self) -> str: ...
    @property
    def analyser(self) -> Analyser: ...
    def rarity(self, reader: frozenset[str]) -> Callable[[str], float]: ...
    def search(self, question: str, reader: frozenset[str], k: int = 10, *, one_per_page: bool = False) -> Found: ...


class Answering(Protocol):
    """What is used of an `AnswerFlow`."""

    async def answer(self, question: Question) -> Answer: ...


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """One question searched. `leaks`: pages its reader may not see; `milliseconds`: (embedding, the rest)."""

    case: Case
    searched: str = ""
    pages: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    milliseconds: tuple[float, float] | None = None
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """A line of `--details`."""
        return self.case.as_json() | {
            "searched": self.searched,
            "found": list(self.pages),
            "reciprocal_rank": metrics.reciprocal_rank(self.pages, self.case.pages, DEPTH)
            if _has_gold(self.case)
            else None,
            "leaks": list(self.leaks),
            "milliseconds": self.milliseconds and [round(value, 3) for value in self.milliseconds],
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """One question answered. `answer` is None when asking raised."""

    case: Case
    answer: Answer | None = None
    leaks: tuple[str, ...] = ()
    error: str = ""

    @property
    def outcome(self) -> Outcome:
        """`failed` also when asking raised."""
        return self.answer.outcome if self.answer else Outcome.FAILED

    @property
    def answered(self) -> bool:
        """Whether the person got an answer."""
        return self.outcome is Outcome.ANSWERED

    @property
    def text(self) -> str:
        """What is compared with the gold answers: no text where there was no answer, no citation marks."""
        return _MARKS.sub("", self.answer.text) if self.answer and self.answered else ""

    @property
    def cited(self) -> tuple[str, ...]:
        """The cited pages, once each."""
        return tuple(dict.fromkeys(one.page for one in self.answer.citations)) if self.answer else ()

    @property
    def shown(self) -> tuple[str, ...]:
        """Every page whose name or text the person saw, once each: cited, or nearest to an abstention."""
        nearest = (one.page for one in self.answer.nearest) if self.answer else ()
        return tuple(dict.fromkeys((*self.cited, *nearest)))

    def as_json(self) -> dict[str, object]:
        """A line of `--details`."""
        golds = self.case.answers if self.case.answerable else ()
        return (
            self.case.as_json()
            | {name: score(self.text, golds) if golds else None for name, score in _SCORES.items()}
            | {"leaks": list(self.leaks), "error": self.error}
            | (self.answer.as_json() if self.answer else {"outcome": self.outcome.value})
        )


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """What `saseo evaluate --retrieval` found. `kinds`: the same measures per `kind` of question."""

    edition: str
    cases: int
    done: int
    partial: bool
    errors: Mapping[str, int]
    leaks: int
    measures: Mapping[str, Mean]
    kinds: Mapping[str, Mapping[str, Mean]]
    embedding: Percentiles
    search: Percentiles

    def as_json(self) -> dict[str, object]:
        """One flat level of measures; `search` in `milliseconds` is without the embedding of the question."""
        return {
            "edition": self.edition,
            **_run_json(self.cases, self.done, self.partial, self.errors),
            **_means(self.measures),
            "leaks": self.leaks,
            "milliseconds": {"embedding": self.embedding.as_json(), "search": self.search.as_json()},
            "by_kind": {kind: _means(measures) for kind, measures in self.kinds.items()},
        }


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """What `saseo evaluate` found. `models` counts answers; `stamps`: each edition, prompt and LoRA that took part."""

    stamps: Mapping[str, str]
    cases: int
    done: int
    partial: bool
    errors: Mapping[str, int]
    outcomes: Mapping[str, int]
    models: Mapping[str, int]
    notes: Mapping[str, int]
    leaks: int
    measures: Mapping[str, Mean]
    given_answered: Mapping[str, Mean]
    kinds: Mapping[str, Mapping[str, Mean]]
    kind_outcomes: Mapping[str, Mapping[str, int]]
    seconds: Mapping[str, Percentiles]

    def as_json(self) -> dict[str, object]:
        """One flat level of measures; `given_answered`: the scores of those answerable questions that got an answer."""
        return {
            **self.stamps,
            **_run_json(self.cases, self.done, self.partial, self.errors),
            "outcomes": dict(self.outcomes),
            "models": dict(self.models),
            "extractive": self.models.get(EXTRACTIVE, 0),
            **_means(self.measures),
            "given_answered": _means(self.given_answered),
            "leaks": self.leaks,
            "seconds": {name: times.as_json() for name, times in self.seconds.items()},
            "notes": dict(self.notes),
            "by_kind": {
                kind: {"outcomes": dict(self.kind_outcomes[kind]), **_means(measures)}
                for kind, measures in self.kinds.items()
            },
        }


def evaluate_retrieval(
    cases: Sequence[Case], index: Searching, progress: Progress | None = None, *, details: Path | None = None
) -> RetrievalReport:
    """Search every question as its reader. Measures count answerable questions with gold pages; leaks count all.

    Legs are compared by giving an index other `SearchOptions.weights` (benchmarks/retrieval.py). Ctrl-C: a partial report.
    """
    records: list[SearchRecord] = []
    partial = False
    with details_file(details) as write:
        try:
            for case in cases:
                records.append(_searched(case, index))
                write(records[-1].as_json())
                if progress is not None:
                    progress(len(records), len(cases))
        except KeyboardInterrupt:
            partial = True
    times = [record.milliseconds for record in records if record.milliseconds]
    return RetrievalReport(
        edition=index.name,
        cases=len(cases),
        done=len(records),
        partial=partial,
        errors=_counted(record.error for record in records if record.error),
        leaks=sum(len(record.leaks) for record in records),
        measures=_search_measures(records),
        kinds={kind: _search_measures(some) for kind, some in _by_kind(records).items()},
        embedding=metrics.percentiles([embedding for embedding, _ in times]),
        search=metrics.percentiles([rest for _, rest in times]),
    )


async def evaluate_answers(
    cases: Sequence[Case],
    flow: Answering,
    readable: Readable,
    progress: Progress | None = None,
    *,
    details: Path | None = None,
) -> AnswerReport:
    """Ask every question. `readable` gets the reader's groups with `everyone` among them.

    Ctrl-C (under asyncio: the task is cancelled) gives a partial report; the cancellation is used up by that.
    """
    records: list[AnswerRecord] = []
    partial = False
    with details_file(details) as write:
        try:
            for case in cases:
                records.append(await _answered(case, flow, readable))
                write(records[-1].as_json())
                if progress is not None:
                    progress(len(records), len(cases))
        except (asyncio.CancelledError, KeyboardInterrupt) as stopped:
            partial = True
            task = asyncio.current_task()
            if isinstance(stopped, asyncio.CancelledError) and task is not None:
                task.uncancel()  # else asyncio.run throws the report away
    answers = [record.answer for record in records if record.answer]
    timed = [answer.seconds for answer in answers if answer.outcome is not Outcome.FAILED]
    kinds = _by_kind(records)
    return AnswerReport(
        stamps={
            name: ", ".join(sorted({getattr(answer, name) for answer in answers}))
            for name in ("edition", "prompt", "lora")
        },
        cases=len(cases),
        done=len(records),
        partial=partial,
        errors=_counted(record.error for record in records if record.error),
        outcomes=_outcomes(records),
        models=_counted(answer.model for answer in answers if answer.outcome is Outcome.ANSWERED),
        notes=_counted(note for answer in answers for note in answer.notes),
        leaks=sum(len(record.leaks) for record in records),
        measures=_answer_measures(records),
        given_answered=_text_measures([record for record in records if record.answered]),
        kinds={kind: _answer_measures(some) for kind, some in kinds.items()},
        kind_outcomes={kind: _outcomes(some) for kind, some in kinds.items()},
        seconds={
            "search": metrics.percentiles([one.search for one in timed]),
            "first_token": metrics.percentiles([one.first_token for one in timed if one.first_token is not None]),
            "total": metrics.percentiles([one.total for one in timed]),
        },
    )


def _searched(case: Case, index: Searching) -> SearchRecord:
    reader = reader_of(case.groups)
    try:
        question, _ = condense(" ".join(case.question.split()), case.turns, index.analyser, idf=index.rarity(reader))
        found = index.search(question, reader, DEPTH, one_per_page=True)
    except Exception as error:  # noqa: BLE001 - counted and named in the report; the other questions still count
        return SearchRecord(case, error=type(error).__name__)
    passages = [hit.passage for hit in found.hits]
    return SearchRecord(
        case,
        question,
        tuple(passage.page for passage in passages),
        tuple(passage.page for passage in passages if not passage.audience.admits(reader)),
        (1000 * found.seconds[0], 1000 * found.seconds[1]),
    )


async def _answered(case: Case, flow: Answering, readable: Readable) -> AnswerRecord:
    reader = reader_of(case.groups)
    question = Question(case.question, f"evaluation-{case.id}", "evaluation", case.groups, case.turns)
    try:
        record = AnswerRecord(case, await flow.answer(question))
        return replace(record, leaks=tuple(page for page in record.shown if not readable(page, reader)))
    except Exception as error:  # noqa: BLE001 - as above
        return AnswerRecord(case, error=type(error).__name__)


_SCORES = {
    "exact_match": metrics.exact_match,
    "contains": metrics.contains,
    "character_f1": metrics.character_f1,
}


def _search_measures(records: Sequence[SearchRecord]) -> dict[str, Mean]:
    ranked = [(record.pages, record.case.pages) for record in records if _has_gold(record.case)]
    return {
        **{
            f"recall@{k}": metrics.bootstrap([metrics.recall_at(pages, gold, k) for pages, gold in ranked])
            for k in (1, 5, DEPTH)
        },
        f"mrr@{DEPTH}": metrics.bootstrap([metrics.reciprocal_rank(pages, gold, DEPTH) for pages, gold in ranked]),
        f"ndcg@{DEPTH}": metrics.bootstrap([metrics.ndcg(pages, gold, DEPTH) for pages, gold in ranked]),
        "leak_rate": metrics.bootstrap_ratio(
            [len(record.leaks) for record in records], [len(record.pages) for record in records]
        ),
    }


def _text_measures(records: Sequence[AnswerRecord]) -> dict[str, Mean]:
    """Over answerable questions with gold answers; `contains_all` over those of them that need several pages."""
    golds = [(record, record.case.answers) for record in records if record.case.answerable and record.case.answers]
    measures = {
        name: metrics.bootstrap([score(record.text, answers) for record, answers in golds])
        for name, score in _SCORES.items()
    }
    several = [(record, answers) for record, answers in golds if len(record.case.pages) > 1]
    measures["contains_all"] = metrics.bootstrap(
        [metrics.contains_all(record.text, golds) for record, golds in several]
    )
    return measures


def _answer_measures(records: Sequence[AnswerRecord]) -> dict[str, Mean]:
    sourced = [(record.cited, record.case.pages) for record in records if record.answered and _has_gold(record.case)]
    abstention = metrics.precision_recall(
        [record.outcome is Outcome.ABSTAINED for record in records], [not record.case.answerable for record in records]
    )
    return {
        **_text_measures(records),
        "citation_precision": metrics.bootstrap(
            [metrics.page_precision(cited, gold) for cited, gold in sourced if cited]
        ),
        "citation_recall": metrics.bootstrap([metrics.page_recall(cited, gold) for cited, gold in sourced]),
        "abstention_precision": abstention.precision,
        "abstention_recall": abstention.recall,
        "abstention_f1": abstention.f1,
        "leak_rate": metrics.bootstrap_ratio(
            [len(record.leaks) for record in records], [len(record.shown) for record in records]
        ),
    }


def _has_gold(case: Case) -> bool:
    return case.answerable and bool(case.pages)


Record = TypeVar("Record", SearchRecord, AnswerRecord)


def _by_kind(records: Sequence[Record]) -> dict[str, list[Record]]:
    kinds = sorted({record.case.kind for record in records if record.case.kind})
    return {kind: [record for record in records if record.case.kind == kind] for kind in kinds}


def _counted(names: Iterable[str]) -> dict[str, int]:
    """Most frequent first."""
    return dict(Counter(names).most_common())


def _outcomes(records: Sequence[AnswerRecord]) -> dict[str, int]:
    found = Counter(record.outcome for record in records)
    return {outcome.value: found[outcome] for outcome in Outcome}


def _means(measures: Mapping[str, Mean]) -> dict[str, object]:
    return {name: measure.as_json() for name, measure in measures.items()}


def _run_json(cases: int, done: int, partial: bool, errors: Mapping[str, int]) -> dict[str, object]:
    return {"cases": cases, "done": done, "partial": partial, "raised": sum(errors.values()), "errors": dict(errors)}
