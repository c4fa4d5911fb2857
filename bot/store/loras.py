"""LoRAs as records: what each was made from and how it did. Their files lie on the shelf (bot/loras/shelf.py)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from bot.store.inserting import insert_into
from bot.store.schema import evaluations, example_people, examples, lora_examples, loras


@dataclass(frozen=True, slots=True)
class LoraRecord:
    """One row of `loras`. It outlives its files, since answers are stamped with the name."""

    name: str
    base: str
    """SHA-256 of the GGUF that it was tuned on."""
    base_name: str
    prompt: str
    sha256: str
    """Of `lora.gguf`."""
    card: Mapping[str, Any] = field(compare=False)
    run: str = ""
    """The job run that made it; empty: none did."""
    made_at: float = 0.0
    marked: str = ""
    """Why it must not answer any more; empty: it may."""
    marked_at: float | None = None
    deleted_at: float | None = None

    @property
    def usable(self) -> bool:
        """It may answer."""
        return not self.marked and self.deleted_at is None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One verdict of the gate. `against`: name of a LoRA, or `none` for the plain base."""

    id: str
    lora: str
    against: str
    passed: bool
    verdict: Mapping[str, Any] = field(compare=False)
    made_at: float = 0.0

    @property
    def made_with(self) -> tuple[str, str]:
        """SHA-256 of the base and version of the prompt by which the candidate answered; empty where the verdict does not say."""
        try:
            stamp = self.verdict["candidate"]["stamp"]
            return str(stamp["base"]), str(stamp["prompt"])
        except (KeyError, TypeError):
            return "", ""


def add(connection: Connection, lora: LoraRecord, learnt: Iterable[str] = ()) -> bool:
    """Keep a new LoRA and the ids of the examples it has seen; False when the name is known.

    What was recorded without them (a crash came between shelf and store) is completed, as far as it is the same file.
    """
    values = {name: getattr(lora, name) for name in LoraRecord.__dataclass_fields__} | {"card": dict(lora.card)}
    fresh = insert_into(connection, loras).values(**values).on_conflict_do_nothing()
    new = connection.execute(fresh.returning(loras.c.name)).first() is not None
    same = (loras.c.name == lora.name, loras.c.sha256 == lora.sha256)
    if not new and connection.execute(select(loras.c.name).where(*same)).first() is None:
        return False
    connection.execute(update(loras).where(*same, loras.c.run == "").values(run=lora.run))
    rows = [{"lora": lora.name, "example": example} for example in dict.fromkeys(learnt)]
    if rows:
        connection.execute(insert_into(connection, lora_examples).on_conflict_do_nothing(), rows)
    return new


def get(connection: Connection, name: str) -> LoraRecord | None:
    """By its name, also when its files are deleted."""
    row = connection.execute(select(loras).where(loras.c.name == name)).first()
    return None if row is None else _record(row)


def every(connection: Connection, base: str | None = None) -> list[LoraRecord]:
    """Newest first, deleted ones included; of one base or of all."""
    wanted = select(loras).order_by(loras.c.made_at.desc(), loras.c.name)
    rows = connection.execute(wanted if base is None else wanted.where(loras.c.base == base))
    return [_record(row) for row in rows]


def mark(connection: Connection, name: str, reason: str, *, now: float) -> bool:
    """It must not answer any more; the first reason stays. False when it is unknown or was marked before.

    Alone this changes nothing of what answers: see `bot.releases.releases.Releases.mark`.
    """
    fresh = update(loras).where(loras.c.name == name, loras.c.marked == "").values(marked=reason, marked_at=now)
    return bool(connection.execute(fresh).rowcount)


def delete(connection: Connection, name: str, *, now: float) -> bool:
    """Its files go; the row stays. False when it is unknown or was deleted before."""
    fresh = update(loras).where(loras.c.name == name, loras.c.deleted_at.is_(None)).values(deleted_at=now)
    return bool(connection.execute(fresh).rowcount)


def unusable(connection: Connection) -> dict[str, str]:
    """Name → why, of every LoRA that must not answer: the mark's reason, empty when it is only deleted."""
    barred = select(loras.c.name, loras.c.marked).where((loras.c.marked != "") | loras.c.deleted_at.is_not(None))
    return {str(row[0]): str(row[1]) for row in connection.execute(barred)}


