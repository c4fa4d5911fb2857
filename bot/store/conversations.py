"""Looking through questions: filtered lists, newest first. All there is about one of them: told.py.

Lists page by key (when a question was asked, and its id), so a page far down costs as much as the first. Words, which no index finds,
are looked for in the newest `MOST_LOOKED_AT` questions that the other filters leave; the next page goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from bot.conversation import Direction
from bot.store.cursor import Cursor
from bot.store.schema import answers, questions, shown_at, votes

MOST_LOOKED_AT = 20_000
LONGEST_TEXT = 100
"""Characters of what is searched for."""
PAGE = 50
MOST_CHOICES = 200
"""Places, or LoRAs, that a list can be narrowed to."""
OPEN = "open"
"""The outcome of a question that has none yet."""

Searchable = Literal["all", "shared", "none"]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is listed; what is empty or None does not count. Times are seconds since the epoch."""

    outcome: str = ""
    """One of `Outcome`, or `open`."""
    platform: str = ""
    place: str | None = None
    """A channel; empty: direct messages."""
    lora: str = ""
    vote: Direction | Literal[""] = ""
    """Some thumb points there now."""
    since: float | None = None
    until: float | None = None
    """Not itself."""
    text: str = ""
    """A part of the question as it was asked, of any case; or the whole id of one."""
    searchable: Searchable = "all"
    """Whose words `text` may find: `shared`: not those of private questions; else a search would tell what is hidden."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row. `private`: only the asker saw the answer, and they have not shown it to others."""

    id: str
    asked_at: float
    platform: str
    place: str
    private: bool
    outcome: str
    """`open` while it has none."""
    text: str
    lora: str
    up: int
    down: int
    total_seconds: float | None


@dataclass(frozen=True, slots=True)
class Listing:
    """`more`: where to go on; None: that was all. With fewer rows than a page and `more`, there was not enough time to look at all."""

    rows: tuple[Listed, ...]
    more: Cursor | None


def page(connection: Connection, wanted: Filter, *, after: Cursor | None = None, most: int = PAGE) -> Listing:
    """At most `most` questions, newest first, those after the cursor."""
    exact = _exact(wanted)
    if after is not None:
        exact += _beyond(after)
    rows = _rows(connection, _found(wanted, exact).limit(most + 1))
    if len(rows) > most:
        return Listing(tuple(rows[:most]), Cursor(rows[most - 1].asked_at, rows[most - 1].id))
    if not _text(wanted):
        return Listing(tuple(rows), None)
    of = questions.c
    last = connection.execute(
        _sorted(select(of.asked_at, of.id).where(*exact)).offset(MOST_LOOKED_AT - 1).limit(1)
    ).first()
    return Listing(tuple(rows), Cursor(last.asked_at, last.id) if last is not None else None)


def beside(connection: Connection, wanted: Filter, here: Cursor) -> tuple[str, str]:
    """Ids of the (newer, older) question of a list beside one of its questions; empty: there is none near."""

    def nearest(*, newer: bool) -> str:
        exact = [*_exact(wanted), *_beyond(here, newer=newer)]
        return connection.execute(_found(wanted, exact, newest_first=not newer).limit(1)).scalar() or ""

    return nearest(newer=True), nearest(newer=False)


def one(connection: Connection, question_id: str) -> Listed | None:
    """A question as lists show it; None: there is no such."""
    rows = _rows(connection, select(questions.c.id).where(questions.c.id == question_id))
    return rows[0] if rows else None


def places(connection: Connection) -> list[tuple[str, str]]:
    """(platform, place) of all questions, for a list to choose from."""
    of = questions.c
    found: list[tuple[str, str]] = []
    # One step of the index for each, however many questions there are.
    for platform in _each(connection, of.platform):
        found += [(platform, place) for place in _each(connection, of.place, of.platform == platform)]
    return found[:MOST_CHOICES]


def loras(connection: Connection) -> list[str]:
    """Names of the LoRAs that have answered; `none`: the plain base."""
    return [name for name in _each(connection, questions.c.lora) if name]


def _each(connection: Connection, column: ColumnElement[str], *within: ColumnElement[bool]) -> list[str]:
    """The different values of an indexed column, in order."""
    found: list[str] = []
    while len(found) < MOST_CHOICES:
        beyond = [column > found[-1]] if found else []
        value = connection.execute(select(func.min(column)).where(*within, *beyond)).scalar()
        if value is None:
            break
        found.append(value)
    return found


