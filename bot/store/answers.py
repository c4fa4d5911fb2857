"""Answers as they were given: text, sources, and the stamp of what made them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from bot.conversation import Place
from bot.messages import Answer, Citation, Language, Outcome, Seconds, Shown, Tokens
from bot.store.inserting import insert_into
from bot.store.schema import answers, questions, shown_at

_BATCH = 500
"""SQLite takes a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer with where it went."""

    id: str
    question_id: str
    asker: str
    """Their pseudonym."""
    question: str
    answer: Answer
    language: Language
    private: bool
    place: Place
    message: str
    """The platform's reference; empty until posted."""
    asked_at: float = 0.0
    """When the question came."""
    listed_place: str = ""
    """As in `questions.place`."""

    @property
    def stamp(self) -> dict[str, Any]:
        """What every vote and escalation on this answer carries along."""
        answer = self.answer
        return {
            "model": answer.model,
            "lora": answer.lora,
            "edition": answer.edition,
            "prompt": answer.prompt,
            "passages": _passages(answer),
        }


def save(
    connection: Connection,
    answer_id: str,
    question_id: str,
    answer: Answer,
    *,
    language: Language,
    private: bool,
    place: Place,
    now: float,
) -> None:
    """Keep an answer before it is posted, so that a crash in between does not cost it. Only for a claim that is held."""
    # What an earlier holder kept and never posted is worth nothing beside the answer that will be.
    connection.execute(delete(answers).where(answers.c.question == question_id))
    connection.execute(
        insert(answers).values(
            id=answer_id,
            question=question_id,
            answer=asdict(answer),
            outcome=answer.outcome.value,
            model=answer.model,
            lora=answer.lora,
            edition=answer.edition,
            prompt=answer.prompt,
            passages=_passages(answer),
            language=language,
            private=private,
            place=asdict(place),
            message="",
            answered_at=now,
            first_token=answer.seconds.first_token,
            total_seconds=answer.seconds.total,
            tokens_read=answer.tokens.read,
            tokens_written=answer.tokens.written,
            cost_krw=answer.cost_krw,
        )
    )
    connection.execute(update(questions).where(questions.c.id == question_id).values(lora=answer.lora))


def posted(connection: Connection, answer_id: str, message: str) -> None:
    """The answer stands in `message` now."""
    connection.execute(update(answers).where(answers.c.id == answer_id).values(message=message))


def get(connection: Connection, answer_id: str) -> Kept | None:
    """By its id."""
    return _first(connection, answers.c.id == answer_id)


def there(connection: Connection, answer_ids: Collection[str]) -> set[str]:
    """Which of these answers are still kept."""
    wanted = sorted(answer_ids)
    found: set[str] = set()
    for at in range(0, len(wanted), _BATCH):
        found.update(
            connection.execute(select(answers.c.id).where(answers.c.id.in_(wanted[at : at + _BATCH]))).scalars()
        )
    return found


def of_question(connection: Connection, question_id: str) -> Kept | None:
    """The answer of a question, posted or not."""
    return _first(connection, answers.c.question == question_id)


def at(connection: Connection, platform: str, message: str, direct: str = "") -> str | None:
    """The id of the answer in a platform's message. `direct`: how rows name it if it stands in a direct message."""
    found: str | None = connection.execute(
        select(answers.c.id)
        .join(questions, questions.c.id == answers.c.question)
        .where(answers.c.message.in_([message, direct]), answers.c.message != "", questions.c.platform == platform)
    ).scalar()
    if found is None:
        found = connection.execute(
            select(shown_at.c.answer).where(shown_at.c.platform == platform, shown_at.c.message == message)
        ).scalar()
    return found


def shown(connection: Connection, answer_id: str, message: str) -> None:
    """The answer was shared: it stands in `message` too. Nothing happens for an unknown answer or a known message."""
    kept = get(connection, answer_id)
    if kept is not None and message:
        statement = insert_into(connection, shown_at).values(
            platform=kept.place.platform, message=message, answer=answer_id
        )
        connection.execute(statement.on_conflict_do_nothing())


def is_shared(connection: Connection, answer_id: str) -> bool:
    """Whether its asker showed the answer to a channel."""
    return connection.execute(select(shown_at.c.answer).where(shown_at.c.answer == answer_id)).first() is not None


def _first(connection: Connection, condition: Any) -> Kept | None:
    row = connection.execute(
        select(
            answers,
            questions.c.person.label("asker"),
            questions.c.text.label("question_text"),
            questions.c.asked_at.label("asked_at"),
            questions.c.place.label("listed_place"),
        )
        .join(questions, questions.c.id == answers.c.question)
        .where(condition)
    ).first()
    return None if row is None else _kept(row)


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        id=row.id,
        question_id=row.question,
        asker=row.asker,
        question=row.question_text,
        answer=_answer(row.answer),
        language=row.language,
        private=row.private,
        place=Place(**row.place),
        message=row.message,
        asked_at=row.asked_at,
        listed_place=row.listed_place,
    )


def _answer(data: dict[str, Any]) -> Answer:
    known = {field.name for field in fields(Answer)}  # a later version beside this one may note more
    return Answer(
        **(
            {name: value for name, value in data.items() if name in known}
            | {
                "outcome": Outcome(data["outcome"]),
                "citations": tuple(Citation(**one) for one in data["citations"]),
                "nearest": tuple(Citation(**one) for one in data["nearest"]),
                "tokens": Tokens(**data["tokens"]),
                "seconds": Seconds(**data["seconds"]),
                "notes": tuple(data["notes"]),
                "shown": tuple(Shown(**one) for one in data["shown"]),
            }
        )
    )


def _passages(answer: Answer) -> Sequence[Sequence[object]]:
    return [[one.source, one.page, one.number] for one in answer.shown]
