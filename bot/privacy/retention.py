"""What is kept of people goes when it is too old: by class, in small transactions, never what is still open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, and_, delete, func, or_, select, union_all

from bot.examples.refresh import FROM_PEOPLE
from bot.privacy import files
from bot.privacy_settings import PrivacySettings
from bot.store import asides, audit, forgetting, privacy
from bot.store.database import Store
from bot.store.schema import (
    answers,
    escalations,
    example_origins,
    examples,
    exports,
    lora_examples,
    loras,
    privacy_requests,
    questions,
    traces,
    votes,
)

DAY = 86400.0
BEFORE_RESTORE_DAYS = 30
"""For what a restore put aside (bot/backup/restoring.py)."""
_BATCH = 300
"""Rows of one transaction: the running service waits no longer than that."""


def sweep(
    store: Store, data_dir: Path, ages: PrivacySettings, *, now: float, check: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """One night's work: how many of each class went. Raises StoreError.

    `ages`: `[privacy]`, where 0 keeps a class. `check` is called between transactions and may raise.
    Questions go with their answers, traces and votes. What was rated, corrected or escalated stays for `feedback` days after that, and
    after the last LoRA that learnt from it was made, if that is longer. A question that is being answered, or waits for it, stays.
    An example stays as long as a LoRA that learnt from it.
    """
    done: dict[str, int] = {}

    def before(days: int) -> float | None:
        return now - days * DAY if days else None  # None: nothing is too old

    def take(name: str, work: Callable[[Connection], int]) -> None:
        done[name] = 0
        while gone := store.run_now(work):
            done[name] += gone
            check()

    if (old := before(ages.traces_days)) is not None:
        take("traces", lambda connection: _delete(connection, traces.c.question, traces.c.kept_at < old))
    if (asked := before(ages.questions_days)) is not None:
        rated = before(max(ages.feedback_days, ages.questions_days) if ages.feedback_days else 0)
        take("questions", lambda connection: _questions(connection, asked, rated))
    if (decided := before(ages.feedback_days)) is not None:
        take("examples_rejected", lambda connection: _rejected(connection, decided))
    if (approved := before(ages.examples_days)) is not None:
        take(
            "examples",
            lambda connection: _delete(
                connection,
                examples.c.id,
                and_(examples.c.state == "approved", examples.c.decided_at < approved, ~_learnt()),
            ),
        )
    if (written := before(ages.exports_days)) is not None:
        done["exports"] = _exports(store, data_dir, written)
    aside = now - BEFORE_RESTORE_DAYS * DAY
    done["before_restores"] = _before_restores(files.asides(data_dir, store.file), aside) + store.run_now(
        _asides, aside
    )
    if (recorded := before(ages.audit_days)) is not None:
        over = and_(privacy_requests.c.done_at.is_not(None), privacy_requests.c.done_at < recorded)
        take("requests", lambda connection: _delete(connection, privacy_requests.c.id, over))
        done["audit"] = store.run_now(audit.trim, older_than=recorded, by="job:retention", now=now)
    return done


def _questions(connection: Connection, asked: float, rated: float | None) -> int:
    """`asked`: what ended before goes, unless somebody said something of it; that goes when it was said before `rated` (None: never)."""
    said = union_all(
        select(answers.c.question.label("question"), votes.c.voted_at.label("at")).join(
            votes, votes.c.answer == answers.c.id
        ),
        select(answers.c.question, func.coalesce(escalations.c.resolved_at, escalations.c.called_at)).join(
            escalations, escalations.c.answer == answers.c.id
        ),
        select(answers.c.question, loras.c.made_at)
        .join(example_origins, example_origins.c.answer == answers.c.id)
        .join(lora_examples, lora_examples.c.example == example_origins.c.example)
        .join(loras, loras.c.name == lora_examples.c.lora),
    ).subquery()
    last = select(said.c.question, func.max(said.c.at).label("at")).group_by(said.c.question).subquery()
    unsaid = last.c.at.is_(None)
    # Open, and nobody has held it for as long: its platform is gone, and nobody is ever going to answer it.
    over = or_(
        and_(questions.c.state == "done", func.coalesce(questions.c.done_at, questions.c.asked_at) < asked),
        and_(questions.c.state == "open", questions.c.claimed_until < asked),
    )
    rows = (
        connection.execute(
            select(questions.c.id)
            .outerjoin(last, last.c.question == questions.c.id)
            .where(over, unsaid if rated is None else or_(unsaid, last.c.at < rated))
            .order_by(questions.c.asked_at)
            .limit(_BATCH)
        )
        .scalars()
        .all()
    )
    forgetting.forget_questions(connection, rows)
    return len(rows)


def _rejected(connection: Connection, decided: float) -> int:
    """Only once no answer is left of which the next build would make the example again; so do those from people that nobody decided.

    With `learn_from_feedback` off no build closes these.
    """
    living = (
        select(example_origins.c.example)
        .join(answers, answers.c.id == example_origins.c.answer)
        .where(example_origins.c.example == examples.c.id)
    )
    rejected = and_(examples.c.state == "rejected", examples.c.decided_at < decided)
    left = and_(examples.c.state == "pending", examples.c.kind.in_(FROM_PEOPLE), examples.c.made_at < decided)
    return _delete(connection, examples.c.id, and_(or_(rejected, left), ~living.exists(), ~_learnt()))


def _learnt() -> ColumnElement[bool]:
    """Of a row of `examples`: a LoRA that is still there learnt from it. By the example alone an erasure of its people finds that LoRA."""
    there = select(lora_examples.c.lora).join(loras, loras.c.name == lora_examples.c.lora)
    return there.where(lora_examples.c.example == examples.c.id, loras.c.deleted_at.is_(None)).exists()


def _before_restores(folders: Sequence[Path], made: float) -> int:
    """What a restore put aside holds people who may have been erased since."""
    old = [path for path in folders if path.stat().st_mtime < made]
    for path in old:
        files.remove_folder(path)
    return len(old)


def _asides(connection: Connection, made: float) -> int:
    """The same on PostgreSQL."""
    old = [schema for schema, at in asides.asides(connection).items() if at < made]
    for schema in old:
        asides.drop(connection, schema)
    return len(old)


def _exports(store: Store, data_dir: Path, written: float) -> int:
    """Files below the data directory; what lies elsewhere is its owner's."""
    gone = files.Cleared()

    def old(connection: Connection) -> Sequence[Any]:
        return connection.execute(select(exports).where(exports.c.made_at < written)).all()

    over = []
    for row in store.run_now(old):
        if row.path.startswith(
            privacy.DOWNLOADED
        ):  # wherever it is, an erasure names it as long as it can hold anybody
            if not store.run_now(_any_known, row.examples):
                over.append(row.id)
            continue
        path = Path(row.path)
        if path.is_relative_to(data_dir.resolve()):
            files.delete(data_dir.resolve(), path, gone)
        if not path.exists():
            over.append(row.id)
    for path in sorted((data_dir / files.EXPORTS).glob("*")):
        if path.is_file() and path.stat().st_mtime < written:
            files.delete(data_dir, path, gone)
    if over:
        store.run_now(lambda connection: connection.execute(delete(exports).where(exports.c.id.in_(over))))
    return len(gone.deleted)


def _any_known(connection: Connection, ids: Sequence[str]) -> bool:
    """Whether one of these questions is still in the store."""
    batches = (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))
    return any(connection.execute(select(questions.c.id).where(questions.c.id.in_(some))).first() for some in batches)


def _delete(connection: Connection, key: Column[Any], condition: Any) -> int:
    ids = connection.execute(select(key).where(condition).limit(_BATCH)).scalars().all()
    if ids:
        connection.execute(delete(key.table).where(key.in_(list(ids))))
    return len(ids)
