"""The wiki → training examples, without a model: what pages say, asked as people ask, and what they do not say.

The same wiki and seed give the same examples with the same ids. Everything is checked as a reviewer's approval is: the search finds the
passage again, the answer rests on what is shown, personal data is masked, and what masking has made useless is left out.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random

from bot import prompts
from bot.answering.excerpts import Excerpt
from bot.examples.build import Mask
from bot.examples.example import Evidence, Example, id_of
from bot.examples.grounding import Grounding
from bot.examples.pages import EditionPages
from bot.examples.problems import problems
from bot.examples.synthesis import missing, topics
from bot.examples.synthesis.asking import Asked, Asker
from bot.examples.synthesis.fact import Fact, FactKind
from bot.examples.synthesis.facts import facts_of
from bot.examples.synthesis.layout import Layout, evidence
from bot.examples.synthesis.wording import Wording
from knowledge.page import Passage
from knowledge.search import SearchIndex

SHARES: tuple[tuple[FactKind, float], ...] = (
    ("number", 0.24), ("cell", 0.17), ("faq", 0.13), ("yes_no", 0.08), ("who", 0.07), ("rows", 0.03), ("steps", 0.03),
)  # fmt: skip
"""Of all examples; the rest are unanswerable. What one kind cannot give, the others do."""
_MISSES = 0.25
_WITHOUT_PASSAGE, _WITHOUT_ROW = 0.5, 0.2
"""Of the unanswerable ones; the rest asks what the page does not say."""

_VALUED: tuple[FactKind, ...] = ("number", "cell", "who")
"""Whose answer is a value that can be looked for in what is left."""

Rewording = Callable[[str, Sequence[str]], str | None]
"""(question, what is shown) → the question in a model's words; None: it has none."""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """One edition at work. `facts` and the search need Kiwi and the embedder: call it off the event loop."""

    asker: Asker
    grounding: Grounding
    mask: Mask
    edition: str
    rewording: Rewording | None = None

    def examples(
        self, passages: Sequence[Passage], count: int, seed: int, *, now: float, progress: Callable[[int], None]
    ) -> Iterator[Example]:
        """About `count`, fewer where the wiki says too little. `passages`: open to everyone; `progress`: how many are made."""
        facts = _by_kind(passages, self.asker, seed)
        made: dict[str, Example] = {}

        def take(found: Example | None) -> bool:
            if found is None or found.id in made:
                return False
            made[found.id] = found
            progress(len(made))
            return True

        wanted_misses = round(count * _MISSES)
        for kind, share in SHARES:
            self._answerable(facts[kind], round(count * share), seed, take)
        self._misses(facts, passages, wanted_misses, seed, take)
        for kind, _ in SHARES:
            self._answerable(facts[kind], count - len(made), seed, take)
        yield from (replace(one, made_at=now) for one in made.values())

    def _answerable(self, facts: list[Fact], wanted: int, seed: int, take: Callable[[Example | None], bool]) -> None:
        """Takes facts off the front of the list until enough have given an example."""
        while facts and wanted > 0:
            fact = facts.pop(0)
            wanted -= take(self._answered(fact, _chance(seed, fact)))

    def _misses(
        self,
        facts: dict[FactKind, list[Fact]],
        passages: Sequence[Passage],
        wanted: int,
        seed: int,
        take: Callable[[Example | None], bool],
    ) -> None:
        # The facts left over come first, so that a question seldom stands in the set both with and without its answer.
        valued = [fact for kind in _VALUED for fact in facts[kind]]
        left = wanted
        for fact in _spread(valued, f"passage {seed}"):
            if left <= wanted * (1 - _WITHOUT_PASSAGE):
                break
            left -= take(self._miss_of(fact, seed, row=False))
        for fact in _spread(list(facts["cell"]), f"row {seed}"):
            if left <= wanted * (1 - _WITHOUT_PASSAGE - _WITHOUT_ROW):
                break
            left -= take(self._miss_of(fact, seed, row=True))
        used: Counter[str] = Counter()
        for passage in _spread_pages(passages, seed):
            if left <= 0:
                break
            left -= take(self._unsaid(passage, seed, used))

    def _answered(self, fact: Fact, chance: Random) -> Example | None:
        asked = self.asker.ask(fact, chance)
        if asked is None:
            return None
        asked = self._reworded(asked, fact)
        order = list(range(len(asked.shown)))
        chance.shuffle(order)  # serving puts the best first: what is learnt must not be "the first one"
        shown = [asked.shown[place] for place in order]
        mark = order.index(asked.place) + 1
        answer = " ".join(f"{sentence} [{mark}]." for sentence in fact.answer)
        return self._checked(asked.question, shown, answer, fact.passage)

    def _miss_of(self, fact: Fact, seed: int, *, row: bool) -> Example | None:
        chance = _chance(seed, fact)
        asked = self.asker.ask(fact, chance)
        if asked is None or not fact.value:
            return None
        miss = missing.without_row(fact, asked) if row else missing.without_passage(self.asker, fact, asked)
        return None if miss is None else self._refused(miss, fact.passage, chance)

    def _unsaid(self, passage: Passage, seed: int, used: Counter[str]) -> Example | None:
        topic = topics.of_title(passage.title)
        if not topic or len(topic) > 16:
            return None
        chance = Random(f"unsaid {seed} {passage.source} {passage.page}")  # noqa: S311 - guards nothing
        miss = missing.unsaid(self.asker, topic, (passage.source, passage.page), chance, used)
        return None if miss is None else self._refused(miss, passage, chance)

    def _refused(self, miss: missing.Miss, passage: Passage, chance: Random) -> Example | None:
        shown = list(miss.shown)
        chance.shuffle(shown)
        return self._checked(miss.question, shown, prompts.REFUSAL, passage)

    def _reworded(self, asked: Asked, fact: Fact) -> Asked:
        """The same in a model's words, if the search then still finds the passage, and before all others."""
        if self.rewording is None:
            return asked
        words = self.rewording(asked.question, [one.shown for one in asked.shown])
        found = self.asker.found(words, fact) if words else None
        if found is None or not found.hits[0].coverage:
            return asked
        best = found.hits[0].passage
        return found if best is found.shown[found.place].passage else asked

    def _checked(self, question: str, shown: Sequence[Excerpt], answer: str, origin: Passage) -> Example | None:
        """None where masking or the check of answers leaves nothing that a reviewer could approve."""
        key = id_of("synthetic:" + json.dumps([origin.source, origin.page, question, _bare(answer)]))
        made = Example(
            id=id_of(key),
            key=key,
            kind="synthetic",
            question=self.mask(question).text,
            condensed=self.mask(question).text,
            turns=(),
            passages=tuple(self._masked(one) for one in evidence(shown)),
            answer=self.mask(answer).text,
            rejected="",
            edition=self.edition,
            prompt=prompts.version(),
        )
        return None if problems(made, self.grounding) else made

    def _masked(self, one: Evidence) -> Evidence:
        return replace(one, context=self.mask(one.context).text, text=self.mask(one.text).text)


