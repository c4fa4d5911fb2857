"""A person asks to be forgotten: what they asked and said goes, and with it every example that rests on it. One transaction.

What is left of their deeds (a colleague called, an example approved, a channel's settings changed) names nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from bot.store import examples, jobs, loras
from bot.store.schema import escalations, job_runs, job_switches, places, questions, releases, vote_changes, votes

REASON = "forgotten"
"""Of the mark on a LoRA; it names nobody."""
TUNE = "tune"
"""The job that makes a LoRA (jobs/registry.py)."""
ERASED = "erased"
"""Stands where a name stood."""

_DEEDS = (escalations.c.called_by, places.c.changed_by, releases.c.by, job_runs.c.asked_by, job_switches.c.by)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went."""

    examples: tuple[str, ...]
    """Ids, sorted: whoever learnt from one of them has to learn anew."""
    questions: int
    """With their answers, and what others said of those."""
    votes: int
    resolutions: int


def forget(connection: Connection, person: str, *, asked_by: str, now: float) -> Forgotten:
    """Forget `person` (Person.key). A question of theirs that is being answered right now stays: ask again when it is done.

    LoRAs that learnt from what goes are marked, and a tuning run without it is due.
    """
    gone = examples.forget_person(connection, person)
    learnt = loras.loras_that_saw(connection, gone)
    for name in learnt:
        loras.mark(connection, name, REASON, now=now)
    if learnt:
        jobs.ask(connection, TUNE, by=asked_by, now=now)
    said = connection.execute(delete(votes).where(votes.c.person == person)).rowcount
    connection.execute(delete(vote_changes).where(vote_changes.c.person == person))
    done = (questions.c.person == person, questions.c.state == "done")
    asked = connection.execute(delete(questions).where(*done)).rowcount  # its answers and their votes go with it
    resolved = connection.execute(
        update(escalations)
        .where(escalations.c.resolved_by == person)
        .values(resolved_by=ERASED, resolution="", consent=False)
    ).rowcount
    for deed in _DEEDS:
        connection.execute(update(deed.table).where(deed == person).values({deed.name: ERASED}))
    return Forgotten(tuple(gone), asked, said, resolved)


def preview(connection: Connection, person: str) -> Forgotten:
    """What `forget` would take, taking nothing."""
    asked = connection.execute(select(questions.c.id).where(questions.c.person == person, questions.c.state == "done"))
    said = connection.execute(select(votes.c.answer).where(votes.c.person == person))
    resolved = connection.execute(select(escalations.c.id).where(escalations.c.resolved_by == person))
    return Forgotten(
        tuple(examples.of_person(connection, person)), len(asked.all()), len(said.all()), len(resolved.all())
    )
