"""Everything a command needs to work on examples, over one store and one edition."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from bot.examples.build import Mask, candidates
from bot.examples.example import Example, State
from bot.examples.formats import read
from bot.examples.grounding import SentenceGrounding
from bot.examples.guards import Rules, chosen, counted
from bot.examples.own import imported
from bot.examples.pages import EditionPages
from bot.examples.refresh import Refreshed, refresh
from bot.examples.review import Review
from bot.store import examples, feedback
from bot.store.database import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    new: int
    known: int
    """Were here before; nothing about them changed."""
    approved: int
    with_problems: int
    """Of the new ones: cannot be approved as they are."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """Methods raise StoreError; `take_in` also BadExampleFile."""

    store: Store
    pages: EditionPages
    grounding: SentenceGrounding
    mask: Mask
    rules: Rules
    clock: Callable[[], float]

    def build(self) -> Refreshed:
        """Bring the examples up to date with what people said."""
        now = self.clock()

        everything = self.store.run_now(feedback.said)
        # Masking and checking take seconds: never while the store is locked against the running service.
        made = candidates(everything, self.pages, self.grounding, self.mask, now=now)

        def write(connection: Connection) -> Refreshed:
            people = {person for up in made.up.values() for person in up}
            seen = feedback.first_seen(connection, people)
            return refresh(connection, made, self.pages, seen, self.rules, now=now)

        done = self.store.run_now(write)
        counts = {name: getattr(done, name) for name in ("new", "approved", "reopened", "withdrawn")}
        _log.info(json.dumps({"event": "examples_built", **counts, "skipped": dict(done.skipped)}))
        return done

    def review(self, reviewer: str) -> Review:
        """For one person."""
        return Review(self.store, self.pages, self.grounding, self.mask, reviewer, self.clock)

    def every(self, state: State | None = None) -> list[Example]:
        """Oldest first."""
        states: tuple[State, ...] = () if state is None else (state,)
        return self.store.run_now(examples.every, states=states)

    def training_set(self, *, others: int = 0) -> list[Example]:
        """Approved examples that may go into one set beside `others` that rest on nobody (replay)."""
        approved = self.every("approved")
        people = {person for one in approved for person in one.people}
        seen = self.store.run_now(feedback.first_seen, people)
        known = counted(people, seen, self.rules, now=self.clock())
        return chosen(approved, self.rules, known=known, others=others)

    def take_in(self, path: Path, *, approve_as: str = "") -> Imported:
        """Keep the rows of a file as pending examples; with `approve_as` (a reviewer) approve those without problems."""
        made = imported(read(path), path, self.pages, self.grounding, self.mask, now=self.clock())
        approved = 0

        def add(connection: Connection) -> list[Example]:
            return [one for one in made if examples.add(connection, one)]

        new = self.store.run_now(add)
        review = self.review(approve_as)
        for one in new if approve_as else ():
            if not review.problems(one):
                review.approve(one.id)
                approved += 1
        problems = sum(bool(review.problems(one)) for one in new)
        _log.info(
            json.dumps({"event": "examples_imported", "new": len(new), "approved": approved, "problems": problems})
        )
        return Imported(len(new), len(made) - len(new), approved, problems)
