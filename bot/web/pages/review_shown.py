"""One example as a visitor may see it. Pure, but for the check of its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.examples.example import Evidence, Example
from bot.examples.refresh import rests_on_people
from bot.examples.review import word
from bot.examples.workbench import Workbench
from bot.web.viewer import Viewer

_MARK = re.compile(r"\[(\d{1,2})\]")


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """As the writer saw it. `text` None: this visitor may not read its page."""

    number: int
    context: str
    text: str | None
    page: str
    cited: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer. `mark`: the passage that it names, else 0."""

    text: str
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """One example. Texts are empty where they are hidden."""

    id: str
    kind: str
    state: str
    question: str
    condensed: str
    """Empty where it is the question itself."""
    turns: tuple[str, ...]
    answer: str
    pieces: tuple[Piece, ...]
    """The answer, cut at its marks."""
    rejected: str
    passages: tuple[ShownPassage, ...]
    problems: tuple[str, ...]
    """As phrases."""
    hidden_words: bool
    """By the privacy setting."""
    hidden_page: bool
    """The visitor may not read a page that it rests on, and so not what it says of it either."""
    people: int
    lora: str
    edition: str
    made_at: float
    decided_by: str
    decided_at: float | None

    @property
    def readable(self) -> bool:
        """Whether this visitor sees what they would decide about."""
        return not self.hidden_words and not self.hidden_page


def shown(example: Example, bench: Workbench, me: Viewer, *, private: bool) -> Shown:
    """For `me`. On the bench's thread: the answer is checked as it is now."""
    hidden_words = rests_on_people(example) and not me.may_read_text(private=private)
    cited = {int(number) for number in _MARK.findall(example.answer)}
    passages = []
    for number, one in enumerate(example.passages, start=1):
        may = _may_read(one, bench, me)
        context, text = (one.context, one.text) if may else ("", None)
        passages.append(ShownPassage(number, context, text, one.page if may else "", number in cited))
    hidden_page = any(one.text is None for one in passages)
    words, said = not hidden_words, not hidden_words and not hidden_page
    answer = example.answer if said else ""
    found = bench.review(me.by).problems(example)
    condensed = example.condensed if example.condensed.strip() != example.question.strip() else ""
    return Shown(
        id=example.id,
        kind=example.kind,
        state=example.state,
        question=example.question if words else "",
        condensed=condensed if words else "",
        turns=example.turns if words else (),
        answer=answer,
        pieces=tuple(pieces(answer, len(passages))),
        rejected=example.rejected if said else "",
        passages=tuple(passages),
        problems=tuple(word(one, me.language) for one in found),
        hidden_words=hidden_words,
        hidden_page=hidden_page,
        people=len(example.people),
        lora=example.lora,
        edition=example.edition,
        made_at=example.made_at,
        decided_by=example.decided_by,
        decided_at=example.decided_at,
    )


def rests_on_hidden(example: Example, bench: Workbench, me: Viewer) -> bool:
    """Whether `me` may not read a page that it rests on, or nobody can say so any more since it is gone."""
    return not all(_may_read(one, bench, me) for one in example.passages)


def _may_read(passage: Evidence, bench: Workbench, me: Viewer) -> bool:
    """Own data names no source: those who review it gave it."""
    return not passage.source or bench.pages.may_read(passage.source, passage.page, me.groups)


def pieces(answer: str, passages: int) -> Sequence[Piece]:
    """`연차는 15일입니다. [2]` → its text, and the mark of passage 2. A mark of no passage stays text."""
    found: list[Piece] = []
    end = 0
    for mark in _MARK.finditer(answer):
        number = int(mark.group(1))
        if 1 <= number <= passages:
            found += [Piece(answer[end : mark.start()]), Piece(mark.group(), number)]
            end = mark.end()
    return [one for one in (*found, Piece(answer[end:])) if one.text]
