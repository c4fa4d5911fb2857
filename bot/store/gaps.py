"""Knowledge gaps: what was missed, which gap it belongs to, and what people and jobs did with the gaps."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, or_, select, update

from bot.conversation import Place
from bot.gaps.gap import WEEKS, Change, Gap, Helper, Missed, NearPage, Reason
from bot.messages import Outcome
from bot.store import gap_numbers
from bot.store.schema import answers, escalations, gap_events, gap_questions, gaps, questions, votes

AUTO = "auto"
"""Who did it, when a job did."""
_RESTS = ("shown", "citations", "nearest")
"""Lists in an answer whose entries name a page."""
_PAGES = tuple(answers.c.answer[name].label(name) for name in _RESTS)
_MISSED = (
    questions.c.id,
    questions.c.text,
    questions.c.person,
    questions.c.private,
    questions.c.asked_at,
    questions.c.outcome,
    answers.c.outcome.label("first_outcome"),
    answers.c.answer["condensed"].as_string().label("condensed"),
    *_PAGES,
    answers.c.place,
    answers.c.edition,
    gap_questions.c.gap,
    gap_questions.c.typical,
    gap_questions.c.vector,
    gap_questions.c.embedder,
)


@dataclass(frozen=True, slots=True)
class Grown:
    """A gap after a run: `id` empty for a new one; `added`: questions that joined it."""

    id: str
    name: str
    open_name: str
    nearest: Sequence[NearPage]
    added: Mapping[str, tuple[Reason, float, bytes, str]]
    """Question id → reason, asked at, vector, embedder."""
    typical: Mapping[str, float]
    """Question id → 0..1, of all its questions."""
    read_again: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    """Question id → vector, embedder, of those that had none of this embedder."""


def missed(connection: Connection, *, since: float, most: int) -> list[Missed]:
    """Questions asked since then that were declined, escalated or voted down more than up, and all that are in a gap; oldest first.

    At most `most`, the newest ones. Questions that nobody was answered because of a failure are no gaps.
    """
    down, up = _thumbs()
    balance = (
        select(votes.c.answer, func.sum(down - up).label("more"))
        .group_by(votes.c.answer)
        .having(func.sum(down - up) > 0)
    ).subquery()
    rows = connection.execute(
        select(*_MISSED)
        .join(answers, answers.c.question == questions.c.id)
        .outerjoin(balance, balance.c.answer == answers.c.id)
        .outerjoin(gap_questions, gap_questions.c.question == questions.c.id)
        .where(questions.c.state == "done")
        .where(
            or_(
                gap_questions.c.gap.is_not(None),
                (questions.c.asked_at >= since)
                & (
                    questions.c.outcome.in_([Outcome.ABSTAINED.value, Outcome.ESCALATED.value])
                    | balance.c.more.is_not(None)
                ),
            )
        )
        .order_by(questions.c.asked_at.desc(), questions.c.id)
        .limit(most)
    ).all()
    return [_missed(row) for row in reversed(rows)]


def keep(connection: Connection, grown: Sequence[Grown], *, now: float) -> list[str]:
    """Write what a run found; the ids of the gaps, in order. A gap that was answered opens again when somebody asks anew."""
    ids = [_keep_one(connection, one, now) for one in grown]
    gap_numbers.recount(connection, now=now)
    return ids


def tidy(connection: Connection, *, now: float) -> int:
    """Snoozed ones whose time has come open again; those whose questions are all gone go, too. How many went."""
    for gap in connection.execute(
        select(gaps.c.id).where(gaps.c.state == "snoozed", gaps.c.snoozed_until <= now)
    ).scalars():
        change(connection, gap, "reopened", by=AUTO, now=now, state="open", snoozed_until=None)
    held = select(gap_questions.c.gap).distinct()
    gone = connection.execute(delete(gaps).where(gaps.c.id.not_in(held))).rowcount
    gap_numbers.recount(connection, now=now)
    return gone


def withdraw(connection: Connection, ids: Collection[str]) -> None:
    """Questions that are missed no more: a thumb was taken back."""
    for one in ids:
        connection.execute(delete(gap_questions).where(gap_questions.c.question == one))


def regretted(connection: Connection) -> list[str]:
    """Questions in gaps because of a thumb down that is no longer there."""
    down, up = _thumbs()
    return list(
        connection.execute(
            select(gap_questions.c.question)
            .join(questions, questions.c.id == gap_questions.c.question)
            .join(answers, answers.c.question == questions.c.id)
            .outerjoin(votes, votes.c.answer == answers.c.id)
            .where(gap_questions.c.reason == "down", questions.c.outcome == Outcome.ANSWERED.value)
            .group_by(gap_questions.c.question)
            .having(func.coalesce(func.sum(down - up), 0) <= 0)
        ).scalars()
    )


def every(connection: Connection, *, states: Collection[str] = (), ids: Collection[str] = ()) -> list[Gap]:
    """With their numbers as of the last run, heaviest first. `states`, `ids`: only those; empty: all."""
    wanted = select(gaps)
    if states:
        wanted = wanted.where(gaps.c.state.in_(sorted(states)))
    if ids:
        wanted = wanted.where(gaps.c.id.in_(sorted(ids)))
    found = [_gap(row) for row in connection.execute(wanted)]
    return sorted(found, key=lambda one: (one.weight, one.id), reverse=True)


def counts(connection: Connection) -> dict[str, int]:
    """How many there are in each state."""
    return {
        str(row[0]): int(row[1])
        for row in connection.execute(select(gaps.c.state, func.count()).group_by(gaps.c.state))
    }


def get(connection: Connection, gap: str) -> Gap | None:
    """By its id."""
    return next(iter(every(connection, ids=[gap])), None)


def of(connection: Connection, gap: str, most: int | None = None) -> list[Missed]:
    """Its questions, the most typical first."""
    rows = connection.execute(
        select(*_MISSED)
        .join(gap_questions, gap_questions.c.question == questions.c.id)
        .join(answers, answers.c.question == questions.c.id)
        .where(gap_questions.c.gap == gap)
        .order_by(gap_questions.c.typical.desc(), gap_questions.c.asked_at.desc(), questions.c.id)
        .limit(most)
    )
    return [_missed(row) for row in rows]


def helpers(connection: Connection, gap: str) -> list[Helper]:
    """Who was called for its questions, newest first; what they said only with their consent."""
    rows = connection.execute(
        select(
            escalations.c.contacts,
            escalations.c.resolution,
            escalations.c.consent,
            questions.c.platform,
            questions.c.private,
            *_PAGES,
        )
        .join(answers, answers.c.id == escalations.c.answer)
        .join(questions, questions.c.id == answers.c.question)
        .join(gap_questions, gap_questions.c.question == questions.c.id)
        .where(gap_questions.c.gap == gap)
        .order_by(escalations.c.called_at.desc())
    )
    return [
        Helper(tuple(row.contacts), row.platform, row.resolution if row.consent else "", bool(row.private), _pages(row))
        for row in rows
    ]


def history(connection: Connection, gap: str) -> list[Change]:
    """Oldest first."""
    rows = connection.execute(select(gap_events).where(gap_events.c.gap == gap).order_by(gap_events.c.id))
    return [Change(row.action, row.by, row.at, row.detail) for row in rows]


def change(
    connection: Connection,
    /,
    gap: str,
    action: str,
    *,
    by: str,
    now: float,
    detail: Mapping[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Set columns and note it in the history. False: there is no such gap."""
    done = connection.execute(update(gaps).where(gaps.c.id == gap).values(changed_at=now, **values)).rowcount
    if done:
        connection.execute(insert(gap_events).values(gap=gap, action=action, by=by, detail=dict(detail or {}), at=now))
    return bool(done)


