"""Everything a command needs to work on examples, over one store and one edition."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from bot.examples.adding import Added, add, must_be_seen
from bot.examples.build import Mask, candidates
from bot.examples.example import Example, State
from bot.examples.formats import Row, read
from bot.examples.grounding import SentenceGrounding
from bot.examples.guards import Rules, chosen, counted
from bot.examples.own import checked, merged, name_of
from bot.examples.pages import EditionPages
from bot.examples.refresh import Refreshed, close_gone, refresh, rests_on_people
from bot.examples.review import Review
from bot.examples.synthesis.synthesis import Synthesis
from bot.messages import Language
from bot.store import examples, feedback, privacy
from bot.store.database import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    new: int
    known: int
    """Were here before: a row that tells of somebody else changes who stands behind them, and one that waits may be approved."""
    approved: int
    with_problems: int
    """Of those that nobody has decided: cannot be approved as they are."""
    unseen: int = 0
    """Refusals that were not approved with the rest: nothing can check that they are right, so a person must look."""
    merged: int = 0
    """Rows of a file that say what another row says, in the same or nearly the same words."""
    waiting: int = 0
    """Rows that nobody has decided, after this."""
    withheld: int = 0
    """Rows that were left out: nothing may be learnt of somebody behind them."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """Methods raise StoreError; `take_in` and `look_at` also BadExampleFile."""

    store: Store
    pages: EditionPages
    grounding: SentenceGrounding
    mask: Mask
    rules: Rules
    clock: Callable[[], float]
    learning: bool = True
    """`[tuning] learn_from_feedback`: False: what people say becomes no example, and those it has become are not learnt."""

    def build(self) -> Refreshed:
        """Bring the examples up to date with what people said."""
        if not self.learning:
            return Refreshed(0, 0, 0, self.store.run_now(close_gone, self.pages, now=self.clock()), {})
        while (done := self._built()) is None:
            pass
        counts = {name: getattr(done, name) for name in ("new", "approved", "reopened", "withdrawn")}
        _log.info(json.dumps({"event": "examples_built", **counts, "skipped": dict(done.skipped)}))
        return done

    def _built(self) -> Refreshed | None:
        """None: somebody was forgotten or objected meanwhile, and what was read of them must not be written back."""
        now = self.clock()
        wishes, everything = self.store.run_now(lambda connection: (_wishes(connection), feedback.said(connection)))
        # Masking and checking take seconds: never while the store is locked against the running service.
        made = candidates(everything, self.pages, self.grounding, self.mask, now=now)

        def write(connection: Connection) -> Refreshed | None:
            if _wishes(connection) != wishes:
                return None
            people = {person for up in made.up.values() for person in up}
            seen = feedback.first_seen(connection, people)
            return refresh(connection, made, self.pages, seen, self.rules, now=now)

        return self.store.run_now(write)

    def review(self, reviewer: str, language: Language = "ko", origin: str = "") -> Review:
        """For one person."""
        return Review(self.store, self.pages, self.grounding, self.mask, reviewer, self.clock, language, origin)

    def every(self, state: State | None = None) -> list[Example]:
        """Oldest first."""
        states: tuple[State, ...] = () if state is None else (state,)
        return self.store.run_now(examples.every, states=states)

    def learnable(self, some: Iterable[Example]) -> list[Example]:
        """Of these, what the people behind them and `learn_from_feedback` allow to be learnt, here or elsewhere."""
        silent = self.store.run_now(privacy.suspended)
        return [
            one
            for one in some
            if (self.learning or not rests_on_people(one)) and silent.isdisjoint((*one.people, one.asker))
        ]

    def training_set(self, *, others: int = 0) -> list[Example]:
        """Approved examples that may go into one set beside `others` that rest on nobody (replay)."""
        approved = self.learnable(self.every("approved"))
        people = {person for one in approved for person in one.people}
        seen = self.store.run_now(feedback.first_seen, people)
        known = counted(people, seen, self.rules, now=self.clock())
        return chosen(approved, self.rules, known=known, others=others)

    def take_in(self, path: Path, *, approve_as: str = "") -> Imported:
        """Keep the rows of a file as pending examples; with `approve_as` (a reviewer) approve those without problems.

        Also those that were here before, if nobody has decided them: an import that was stopped is completed by the same command.
        Not refusals: those wait to be seen. A row whose page had gone waits again once the wiki has its passages, under whatever name.
        A row with the id of an example here has the same people behind it; one of whom nothing may be learnt is left out.
        """
        while (done := self._taken_in(path, approve_as)) is None:
            pass
        return done

    def _taken_in(self, path: Path, approve_as: str) -> Imported | None:
        """None: see `_built`."""
        wishes = self.store.run_now(_wishes)
        looked = self.look_at(path)
        withheld = self.not_to_learn({name_of(row, one) for row, one in looked})
        left = [(row, one) for row, one in looked if name_of(row, one) not in withheld]
        ids = {row.id for row, _ in left}
        made = merged(left, {one.id: one for one in self.every() if one.id in ids})
        added = self.store.run_now(
            lambda connection: add(connection, made, self.pages) if _wishes(connection) == wishes else None
        )
        if added is None:
            return None
        done = self._told("examples_imported", added, approve_as)
        return replace(done, merged=len(left) - len(made), withheld=len(looked) - len(left))

    def look_at(self, path: Path) -> list[tuple[Row, Example]]:
        """The rows of a file as `take_in` would keep them, masked and checked, each with what became of it; nothing is kept."""
        rows = read(path)
        made = checked(rows, path, self.pages, self.grounding, self.mask, now=self.clock())
        return list(zip(rows, made, strict=True))

    def not_to_learn(self, ids: Collection[str]) -> frozenset[str]:
        """Of these ids: examples that went when a person was forgotten, and those of people of whom nothing may be learnt.

        Without `learning` these are all people.
        """
        found = self.store.run_now(withheld, ids)
        if self.learning:
            return found
        return found | {one.id for one in self.every() if one.id in ids and rests_on_people(one)}

    def synthesize(
        self,
        synthesis: Synthesis,
        count: int,
        *,
        seed: int,
        sources: Collection[str],
        progress: Callable[[int], None],
        approve_as: str = "",
    ) -> Imported:
        """Keep about `count` examples made from the pages that everyone may read, as `take_in` keeps a file's; `sources`: empty for all.

        Examples whose page is gone or says something else by now are rejected first.
        """
        passages = self.pages.open_passages(sources)
        made = list(synthesis.examples(passages, count, seed, now=self.clock(), progress=progress))
        self.store.run_now(close_gone, self.pages, now=self.clock())
        return self._told("examples_synthesized", self.store.run_now(add, made, self.pages), approve_as)

    def _told(self, event: str, added: Added, approve_as: str) -> Imported:
        """With `approve_as` approves what may be."""
        approved = unseen = problems = 0
        review = self.review(approve_as)
        for one in added.open:
            if review.problems(one):
                problems += 1
            elif approve_as and must_be_seen(one):
                unseen += 1
            elif approve_as:
                review.approve(one.id)
                approved += 1
        _log.info(json.dumps({"event": event, "new": len(added.new), "approved": approved, "problems": problems}))
        waiting = len(added.open) - approved
        return Imported(len(added.new), added.known, approved, problems, unseen, waiting=waiting)


def withheld(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """See `Workbench.not_to_learn`."""
    silent = privacy.suspended(connection)
    theirs = {one.id for one in examples.every(connection) if not silent.isdisjoint((*one.people, one.asker))}
    return frozenset(ids) & (theirs | privacy.forgotten_examples(connection))


def _wishes(connection: Connection) -> object:
    """Changes whenever somebody is forgotten, objects, or no longer does."""
    return privacy.buried(connection), privacy.suspended(connection)
