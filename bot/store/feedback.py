"""What people said about answers, gathered for making examples: thumbs, corrections, resolutions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, union

from bot.store import answers, privacy
from bot.store.answers import Kept
from bot.store.schema import answers as answers_table
from bot.store.schema import escalations, questions, vote_changes, votes


@dataclass(frozen=True, slots=True)
class Said:
    """An answer and everything people say about it now. People are pseudonyms."""

    kept: Kept
    answered_at: float
    up: tuple[str, ...]
    down: tuple[str, ...]
    corrections: tuple[tuple[str, str], ...]
    """(person, what would be right)."""
    resolution: tuple[str, str] | None
    """(person, what a called person answered), with their consent."""


def said(connection: Connection) -> list[Said]:
    """Every answer that has a live vote or a resolution that may be kept, oldest first.

    Who objected to training is as if they had said nothing, and had asked nothing.
    """
    silent = privacy.suspended(connection)
    up: dict[str, list[str]] = {}
    down: dict[str, list[str]] = {}
    corrections: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(select(votes).where(votes.c.direction.is_not(None)).order_by(votes.c.person)):
        if row.person in silent:
            continue
        (up if row.direction == "up" else down).setdefault(row.answer, []).append(row.person)
        if row.direction == "down" and row.correction.strip():
            corrections.setdefault(row.answer, []).append((row.person, row.correction))
    resolutions = {
        row.answer: (row.resolved_by, row.resolution)
        for row in connection.execute(select(escalations).where(escalations.c.consent, escalations.c.resolution != ""))
        if row.resolved_by not in silent
    }
    wanted = {*up, *down, *resolutions}
    order = connection.execute(
        select(answers_table.c.id, answers_table.c.answered_at).order_by(
            answers_table.c.answered_at, answers_table.c.id
        )
    ).all()
    found = []
    for answer_id, answered_at in order:
        kept = answers.get(connection, answer_id) if answer_id in wanted else None
        if kept is not None and kept.asker not in silent:
            found.append(
                Said(
                    kept,
                    answered_at,
                    tuple(up.get(answer_id, ())),
                    tuple(down.get(answer_id, ())),
                    tuple(corrections.get(answer_id, ())),
                    resolutions.get(answer_id),
                )
            )
    return found


def first_seen(connection: Connection, people: Collection[str]) -> dict[str, float]:
    """When each person first asked or voted; who never did is missing."""
    seen = union(
        select(questions.c.person.label("person"), questions.c.asked_at.label("at")),
        select(vote_changes.c.person.label("person"), vote_changes.c.at.label("at")),
    ).subquery()
    rows = connection.execute(select(seen.c.person, func.min(seen.c.at)).group_by(seen.c.person))
    return {str(row[0]): float(row[1]) for row in rows if row[0] in people}
