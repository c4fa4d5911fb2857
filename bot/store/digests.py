"""The weekly report: who posts it, so that each place gets each week's once, also over restarts and in several processes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select, update

from bot.messages import Outcome
from bot.store import days
from bot.store.inserting import insert_into
from bot.store.schema import answers, digests, gap_events, questions, votes


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to post one report. `again`: an earlier holder may have posted it and died before it could say so."""

    week: str
    platform: str
    place: str
    owner: str
    attempt: int
    again: bool
    first_at: float
    """When it was first tried."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of a time: no words, no people."""

    questions: int
    outcomes: dict[str, int]
    people: int
    up: int
    down: int

    @property
    def answered_share(self) -> float | None:
        """Of the questions that ended in an answer or were declined or escalated; failures are nobody's gap."""
        wanted = [self.outcomes.get(one.value, 0) for one in (Outcome.ANSWERED, Outcome.ABSTAINED, Outcome.ESCALATED)]
        return wanted[0] / sum(wanted) if sum(wanted) else None


def claim(
    connection: Connection, week: str, platform: str, place: str, *, owner: str, now: float, lease: float
) -> Turn | None:
    """None: it is posted, or somebody else is at it. `lease`: seconds after which a silent holder counts as dead.

    `owner`: the run of the job; the same run, gone on with by another process, takes over at once.
    """
    key = {"week": week, "platform": platform, "place": place}
    fresh = {"state": "claimed", "owner": owner, "until": now + lease, "attempt": 1, "message": "", "claimed_at": now}
    made = insert_into(connection, digests).values(**key, **fresh).on_conflict_do_nothing().returning(digests.c.week)
    if connection.execute(made).all():
        return Turn(**key, owner=owner, attempt=1, again=False, first_at=now)
    here = _where(week, platform, place)
    taken = connection.execute(
        update(digests)
        .where(*here, digests.c.state == "claimed", (digests.c.until <= now) | (digests.c.owner == owner))
        .values(owner=owner, until=now + lease, attempt=digests.c.attempt + 1)
    ).rowcount
    if not taken:
        return None
    row = connection.execute(select(digests.c.attempt, digests.c.claimed_at).where(*here)).one()
    return Turn(**key, owner=owner, attempt=row.attempt, again=True, first_at=row.claimed_at)


def posted(connection: Connection, turn: Turn, message: str, *, now: float) -> bool:
    """It stands there. False: somebody else took over meanwhile."""
    mine = (
        *_where(turn.week, turn.platform, turn.place),
        digests.c.owner == turn.owner,
        digests.c.attempt == turn.attempt,
    )
    done = {"state": "posted", "message": message, "posted_at": now}
    return bool(connection.execute(update(digests).where(*mine).values(**done)).rowcount)


def give_up(connection: Connection, turn: Turn, *, now: float) -> None:
    """It could not be posted: whoever tries next may do so at once, and looks first whether it stands there after all."""
    mine = (
        *_where(turn.week, turn.platform, turn.place),
        digests.c.owner == turn.owner,
        digests.c.attempt == turn.attempt,
    )
    connection.execute(update(digests).where(*mine, digests.c.state == "claimed").values(until=now))


def is_posted(connection: Connection, week: str, platform: str, place: str) -> bool:
    """Whether the report stands there."""
    found = connection.execute(select(digests.c.state).where(*_where(week, platform, place))).scalar()
    return found == "posted"


def numbers(connection: Connection, *, since: float, until: float) -> Numbers:
    """What was asked in between, and what was thought of the answers to it."""
    asked = (questions.c.asked_at >= since, questions.c.asked_at < until, questions.c.state == "done", days.COUNTED)
    outcomes = {
        str(row[0]): int(row[1])
        for row in connection.execute(
            select(questions.c.outcome, func.count())
            .where(*asked, questions.c.outcome.is_not(None))
            .group_by(questions.c.outcome)
        )
    }
    people = connection.execute(select(func.count(questions.c.person.distinct())).where(*asked)).scalar_one()
    thumbs = {
        str(row[0]): int(row[1])
        for row in connection.execute(
            select(votes.c.direction, func.count())
            .join(answers, answers.c.id == votes.c.answer)
            .join(questions, questions.c.id == answers.c.question)
            .where(*asked, votes.c.direction.is_not(None))
            .group_by(votes.c.direction)
        )
    }
    return Numbers(sum(outcomes.values()), outcomes, int(people), thumbs.get("up", 0), thumbs.get("down", 0))


def answered_gaps(connection: Connection, *, since: float, until: float) -> list[str]:
    """Gaps that a page answered in between, oldest first."""
    rows = connection.execute(
        select(gap_events.c.gap)
        .where(gap_events.c.action == "answered", gap_events.c.at >= since, gap_events.c.at < until)
        .order_by(gap_events.c.id)
    )
    return list(dict.fromkeys(rows.scalars()))


def _where(week: str, platform: str, place: str) -> tuple[ColumnElement[bool], ...]:
    return digests.c.week == week, digests.c.platform == platform, digests.c.place == place
