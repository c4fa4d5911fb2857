"""Examples, their people and the record of decisions, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import ChangedSince
from bot.examples.example import AUTOMATIC
from bot.store import examples
from bot.store.database import Store
from tests.bot.examples.rows import example


def test_an_example_comes_back_as_it_was_and_is_kept_once(store: Store) -> None:
    assert store.run_now(examples.add, example())
    assert not store.run_now(examples.add, example())
    assert store.run_now(examples.get, example().id) == example()
    assert store.run_now(examples.get, "0" * 16) is None
    assert store.run_now(examples.counts) == {"pending": 1}


def test_half_a_surrogate_pair_and_nul_do_not_stop_an_example(store: Store) -> None:
    store.run_now(examples.add, example(question="연차\ud83d\0?"))
    found = store.run_now(examples.get, example().id)
    assert found is not None
    assert found.question == "연차??"


def test_examples_are_found_by_state_and_kind(store: Store) -> None:
    one, two = example("1"), example("2", kind="disliked", people=("slack:U2",), asker="slack:U1", made_at=2.0)
    for each in (two, one):
        store.run_now(examples.add, each)
    store.run_now(examples.decide, one, "approved", "approve", by="r", now=3.0)
    assert [each.id for each in store.run_now(examples.every)] == [one.id, two.id]
    assert [each.id for each in store.run_now(examples.every, states=("approved",))] == [one.id]
    assert [each.id for each in store.run_now(examples.every, kinds=("disliked",))] == [two.id]


def test_decisions_and_edits_are_undone_one_by_one_by_who_made_them(store: Store) -> None:
    first = example()
    store.run_now(examples.add, first)
    store.run_now(examples.edit, first, "고침", ("support",), by="kim", now=2.0)
    changed = store.run_now(examples.get, first.id)
    assert changed is not None
    assert (changed.answer, changed.problems, changed.state) == ("고침", ("support",), "pending")
    assert store.run_now(examples.edited, first.id)
    store.run_now(examples.decide, changed, "rejected", "reject", by="kim", now=3.0)
    assert store.run_now(examples.undo, "lee", now=4.0) is None
    assert store.run_now(examples.undo, "kim", now=5.0) == first.id
    again = store.run_now(examples.get, first.id)
    assert again is not None
    assert (again.state, again.decided_by, again.decided_at, again.answer) == ("pending", "", None, "고침")
    assert store.run_now(examples.undo, "kim", now=6.0) == first.id
    back = store.run_now(examples.get, first.id)
    assert back is not None
    assert back.answer == first.answer
    assert not store.run_now(examples.edited, first.id)
    assert store.run_now(examples.undo, "kim", now=7.0) is None
    assert [action for action, _, _ in store.run_now(examples.history, first.id)] == ["edit", "reject", "undo", "undo"]


@pytest.mark.parametrize("other", ["lee", AUTOMATIC])
def test_a_step_is_not_taken_back_over_what_somebody_else_did_after_it(store: Store, other: str) -> None:
    first = example()
    store.run_now(examples.add, first)
    store.run_now(examples.decide, first, "approved", "approve", by="kim", now=2.0)
    approved = store.run_now(examples.get, first.id)
    assert approved is not None
    store.run_now(examples.decide, approved, "rejected", "reject", by=other, now=3.0)
    before = store.run_now(examples.get, first.id)
    with pytest.raises(ChangedSince) as refused:
        store.run_now(examples.undo, "kim", now=4.0)
    assert first.id in refused.value.explain("ko")
    assert store.run_now(examples.get, first.id) == before
    assert store.run_now(examples.undo, other, now=5.0) == first.id
    again = store.run_now(examples.get, first.id)
    assert again is not None
    assert (again.state, again.decided_by) == ("approved", "kim")  # nothing stands in the way any more
    assert store.run_now(examples.undo, "kim", now=6.0) == first.id
    assert store.run_now(examples.get, first.id) == first


def test_a_refresh_changes_texts_and_people_but_no_decision(store: Store) -> None:
    first = example()
    store.run_now(examples.add, first)
    store.run_now(examples.decide, first, "approved", "approve", by="r", now=3.0)
    store.run_now(examples.refresh, replace(first, people=("slack:U3",), origins=("b" * 16,), condensed="새로"))
    found = store.run_now(examples.get, first.id)
    assert found is not None
    assert (found.state, found.decided_by, found.decided_at) == ("approved", "r", 3.0)
    assert (found.people, found.origins, found.condensed) == (("slack:U3",), ("b" * 16,), "새로")
