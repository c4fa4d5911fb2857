"""Candidates of a build → the store: new ones pending, votes brought up to date, the configured rule applied on the record.

What the rule approved stays when retention takes the answers that it was made from, and their votes with them.
A person's decision is never changed here, with one exception: an example whose page is gone or no longer open to everyone is
rejected, whoever approved it; so is one made from the wiki whose page no longer says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.examples.build import Candidates, Pages
from bot.examples.example import AUTOMATIC, Evidence, Example
from bot.examples.guards import Rules, counted, may_approve_itself
from bot.examples.personal_kinds import PLACEHOLDER
from bot.store import answers, examples

FROM_PEOPLE = ("liked", "disliked", "corrected", "resolved")


def rests_on_people(example: Example) -> bool:
    """Whether it is made of what somebody said here, or is an imported copy of such a one: learnt only with `learn_from_feedback`."""
    return example.kind in FROM_PEOPLE or bool(example.people or example.asker)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a build changed."""

    new: int
    approved: int
    reopened: int
    withdrawn: int
    skipped: Mapping[str, int]


def refresh(
    connection: Connection, made: Candidates, pages: Pages, seen: Mapping[str, float], rules: Rules, *, now: float
) -> Refreshed:
    """Bring the examples up to date. `seen`: when each person was first seen. Running it again changes nothing."""
    known = examples.every(connection, kinds=FROM_PEOPLE)
    by_key = {one.key: one for one in known}
    # The first answer of a cluster stands for it; when its votes are withdrawn, the next one takes over the same example.
    by_origin: dict[tuple[str, str], Example] = {
        (one.kind, origin): one for one in known if one.kind != "corrected" for origin in one.origins
    }
    done: Counter[str] = Counter()
    met = set()
    by_rule = {one.id: one for one in known if one.state == "approved" and not one.reviewed}
    living = answers.there(connection, {origin for one in by_rule.values() for origin in one.origins})
    for example in made.examples:
        before = by_key.get(example.key) or next(
            (found for origin in example.origins if (found := by_origin.get((example.kind, origin)))), None
        )
        up, down = counted(made.up[example.id], seen, rules, now=now), made.down[example.id]
        if before is None:
            examples.add(connection, example)
            done["new"] += 1
            before, original = example, True
        elif before.id in met:
            continue
        elif (
            before.id in by_rule
            and rules.automatic
            and not (down or example.problems)
            and set(before.origins) > living.intersection(before.origins) <= set(example.origins)
        ):
            # Some of its votes have gone with their answers, of the others none was taken back: what is left is not counted anew.
            people, origins = {*before.people, *example.people}, {*before.origins, *example.origins}
            examples.set_people(connection, before.id, people, origins)
            met.add(before.id)
            continue
        else:
            original = not examples.edited(connection, before.id)
            if before.reviewed or not original:
                examples.set_people(connection, before.id, example.people, example.origins)
            else:
                examples.refresh(connection, replace(example, id=before.id, key=before.key))
        met.add(before.id)
        if not before.reviewed:
            good = may_approve_itself(example, up, down, rules, original=original)
            done[_apply(connection, before, good, now)] += 1
    for one in known:
        aged = one.id in by_rule and living.isdisjoint(one.origins)  # nobody took anything back
        if one.id not in met and one.state != "rejected" and not one.reviewed and not aged:
            examples.decide(connection, one, "rejected", "reject", by=AUTOMATIC, now=now)
            done["withdrawn"] += 1
    done["withdrawn"] += close_gone(connection, pages, now=now)
    return Refreshed(done["new"], done["approved"], done["reopened"], done["withdrawn"], dict(made.skipped))


def _apply(connection: Connection, before: Example, good: bool, now: float) -> str:
    """The rule's word on an example that no person has decided."""
    if good and before.state != "approved":
        examples.decide(connection, before, "approved", "approve", by=AUTOMATIC, now=now)
        return "approved"
    if not good and before.state != "pending":
        examples.decide(connection, before, "pending", "reopen", by=AUTOMATIC, now=now)
        return "reopened"
    return "unchanged"


def close_gone(connection: Connection, pages: Pages, *, now: float) -> int:
    """Reject what rests on a page that is gone or closed, and synthetic examples whose page says something else by now; how many."""
    gone = [
        one
        for one in examples.every(connection, states=("pending", "approved"))
        if any(passage.source and not _stands(one, passage, pages) for passage in one.passages)
    ]
    for one in gone:
        examples.decide(connection, one, "rejected", "reject", by=AUTOMATIC, now=now)
    return len(gone)


def _stands(example: Example, passage: Evidence, pages: Pages) -> bool:
    if example.kind != "synthetic":
        return pages.is_open(passage.source, passage.page)
    # What masking has changed cannot be compared.
    unmasked = [line for line in passage.text.splitlines() if not PLACEHOLDER.search(line)]
    return pages.context(passage.source, passage.page, passage.number, "\n".join(unmasked)) is not None