def over(
    index: SearchIndex, pages: EditionPages, grounding: Grounding, mask: Mask, *, most: int, characters: int
) -> Synthesis:
    """Over one index. `most`, `characters`: what serving shows of passages (`[answer]`)."""
    layout = Layout(index, pages.is_open, most, characters)
    return Synthesis(Asker(layout, Wording(index.analyser), index.analyser), grounding, mask, index.name)


def _by_kind(passages: Sequence[Passage], asker: Asker, seed: int) -> dict[FactKind, list[Fact]]:
    """Every fact once (passages overlap), in an order that the seed decides and that goes through all pages in turn."""
    found: dict[FactKind, list[Fact]] = {kind: [] for kind, _ in SHARES}
    seen: set[tuple[str, str, str]] = set()
    for passage in passages:
        for fact in facts_of(passage, asker.wording):
            name = (passage.source, passage.page, fact.asking)
            if name not in seen:
                seen.add(name)
                found[fact.kind].append(fact)
    return {kind: _spread(facts, str(seed)) for kind, facts in found.items()}


def _spread(facts: Iterable[Fact], salt: str) -> list[Fact]:
    pages: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        pages[fact.passage.source, fact.passage.page].append(fact)
    turns = []
    for page, some in pages.items():
        some.sort(key=lambda fact: _hash(salt, fact.asking))
        turns += [(turn, _hash(salt, *page), fact.asking, fact) for turn, fact in enumerate(some)]
    return [fact for *_, fact in sorted(turns, key=lambda one: one[:3])]


def _spread_pages(passages: Sequence[Passage], seed: int) -> list[Passage]:
    """One passage of every page."""
    first: dict[tuple[str, str], Passage] = {}
    for passage in passages:
        first.setdefault((passage.source, passage.page), passage)
    return [first[page] for page in sorted(first, key=lambda page: _hash(str(seed), *page))]


def _chance(seed: int, fact: Fact) -> Random:
    return Random(f"{seed} {fact.passage.source} {fact.passage.page} {fact.asking}")  # noqa: S311 - guards nothing


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _bare(answer: str) -> str:
    """Without marks: the order of the passages is no part of what an example is."""
    return "".join(part.split("]", 1)[-1] for part in answer.split(" ["))
