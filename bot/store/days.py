"""How many questions came each day and how they ended. Days that are over are counted once and kept.

So a page of the last weeks costs a few rows, not every question, and the numbers stay when retention deletes what was asked.
They name nobody: a direct message counts for its platform only.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.messages import Outcome
from bot.store import facts
from bot.store.histogram import Histogram
from bot.store.schema import answers, day_numbers, questions

THROUGH = "days_counted_through"
"""Fact: the moment up to which days were counted and kept."""
_SETTLED = 3600.0
"""Seconds after its end from which on a day is counted for good."""
_GIVEN_UP = 3 * 86400.0
"""Seconds after its end from which on it is, although some question of it has not ended."""

_SECONDS = ("first_token", "total_seconds")


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted of questions. Seconds are of those that a model answered (`first_token`) or that were answered at all."""

    questions: int = 0
    answered: int = 0
    abstained: int = 0
    escalated: int = 0
    failed: int = 0
    tokens_read: int = 0
    tokens_written: int = 0
    cost_krw: float = 0.0
    first_token: Histogram = field(default_factory=Histogram)
    total_seconds: Histogram = field(default_factory=Histogram)

    @classmethod
    def all(cls, some: Iterable[Tally]) -> Tally:
        """All of them together."""
        parts = list(some)
        return cls(
            *(sum(getattr(one, name) for one in parts) for name in cls.__dataclass_fields__ if name not in _SECONDS),
            *(Histogram.all(getattr(one, name) for one in parts) for name in _SECONDS),
        )

    @property
    def open(self) -> int:
        """Not ended yet."""
        return self.questions - self.answered - self.abstained - self.escalated - self.failed


@dataclass(frozen=True, slots=True)
class Counted:
    """One day in one place. `place` is empty for direct messages."""

    day: dt.date
    platform: str
    place: str
    tally: Tally


def midnight(day: dt.date, zone: dt.tzinfo) -> float:
    """When `day` begins, in seconds since the epoch."""
    return dt.datetime.combine(day, dt.time(), zone).timestamp()


def midnights(first: dt.date, last: dt.date, zone: dt.tzinfo) -> list[float]:
    """When each of these days begins."""
    return [midnight(first + dt.timedelta(days=n), zone) for n in range((last - first).days + 1)]


def day_of(at: float, zone: dt.tzinfo) -> dt.date:
    """The day that it is then."""
    return dt.datetime.fromtimestamp(at, zone).date()


def roll_up(connection: Connection, zone: dt.tzinfo, *, now: float) -> bool:
    """Count the next day that is over and keep it. False: there is none left to count; True: there may be.

    One day at a time, so that no transaction is long. Another time zone goes on where the one before it ended.
    """
    known = facts.get(connection, THROUGH)
    begun = connection.execute(
        select(func.min(questions.c.asked_at)).where(questions.c.asked_at >= (float(known) if known else 0.0))
    ).scalar()
    if begun is None:
        return False
    day = day_of(begun, zone)
    begins = max(midnight(day, zone), float(known or 0.0))
    ends = midnight(day + dt.timedelta(days=1), zone)
    if now < ends + _SETTLED or (now < ends + _GIVEN_UP and _some_open(connection, begins, ends)):
        return False
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for one in count(connection, zone, begins, ends):
        values = _as_row(one.tally) | {"platform": one.platform, "place": one.place, "day": day.isoformat()}
        fresh = dialect.insert(day_numbers).values(begins=begins, ends=ends, **values)
        connection.execute(fresh.on_conflict_do_nothing())  # another process counts, too
    facts.put(connection, THROUGH, repr(ends))
    return True


def count(connection: Connection, zone: dt.tzinfo, begins: float, ends: float) -> list[Counted]:
    """Of the questions themselves, by day, platform and place."""
    found: dict[tuple[dt.date, str, str], list[Row[Any]]] = {}
    rows = connection.execute(
        select(
            questions.c.asked_at,
            questions.c.platform,
            questions.c.place,
            questions.c.outcome,
            answers.c.first_token,
            answers.c.total_seconds,
            answers.c.tokens_read,
            answers.c.tokens_written,
            answers.c.cost_krw,
        )
        .select_from(questions.outerjoin(answers, answers.c.question == questions.c.id))
        .where(questions.c.asked_at >= begins, questions.c.asked_at < ends)
    )
    first = day_of(begins, zone)
    starts = midnights(first, day_of(ends, zone), zone)
    for row in rows:
        day = first + dt.timedelta(days=bisect.bisect_right(starts, row.asked_at) - 1)
        found.setdefault((day, row.platform, row.place), []).append(row)
    return [Counted(*key, _tally(group)) for key, group in sorted(found.items())]


def counted(connection: Connection, zone: dt.tzinfo, first: dt.date, *, now: float) -> list[Counted]:
    """Every day from `first` to now: what was kept of days that are over, and what has come since."""
    known = facts.get(connection, THROUGH)
    begins = midnight(first, zone)
    rows = connection.execute(
        select(day_numbers)
        .where(day_numbers.c.day >= first.isoformat())
        .order_by(day_numbers.c.day, day_numbers.c.platform, day_numbers.c.place)
    )
    kept = [Counted(dt.date.fromisoformat(row.day), row.platform, row.place, _of_row(row)) for row in rows]
    return kept + count(connection, zone, max(begins, float(known) if known else 0.0), now + 1.0)


def outcome_changed(
    connection: Connection, asked_at: float, platform: str, place: str, before: Outcome, after: Outcome
) -> None:
    """A question of a day that was counted ended otherwise after all: it was escalated, or that was taken back."""
    was, is_now = day_numbers.c[before.value], day_numbers.c[after.value]
    connection.execute(
        update(day_numbers)
        .where(
            day_numbers.c.begins <= asked_at,
            day_numbers.c.ends > asked_at,
            day_numbers.c.platform == platform,
            day_numbers.c.place == place,
        )
        .values({was.name: was - 1, is_now.name: is_now + 1})
    )


def _some_open(connection: Connection, begins: float, ends: float) -> bool:
    spanned = (questions.c.asked_at >= begins, questions.c.asked_at < ends, questions.c.state == "open")
    return connection.execute(select(questions.c.id).where(*spanned).limit(1)).first() is not None


def _tally(rows: Iterable[Row[Any]]) -> Tally:
    group = list(rows)
    ended = Counter(row.outcome for row in group)
    return Tally(
        questions=len(group),
        **{outcome.value: ended[outcome.value] for outcome in Outcome},
        tokens_read=sum(row.tokens_read or 0 for row in group),
        tokens_written=sum(row.tokens_written or 0 for row in group),
        cost_krw=sum(row.cost_krw or 0.0 for row in group),
        first_token=Histogram.of(row.first_token for row in group if row.first_token is not None),
        total_seconds=Histogram.of(row.total_seconds for row in group if row.total_seconds is not None),
    )


def _as_row(tally: Tally) -> dict[str, Any]:
    plain = {name: getattr(tally, name) for name in Tally.__dataclass_fields__}
    return plain | {"first_token": tally.first_token.as_json(), "total_seconds": tally.total_seconds.as_json()}


def _of_row(row: Row[Any]) -> Tally:
    values = {name: getattr(row, name) for name in Tally.__dataclass_fields__}
    return Tally(
        **values
        | {
            "first_token": Histogram(row.first_token),
            "total_seconds": Histogram(row.total_seconds),
        }
    )