def examples_of(connection: Connection, lora: str) -> list[str]:
    """Ids of the examples that a LoRA has seen, sorted. Some may be forgotten by now."""
    found = select(lora_examples.c.example).where(lora_examples.c.lora == lora).order_by(lora_examples.c.example)
    return list(connection.execute(found).scalars())


def loras_that_saw(connection: Connection, example_ids: Collection[str]) -> list[str]:
    """Names of the LoRAs made from any of these examples, sorted; deleted LoRAs included."""
    seen: set[str] = set()
    ids = list(example_ids)
    for at in range(0, len(ids), 500):  # SQLite takes a limited number of parameters
        some = select(lora_examples.c.lora).where(lora_examples.c.example.in_(ids[at : at + 500]))
        seen.update(connection.execute(some).scalars())
    return sorted(seen)


def learnt_by(connection: Connection) -> dict[str, list[str]]:
    """Example → names of the LoRAs made from it, sorted; deleted LoRAs included."""
    found: dict[str, list[str]] = {}
    rows = select(lora_examples.c.example, lora_examples.c.lora).order_by(lora_examples.c.lora)
    for example, lora in connection.execute(rows):
        found.setdefault(str(example), []).append(str(lora))
    return found


def people_behind(connection: Connection, lora: str) -> list[str]:
    """Pseudonyms of everyone whose vote, correction or question is in a LoRA, sorted; forgotten people are missing."""
    stood = (
        select(example_people.c.person)
        .join(lora_examples, lora_examples.c.example == example_people.c.example)
        .where(lora_examples.c.lora == lora)
    )
    asked = (
        select(examples.c.asker)
        .join(lora_examples, lora_examples.c.example == examples.c.id)
        .where(lora_examples.c.lora == lora, examples.c.asker != "")
    )
    return sorted({*connection.execute(stood).scalars(), *connection.execute(asked).scalars()})


def keep_evaluation(connection: Connection, evaluation: Evaluation) -> None:
    """Keep a verdict; the LoRA must be known."""
    connection.execute(
        insert(evaluations).values(
            id=evaluation.id,
            lora=evaluation.lora,
            against=evaluation.against,
            passed=evaluation.passed,
            verdict=dict(evaluation.verdict),
            made_at=evaluation.made_at,
        )
    )


def evaluations_of(connection: Connection, lora: str) -> list[Evaluation]:
    """Newest first."""
    wanted = select(evaluations).where(evaluations.c.lora == lora)
    return [_evaluation(row) for row in connection.execute(wanted.order_by(*_NEWEST_FIRST))]


def evaluation(connection: Connection, evaluation_id: str) -> Evaluation | None:
    """One verdict by its id."""
    row = connection.execute(select(evaluations).where(evaluations.c.id == evaluation_id)).first()
    return None if row is None else _evaluation(row)


def latest_evaluation(connection: Connection, lora: str, against: str | None = None) -> Evaluation | None:
    """The newest verdict, against one LoRA (or `none`) or against any."""
    wanted = select(evaluations).where(evaluations.c.lora == lora)
    if against is not None:
        wanted = wanted.where(evaluations.c.against == against)
    row = connection.execute(wanted.order_by(*_NEWEST_FIRST).limit(1)).first()
    return None if row is None else _evaluation(row)


def counts_of_examples(connection: Connection) -> dict[str, int]:
    """LoRA → how many examples it has seen."""
    rows = connection.execute(select(lora_examples.c.lora, func.count()).group_by(lora_examples.c.lora))
    return {str(row[0]): int(row[1]) for row in rows}


_NEWEST_FIRST = (evaluations.c.made_at.desc(), evaluations.c.id.desc())


def _record(row: Row[Any]) -> LoraRecord:
    return LoraRecord(**{name: getattr(row, name) for name in LoraRecord.__dataclass_fields__})


def _evaluation(row: Row[Any]) -> Evaluation:
    return Evaluation(row.id, row.lora, row.against, bool(row.passed), dict(row.verdict), row.made_at)
