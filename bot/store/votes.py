"""Thumbs: one current vote per person and answer, every change on record, each row stamped with what made the answer."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update

from bot.conversation import Vote, VoteReceipt
from bot.store import answers
from bot.store.inserting import insert_into
from bot.store.schema import vote_changes, votes


def cast(connection: Connection, vote: Vote, *, now: float, person: str = "") -> VoteReceipt:
    """Make `vote` the person's current one. `person`: how rows name them (bot/privacy/pseudonyms.py)."""
    person = person or vote.person.key
    kept = answers.get(connection, vote.answer_id)
    if kept is None:
        return VoteReceipt.UNKNOWN
    mine = (votes.c.answer == vote.answer_id, votes.c.person == person)
    row = connection.execute(select(votes.c.direction).where(*mine)).first()
    before = row.direction if row is not None else None
    if vote.direction is None:
        if before is None:
            return VoteReceipt.UNKNOWN
        if vote.withdrawn is not None and before != vote.withdrawn:
            return VoteReceipt.UNCHANGED  # an old reaction was taken away; the newer vote stands
        receipt = VoteReceipt.WITHDRAWN
    elif before == vote.direction:
        return VoteReceipt.UNCHANGED
    else:
        receipt = VoteReceipt.STORED if row is None else VoteReceipt.CHANGED
    now_true = {"direction": vote.direction, "via": vote.via, "voted_at": now}
    # Why a thumb pointed down says nothing about one that points up.
    cleared = {} if vote.direction == "down" else {"reason": "", "correction": ""}
    fresh = insert_into(connection, votes).values(
        answer=vote.answer_id,
        person=person,
        reason="",
        correction="",
        question=kept.question_id,
        asked_at=kept.asked_at,
        platform=kept.place.platform,
        place=kept.listed_place,
        **now_true,
        **kept.stamp,
    )
    connection.execute(
        fresh.on_conflict_do_update(index_elements=[votes.c.answer, votes.c.person], set_=now_true | cleared)
    )
    connection.execute(
        insert(vote_changes).values(
            answer=vote.answer_id, person=person, direction=vote.direction, via=vote.via, at=now
        )
    )
    return receipt


def explain(connection: Connection, answer_id: str, person: str, *, reason: str, correction: str) -> bool:
    """Add reason and correction to the person's current thumb down; False when they have none."""
    changed = connection.execute(
        update(votes)
        .where(votes.c.answer == answer_id, votes.c.person == person, votes.c.direction == "down")
        .values(reason=reason, correction=correction)
    )
    return bool(changed.rowcount)


def counts(connection: Connection, *, since: float) -> dict[str, int]:
    """Current thumbs cast since then, by direction."""
    rows = connection.execute(
        select(votes.c.direction, func.count())
        .where(votes.c.voted_at >= since, votes.c.direction.is_not(None))
        .group_by(votes.c.direction)
    )
    return {str(row[0]): int(row[1]) for row in rows}
