"""Questions and their claims: each is answered by one process at a time, and ends once.

A claim is open (`claimed_until` in the future: somebody works on it; in the past: that process died and another may take it
over) or done (never touched again). `attempt` counts the takers and fences: a process that lost its claim can neither renew
nor finish it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from bot.conversation import Asked, Past, Person, Place
from bot.messages import Outcome
from bot.store import days
from bot.store.database import TryAgain
from bot.store.inserting import insert_into
from bot.store.schema import claims, questions


class ClaimKind(StrEnum):
    """What a claim met."""

    NEW = "new"
    DUPLICATE = "duplicate"
    TAKEN_OVER = "taken_over"


@dataclass(frozen=True, slots=True)
class Claim:
    """A held claim: what its holder needs to renew, answer and finish."""

    question_id: str
    owner: str
    attempt: int
    asked: Asked
    draft: str = ""
    asked_at: float = 0.0


def claim(
    connection: Connection,
    asked: Asked,
    *,
    owner: str,
    now: float,
    lease: float,
    held: frozenset[str] = frozenset(),
    person: str = "",
    place: Place | None = None,
    keys: Sequence[str] = (),
) -> tuple[ClaimKind, Claim | None]:
    """Claim every key of `asked` at once; None with a duplicate.

    `person`, `place`, `keys`: how rows name the asker, where it was asked, and the keys (bot/desk/people.py); as `asked` has them if
    not given. `asked` itself is kept as it is while the question is open: whoever takes it over has to answer somewhere.

    `held`: ids of questions that this very process is answering. Their claims may have run out (a clock that jumped, a store
    that was away), but who would take them over is at it already.
    """
    keys = sorted(set(keys or asked.keys))  # one order, so that two processes cannot wait for each other
    known = connection.execute(select(claims.c.question).where(claims.c.key.in_(keys))).scalars().first()
    if known is None:
        question_id = secrets.token_hex(6)
        connection.execute(
            insert(questions).values(
                id=question_id,
                platform=asked.place.platform,
                person=person or asked.person.key,
                conversation=(place or asked.place).conversation,
                place=place_of(asked.place),
                asked=_asked_as_json(asked),
                text=asked.text,
                private=asked.private or asked.place.kind == "direct",
                reply_to=asked.reply_to,
                draft="",
                state="open",
                owner=owner,
                attempt=1,
                claimed_until=now + lease,
                asked_at=now,
            )
        )
        if _add_keys(connection, keys, question_id) < len(keys):
            raise TryAgain  # another process claimed one of them since we looked
        return ClaimKind.NEW, Claim(question_id, owner, 1, asked, asked_at=now)
    _add_keys(connection, keys, known)
    if known in held:
        return ClaimKind.DUPLICATE, None
    taken = take_over(connection, known, owner=owner, now=now, lease=lease)
    return (ClaimKind.TAKEN_OVER, taken) if taken else (ClaimKind.DUPLICATE, None)


def take_over(connection: Connection, question_id: str, *, owner: str, now: float, lease: float) -> Claim | None:
    """Take an open claim whose holder has let it run out; None when it is done or held."""
    changed = connection.execute(
        update(questions)
        .where(questions.c.id == question_id, questions.c.state == "open", questions.c.claimed_until <= now)
        .values(owner=owner, claimed_until=now + lease, attempt=questions.c.attempt + 1)
    )
    if not changed.rowcount:
        return None
    return _claim_of(connection.execute(select(questions).where(questions.c.id == question_id)).one())


def expired(connection: Connection, platforms: Collection[str], *, now: float, most: int = 20) -> Sequence[str]:
    """Open questions that nobody holds any more, oldest first."""
    return (
        connection.execute(
            select(questions.c.id)
            .where(
                questions.c.state == "open",
                questions.c.claimed_until <= now,
                questions.c.platform.in_(list(platforms)),
            )
            .order_by(questions.c.asked_at)
            .limit(most)
        )
        .scalars()
        .all()
    )


def waiting(connection: Connection, *, now: float, where: tuple[str, str] | None = None) -> int:
    """How many questions living processes are answering; what a dead one left does not count until somebody takes it up.
    `where`: only those of this (platform, place)."""
    of = questions.c
    here = () if where is None else (of.platform == where[0], of.place == where[1])
    return connection.execute(
        select(func.count()).where(of.state == "open", of.claimed_until > now, *here)
    ).scalar_one()


def renew(connection: Connection, held: Collection[Claim], *, now: float, lease: float) -> frozenset[str]:
    """Hold the claims for another `lease` seconds; returns the ids that are still ours."""
    kept = set()
    for one in held:
        if connection.execute(_mine(one).values(claimed_until=now + lease)).rowcount:
            kept.add(one.question_id)
    return frozenset(kept)


def remember_draft(connection: Connection, held: Claim, draft: str) -> bool:
    """Keep what the adapter needs to clear a half-written message away. False: the claim is lost."""
    return bool(connection.execute(_mine(held).values(draft=draft)).rowcount)


def finish(connection: Connection, held: Claim, outcome: Outcome, *, now: float, aside: str = "") -> bool:
    """The question has reached its one outcome. False: the claim was lost before.

    `aside`: why it is no question in numbers (`days.COUNTED`): its asker wanted no answer, or was told to wait. Empty: it is one.
    What only its answering needed is erased: the reply token, e-mail, roles, and what others said in the thread.
    """
    left = {"aside": aside} if aside else {}
    done = _mine(held).values(state="done", outcome=outcome.value, done_at=now, reply_to="", draft="", asked=left)
    return bool(connection.execute(done).rowcount)


def release(connection: Connection, held: Collection[Claim], *, now: float) -> None:
    """Give claims up unanswered (shutting down): whoever starts next takes them over at once."""
    for one in held:
        connection.execute(_mine(one).values(claimed_until=now))


def recent(connection: Connection, person: str, most: int) -> tuple[Past, ...]:
    """A person's last questions, newest first; without those that got no answer ("그만", nothing, too many at once)."""
    rows = connection.execute(
        select(questions.c.text, questions.c.outcome, questions.c.asked_at)
        .where(questions.c.person == person)
        .where(questions.c.outcome.is_(None) | (questions.c.outcome != Outcome.FAILED.value))
        .order_by(questions.c.asked_at.desc())
        .limit(most)
    )
    return tuple(Past(row.text, row.outcome or "", row.asked_at) for row in rows)


