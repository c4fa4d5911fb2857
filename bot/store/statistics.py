"""Does it help? Questions, outcomes, thumbs, seconds, tokens and money by day and by place, and what waits now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

from sqlalchemy import Connection, and_, func, literal, select, union_all

from bot.store import days, questions
from bot.store.days import Tally, Where
from bot.store.schema import votes

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was counted, and the thumbs given then (of whichever day the answer was)."""

    tally: Tally = field(default_factory=Tally)
    up: int = 0
    down: int = 0

    @classmethod
    def all(cls, some: Iterable[Numbers]) -> Numbers:
        """All of them together."""
        parts = list(some)
        return cls(Tally.all(one.tally for one in parts), sum(one.up for one in parts), sum(one.down for one in parts))

    @property
    def answered_share(self) -> float | None:
        """Of the questions that ended: those that were answered; None: none did."""
        ended = self.tally.questions - self.tally.open
        return self.tally.answered / ended if ended else None

    @property
    def thumbs_share(self) -> float | None:
        """Of the thumbs: those that point up; None: there are none."""
        return self.up / (self.up + self.down) if self.up + self.down else None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Every day of the span, oldest first, also those without a question, everywhere or in the one place that was asked for;
    and each place over all of them, busiest first."""

    by_day: tuple[tuple[dt.date, Numbers], ...]
    by_place: tuple[tuple[Where, Numbers], ...]
    """((platform, place), numbers); the place is empty for direct messages."""
    waiting: int
    """Questions that are being answered or wait for it now."""

    @property
    def today(self) -> dt.date:
        """The last day."""
        return self.by_day[-1][0]

    def over(self, first: dt.date, last: dt.date) -> Numbers:
        """All of these days together."""
        return Numbers.all(numbers for day, numbers in self.by_day if first <= day <= last)


def statistics(
    connection: Connection,
    zone: dt.tzinfo,
    *,
    now: float,
    span: int = 28,
    least_days: int = 0,
    where: Where = days.EVERYWHERE,
    kept: days.KeptSeconds | None = None,
) -> Statistics:
    """The last `span` days with today; `by_day` has at least `least_days`. `where`: the place of `by_day` and `waiting`.
    `kept`: who calls often keeps it for the next time.

    Call `days.roll_up` before, until it has nothing left to do: then this is quick.
    """
    today = days.day_of(now, zone)
    begins = today - dt.timedelta(days=span - 1)
    span = max(span, least_days)
    first = today - dt.timedelta(days=span - 1)
    uncounted = days.live(connection, zone, first, now=now)
    tallies = days.by_day(connection, first, uncounted, where)
    thumbs = _thumbs_by_day(connection, zone, first, today, where)
    places, thumbed = (
        days.by_place(connection, begins, uncounted, kept or days.KeptSeconds()),
        _thumbs_by_place(connection, zone, begins),
    )
    every = [first + dt.timedelta(days=n) for n in range(span)]
    ranked = sorted({*places, *thumbed}, key=lambda one: (-places.get(one, Tally()).questions, one))
    return Statistics(
        tuple((day, Numbers(tallies.get(day, Tally()), *thumbs.get(day, (0, 0)))) for day in every),
        tuple((one, Numbers(places.get(one, Tally()), *thumbed.get(one, (0, 0)))) for one in ranked),
        questions.waiting(connection, now=now, where=None if where == days.EVERYWHERE else where),
    )


def _thumbs_by_day(
    connection: Connection, zone: dt.tzinfo, first: dt.date, last: dt.date, where: Where
) -> dict[dt.date, tuple[int, int]]:
    """(up, down) that stand now, by the day they were given."""
    starts = [days.midnight(first + dt.timedelta(days=n), zone) for n in range((last - first).days + 2)]
    spans = enumerate(pairwise(starts))
    each = union_all(
        *(select(literal(n).label("n"), literal(a).label("a"), literal(b).label("b")) for n, (a, b) in spans)
    ).subquery("each_day")
    given = each.join(votes, and_(votes.c.voted_at >= each.c.a, votes.c.voted_at < each.c.b))
    platform, place = where
    here = () if where == days.EVERYWHERE else (votes.c.platform == platform, func.coalesce(votes.c.place, "") == place)
    rows = connection.execute(
        select(each.c.n, votes.c.direction, func.count())
        .select_from(given)
        .where(votes.c.direction.is_not(None), *here)
        .group_by(each.c.n, votes.c.direction)
    )
    return _both((first + dt.timedelta(days=n), direction, count) for n, direction, count in rows)


def _thumbs_by_place(connection: Connection, zone: dt.tzinfo, first: dt.date) -> dict[Where, tuple[int, int]]:
    """(up, down) that stand now and were given since `first`, by the place of the question."""
    of = votes.c
    rows = connection.execute(
        select(of.platform, of.place, of.direction, func.count())
        .where(of.voted_at >= days.midnight(first, zone), of.direction.is_not(None))
        .group_by(of.platform, of.place, of.direction)
    )
    return _both(((platform or "", place or ""), direction, count) for platform, place, direction, count in rows)


def _both(rows: Iterable[tuple[K, str, int]]) -> dict[K, tuple[int, int]]:
    found: dict[K, tuple[int, int]] = {}
    for key, direction, count in rows:
        up, down = found.get(key, (0, 0))
        found[key] = (up + count, down) if direction == "up" else (up, down + count)
    return found
