"""How many questions came each day and how they ended. Days that are over are counted once and kept.

So a page of the last weeks costs a few rows, not every question, and the numbers stay when retention deletes what was asked.
They name nobody: a direct message counts for its platform only.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, or_, select, update

from bot.messages import Outcome
from bot.store import facts
from bot.store.histogram import Histogram, bucket
from bot.store.inserting import insert_into
from bot.store.schema import answers, day_numbers, questions

THROUGH = "days_counted_through"
"""Fact: the moment up to which days were counted and kept."""
EVERYWHERE = ("", "")
"""Instead of (platform, place): all of them together."""
COUNTED = case((questions.c.state == "done", questions.c.asked["aside"].as_string())).is_(None)
"""Of a row of `questions`: it is one in numbers. "그만" is none, nor what was turned away (`questions.finish`)."""
_SETTLED = 3600.0
"""Seconds after its end from which on a day is counted for good."""
_GIVEN_UP = 3 * 86400.0
"""Seconds after its end from which on it is, although some question of it has not ended."""
_SUMS = ("questions", "answered", "abstained", "escalated", "failed", "tokens_read", "tokens_written", "cost_krw")

_SECONDS = ("first_token", "total_seconds")

Where = tuple[str, str]
"""(platform, place); the place is empty for direct messages."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted of questions. Seconds are of those that a model answered (`first_token`) or that were answered at all;
    days that an earlier program counted for good have them for all places together only."""

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
        sums: dict[str, Any] = {name: sum(getattr(one, name) for one in parts) for name in _SUMS}
        return cls(
            **sums,
            first_token=Histogram.all(one.first_token for one in parts),
            total_seconds=Histogram.all(one.total_seconds for one in parts),
        )

    @property
    def open(self) -> int:
        """Not ended yet."""
        return self.questions - self.answered - self.abstained - self.escalated - self.failed


Live = Sequence[tuple[dt.date, dict[Where, Tally]]]
"""(day, what was counted of it just now)."""


def midnight(day: dt.date, zone: dt.tzinfo) -> float:
    """When `day` begins, in seconds since the epoch."""
    return dt.datetime.combine(day, dt.time(), zone).timestamp()


def day_of(at: float, zone: dt.tzinfo) -> dt.date:
    """The day that it is then."""
    return dt.datetime.fromtimestamp(at, zone).date()


def roll_up(connection: Connection, zone: dt.tzinfo, *, now: float) -> bool:
    """Count the next day that is over and keep it. False: there is none left to count; True: there may be.

    One day at a time, so that no transaction is long. Another time zone goes on where the one before it ended.
    """
    known = _through(connection)
    begun = connection.execute(select(func.min(questions.c.asked_at)).where(questions.c.asked_at >= known)).scalar()
    if begun is None:
        return False
    day = day_of(begun, zone)
    begins, ends = max(midnight(day, zone), known), midnight(day + dt.timedelta(days=1), zone)
    if now < ends + _SETTLED or (now < ends + _GIVEN_UP and _some_open(connection, begins, ends)):
        return False
    for (platform, place), tally in count(connection, begins, ends).items():
        values = {"day": day.isoformat(), "platform": platform, "place": place, "begins": begins, "ends": ends}
        fresh = insert_into(connection, day_numbers).values(**values, **_as_row(tally)).on_conflict_do_nothing()
        if connection.execute(fresh.returning(day_numbers.c.day)).first() is None:
            _add(connection, values, tally)
    facts.put(connection, THROUGH, repr(ends))
    return True


def _add(connection: Connection, values: Mapping[str, Any], tally: Tally) -> None:
    """To the row of that day, unless it has this span already: another process counts, too.

    Where the time zone moved west, a day goes on that was counted before.
    """
    of = day_numbers.c
    here = and_(*(of[name] == values[name] for name in ("day", "platform", "place")))
    row = connection.execute(select(day_numbers).where(here, of.ends <= values["begins"])).first()
    if row is not None:
        whole = _as_row(Tally.all([_of_row(row), tally]))
        connection.execute(update(day_numbers).where(here, of.ends == row.ends).values(ends=values["ends"], **whole))


def count(connection: Connection, begins: float, ends: float) -> dict[Where, Tally]:
    """Of the questions themselves: everywhere, and in each place."""
    asked, of = questions.c, answers.c
    found: dict[Where, dict[str, float]] = {}
    seconds: dict[Where, tuple[Counter[str], Counter[str]]] = {}
    for platform, place, outcome, first, total, *sums in connection.execute(
        select(
            asked.platform, asked.place, asked.outcome,
            of.first_token, of.total_seconds, of.tokens_read, of.tokens_written, of.cost_krw,
        )
        .select_from(questions.outerjoin(answers, of.question == asked.id))
        .where(asked.asked_at >= begins, asked.asked_at < ends, COUNTED)
    ):  # fmt: skip
        where = (platform, place)
        if where not in found:
            found[where], seconds[where] = dict.fromkeys(_SUMS, 0), (Counter(), Counter())
        tally = found[where]
        tally["questions"] += 1
        if outcome is not None:
            tally[outcome] += 1
        for name, value in zip(_SUMS[-3:], sums, strict=True):
            tally[name] += value or 0
        for counted, took in zip(seconds[where], (first, total), strict=True):
            if took is not None:
                counted[str(bucket(took))] += 1
    tallies = {
        where: _tally(sums, {name: Histogram(one) for name, one in zip(_SECONDS, seconds[where], strict=True)})
        for where, sums in found.items()
    }
    return {EVERYWHERE: Tally.all(tallies.values()), **tallies} if tallies else {}


class KeptSeconds:
    """Seconds to the whole answer in each place, of the days that were counted for good. They are read once for each first day, until
    another day was counted: reading a quarter's for every look would cost more than all other numbers together."""

    def __init__(self) -> None:
        self._through = -1.0
        self._known: dict[dt.date, dict[Where, Histogram]] = {}

    def since(self, connection: Connection, first: dt.date) -> Mapping[Where, Histogram]:
        """Of the days from `first` on."""
        through = _through(connection)
        if through != self._through:
            self._through, self._known = through, {}
        if first not in self._known:
            of = day_numbers.c
            parts: dict[Where, list[Histogram]] = {}
            for platform, place, seconds in connection.execute(
                select(of.platform, of.place, of.total_seconds).where(of.day >= first.isoformat(), of.platform != "")
            ):
                parts.setdefault((platform, place), []).append(Histogram(seconds))
            self._known[first] = {where: Histogram.all(some).as_one() for where, some in parts.items()}
        return self._known[first]


