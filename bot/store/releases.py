"""Releases: the record of what answered when, and why. Rows are added and never changed; the newest of a base says what answers.

Whoever decides by what is here and then adds a row calls `hold` first, so that two decisions do not cross.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, insert, or_, select

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
    """That the model wrote or declined to write, and quotes in place of its words."""
    abstained: int = 0
    """Of these."""
    up: int = 0
    """People more of whose live votes on them are up than down: each is one voice, however often they vote. As many of both is none."""
    down: int = 0
    """People more of whose votes are down than up."""
    ungrounded: int = 0
    """Of the answers: those where nothing held of what it wrote."""


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


_COUNTED = (Outcome.ANSWERED.value, Outcome.ABSTAINED.value, Outcome.ESCALATED.value)


def tally(
    connection: Connection,
    model: str,
    lora: str,
    *,
    since: float,
    until: float = float("inf"),
    seen: float = float("inf"),
    quoted: bool = True,
) -> Tally:
    """The answers by `model` with `lora` (or `none`) given in [since, until), and the live votes on them, whenever cast.

    `seen`: nothing that was given or cast after that counts. `quoted`: quotes in place of its words do, here and below.
    """
    mine = _mine(model, lora, since, until, quoted=quoted)
    if seen != float("inf"):
        mine.append(answers.c.answered_at <= seen)
    abstained = case((answers.c.outcome == Outcome.ABSTAINED.value, 1), else_=0)
    # The note of bot/answering/compose.py, in the list's JSON.
    ungrounded = case((answers.c.answer["notes"].as_string().contains('"ungrounded"'), 1), else_=0)
    sums = (func.coalesce(func.sum(one), 0) for one in (abstained, ungrounded))
    total = connection.execute(select(func.count(), *sums).where(*mine, answers.c.outcome.in_(_COUNTED))).one()
    cast = [votes.c.direction.is_not(None), *([votes.c.voted_at <= seen] if seen != float("inf") else [])]
    voices = connection.execute(
        select(func.sum(case((votes.c.direction == "up", 1), else_=-1)))
        .join(answers, answers.c.id == votes.c.answer)
        .where(*mine, *cast)
        .group_by(votes.c.person)
    ).scalars()
    said = [int(voice) for voice in voices]
    return Tally(
        answers=int(total[0]),
        abstained=int(total[1]),
        up=sum(voice > 0 for voice in said),
        down=sum(voice < 0 for voice in said),
        ungrounded=int(total[2]),
    )


def quotes_tell(connection: Connection, *, since: float) -> bool:
    """Whether all quotes since then tell in whose words' place they stand; those of an older program do not."""
    untold = select(answers.c.id).where(
        answers.c.answered_at >= since,
        answers.c.model == EXTRACTIVE,
        answers.c.answer["tried_lora"].as_string().is_(None),
    )
    return connection.execute(untold.limit(1)).first() is None


def answered_at(
    connection: Connection, model: str, lora: str, *, since: float, nth: int, quoted: bool = True
) -> float | None:
    """When the `nth` of the answers that `Tally.answers` counts was given (seconds since the epoch); None: there are fewer."""
    found = connection.execute(
        select(answers.c.answered_at)
        .where(*_mine(model, lora, since, quoted=quoted), answers.c.outcome.in_(_COUNTED))
        .order_by(answers.c.answered_at)
        .offset(nth - 1)
        .limit(1)
    ).scalar()
    return None if found is None else float(found)


def voiced_at(
    connection: Connection, model: str, lora: str, *, since: float, nth: int, quoted: bool = True
) -> float | None:
    """When there first were `nth` voices (`Tally.up` and `Tally.down`), by the votes that live now; None: there never were."""
    cast = connection.execute(
        select(votes.c.person, votes.c.direction, votes.c.voted_at)
        .join(answers, answers.c.id == votes.c.answer)
        .where(*_mine(model, lora, since, quoted=quoted), votes.c.direction.is_not(None))
        .order_by(votes.c.voted_at)
    )
    said: Counter[str] = Counter()
    voices = 0
    for person, direction, at in cast:
        before = said[person]
        said[person] += 1 if direction == "up" else -1
        voices += (said[person] != 0) - (before != 0)
        if voices >= nth:
            return float(at)
    return None


def _mine(
    model: str, lora: str, since: float, until: float = float("inf"), *, quoted: bool
) -> list[ColumnElement[bool]]:
    """Which answers count."""
    whose = and_(answers.c.model == model, answers.c.model != EXTRACTIVE, answers.c.lora == lora)
    if quoted:
        # Else what is stamped `extractive` was found, or declined for want of evidence, before any LoRA was asked.
        told = answers.c.answer
        spoilt = (told["tried_model"].as_string() == model, told["tried_lora"].as_string() == lora)
        whose = or_(whose, and_(answers.c.model == EXTRACTIVE, *spoilt))
    mine = [whose, answers.c.answered_at >= since]
    return mine if until == float("inf") else [*mine, answers.c.answered_at < until]


def _release(row: Row[Any]) -> Release:
    return Release(**row._mapping)
