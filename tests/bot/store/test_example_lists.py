"""The reviewer's queue as the store tells it, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from bot.store import example_lists, examples
from bot.store.cursor import Cursor
from bot.store.database import Store
from bot.store.example_lists import Wanted
from bot.store.schema import answers
from tests.bot.examples.rows import answered, example


def test_lines_come_oldest_first_and_go_on_from_a_key_even_among_equal_times(store: Store) -> None:
    made = [example(f"n{number}", made_at=float(number // 3)) for number in range(9)]
    for one in made:
        store.run_now(examples.add, one)
    wanted = sorted(made, key=lambda one: (one.made_at, one.id))
    seen: list[str] = []
    start = None
    while page := store.run_now(example_lists.lines, Wanted(), start=start, most=4):
        seen += [one.id for one in page[:3]]
        start = Cursor(page[3].made_at, page[3].id) if len(page) == 4 else None
        if start is None:
            break
    assert seen == [one.id for one in wanted]


def test_a_filter_leaves_out_what_it_does_not_name(store: Store) -> None:
    for name, changes in {
        "a": {},
        "b": {"kind": "imported"},
        "c": {"lora": "other"},
        "d": {"state": "rejected"},
    }.items():
        store.run_now(examples.add, example(name, **changes))
    for wanted, names in (
        (Wanted(), "abc"),
        (Wanted(kind="imported"), "b"),
        (Wanted(lora="other"), "c"),
        (Wanted("rejected"), "d"),
        (Wanted("approved"), ""),
    ):
        found = {one.id for one in store.run_now(example_lists.lines, wanted, most=9)}
        assert found == {example(name).id for name in names}
    (line, *_) = store.run_now(example_lists.lines, Wanted(kind="imported"), most=9)
    assert line.people == 2


def test_words_are_private_when_an_answer_was_or_when_nobody_can_tell_any_more(store: Store) -> None:
    shared, private = answered(store, "1"), answered(store, "2")
    hide = update(answers).where(answers.c.id == private).values(private=True)
    store.run_now(lambda connection: connection.execute(hide))
    for name, origins, kind, wanted in (
        ("shared", (shared,), "liked", False),
        ("private", (private,), "liked", True),
        ("both", (shared, private), "corrected", True),
        ("gone", (shared, "f" * 16), "resolved", True),
        ("none", (), "liked", True),
        ("wiki", (), "synthetic", False),
        ("of the company", (), "own", False),
        ("a private one's copy", (private,), "copy", True),
    ):
        people: dict[str, Any] = {"people": (), "asker": ""} if kind in ("synthetic", "own") else {}
        one = example(name, kind="imported" if kind in ("own", "copy") else kind, origins=origins, **people)
        store.run_now(examples.add, one)
        assert store.run_now(example_lists.is_private, one.id) == wanted, name
        (line,) = [found for found in store.run_now(example_lists.lines, Wanted(), most=9) if found.id == one.id]
        assert (line.private, line.from_people) == (wanted, kind not in ("synthetic", "own"))


def test_what_was_decided_at_once_is_one_step_and_what_was_taken_back_is_none(store: Store) -> None:
    made = [example(f"n{number}") for number in range(4)]
    for one in made:
        store.run_now(examples.add, one)

    def decide(number: int, by: str, now: float) -> None:
        store.run_now(examples.decide, made[number], "approved", "approve", by=by, now=now)

    for number in (0, 1):
        decide(number, "web:kim", 5.0)
    decide(2, "web:kim", 6.0)
    decide(3, "web:lee", 7.0)
    steps = store.run_now(example_lists.steps, "web:kim", most=9)
    assert [(one.action, one.at, one.count) for one in steps] == [("approve", 6.0, 1), ("approve", 5.0, 2)]
    store.run_now(examples.undo, "web:kim", now=8.0)
    steps = store.run_now(example_lists.steps, "web:kim", most=9)
    assert [(one.at, one.count) for one in steps] == [(5.0, 2)]
    assert store.run_now(example_lists.steps, "web:kim", most=1)[0].first in {one.id for one in made[:2]}
