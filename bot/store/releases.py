"""Releases: the record of what answered when, and why. Rows are added and never changed; the newest of a base says what answers.

Whoever decides by what is here and then adds a row calls `hold` first, so that two decisions do not cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, case, func, insert, select

from bot.live import EXTRACTIVE
from bot.messages import Outcome
from bot.store.schema import answers, releases, votes

Action = Literal["promote", "canary", "rollback", "watch", "mark"]
"""`rollback`: a person's; `watch`: the automatic one; `mark`: what answered must not any more."""
_LOCK = 5344  # an arbitrary number of our own


@dataclass(frozen=True, slots=True)
class Release:
    """One row. `lora`: what answers, or `none` for the plain base; `canary`: what answers `share` of the conversations."""

    id: int
    base: str
    lora: str
    action: Action
    by: str
    """Who decided: a reviewer's name, or `auto`."""
    at: float
    canary: str = ""
    share: float = 0.0
    evaluation: str = ""
    """Id of the verdict it rests on, or that was overruled."""
    overruled: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the answers of one LoRA did."""

    answers: int = 0
    """That the model wrote or declined to write."""
    abstained: int = 0
    """Of these."""
    up: int = 0
    """Live votes on them."""
    down: int = 0
    down_people: int = 0
    """Different people who voted down."""


def hold(connection: Connection) -> None:
    """Until the end of the transaction nobody else decides. SQLite's write transactions are alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def add(
    connection: Connection,
    base: str,
    lora: str,
    action: Action,
    *,
    by: str,
    now: float,
    canary: str = "",
    share: float = 0.0,
    evaluation: str = "",
    overruled: bool = False,
    reason: str = "",
) -> Release:
    """From now on this answers."""
    values: dict[str, Any] = {
        "base": base,
        "lora": lora,
        "action": action,
        "by": by,
        "at": now,
        "canary": canary,
        "share": share,
        "evaluation": evaluation,
        "overruled": overruled,
        "reason": reason,
    }
    (number,) = connection.execute(insert(releases).values(**values).returning(releases.c.id)).one()
    return Release(id=number, **values)


def newest(connection: Connection, base: str) -> Release | None:
    """What answers; None: nothing was ever released for this base."""
    row = connection.execute(
        select(releases).where(releases.c.base == base).order_by(releases.c.id.desc()).limit(1)
    ).first()
    return None if row is None else _release(row)


def history(connection: Connection, base: str) -> list[Release]:
    """Oldest first."""
    return [
        _release(row)
        for row in connection.execute(select(releases).where(releases.c.base == base).order_by(releases.c.id))
    ]


def bases(connection: Connection) -> Sequence[str]:
    """Every base that something was released for."""
    return sorted(connection.execute(select(releases.c.base).distinct()).scalars())


def tally(connection: Connection, model: str, lora: str, *, since: float, until: float = float("inf")) -> Tally:
    """The answers by `model` with `lora` (or `none`) given in [since, until), and the live votes on them, whenever cast."""
    # What is stamped `extractive` was found, or declined for want of evidence, before any LoRA was asked.
    mine = [answers.c.model == model, answers.c.model != EXTRACTIVE, answers.c.lora == lora]
    mine.append(answers.c.answered_at >= since)
    if until != float("inf"):
        mine.append(answers.c.answered_at < until)
    counted = (Outcome.ANSWERED.value, Outcome.ABSTAINED.value, Outcome.ESCALATED.value)
    abstained = case((answers.c.outcome == Outcome.ABSTAINED.value, 1), else_=0)
    total = connection.execute(
        select(func.count(), func.coalesce(func.sum(abstained), 0)).where(*mine, answers.c.outcome.in_(counted))
    ).one()
    directions = connection.execute(
        select(votes.c.direction, func.count(), func.count(votes.c.person.distinct()))
        .join(answers, answers.c.id == votes.c.answer)
        .where(*mine, votes.c.direction.is_not(None))
        .group_by(votes.c.direction)
    )
    cast = {row[0]: (int(row[1]), int(row[2])) for row in directions}
    return Tally(
        answers=int(total[0]),
        abstained=int(total[1]),
        up=cast.get("up", (0, 0))[0],
        down=cast.get("down", (0, 0))[0],
        down_people=cast.get("down", (0, 0))[1],
    )


def _release(row: Row[Any]) -> Release:
    return Release(**row._mapping)
