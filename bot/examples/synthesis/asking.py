"""A fact → a question in the words of a person, such that the search finds the passage again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bot.answering.condense import leans_on_earlier, nouns
from bot.answering.excerpts import Excerpt
from bot.examples.synthesis.fact import Fact
from bot.examples.synthesis.layout import Layout
from bot.examples.synthesis.wording import Register, Wording
from knowledge.korean import Analyser
from knowledge.search import Hit

REGISTERS: tuple[tuple[Register, int], ...] = (("formal", 30), ("polite", 40), ("plain", 22), ("bare", 8))
"""How people ask, with rough shares."""

_EMPTY = frozenset("어디 누구 어느 팀 하 되 있 없 수 몇 며칠 얼마 언제 무엇 어떻게".split())


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what was found, and what is shown, in which every line of the fact stands at `place`."""

    question: str
    hits: tuple[Hit, ...]
    shown: tuple[Excerpt, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Asker:
    """Words questions and checks that they can be answered."""

    layout: Layout
    wording: Wording
    analyser: Analyser

    def ask(self, fact: Fact, chance: Random) -> Asked | None:
        """None when no wording finds the fact again: it would be a question that nobody can answer, or about something else."""
        for question in self._wordings(fact, chance):
            found = self.found(question, fact)
            if found is not None:
                return found
        return None

    def found(self, question: str, fact: Fact) -> Asked | None:
        """The round trip: search and cut as serving does, and look whether the fact is there."""
        hits = self.layout.hits(question)
        shown = self.layout.shown(question, hits)
        for place, one in enumerate(shown):
            if all(line in one.text for line in fact.lines):
                return Asked(question, hits, shown, place)
        return None

    def worded(self, asking: str, register: Register) -> str | None:
        """A statement with its question word → a question."""
        return self.wording.question(asking, "plain" if register == "bare" else register)

    def _wordings(self, fact: Fact, chance: Random) -> Iterator[str]:
        """The question by itself where it says what it is about, else, and if that fails, with its topic in front."""
        register: Register = chance.choices([one for one, _ in REGISTERS], [share for _, share in REGISTERS])[0]
        if register == "bare" and not fact.brief:
            register = "polite"
        question = fact.brief if register == "bare" else self._question(fact, register)
        if question is None or self._empty(question):
            return
        if register == "plain" and chance.random() < 0.3:
            question = question.rstrip("?")  # as people type in a hurry
        if not self._says_little(question, fact):
            yield question
        if fact.topic and fact.topic not in question:
            formally = " 관련해서 " if "경우" in question else "의 경우 "
            yield f"{fact.topic}{' ' if register in ('plain', 'bare') else formally}{question}"

    def _question(self, fact: Fact, register: Register) -> str | None:
        changed = self.worded(fact.asking, register)
        if fact.kind != "faq":
            return changed
        # The page's own question is a person's already.
        return fact.asking if register == "polite" or changed is None else changed

    def _empty(self, question: str) -> bool:
        """Whether hardly more than a question word is left ("어디에서 합니까?"): no topic in front would mend that."""
        said = [form for form, tag in self.analyser.tagged(question) if tag[0] in "NVM" and form not in _EMPTY]
        return len(said) < 2

    def _says_little(self, question: str, fact: Fact) -> bool:
        """Whether somebody who does not see the page could not tell what it is about."""
        tagged = self.analyser.tagged(question)
        if fact.kind in ("cell", "rows", "steps") and len(nouns(tagged)) > 1 and "어떻게" not in question:
            return False
        about = set(nouns(self.analyser.tagged(f"{fact.passage.title} {fact.topic}")))
        return leans_on_earlier(question, tagged) or not about.intersection(nouns(tagged))
