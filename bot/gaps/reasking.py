"""Does the wiki answer a gap now? Its typical questions are asked again in a new edition, as those would read who asked them.

By the search alone a question counts as answered when there is enough evidence and the best of it is nothing that the writer was shown
then, for with that it declined or answered badly. By the writer when it answers with a source; after a bad answer only with a new one.
What was private is asked with what everyone may read, so a restricted page closes no gap by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.answering.judge import judge
from bot.conversation import Place
from bot.gaps.gap import Gap, Missed
from bot.messages import Answer, Outcome, Question
from bot.store import gaps
from bot.store.database import Store
from knowledge.page import reader_of
from knowledge.search import SearchIndex

Readable = Callable[[Place], frozenset[str]]
"""The groups that everyone in a place shares."""
ENOUGH = 2 / 3
"""Of the questions asked again must be answered before the gap is."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The page that answers a question now."""

    source: str
    page: str


class Asker(Protocol):
    """Asks one question again."""

    def ask(self, question: Missed) -> Answering | None:
        """None: still not answered, or not by anything new."""


class SearchAsker:
    """By the search and the judge's evidence alone: quick, and no writer is loaded."""

    def __init__(self, index: SearchIndex, threshold: float, readable: Readable) -> None:
        self._index = index
        self._threshold = threshold
        self._readable = readable

    def ask(self, question: Missed) -> Answering | None:
        """See Asker."""
        if question.edition == self._index.name:
            return None  # it says what it said
        found = self._index.search(question.text, reader_of(groups_of(question, self._readable)), 3)
        if judge(found.evidence, self._threshold, can_rewrite=False) != "enough" or not found.hits:
            return None
        best = found.hits[0].passage
        if any(_holds(best.text, seen) for seen in question.seen):
            return None
        return Answering(best.source, best.page)


class WriterAsker:
    """By the whole flow: an answer with a source counts."""

    def __init__(self, answer: Callable[[Question], Answer], readable: Readable) -> None:
        self._answer = answer
        self._readable = readable

    def ask(self, question: Missed) -> Answering | None:
        """See Asker."""
        answer = self._answer(
            Question(text=question.text, id=f"gap-{question.id}", groups=groups_of(question, self._readable))
        )
        if answer.outcome is not Outcome.ANSWERED or not answer.citations:
            return None
        cited = {one.page for one in answer.citations}
        for shown in answer.shown:
            new = not question.was_answered or shown.text not in question.seen
            if shown.page in cited and new:
                return Answering(shown.source, shown.page)
        return None


@dataclass(frozen=True, slots=True)
class Reasked:
    """What came of a run."""

    asked: int
    answered: int
    """Gaps that closed."""
    reopened: int


def groups_of(question: Missed, readable: Readable) -> frozenset[str]:
    """What everyone in the place of the question may read; nothing restricted where only one person reads."""
    return frozenset() if question.private or question.place.kind == "direct" else readable(question.place)


def reask(
    store: Store,
    asker: Asker,
    edition: str,
    *,
    now: float,
    most: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Reasked:
    """Every gap that this edition was not asked yet. Gaps that a person closed stay closed. Raises StoreError."""
    wanted = [
        gap for gap in store.run_now(gaps.every, states=("open", "snoozed", "answered")) if gap.asked_edition != edition
    ]
    answered = reopened = 0
    for number, gap in enumerate(wanted):
        progress(number, len(wanted))
        questions = store.run_now(gaps.of, gap.id, most)
        page, detail = verdict([asker.ask(one) for one in questions])
        closes, opens = page is not None and gap.state != "answered", page is None and gap.state == "answered"
        if closes or opens:
            _note(store, gap, page, {**detail, "edition": edition}, now)
        else:
            store.run_now(gaps.asked_again, gap.id, edition)
        answered += closes
        reopened += opens
    return Reasked(len(wanted), answered, reopened)


def verdict(found: Sequence[Answering | None]) -> tuple[Answering | None, dict[str, int]]:
    """The page that answers most of them, if enough are answered; and how many were."""
    pages = Counter(one for one in found if one is not None)
    passed = sum(pages.values())
    enough = bool(found) and passed >= ENOUGH * len(found)
    return (pages.most_common(1)[0][0] if enough else None), {"asked": len(found), "passed": passed}


def _note(store: Store, gap: Gap, page: Answering | None, detail: dict[str, object], now: float) -> None:
    edition = detail["edition"]
    if page is None:
        store.run_now(
            gaps.change, gap.id, "failed", by=gaps.AUTO, now=now, detail=detail,
            state="open", answered_source="", answered_page="", asked_edition=edition,
        )  # fmt: skip
    else:
        store.run_now(
            gaps.change, gap.id, "answered", by=gaps.AUTO, now=now,
            detail={**detail, "source": page.source, "page": page.page},
            state="answered", snoozed_until=None, answered_source=page.source, answered_page=page.page,
            asked_edition=edition,
        )  # fmt: skip


def _holds(passage: str, seen: str) -> bool:
    """Whether the passage is one that the writer was shown (whole or in part)."""
    lines = [line.strip() for line in seen.splitlines() if line.strip()]
    return bool(lines) and all(line in passage for line in lines)
