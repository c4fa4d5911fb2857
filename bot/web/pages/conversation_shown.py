"""What one account may see of one question: whose words, which pages. Decided here once; templates only ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.messages import Citation
from bot.store.told import Told
from bot.trace import Retrieved, Searched, Sentence, Trace
from bot.web.page_readers import PageName
from bot.web.viewer import Viewer


@dataclass(frozen=True, slots=True)
class StepShown:
    """One bar of the time taken. `share`: of the whole, 0..1."""

    name: str
    seconds: float
    share: float


def pages_of_answer(told: Told) -> set[PageName]:
    """That the writer was shown, or that the answer names; none while there is no answer."""
    return set() if told.answer is None else set(told.answer.answer.pages)


class Shown:
    """A question through the eyes of `me`. `readable`: the pages among those of the question that they may read."""

    def __init__(self, told: Told, me: Viewer, readable: frozenset[PageName]) -> None:
        self.told = told
        self._me = me
        self._readable = readable

    @cached_property
    def words(self) -> bool:
        """Whether what people wrote is shown: the question, earlier ones, reasons and corrections."""
        return self._me.may_read_text(private=self.told.listed.private)

    @cached_property
    def pages(self) -> bool:
        """Whether every page that the writer was shown, or that the answer names, may be read: its words may come from any."""
        return {
            *pages_of_answer(self.told),
            *((one.source, one.page) for one in self.passages if one.shown),
        } <= self._readable

    @property
    def said(self) -> bool:
        """Whether the answer, its sentences and the prompt are shown: they repeat the question and the pages."""
        return self.words and self.pages

    @property
    def searched(self) -> bool:
        """Whether the words that were searched are shown: what was put right in them stands in pages that the asker may read."""
        corrected = self.told.trace is not None and bool(self.told.trace.understood)
        return self.words and (self.pages or not corrected)

    @property
    def hidden(self) -> str:
        """The key of the sentence that stands where they would be."""
        return "hidden_page" if self.words else "hidden_text"

    @property
    def trace(self) -> Trace | None:
        """How it came about, if that is still kept."""
        return self.told.trace

    @property
    def passages(self) -> Sequence[Retrieved]:
        """All that were found, best first."""
        return self.told.trace.passages if self.told.trace is not None else ()

    @property
    def searches(self) -> Sequence[Searched]:
        """Each search with its evidence."""
        return self.told.trace.searches if self.told.trace is not None else ()

    @property
    def sentences(self) -> Sequence[Sentence]:
        """All that were written."""
        return self.told.trace.sentences if self.told.trace is not None else ()

    def may_read(self, passage: Retrieved) -> bool:
        """Its title and heading."""
        return (passage.source, passage.page) in self._readable

    def text_of(self, passage: Retrieved) -> str:
        """What the writer was shown of it, where this account may read it; empty: it may not, or nothing is kept of it.

        As with quotes: the words were chosen by the question, so they go with it.
        """
        if self.told.answer is None or not passage.shown or not self.words or not self.may_read(passage):
            return ""
        name = (passage.source, passage.page, passage.number)
        given = self.told.answer.answer.shown
        return next((one.text for one in given if (one.source, one.page, one.number) == name), "")

    def may_cite(self, citation: Citation) -> bool:
        """Its title and quote."""
        return (citation.source, citation.page) in self._readable

    @property
    def named(self) -> Sequence[Citation]:
        """The sources of an answer, or the nearest pages of none."""
        if self.told.answer is None:
            return ()
        answer = self.told.answer.answer
        return answer.citations or answer.nearest

    def best(self, sentence: Sentence) -> tuple[int, float] | None:
        """(number in the prompt, share) of the passage that holds most of it; None: none was looked at."""
        if not sentence.supports:
            return None
        place = max(range(len(sentence.supports)), key=lambda at: sentence.supports[at])
        return place + 1, sentence.supports[place]

    @property
    def waited(self) -> float | None:
        """Seconds between the question and the beginning of its answering; None: not known."""
        answer, at = self.told.answer, self.told.answered_at
        if answer is None or at is None:
            return None
        return max(at - self.told.listed.asked_at - answer.answer.seconds.total, 0.0)

    @property
    def steps(self) -> list[StepShown]:
        """What took how long, in order; what no step counts is left out."""
        if self.told.trace is None:
            return []
        steps = self.told.trace.steps
        whole = sum(step.seconds for step in steps) or 1.0
        return [StepShown(step.name, step.seconds, step.seconds / whole) for step in steps]

    @property
    def most_evidence(self) -> float:
        """The end of the bars of evidence."""
        trace = self.told.trace
        return max((trace.strength, trace.threshold, 1.0)) * 1.05 if trace is not None else 1.0