def _exact(wanted: Filter) -> list[ColumnElement[bool]]:
    of = questions.c
    found: list[ColumnElement[bool]] = []
    if wanted.outcome:
        found.append(of.outcome.is_(None) if wanted.outcome == OPEN else of.outcome == wanted.outcome)
    if wanted.platform:
        found.append(of.platform == wanted.platform)
    if wanted.place is not None:
        found.append(of.place == wanted.place)
    if wanted.lora:
        found.append(of.lora == wanted.lora)
    if wanted.since is not None:
        found.append(of.asked_at >= wanted.since)
    if wanted.until is not None:
        found.append(of.asked_at < wanted.until)
    if wanted.vote:
        found.append(of.id.in_(select(votes.c.question).where(votes.c.direction == wanted.vote)))
    return found


def _says(text: str, searchable: Searchable, of: Any) -> ColumnElement[bool]:
    inside: ColumnElement[bool] = of.text.icontains(text, autoescape=True)
    if searchable == "shared":
        inside = and_(inside, or_(of.private.is_(False), _shown_to_others(of)))
    elif searchable == "none":
        inside = and_(inside, of.id.is_(None))
    return or_(of.id == text, inside)


def _shown_to_others(of: Any) -> ColumnElement[bool]:
    shown = select(shown_at.c.answer).join(answers, answers.c.id == shown_at.c.answer)
    return shown.where(answers.c.question == of.id).exists()


def _text(wanted: Filter) -> str:
    return " ".join(wanted.text.split())[:LONGEST_TEXT]


def _found(wanted: Filter, exact: Sequence[ColumnElement[bool]], *, newest_first: bool = True) -> Select[Any]:
    """Ids of the questions that `exact` leaves and in which the words stand, in order."""
    of, text = questions.c, _text(wanted)
    if not text:
        return _sorted(select(of.id).where(*exact), newest_first=newest_first)
    looked = _sorted(select(of.id, of.asked_at, of.text, of.private).where(*exact), newest_first=newest_first)
    inner = looked.limit(MOST_LOOKED_AT).subquery("looked_at")
    says = _says(text, wanted.searchable, inner.c)
    return _sorted(select(inner.c.id).where(says), inner.c, newest_first=newest_first)


def _beyond(at: Cursor, *, newer: bool = False) -> list[ColumnElement[bool]]:
    """On the older side of a question, or on the newer one."""
    of = questions.c
    if newer:
        further = or_(of.asked_at > at.at, and_(of.asked_at == at.at, of.id > at.id))
        return [further, of.asked_at >= at.at]  # what an index can begin at
    return [or_(of.asked_at < at.at, and_(of.asked_at == at.at, of.id < at.id)), of.asked_at <= at.at]


def _sorted(statement: Select[Any], of: Any = questions.c, *, newest_first: bool = True) -> Select[Any]:
    columns = (of.asked_at, of.id)
    return statement.order_by(*(column.desc() if newest_first else column for column in columns))


def _rows(connection: Connection, ids: Select[Any]) -> list[Listed]:
    """The questions of `ids` with what else a list shows: few, so each is looked up."""
    wanted: Sequence[str] = connection.execute(ids).scalars().all()
    thumbs: dict[str, dict[str, int]] = {}
    for row in connection.execute(
        select(votes.c.question, votes.c.direction, func.count())
        .where(votes.c.question.in_(wanted), votes.c.direction.is_not(None))
        .group_by(votes.c.question, votes.c.direction)
    ):
        thumbs.setdefault(row[0], {})[row[1]] = row[2]
    of = questions.c
    rows = connection.execute(
        select(
            of.id,
            of.asked_at,
            of.platform,
            of.place,
            of.outcome,
            of.text,
            of.lora,
            and_(of.private, ~_shown_to_others(of)).label("private"),
            answers.c.total_seconds,
        )
        .select_from(questions.outerjoin(answers, answers.c.question == of.id))
        .where(of.id.in_(wanted))
        .order_by(of.asked_at.desc(), of.id.desc())
    )
    return [
        Listed(
            row.id,
            row.asked_at,
            row.platform,
            row.place,
            bool(row.private),
            row.outcome or OPEN,
            row.text,
            row.lora,
            thumbs.get(row.id, {}).get("up", 0),
            thumbs.get(row.id, {}).get("down", 0),
            row.total_seconds,
        )
        for row in rows
    ]
