"""Everything a command needs to work on examples, over one store and one edition."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from bot import prompts
from bot.examples.build import Mask, candidates
from bot.examples.example import AUTOMATIC, Example, State
from bot.examples.formats import Row, read
from bot.examples.grounding import SentenceGrounding
from bot.examples.guards import Rules, chosen, counted
from bot.examples.own import checked, merged, name_of, together
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
    """Were here before. Nothing about them changed but, where a row tells of somebody else, who stands behind them."""
    approved: int
    with_problems: int
    """Of the new ones: cannot be approved as they are."""
    unseen: int = 0
    """Refusals that were not approved with the rest: nothing can check that they are right, so a person must look."""
    merged: int = 0
    """Rows of a file that say what another row says, in the same or nearly the same words."""
    withheld: int = 0
    """Rows that were left out: somebody behind them was forgotten, or objects."""


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
        now = self.clock()
        if not self.learning:
            return Refreshed(0, 0, 0, self.store.run_now(close_gone, self.pages, now=now), {})
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

    def review(self, reviewer: str, language: Language = "ko", origin: str = "") -> Review:
        """For one person."""
        return Review(self.store, self.pages, self.grounding, self.mask, reviewer, self.clock, language, origin)

    def every(self, state: State | None = None) -> list[Example]:
        """Oldest first."""
        states: tuple[State, ...] = () if state is None else (state,)
        return self.store.run_now(examples.every, states=states)

    def training_set(self, *, others: int = 0) -> list[Example]:
        """Approved examples that may go into one set beside `others` that rest on nobody (replay)."""
        silent = self.store.run_now(privacy.suspended)
        approved = [
            one
            for one in self.every("approved")
            if (self.learning or not rests_on_people(one)) and silent.isdisjoint((*one.people, one.asker))
        ]
        people = {person for one in approved for person in one.people}
        seen = self.store.run_now(feedback.first_seen, people)
        known = counted(people, seen, self.rules, now=self.clock())
        return chosen(approved, self.rules, known=known, others=others)

    def take_in(self, path: Path, *, approve_as: str = "") -> Imported:
        """Keep the rows of a file as pending examples; with `approve_as` (a reviewer) approve those without problems.

        Not refusals: those wait to be seen. A row with the id of an example here has the same people behind it; one of somebody who was
        forgotten or objects is left out.
        """
        looked = self.look_at(path)
        # Asked now, since looking takes a while: somebody may have been forgotten meanwhile.
        withheld = self.not_to_learn({name_of(row, one) for row, one in looked})
        left = [(row, one) for row, one in looked if name_of(row, one) not in withheld]
        ids = {row.id for row, _ in left}
        made = merged(left, {one.id: one for one in self.every() if one.id in ids})
        done = self._keep(made, "examples_imported", approve_as)
        return replace(done, merged=len(left) - len(made), withheld=len(looked) - len(left))

    def look_at(self, path: Path) -> list[tuple[Row, Example]]:
        """The rows of a file as `take_in` would keep them, masked and checked, each with what became of it; nothing is kept."""
        rows = read(path)
        made = checked(rows, path, self.pages, self.grounding, self.mask, now=self.clock())
        return list(zip(rows, made, strict=True))

    def not_to_learn(self, ids: Collection[str]) -> frozenset[str]:
        """Of these ids: examples that went when a person was forgotten, and those of people of whom nothing may be learnt."""
        return self.store.run_now(withheld, ids)

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
        return self._keep(made, "examples_synthesized", approve_as)

    def _keep(self, made: Sequence[Example], event: str, approve_as: str) -> Imported:
        approved = unseen = 0

        def add(connection: Connection) -> list[Example]:
            new = []
            for one in made:
                if examples.add(connection, one) or _back(connection, one):
                    new.append(one)
                else:
                    _stand_behind(connection, one)
            return new

        new = self.store.run_now(add)
        review = self.review(approve_as)
        for one in new if approve_as else ():
            if review.problems(one):
                continue
            if _must_be_seen(one):
                unseen += 1
                continue
            review.approve(one.id)
            approved += 1
        problems = sum(bool(review.problems(one)) for one in new)
        _log.info(json.dumps({"event": event, "new": len(new), "approved": approved, "problems": problems}))
        return Imported(len(new), len(made) - len(new), approved, problems, unseen)


def _must_be_seen(one: Example) -> bool:
    """Somebody else's refusal. By the words they share a passage that answers and one that nearly does cannot be told apart: of the 388
    answered questions in `examples/tuning`, 180 have a sentence that holds 55 % of theirs. Of those made from the wiki it was checked
    that nothing shown answers."""
    return one.kind == "imported" and one.answer.strip() == prompts.REFUSAL


def withheld(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """See `Workbench.not_to_learn`."""
    silent = privacy.suspended(connection)
    theirs = {one.id for one in examples.every(connection) if not silent.isdisjoint((*one.people, one.asker))}
    return frozenset(ids) & (theirs | privacy.forgotten_examples(connection))


def _back(connection: Connection, example: Example) -> bool:
    """Whether a synthetic example that was closed because its page had gone waits again: the page says so once more."""
    known = examples.get(connection, example.id)
    if known is None or example.kind != "synthetic" or (known.state, known.decided_by) != ("rejected", AUTOMATIC):
        return False
    examples.refresh(connection, example)
    examples.decide(connection, known, "pending", "reopen", by=AUTOMATIC, now=example.made_at)
    return True


def _stand_behind(connection: Connection, example: Example) -> None:
    """Whoever stands behind this copy of a known example stands behind that one from now on."""
    if not (example.people or example.asker or example.origins):
        return
    known = examples.get(connection, example.id)
    if known is not None and (both := together(known, example)) != known:
        examples.refresh(connection, both)
