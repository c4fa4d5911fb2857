"""Imported and synthetic examples → the store: new ones wait for a decision, of known ones no decision is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot import prompts
from bot.examples.build import Pages
from bot.examples.example import AUTOMATIC, Example
from bot.examples.own import together
from bot.store import examples


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` did."""

    new: tuple[Example, ...]
    """Those that wait again included."""
    known: int
    waiting: tuple[Example, ...]
    """Of the known ones: nobody has ever decided about them."""

    @property
    def open(self) -> tuple[Example, ...]:
        """What a reviewer may still decide without taking anything back."""
        return (*self.new, *self.waiting)


def add(connection: Connection, made: Iterable[Example], pages: Pages) -> Added:
    """Keep them. Of one that is known: whoever stands behind this copy stands behind it from now on."""
    new, waiting, known = [], [], 0
    for one in made:
        before = None if examples.add(connection, one) else examples.get(connection, one.id)
        if before is None or _back(connection, one, before, pages):
            new.append(one)
            continue
        known += 1
        _stand_behind(connection, one, before)
        if before.state == "pending" and _is_undecided(connection, before):
            waiting.append(before)
    return Added(tuple(new), known, tuple(waiting))


def must_be_seen(one: Example) -> bool:
    """Somebody else's refusal. By the words they share a passage that answers and one that nearly does cannot be told apart: of the 388
    answered questions in `examples/tuning`, 180 have a sentence that holds 55 % of theirs. Of those made from the wiki it was checked
    that nothing shown answers."""
    return one.kind == "imported" and one.answer.strip() == prompts.REFUSAL


def _is_undecided(connection: Connection, known: Example) -> bool:
    """Whether no person has ever said anything of it."""
    return all(by == AUTOMATIC for _, by, _ in examples.history(connection, known.id))


def _back(connection: Connection, example: Example, known: Example, pages: Pages) -> bool:
    """Whether one that was closed because its page had gone waits again: the wiki says so once more, perhaps under another name."""
    if (known.state, known.decided_by) != ("rejected", AUTOMATIC):
        return False
    if any(one.source and not pages.is_open(one.source, one.page) for one in example.passages):
        return False
    said = replace(known, passages=example.passages) if examples.edited(connection, known.id) else example
    examples.refresh(connection, together(said, known))
    examples.decide(connection, known, "pending", "reopen", by=AUTOMATIC, now=example.made_at)
    return True


def _stand_behind(connection: Connection, example: Example, known: Example) -> None:
    """Whoever stands behind this copy of a known example stands behind that one from now on."""
    if (both := together(known, example)) != known:
        examples.refresh(connection, both)
