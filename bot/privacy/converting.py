"""Rows of before there were pseudonyms: each platform's id in them becomes its pseudonym. Safe to repeat and to break off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, delete, select, update

from bot.examples.build import key_of_correction
from bot.privacy.pseudonyms import is_pseudonym
from bot.store import facts, schema
from bot.store.forgetting import ERASED

PEOPLE: tuple[Column[Any], ...] = (
    schema.questions.c.person,
    schema.votes.c.person,
    schema.vote_changes.c.person,
    schema.escalations.c.called_by,
    schema.escalations.c.resolved_by,
    schema.places.c.changed_by,
    schema.examples.c.asker,
    schema.example_people.c.person,
)
"""Columns that hold a person of a chat platform, or nobody."""
DEEDS: tuple[Column[Any], ...] = (
    schema.examples.c.decided_by,
    schema.example_changes.c.by,
    schema.example_changes.c.by_before,
    schema.releases.c.by,
    schema.job_runs.c.asked_by,
    schema.job_switches.c.by,
)
"""Columns that hold whoever did something: a rule, a job, an account of this installation, and now and then a person of a platform."""
_OF_A_PLATFORM = re.compile(r"(?:slack|discord):.+")
_DONE = "privacy.pseudonymised"
_UNIQUE = {schema.votes: "answer", schema.example_people: "example"}
"""Tables in which a person stands at most once beside the column named here."""


def pseudonymise_rows(connection: Connection, pseudonym: Callable[[str], str]) -> int:
    """Replace every platform id by `pseudonym` of it; how many people were found. Ids of open questions stay until those are answered."""
    _keep_keys(connection, pseudonym)
    found: set[str] = set()
    for column in (*PEOPLE, *DEEDS):
        raw = [
            person
            for person in connection.execute(select(column).where(column.is_not(None)).distinct()).scalars()
            if _is_raw(person, any_platform=column not in DEEDS)
        ]
        for person in raw:
            _replace(connection, column, person, pseudonym(person))
        found.update(raw)
    return len(found)


def pseudonymise_once(connection: Connection, pseudonym: Callable[[str], str]) -> int:
    """`pseudonymise_rows`, unless it was done to this store before."""
    if facts.get(connection, _DONE) is not None:
        return 0
    done = pseudonymise_rows(connection, pseudonym)
    facts.put(connection, _DONE, "1")
    return done


def _keep_keys(connection: Connection, pseudonym: Callable[[str], str]) -> None:
    """An example made from a correction is known by a hash over who wrote it: it stays the same example, with its decision."""
    votes, examples = schema.votes.c, schema.examples.c
    for row in connection.execute(
        select(votes.answer, votes.person, votes.correction).where(votes.correction != "")
    ).all():
        if _is_raw(row.person, any_platform=True):
            before, after = (
                key_of_correction(row.answer, person, row.correction) for person in (row.person, pseudonym(row.person))
            )
            connection.execute(update(schema.examples).where(examples.key == before).values(key=after))


def _is_raw(person: str, *, any_platform: bool) -> bool:
    if not person or person == ERASED or is_pseudonym(person):
        return False
    return any_platform or _OF_A_PLATFORM.fullmatch(person) is not None


def _replace(connection: Connection, column: Column[Any], person: str, pseudonym: str) -> None:
    table = column.table
    if (beside := next((name for one, name in _UNIQUE.items() if one is table), None)) is not None:
        # What was written under the pseudonym meanwhile is newer.
        known = select(table.c[beside]).where(column == pseudonym)
        connection.execute(delete(table).where(column == person, table.c[beside].in_(known)))
    connection.execute(update(table).where(column == person).values({column.name: pseudonym}))
