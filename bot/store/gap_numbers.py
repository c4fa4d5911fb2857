"""The numbers of gaps: counted at each run and kept with them, since counting people over many questions takes too long for every list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, case, func, select, update

from bot.gaps.gap import WEEKS, Reason
from bot.store.schema import gap_questions, gaps, questions

REASONS: tuple[Reason, ...] = ("abstained", "down", "escalated")
WEEK = 7 * 86400.0
_RECENT = 4 * WEEK


def ranked(connection: Connection, state: str, *, people: int = 0) -> list[str]:
    """Ids of one state, heaviest first. `people`: only those that so many different people asked, or that are shared."""
    rows = connection.execute(select(gaps.c.id, gaps.c.shared, gaps.c.numbers).where(gaps.c.state == state)).all()
    wanted = [row for row in rows if row.shared or (row.numbers or {}).get("people", 0) >= people]
    return [row.id for row in sorted(wanted, key=lambda row: (_weight(row.numbers or {}), row.id), reverse=True)]


def _weight(numbers: Mapping[str, Any]) -> tuple[int, int, int, float]:
    """As `Gap.weight`."""
    parts = (numbers.get("recent_people", 0), numbers.get("people", 0), numbers.get("count", 0))
    return (*parts, numbers.get("newest_at") or 0.0)


def recount(connection: Connection, *, now: float) -> None:
    """Bring the numbers of all gaps up to date. Counting people over many questions takes too long for every look at a list."""
    ages = [
        func.sum(case(((gap_questions.c.asked_at > now - (n + 1) * WEEK) & (gap_questions.c.asked_at <= now - n * WEEK), 1), else_=0))
        for n in reversed(range(WEEKS))
    ]  # fmt: skip
    lately = case((gap_questions.c.asked_at > now - _RECENT, questions.c.person))
    rows = connection.execute(
        select(
            gap_questions.c.gap,
            func.count().label("count"),
            func.count(questions.c.person.distinct()).label("people"),
            func.count(lately.distinct()).label("recent_people"),
            func.sum(case((questions.c.private, 1), else_=0)).label("private"),
            func.max(gap_questions.c.asked_at).label("newest_at"),
            *(func.sum(case((gap_questions.c.reason == one, 1), else_=0)).label(one) for one in REASONS),
            *(age.label(f"week{n}") for n, age in enumerate(ages)),
        )
        .join(questions, questions.c.id == gap_questions.c.question)
        .group_by(gap_questions.c.gap)
    )
    found = {row.gap: _numbers(row) for row in rows}
    for row in connection.execute(select(gaps.c.id, gaps.c.numbers)).all():
        numbers = found.get(row.id, {})
        if numbers != row.numbers:
            connection.execute(update(gaps).where(gaps.c.id == row.id).values(numbers=numbers))


def _numbers(row: Row[Any]) -> dict[str, Any]:
    plain = ("count", "people", "recent_people", "private")
    return {
        **{name: int(row._mapping[name] or 0) for name in plain},
        "newest_at": row.newest_at,
        "reasons": {one: int(row._mapping[one] or 0) for one in REASONS},
        "weeks": [int(row._mapping[f"week{n}"] or 0) for n in range(WEEKS)],
    }