def live(connection: Connection, zone: dt.tzinfo, first: dt.date, *, now: float) -> Live:
    """The days from `first` to now that were not counted for good yet, counted now."""
    known = _through(connection)
    found: list[tuple[dt.date, dict[Where, Tally]]] = []
    day = max(first, day_of(known, zone))
    while (begins := midnight(day, zone)) <= now:
        ends = midnight(day + dt.timedelta(days=1), zone)
        if ends > known:
            found.append((day, count(connection, max(begins, known), ends)))
        day += dt.timedelta(days=1)
    return found


def by_day(connection: Connection, first: dt.date, uncounted: Live, where: Where = EVERYWHERE) -> dict[dt.date, Tally]:
    """Of one place or everywhere together, from `first` on: what was kept of days that are over, and what `live` counted."""
    of = day_numbers.c
    platform, place = where
    rows = connection.execute(
        select(day_numbers).where(of.day >= first.isoformat(), of.platform == platform, of.place == place)
    )
    found = {dt.date.fromisoformat(row.day): _of_row(row) for row in rows}
    for day, tallies in uncounted:
        tally = tallies.get(where, Tally())
        found[day] = Tally.all([found[day], tally]) if day in found else tally
    return found


def by_place(connection: Connection, first: dt.date, uncounted: Live, kept: KeptSeconds) -> dict[Where, Tally]:
    """All days from `first` on together, in each place. Without `first_token`."""
    of = day_numbers.c
    parts: dict[Where, list[Tally]] = {}
    seconds = kept.since(connection, first)
    for platform, place, *sums in connection.execute(
        select(of.platform, of.place, *(func.sum(of[name]) for name in _SUMS))
        .where(of.day >= first.isoformat(), of.platform != "")
        .group_by(of.platform, of.place)
    ):
        took = {"total_seconds": seconds.get((platform, place), Histogram())}
        parts.setdefault((platform, place), []).append(_tally(dict(zip(_SUMS, sums, strict=True)), took))
    for day, tallies in uncounted:
        for where, tally in tallies.items():
            if where != EVERYWHERE and day >= first:
                parts.setdefault(where, []).append(replace(tally, first_token=Histogram()))
    return {where: Tally.all(some) for where, some in parts.items()}


def outcome_changed(
    connection: Connection, asked_at: float, platform: str, place: str, before: Outcome, after: Outcome
) -> None:
    """A question of a day that was counted ended otherwise after all: it was escalated, or that was taken back."""
    of = day_numbers.c
    was, is_now = of[before.value], of[after.value]
    here = or_(of.platform == "", and_(of.platform == platform, of.place == place))
    connection.execute(
        update(day_numbers)
        .where(of.begins <= asked_at, of.ends > asked_at, here)
        .values({was.name: was - 1, is_now.name: is_now + 1})
    )


def _through(connection: Connection) -> float:
    known = facts.get(connection, THROUGH)
    return float(known) if known else 0.0


def _some_open(connection: Connection, begins: float, ends: float) -> bool:
    spanned = (questions.c.asked_at >= begins, questions.c.asked_at < ends, questions.c.state == "open")
    return connection.execute(select(questions.c.id).where(*spanned).limit(1)).first() is not None


def _tally(sums: dict[str, float], seconds: dict[str, Histogram]) -> Tally:
    counts: dict[str, Any] = {name: int(value or 0) for name, value in sums.items() if name != "cost_krw"}
    more: dict[str, Any] = dict(seconds)
    return Tally(**counts, cost_krw=float(sums["cost_krw"] or 0.0), **more)


def _as_row(tally: Tally) -> dict[str, Any]:
    plain = {name: getattr(tally, name) for name in _SUMS}
    return plain | {"first_token": tally.first_token.as_json(), "total_seconds": tally.total_seconds.as_json()}


def _of_row(row: Row[Any]) -> Tally:
    seconds = {name: Histogram(getattr(row, name)) for name in _SECONDS}
    return _tally({name: getattr(row, name) for name in _SUMS}, seconds)
