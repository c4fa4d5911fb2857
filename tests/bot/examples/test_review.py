"""What a reviewer may do, and what nobody may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import prompts
from bot.errors import NotApprovable, UnknownExample
from bot.examples.example import Example
from bot.examples.review import Review, words
from bot.store import audit, examples
from bot.store.database import Store
from tests.bot.examples.rows import LEAVE, FakeGrounding, FakePages, example, mask


def review(store: Store, *closed: str, reviewer: str = "terminal:kim") -> Review:
    return Review(store, FakePages(*closed), FakeGrounding(), mask, reviewer, lambda: 7.0)


def test_approving_and_rejecting_say_who_and_when(store: Store) -> None:
    for name in ("1", "2", "3"):
        store.run_now(examples.add, example(name))
    desk = review(store)
    one, two, three = desk.waiting()
    approved, rejected = desk.approve(one.id), desk.reject(two.id)
    assert (approved.state, approved.decided_by, approved.decided_at, approved.reviewed) == (
        "approved",
        "terminal:kim",
        7.0,
        True,
    )
    assert (rejected.state, rejected.decided_by) == ("rejected", "terminal:kim")
    assert desk.waiting() == [three]
    assert store.run_now(examples.history, one.id) == [("approve", "terminal:kim", 7.0)]


@pytest.mark.parametrize(
    ("changes", "closed", "reason"),
    [
        ({"answer": "연차는 30일입니다. [1]"}, (), "support"),
        ({"answer": ""}, (), "support"),
        ({}, ("연차.md",), "page_gone"),
        ({"kind": "disliked", "answer": ""}, ("연차.md",), "page_gone"),
        ({"kind": "liked", "passages": ()}, (), "support"),
        ({"kind": "imported", "passages": (), "answer": " "}, (), "support"),
    ],
)
def test_what_the_pages_do_not_support_cannot_be_approved(
    store: Store, changes: dict[str, object], closed: tuple[str, ...], reason: str
) -> None:
    one = example(**changes)
    store.run_now(examples.add, one)
    with pytest.raises(NotApprovable) as caught:
        review(store, *closed).approve(one.id)
    assert caught.value.details["reasons"] == words((reason,))
    after = store.run_now(examples.get, one.id)
    assert after is not None
    assert after.state == "pending"
    assert store.run_now(examples.history, one.id) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "disliked", "answer": "", "rejected": "틀린 답"},
        {"kind": "imported", "passages": (), "answer": "자유로운 답"},
    ],
)
def test_what_teaches_no_claim_about_a_page_needs_none(store: Store, changes: dict[str, object]) -> None:
    one = example(**changes)
    store.run_now(examples.add, one)
    assert review(store).approve(one.id).state == "approved"


def test_an_edit_is_masked_checked_and_still_to_be_approved(store: Store) -> None:
    one = example()
    store.run_now(examples.add, one)
    desk = review(store)
    edited = desk.edit(one.id, "  문의는\n010-1234-5678입니다. ")
    assert (edited.answer, edited.problems, edited.state) == (
        "문의는 [전화번호]입니다.",
        ("support", "masked_answer"),
        "pending",
    )
    with pytest.raises(NotApprovable):
        desk.approve(one.id)
    assert desk.edit(one.id, f"{LEAVE} [1]").problems == ()
    assert desk.approve(one.id).state == "approved"


def test_undo_goes_back_step_by_step(store: Store) -> None:
    one = example()
    store.run_now(examples.add, one)
    desk = review(store)
    desk.approve(one.id)
    desk.reject(one.id)
    back = desk.undo()
    assert back is not None
    assert (back.state, back.decided_by) == ("approved", "terminal:kim")
    assert review(store, reviewer="terminal:lee").undo() is None
    again = desk.undo()
    assert again is not None
    assert again.state == "pending"
    assert desk.undo() is None


def test_an_unknown_id_is_said_to_be_unknown(store: Store) -> None:
    for step in (review(store).approve, review(store).reject, lambda name: review(store).edit(name, "답")):
        with pytest.raises(UnknownExample):
            step("0" * 16)


def test_every_problem_has_words() -> None:
    known = (
        "empty",
        "no_passages",
        "no_mark",
        "wrong_mark",
        "refusal",
        "language",
        "number",
        "name",
        "negation",
        "support",
        "page_gone",
    )
    assert all(word not in known for word in words(known).split(", "))
    assert prompts.REFUSAL not in words(known)


def test_an_edit_that_is_taken_back_takes_its_problems_along(store: Store) -> None:
    one = example()
    store.run_now(examples.add, one)
    desk = review(store)
    assert desk.edit(one.id, "연차는 30일입니다. [1]").problems == ("support",)
    assert desk.undo() == one


def test_what_somebody_edits_between_the_check_and_the_decision_is_not_approved(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = example("1"), example("2")
    for each in (one, other):
        store.run_now(examples.add, each)
    desk, lee = review(store), review(store, reviewer="terminal:lee")
    check = Review.problems

    def checking(self: Review, checked: Example) -> tuple[str, ...]:
        found = check(self, checked)
        if checked.id == other.id and self.reviewer == "terminal:kim" and LEAVE in checked.answer:
            lee.edit(one.id, "연차는 30일입니다. [1]")
        return found

    monkeypatch.setattr(Review, "problems", checking)
    decided = desk.approve_all([one.id, other.id])
    assert decided.done == (other.id,)
    assert decided.refused == {one.id: ("support",)}
    kept = store.run_now(examples.get, one.id)
    assert kept is not None
    assert kept.state == "pending"


def test_decisions_are_in_the_audit_log_without_anybodys_words(store: Store) -> None:
    one = example("1")
    store.run_now(examples.add, one)
    desk = review(store)
    desk.edit_and_approve(one.id, f"{LEAVE} [1] ")
    desk.reject(one.id)
    desk.undo()
    replace(review(store, reviewer="web:lee"), origin="192.0.2.7").reject(one.id)
    kept = [(entry.by, entry.action, entry.subject) for entry in reversed(store.run_now(audit.entries))]
    assert kept == [
        ("cli:kim", "example.approve", one.id),
        ("cli:kim", "example.reject", one.id),
        ("cli:kim", "example.undo", one.id),
        ("web:lee", "example.reject", one.id),
    ]
    assert [entry.origin for entry in store.run_now(audit.entries)] == ["192.0.2.7", "", "", ""]
    assert LEAVE not in repr(store.run_now(audit.entries))
