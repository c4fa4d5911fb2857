"""Which LoRAs there are, what each was made from, how it did and when it answered: for lists and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.errors import UnknownLora
from bot.loras.seen import counts_in
from bot.loras.shelf import ShelvedLora
from bot.releases.choosing import Choice, released
from bot.releases.releases import Releases, record_of
from bot.store import loras
from bot.store import releases as records
from bot.store.loras import Evaluation, LoraRecord
from bot.store.releases import Release


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list."""

    record: LoraRecord
    role: str
    """`answers`, `canary` or empty."""
    examples: int
    """How many it has seen."""
    evaluation: Evaluation | None
    """The latest."""
    shipped: bool
    fits: bool
    """Made for the base that is served."""


@dataclass(frozen=True, slots=True)
class Described:
    """All there is to know about one LoRA."""

    listed: Listed
    example_ids: Sequence[str]
    """Of what it has seen, held out or learnt, as far as the store knows; some may be forgotten by now."""
    people: int
    """Whose votes, corrections or questions are in it, as far as they are not forgotten."""
    evaluations: Sequence[Evaluation]
    """Newest first."""
    releases: Sequence[Release]
    """Of the served base, those that name it and the one that ended each of them, which says why; newest first."""


def answering(releases: Releases) -> Choice:
    """What a service that starts now would answer with. Raises StoreError."""
    return releases.choosing.choose(releases.store.run_now(released, releases.base))


def every(releases: Releases, choice: Choice | None = None) -> list[Listed]:
    """Newest first: what is recorded and what lies on the shelf without a record; deleted ones are left out. Raises StoreError.

    `choice`: what answers, where that is known; else it is looked up, which reads its file.
    """
    choice = choice or answering(releases)
    shelved = {one.name: one for one in releases.shelf.every()}

    def read(connection: Connection) -> list[Listed]:
        known = {one.name: one for one in loras.every(connection)}
        known |= {name: record_of(one) for name, one in shelved.items() if name not in known}
        counts = loras.counts_of_examples(connection)
        return [
            Listed(
                record=one,
                role=_role(one.name, choice),
                examples=counts.get(one.name, 0) or _of_card(shelved.get(one.name)),
                evaluation=loras.latest_evaluation(connection, one.name),
                shipped=one.name in shelved and shelved[one.name].shipped,
                fits=one.base == releases.base,
            )
            for one in known.values()
            if one.deleted_at is None
        ]

    found = releases.store.run_now(read)
    return sorted(found, key=lambda one: (-one.record.made_at, one.record.name))


def describe(releases: Releases, name: str, choice: Choice | None = None) -> Described:
    """Of a deleted one the record is left. `choice`: see `every`. Raises `UnknownLora`, `BrokenLora`, StoreError."""
    listed = {one.record.name: one for one in every(releases, choice)}.get(name)

    def read(connection: Connection) -> Described | None:
        one = listed
        if one is None:
            record = loras.get(connection, name)
            if record is None:
                return None
            latest = loras.latest_evaluation(connection, name)
            fits = record.base == releases.base
            one = Listed(record, "", len(loras.examples_of(connection, name)), latest, shipped=False, fits=fits)
        history = records.history(connection, one.record.base)
        return Described(
            listed=one,
            example_ids=loras.examples_of(connection, name),
            people=len(loras.people_behind(connection, name)),
            evaluations=loras.evaluations_of(connection, name),
            releases=_about(name, history),
        )

    found = releases.store.run_now(read)
    if found is None:
        releases.shelf.card(name)  # raises, naming the nearest
        raise UnknownLora(name=name, hint="")
    return found


def _of_card(lora: ShelvedLora | None) -> int:
    """How many examples one without a record of them has seen, as its card says: shipped or imported from elsewhere."""
    counts = counts_in(lora.card) if lora is not None else {}
    return counts.get("learnt", 0) + counts.get("held_out", 0)


def _role(name: str, choice: Choice) -> str:
    if choice.lora is not None and choice.lora.name == name:
        return "answers"
    canary = choice.canary.lora if choice.canary is not None else None
    return "canary" if canary is not None and canary.name == name else ""


def _about(name: str, history: Sequence[Release]) -> list[Release]:
    named = [name in (row.lora, row.canary) for row in history]
    return [row for row, here, before in zip(history, named, [False, *named], strict=False) if here or before][::-1]
