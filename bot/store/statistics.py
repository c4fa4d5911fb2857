"""Does it help? Questions, outcomes, thumbs, seconds, tokens and money by day and by place, and what waits now."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sqlalchemy import Connection, and_, func, literal, select, union_all

from bot.store import days, questions
from bot.store.days import Counted, Tally
from bot.store.schema import questions as questions_table
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
class Row:
    """One day in one place. `place` is empty for direct messages."""

    day: dt.date
    platform: str
    place: str
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Statistics:
    """Rows of all days from `first` to `today`; days and places without anything have none."""

    first: dt.date
    today: dt.date
    rows: tuple[Row, ...]
    waiting: int
    """Questions that are being answered or wait for it now."""

    def over(self, first: dt.date, last: dt.date) -> Numbers:
        """All of these days together."""
        return Numbers.all(row.numbers for row in self.rows if first <= row.day <= last)

    def by_day(self) -> list[tuple[dt.date, Numbers]]:
        """Every day, also those without a question."""
        found = _grouped(self.rows, lambda row: row.day)
        span = (self.today - self.first).days + 1
        all_days = (self.first + dt.timedelta(days=n) for n in range(span))
        return [(day, found.get(day, Numbers())) for day in all_days]

    def by_place(self, first: dt.date, last: dt.date) -> list[tuple[tuple[str, str], Numbers]]:
        """((platform, place), numbers) of these days, most questions first."""
        found = _grouped((row for row in self.rows if first <= row.day <= last), lambda row: (row.platform, row.place))
        return sorted(found.items(), key=lambda one: (-one[1].tally.questions, one[0]))


def statistics(connection: Connection, zone: dt.tzinfo, *, now: float, span: int = 28) -> Statistics:
    """The last `span` days with today. Call `days.roll_up` before, until it has nothing left to do: then this is quick."""
    today = days.day_of(now, zone)
    first = today - dt.timedelta(days=span - 1)
    rows = _with_thumbs(days.counted(connection, zone, first, now=now), _thumbs(connection, zone, first, today))
    return Statistics(first, today, tuple(rows), questions.waiting(connection, now=now))


_Key = tuple[dt.date, str, str]


def _thumbs(connection: Connection, zone: dt.tzinfo, first: dt.date, last: dt.date) -> dict[_Key, tuple[int, int]]:
    """(up, down) that stand now, by the day they were given and the place of the question."""
    starts = days.midnights(first, last + dt.timedelta(days=1), zone)
    spans = enumerate(itertools.pairwise(starts))
    each = union_all(
        *(select(literal(n).label("n"), literal(a).label("a"), literal(b).label("b")) for n, (a, b) in spans)
    ).subquery("each_day")
    found: dict[_Key, tuple[int, int]] = {}
    for row in connection.execute(
        select(each.c.n, votes.c.direction, questions_table.c.platform, questions_table.c.place, func.count())
        .select_from(
            each.join(votes, and_(votes.c.voted_at >= each.c.a, votes.c.voted_at < each.c.b)).join(
                questions_table, questions_table.c.id == votes.c.question
            )
        )
        .where(votes.c.direction.is_not(None))
        .group_by(each.c.n, votes.c.direction, questions_table.c.platform, questions_table.c.place)
    ):
        number, direction, platform, place, count = row
        key = (first + dt.timedelta(days=number), platform, place)
        up, down = found.get(key, (0, 0))
        found[key] = (up + count, down) if direction == "up" else (up, down + count)
    return found


def _with_thumbs(counted: Iterable[Counted], thumbs: dict[_Key, tuple[int, int]]) -> Iterable[Row]:
    rows = {(one.day, one.platform, one.place): Numbers(one.tally) for one in counted}
    for key, (up, down) in thumbs.items():
        rows[key] = replace(rows.get(key, Numbers()), up=up, down=down)
    return (Row(*key, numbers) for key, numbers in sorted(rows.items()))


def _grouped(rows: Iterable[Row], key: Callable[[Row], K]) -> dict[K, Numbers]:
    found: dict[K, list[Numbers]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row.numbers)
    return {group: Numbers.all(numbers) for group, numbers in found.items()}
