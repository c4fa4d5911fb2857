"""Everything there is about one question: its answer, its way, its thumbs, who was called."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.conversation import Direction
from bot.store import answers as kept_answers
from bot.store import conversations, traces
from bot.store.answers import Kept
from bot.store.conversations import Listed
from bot.store.schema import answers, escalations, questions, votes
from bot.trace import Trace


@dataclass(frozen=True, slots=True)
class Thumb:
    """Of one person. `direction` None: taken back."""

    person: str
    direction: Direction | None
    via: str
    reason: str
    correction: str
    voted_at: float


@dataclass(frozen=True, slots=True)
class Called:
    """A colleague was asked for help. `resolution` is kept only with consent."""

    called_at: float
    resolved_at: float | None
    resolution: str


@dataclass(frozen=True, slots=True)
class Told:
    """Everything about one question. `answer`, `trace` and `called` are None where there is none (any more)."""

    listed: Listed
    person: str
    conversation: str
    attempts: int
    done_at: float | None
    answered_at: float | None
    answer: Kept | None
    trace: Trace | None
    thumbs: tuple[Thumb, ...]
    called: Called | None


def get(connection: Connection, question_id: str) -> Told | None:
    """Everything there is about a question; None: there is no such."""
    listed = conversations.one(connection, question_id)
    if listed is None:
        return None
    row = connection.execute(select(questions).where(questions.c.id == question_id)).one()
    answer = kept_answers.of_question(connection, question_id)
    answered_at = connection.execute(select(answers.c.answered_at).where(answers.c.question == question_id)).scalar()
    answer_id = answer.id if answer is not None else ""
    called = connection.execute(select(escalations).where(escalations.c.answer == answer_id)).first()
    return Told(
        listed,
        person=row.person,
        conversation=row.conversation,
        attempts=row.attempt,
        done_at=row.done_at,
        answered_at=answered_at,
        answer=answer,
        trace=traces.of_question(connection, question_id),
        thumbs=tuple(
            Thumb(one.person, one.direction, one.via, one.reason, one.correction, one.voted_at)
            for one in connection.execute(
                select(votes).where(votes.c.answer == answer_id).order_by(votes.c.voted_at, votes.c.person)
            )
        ),
        called=None if called is None else Called(called.called_at, called.resolved_at, called.resolution),
    )
