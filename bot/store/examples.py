"""Training examples, who stands behind them, and every decision about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from bot.errors import ChangedSince
from bot.examples.example import Evidence, Example, State
from bot.store.inserting import insert_into
from bot.store.schema import example_changes, example_origins, example_people, examples

Action = Literal["approve", "reject", "edit", "reopen", "undo"]


def add(connection: Connection, example: Example) -> bool:
    """Keep a new example; False when its key is known."""
    fresh = insert_into(connection, examples).values(id=example.id, **_values(example)).on_conflict_do_nothing()
    if connection.execute(fresh.returning(examples.c.id)).first() is None:
        return False
    _link(connection, example)
    return True


def refresh(connection: Connection, example: Example) -> None:
    """What a new build says of a known example: votes changed, or the page's text did. Its decision stays."""
    kept = {"state", "made_at", "decided_at", "decided_by"}
    values = {name: value for name, value in _values(example).items() if name not in kept}
    connection.execute(update(examples).where(examples.c.id == example.id).values(**values))
    _unlink(connection, example.id)
    _link(connection, example)


def set_people(connection: Connection, example_id: str, people: Iterable[str], origins: Iterable[str]) -> None:
    """Who stands behind it now; the texts, which a reviewer has seen, stay as they are."""
    found = get(connection, example_id)
    if found is not None:
        _unlink(connection, example_id)
        _link(connection, replace(found, people=tuple(people), origins=tuple(origins)))


def get(connection: Connection, example_id: str) -> Example | None:
    """By its id."""
    found = _read(connection, examples.c.id == example_id, only=example_id)
    return found[0] if found else None


def every(connection: Connection, states: Collection[State] = (), kinds: Collection[str] = ()) -> list[Example]:
    """Oldest first; empty `states` or `kinds`: all of them."""
    conditions = []
    if states:
        conditions.append(examples.c.state.in_(list(states)))
    if kinds:
        conditions.append(examples.c.kind.in_(list(kinds)))
    return _read(connection, *conditions)


def counts(connection: Connection) -> dict[str, int]:
    """How many there are, by state."""
    rows = connection.execute(select(examples.c.state, func.count()).group_by(examples.c.state))
    return {str(row[0]): int(row[1]) for row in rows}


def decide(connection: Connection, example: Example, state: State, action: Action, *, by: str, now: float) -> None:
    """Set the state of `example` as it was read, on the record."""
    _record(connection, example, action, by=by, now=now)
    values = {"state": state, "decided_at": None if state == "pending" else now}
    connection.execute(
        update(examples)
        .where(examples.c.id == example.id)
        .values(decided_by="" if state == "pending" else by, **values)
    )


def edit(
    connection: Connection, example: Example, answer: str, problems: tuple[str, ...], *, by: str, now: float
) -> None:
    """Replace the answer of `example` as it was read, on the record. It is pending again."""
    _record(connection, example, "edit", by=by, now=now)
    connection.execute(
        update(examples)
        .where(examples.c.id == example.id)
        .values(answer=answer, problems=list(problems), state="pending", decided_at=None, decided_by="")
    )


def set_problems(connection: Connection, example_id: str, answer: str, problems: tuple[str, ...]) -> None:
    """What stands against it, as long as this is its answer."""
    same = (examples.c.id == example_id, examples.c.answer == answer)
    connection.execute(update(examples).where(*same).values(problems=list(problems)))


def edited(connection: Connection, example_id: str) -> bool:
    """Whether a person changed its answer and did not take that back."""
    mine = (example_changes.c.example == example_id, example_changes.c.action == "edit")
    return connection.execute(select(example_changes.c.id).where(*mine, ~example_changes.c.undone)).first() is not None


def undo(connection: Connection, by: str, *, now: float) -> str | None:
    """Take the last decision or edit of `by` back; the example's id, None when there is none left.

    Raises ChangedSince when somebody else, or the rule, decided about or edited that example after them, and that stands.
    """
    last: Any = connection.execute(
        select(example_changes)
        .where(example_changes.c.by == by, example_changes.c.action != "undo", ~example_changes.c.undone)
        .order_by(example_changes.c.id.desc())
        .limit(1)
    ).first()
    found = get(connection, last.example) if last is not None else None
    if found is None:
        return None
    later = (example_changes.c.example == found.id, example_changes.c.id > last.id, example_changes.c.by != by)
    stands = (example_changes.c.action != "undo", ~example_changes.c.undone)
    if connection.execute(select(example_changes.c.id).where(*later, *stands).limit(1)).first() is not None:
        raise ChangedSince(id=found.id)
    _record(connection, found, "undo", by=by, now=now)
    connection.execute(update(example_changes).where(example_changes.c.id == last.id).values(undone=True))
    connection.execute(
        update(examples)
        .where(examples.c.id == found.id)
        .values(
            state=last.state_before,
            decided_by=last.by_before,
            answer=last.answer_before,
            decided_at=None if last.state_before == "pending" else now,
        )
    )
    return found.id


def history(connection: Connection, example_id: str) -> list[tuple[str, str, float]]:
    """(action, by, at), oldest first."""
    rows = connection.execute(
        select(example_changes).where(example_changes.c.example == example_id).order_by(example_changes.c.id)
    )
    return [(row.action, row.by, row.at) for row in rows]


def _record(connection: Connection, example: Example, action: Action, *, by: str, now: float) -> None:
    connection.execute(
        insert(example_changes).values(
            example=example.id,
            by=by,
            at=now,
            action=action,
            state_before=example.state,
            by_before=example.decided_by,
            answer_before=example.answer,
            undone=False,
        )
    )


def _values(example: Example) -> dict[str, Any]:
    data = asdict(example)
    for elsewhere in ("id", "people", "origins"):
        del data[elsewhere]
    return data | {"turns": list(example.turns), "problems": list(example.problems)}


def _link(connection: Connection, example: Example) -> None:
    for person in sorted(set(example.people)):
        connection.execute(
            insert_into(connection, example_people).values(example=example.id, person=person).on_conflict_do_nothing()
        )
    for answer in sorted(set(example.origins)):
        connection.execute(
            insert_into(connection, example_origins).values(example=example.id, answer=answer).on_conflict_do_nothing()
        )


def _unlink(connection: Connection, example_id: str) -> None:
    connection.execute(delete(example_people).where(example_people.c.example == example_id))
    connection.execute(delete(example_origins).where(example_origins.c.example == example_id))


def _read(connection: Connection, *conditions: Any, only: str | None = None) -> list[Example]:
    rows = connection.execute(select(examples).where(*conditions).order_by(examples.c.made_at, examples.c.id)).all()
    people = _grouped(connection, example_people.c.person, only)
    origins = _grouped(connection, example_origins.c.answer, only)
    return [_example(row, people.get(row.id, ()), origins.get(row.id, ())) for row in rows]


def _grouped(connection: Connection, column: Any, only: str | None) -> dict[str, tuple[str, ...]]:
    example = column.table.c.example
    wanted = select(example, column).order_by(column)
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(wanted if only is None else wanted.where(example == only)):
        found[row[0]] = (*found.get(row[0], ()), row[1])
    return found


def _example(row: Row[Any], people: tuple[str, ...], origins: tuple[str, ...]) -> Example:
    data: dict[str, Any] = dict(row._mapping)
    return Example(
        **data
        | {
            "turns": tuple(row.turns),
            "passages": tuple(Evidence(**one) for one in row.passages),
            "problems": tuple(row.problems),
            "people": people,
            "origins": origins,
        }
    )
