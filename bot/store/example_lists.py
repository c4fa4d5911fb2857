"""Examples as a reviewer's queue: short lines by filter and page, counts, and the steps that can be taken back. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, or_, select

from bot.examples.example import Kind, State
from bot.examples.refresh import FROM_PEOPLE
from bot.store.cursor import Cursor
from bot.store.schema import answers, example_changes, example_origins, example_people, examples

_NEWEST = 1000
"""Changes among which steps are looked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter. Empty `kind` or `lora`: any."""

    state: State = "pending"
    kind: str = ""
    lora: str = ""
    """That wrote the answer; `none`: the plain base did."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the queue."""

    id: str
    kind: Kind
    state: State
    question: str
    people: int
    """How many stand behind it."""
    problems: tuple[str, ...]
    """As they were when it was last built, edited or decided."""
    made_at: float
    from_people: bool
    """Whether it rests on what somebody said here."""
    private: bool
    """See `is_private`."""


@dataclass(frozen=True, slots=True)
class Step:
    """Decisions or edits that a reviewer made at once, and can take back at once."""

    action: str
    at: float
    count: int
    first: str
    """Id of one of its examples."""


def lines(connection: Connection, wanted: Wanted, *, start: Cursor | None = None, most: int) -> list[Line]:
    """Oldest first, from `start` = `Cursor(made_at, id)` on, itself included."""
    people = (
        select(func.count())
        .select_from(example_people)
        .where(example_people.c.example == examples.c.id)
        .scalar_subquery()
    )
    columns = (examples.c[name] for name in ("id", "kind", "state", "question", "problems", "made_at"))
    whose = (_rests_on_people().label("from_people"), _private().label("private"))
    query = select(*columns, people.label("people"), *whose).where(*_conditions(wanted))
    if start is not None:
        same_time = and_(examples.c.made_at == start.at, examples.c.id >= start.id)
        query = query.where(or_(examples.c.made_at > start.at, same_time))
    rows = connection.execute(query.order_by(examples.c.made_at, examples.c.id).limit(most))
    return [
        Line(
            id=row.id,
            kind=row.kind,
            state=row.state,
            question=row.question,
            people=int(row.people),
            problems=tuple(row.problems),
            made_at=row.made_at,
            from_people=bool(row.from_people),
            private=bool(row.private),
        )
        for row in rows
    ]


def is_private(connection: Connection, example_id: str) -> bool:
    """Whether its words were said where only the asker saw the answer, or nobody can tell any more since the answers are gone."""
    return bool(connection.execute(select(_private()).where(examples.c.id == example_id)).scalar())


def steps(connection: Connection, by: str, *, most: int) -> Sequence[Step]:
    """What `by` did last and has not taken back, newest first."""
    # The newest rows suffice: a person may have decided a hundred thousand times.
    mine = (
        select(example_changes)
        .where(example_changes.c.by == by, example_changes.c.action != "undo", ~example_changes.c.undone)
        .order_by(example_changes.c.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    rows = connection.execute(
        select(
            mine.c.at,
            func.min(mine.c.action).label("action"),
            func.count(mine.c.example.distinct()).label("count"),
            func.min(mine.c.example).label("first"),
        )
        .group_by(mine.c.at)
        .order_by(func.max(mine.c.id).desc())
        .limit(most)
    )
    return [Step(row.action, row.at, int(row._mapping["count"]), row.first) for row in rows]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [examples.c.state == wanted.state]
    if wanted.kind:
        found.append(examples.c.kind == wanted.kind)
    if wanted.lora:
        found.append(examples.c.lora == wanted.lora)
    return found


def _private() -> Any:
    """Of a row of `examples`: from people, and an answer it was made from was private or is gone."""
    mine = example_origins.c.example == examples.c.id
    private = exists(
        select(literal(1))
        .select_from(example_origins.outerjoin(answers, answers.c.id == example_origins.c.answer))
        .where(mine, or_(answers.c.private, answers.c.id.is_(None)))
    )
    known = exists(select(literal(1)).select_from(example_origins).where(mine))
    return and_(_rests_on_people(), or_(private, ~known))


def _rests_on_people() -> ColumnElement[bool]:
    """`bot.examples.refresh.rests_on_people` of a row: an imported copy says what its original says."""
    stood = exists(select(literal(1)).select_from(example_people).where(example_people.c.example == examples.c.id))
    return or_(examples.c.kind.in_(FROM_PEOPLE), examples.c.asker != "", stood)