def outcomes(connection: Connection, *, since: float) -> dict[str, int]:
    """How questions ended since then; `open` for those that have not."""
    rows = connection.execute(
        select(func.coalesce(questions.c.outcome, "open"), func.count())
        .where(questions.c.asked_at >= since)
        .group_by(questions.c.outcome)
    )
    return {str(row[0]): int(row[1]) for row in rows}


def set_outcome(connection: Connection, question_id: str, outcome: Outcome) -> None:
    """A later event changed how a question ended: it was escalated."""
    of = questions.c
    row = connection.execute(select(of.asked_at, of.platform, of.place, of.outcome).where(of.id == question_id)).first()
    if row is not None and row.outcome:
        days.outcome_changed(connection, row.asked_at, row.platform, row.place, Outcome(row.outcome), outcome)
    connection.execute(update(questions).where(questions.c.id == question_id).values(outcome=outcome.value))


def place_of(place: Place) -> str:
    """As lists and numbers name it: the channel, empty for a direct message, whose id would name the person."""
    return place.id if place.kind == "channel" else ""


def _mine(held: Claim) -> Any:
    return update(questions).where(
        questions.c.id == held.question_id,
        questions.c.owner == held.owner,
        questions.c.attempt == held.attempt,
        questions.c.state == "open",
    )


def _add_keys(connection: Connection, keys: Sequence[str], question_id: str) -> int:
    added = 0
    for key in keys:
        statement = insert_into(connection, claims).values(key=key, question=question_id).on_conflict_do_nothing()
        # Drivers do not all count inserted rows; what was returned was inserted.
        added += len(connection.execute(statement.returning(claims.c.key)).all())
    return added


def _asked_as_json(asked: Asked) -> dict[str, Any]:
    data = asdict(replace(asked, reply_to=""))
    data["person"]["roles"] = sorted(asked.person.roles)
    return data


def _claim_of(row: Row[Any]) -> Claim:
    data: dict[str, Any] = dict(row.asked)
    person = Person(**(data["person"] | {"roles": frozenset(data["person"]["roles"])}))
    asked = Asked(
        keys=tuple(data["keys"]),
        place=Place(**data["place"]),
        person=person,
        text=data["text"],
        reply_to=row.reply_to,
        private=data["private"],
        turns=tuple(data["turns"]),
    )
    return Claim(row.id, row.owner, row.attempt, asked, row.draft, row.asked_at)
