"""Escalations: a person was called for an answer; what they said is kept only with their consent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bot.conversation import Escalation
from bot.messages import Outcome
from bot.store import answers, questions
from bot.store.schema import escalations


@dataclass(frozen=True, slots=True)
class Called:
    """An escalation and who may close it."""

    escalation: Escalation
    asker: str
    called_by: str
    platform: str


def call(
    connection: Connection, answer_id: str, contacts: Sequence[str], *, caller: str, now: float, tell: str = ""
) -> str | None:
    """Open one; None when the answer is unknown or somebody was called already. The question's outcome becomes escalated.

    `caller`: how rows name who called; `tell`: their `Person.key`, kept until somebody has answered.
    """
    kept = answers.get(connection, answer_id)
    if kept is None or exists(connection, answer_id):
        return None
    escalation_id = secrets.token_hex(8)
    connection.execute(
        insert(escalations).values(
            id=escalation_id,
            answer=answer_id,
            contacts=list(contacts),
            called_by=caller,
            tell=tell,
            called_at=now,
            resolution="",
            consent=False,
            **kept.stamp,
        )
    )
    questions.set_outcome(connection, kept.question_id, Outcome.ESCALATED)
    return escalation_id


def exists(connection: Connection, answer_id: str) -> bool:
    """Whether somebody was called for this answer, open or closed."""
    return connection.execute(select(escalations.c.id).where(escalations.c.answer == answer_id)).first() is not None


def uncall(connection: Connection, escalation_id: str) -> None:
    """Nobody heard the call: forget it, and let the question's outcome be what it was."""
    answer_id = connection.execute(
        select(escalations.c.answer).where(escalations.c.id == escalation_id, escalations.c.resolved_at.is_(None))
    ).scalar()
    kept = answers.get(connection, answer_id) if answer_id is not None else None
    if kept is not None:
        connection.execute(delete(escalations).where(escalations.c.id == escalation_id))
        questions.set_outcome(connection, kept.question_id, kept.answer.outcome)


def get(connection: Connection, escalation_id: str) -> Called | None:
    """An open escalation."""
    row: Any = connection.execute(
        select(escalations).where(escalations.c.id == escalation_id, escalations.c.resolved_at.is_(None))
    ).first()
    kept = answers.get(connection, row.answer) if row is not None else None
    if kept is None:
        return None
    return Called(
        Escalation(row.id, row.answer, kept.question, tuple(row.contacts), kept.language),
        asker=kept.asker,
        called_by=row.called_by,
        platform=kept.place.platform,
    )


def take_tell(connection: Connection, answer_id: str) -> str:
    """Whom to tell what the called person answered (`Person.key`); forgotten by being read. Empty: nobody, or not yet."""
    closed = (escalations.c.answer == answer_id, escalations.c.resolved_at.is_not(None))
    found = connection.execute(select(escalations.c.tell).where(*closed)).scalar()
    connection.execute(update(escalations).where(*closed).values(tell=""))
    return found or ""


def resolve(connection: Connection, escalation_id: str, person: str, *, answer: str, consent: bool, now: float) -> bool:
    """Close it once."""
    changed = connection.execute(
        update(escalations)
        .where(escalations.c.id == escalation_id, escalations.c.resolved_at.is_(None))
        .values(resolved_by=person, resolved_at=now, resolution=answer if consent else "", consent=consent)
    )
    return bool(changed.rowcount)