def asked_again(connection: Connection, gap: str, edition: str) -> None:
    """Its questions were asked again in this edition, and nothing changed."""
    connection.execute(update(gaps).where(gaps.c.id == gap).values(asked_edition=edition))


def _thumbs() -> tuple[Any, Any]:
    return case((votes.c.direction == "down", 1), else_=0), case((votes.c.direction == "up", 1), else_=0)


def _keep_one(connection: Connection, one: Grown, now: float) -> str:
    gap, state = one.id, "open"
    values = {"name": one.name, "open_name": one.open_name, "nearest": [asdict(page) for page in one.nearest]}
    if not gap:
        gap = secrets.token_hex(6)
        empty = dict.fromkeys(("named", "assigned", "draft", "answered_source", "answered_page", "asked_edition"), "")
        connection.execute(
            insert(gaps).values(id=gap, state=state, shared=False, made_at=now, changed_at=now, **empty, **values)
        )
        _note(connection, gap, "made", now, {"questions": len(one.added)})
    else:
        state = connection.execute(select(gaps.c.state).where(gaps.c.id == gap)).scalar_one()
        connection.execute(update(gaps).where(gaps.c.id == gap).values(**values))
    for question, (reason, asked_at, vector, embedder) in one.added.items():
        row = {"reason": reason, "asked_at": asked_at, "vector": vector, "embedder": embedder, "typical": 0.0}
        connection.execute(insert(gap_questions).values(question=question, gap=gap, **row))
    for question, typical in one.typical.items():
        connection.execute(update(gap_questions).where(gap_questions.c.question == question).values(typical=typical))
    for question, (vector, embedder) in one.read_again.items():
        mine = gap_questions.c.question == question
        connection.execute(update(gap_questions).where(mine).values(vector=vector, embedder=embedder))
    if one.id and one.added:
        _note(connection, gap, "grew", now, {"questions": len(one.added)})
        if state == "answered":
            change(connection, gap, "reopened", by=AUTO, now=now, state="open", answered_source="", answered_page="")
    return gap


