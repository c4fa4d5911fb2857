"""Does the answer of an example rest on its passages? The same check as for an answer that people see, sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot import prompts
from bot.answering.excerpts import Excerpt, shown_whole
from bot.answering.verify import MARKS, check, marks_of
from bot.examples.example import Evidence
from knowledge.korean import Analyser
from knowledge.page import Passage
from knowledge.sentences import sentences


class Grounding(Protocol):
    """Judges answers; a fake one in tests that need no Kiwi."""

    def problems(self, question: str, passages: Sequence[Evidence], answer: str) -> tuple[str, ...]:
        """Why the answer may not be learnt, as keys; none: it may."""

    def marked(self, question: str, passages: Sequence[Evidence], answer: str) -> str:
        """The answer with the marks of the passages that carry each sentence; a sentence that none carries stays unmarked."""


@dataclass(frozen=True, slots=True)
class SentenceGrounding:
    """By `bot/answering/verify.py`. Keys: `empty`, `no_passages`, `no_mark`, `wrong_mark`, and verify's own problems."""

    analyser: Analyser
    idf: Callable[[str], float]

    def problems(self, question: str, passages: Sequence[Evidence], answer: str) -> tuple[str, ...]:
        """Every sentence must be supported, and its marks must be passages that support it."""
        if not answer.strip():
            return ("empty",)
        if answer.strip() == prompts.REFUSAL:
            return ()  # says nothing about the company; that it is right, a reviewer must know
        if not passages:
            return ("no_passages",)
        shown = [self._excerpt(one) for one in passages]
        found: dict[str, None] = {}
        for sentence in sentences(answer):
            checked = check(sentence, shown, question, self.analyser, self.idf)
            marks = {number - 1 for number in marks_of(sentence)}
            if checked.problem is not None:
                found[checked.problem] = None
            elif not marks:
                found["no_mark"] = None
            elif not marks <= set(checked.cites):
                found["wrong_mark"] = None
        return tuple(found)

    def marked(self, question: str, passages: Sequence[Evidence], answer: str) -> str:
        """See `Grounding.marked`."""
        shown = [self._excerpt(one) for one in passages]
        said = []
        for sentence in sentences(answer):
            checked = check(sentence, shown, question, self.analyser, self.idf)
            marks = "".join(f"[{place + 1}]" for place in checked.cites)
            bare = MARKS.sub("", sentence).strip()
            ended = bare[-1:] if bare[-1:] in ".!" else ""
            said.append(f"{bare.removesuffix(ended)} {marks}{ended or '.'}" if marks else sentence.strip())
        return " ".join(said)

    def _excerpt(self, one: Evidence) -> Excerpt:
        return shown_whole(Passage(one.source, one.page, one.number, one.context, (), one.text), self.analyser)