def _note(connection: Connection, gap: str, action: str, now: float, detail: Mapping[str, Any]) -> None:
    connection.execute(insert(gap_events).values(gap=gap, action=action, by=AUTO, detail=dict(detail), at=now))


def _missed(row: Any) -> Missed:
    reason: Reason = "down"
    if row.outcome == Outcome.ESCALATED.value:
        reason = "escalated"
    elif row.outcome == Outcome.ABSTAINED.value:
        reason = "abstained"
    return Missed(
        id=row.id,
        text=row.condensed or row.text,
        own=row.text,
        person=row.person,
        private=bool(row.private),
        place=Place(**row.place),
        asked_at=row.asked_at,
        reason=reason,
        was_answered=row.first_outcome == Outcome.ANSWERED.value,
        edition=row.edition,
        seen=frozenset(str(one["text"]) for one in _listed(row.shown)),
        pages=_pages(row),
        gap=row.gap or "",
        typical=row.typical or 0.0,
        vector=row.vector,
        embedder=row.embedder or "",
    )


def _pages(row: Any) -> frozenset[tuple[str, str]]:
    """As `Answer.pages`."""
    return frozenset(
        (str(one.get("source", "")), str(one["page"])) for name in _RESTS for one in _listed(getattr(row, name))
    )


def _listed(value: Any) -> Iterable[Mapping[str, Any]]:
    return value if isinstance(value, list) else ()


def _gap(row: Row[Any]) -> Gap:
    numbers: Mapping[str, Any] = row.numbers or {}
    return Gap(
        id=row.id,
        state=row.state,
        name=row.name,
        named=row.named,
        open_name=row.open_name,
        assigned=row.assigned,
        draft=row.draft,
        shared=bool(row.shared),
        nearest=tuple(
            NearPage(**(one | {"audience": tuple(tuple(clause) for clause in one["audience"])})) for one in row.nearest
        ),
        snoozed_until=row.snoozed_until,
        answered_source=row.answered_source,
        answered_page=row.answered_page,
        asked_edition=row.asked_edition,
        made_at=row.made_at,
        changed_at=row.changed_at,
        count=int(numbers.get("count", 0)),
        people=int(numbers.get("people", 0)),
        recent_people=int(numbers.get("recent_people", 0)),
        private=int(numbers.get("private", 0)),
        reasons={one: int(numbers.get("reasons", {}).get(one, 0)) for one in gap_numbers.REASONS},
        newest_at=numbers.get("newest_at"),
        weeks=tuple(numbers.get("weeks", [0] * WEEKS)),
    )
