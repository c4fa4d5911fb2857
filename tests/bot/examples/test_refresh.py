"""Builds and votes over time: what the rule may change, and what only a person may."""

from __future__ import annotations

from dataclasses import replace

from bot.examples.build import candidates
from bot.examples.example import Evidence, Example
from bot.examples.guards import Rules
from bot.examples.pages import EditionPages
from bot.examples.refresh import Refreshed, close_gone, refresh
from bot.examples.review import Review
from bot.store import answers, examples
from bot.store.database import Store
from bot.store.feedback import first_seen, said
from bot.store.forgetting import forget_questions
from knowledge.page import Passage
from tests.bot.examples.rows import KIM, LEAVE, LEE, NOW, PARK, FakeGrounding, FakePages, answered, example, mask, vote


def build(store: Store, *closed: str, automatic: bool = False, now: float = NOW) -> Refreshed:
    pages = FakePages(*closed)
    made = candidates(store.run_now(said), pages, FakeGrounding(), mask, now=now)
    seen = store.run_now(first_seen, [KIM.key, LEE.key, PARK.key])
    return store.run_now(refresh, made, pages, seen, Rules(automatic=automatic), now=now)


def every(store: Store) -> list[Example]:
    return store.run_now(examples.every)


def reviewer(store: Store) -> Review:
    return Review(store, FakePages(), FakeGrounding(), mask, "terminal:r", lambda: NOW)


def test_building_again_changes_nothing(store: Store) -> None:
    name = answered(store, "1")
    vote(store, name, KIM)
    vote(store, name, LEE)
    assert build(store, automatic=True) == Refreshed(1, 1, 0, 0, {})
    before = every(store)
    assert build(store, automatic=True, now=NOW + 1) == Refreshed(0, 0, 0, 0, {})
    assert every(store) == before
    assert (before[0].state, before[0].decided_by) == ("approved", "auto")


def test_without_the_setting_nothing_approves_itself(store: Store) -> None:
    name = answered(store, "1")
    vote(store, name, KIM)
    vote(store, name, LEE)
    build(store)
    assert every(store)[0].state == "pending"


def test_a_thumb_down_or_a_withdrawn_vote_takes_the_rules_approval_back(store: Store) -> None:
    name = answered(store, "1")
    vote(store, name, KIM)
    vote(store, name, LEE)
    build(store, automatic=True)
    vote(store, name, PARK, "down")
    assert build(store, automatic=True).reopened == 1
    liked = next(one for one in every(store) if one.kind == "liked")
    assert (liked.state, liked.decided_by) == ("pending", "")
    vote(store, name, PARK, None)
    assert build(store, automatic=True).approved == 1
    vote(store, name, KIM, None)
    vote(store, name, LEE, None)
    assert build(store, automatic=True).withdrawn == 1
    assert {one.state for one in every(store)} == {"rejected"}
    assert [action for action, _, _ in store.run_now(examples.history, liked.id)] == [
        "approve",
        "reopen",
        "approve",
        "reject",
    ]


def too_old(store: Store, answer_id: str) -> None:
    """As retention does it."""
    kept = store.run_now(answers.get, answer_id)
    assert kept is not None
    store.run_now(forget_questions, [kept.question_id])


def test_what_the_rule_approved_stays_when_the_answer_goes_for_its_age_and_what_waits_does_not(store: Store) -> None:
    name, waiting = answered(store, "1"), answered(store, "2", text="다른 질문입니다")
    for answer_id, people in ((name, (KIM, LEE)), (waiting, (KIM,))):
        for person in people:
            vote(store, answer_id, person)
    build(store, automatic=True)
    for answer_id in (name, waiting):
        too_old(store, answer_id)
    assert build(store, automatic=True).withdrawn == 1
    assert {one.origins: one.state for one in every(store)} == {(name,): "approved", (waiting,): "rejected"}


def test_what_several_alike_were_approved_by_stays_as_one_after_the_other_goes_and_a_thumb_down_counts(
    store: Store,
) -> None:
    first, second, third = (answered(store, name, now=at) for name, at in (("1", 10.0), ("2", 11.0), ("3", 12.0)))
    vote(store, first, KIM)
    vote(store, second, LEE)
    assert build(store, automatic=True).approved == 1
    (before,) = every(store)
    too_old(store, first)
    assert build(store, automatic=True) == Refreshed(0, 0, 0, 0, {})
    vote(store, third, PARK)
    assert build(store, automatic=True) == Refreshed(0, 0, 0, 0, {})
    (after,) = every(store)
    assert (after.id, after.state, after.origins) == (before.id, "approved", tuple(sorted((first, second, third))))
    assert after.people == tuple(sorted((KIM.key, LEE.key, PARK.key)))
    vote(store, second, LEE, "down")
    assert build(store, automatic=True).reopened == 1


def test_newcomers_do_not_approve(store: Store) -> None:
    name = answered(store, "1", person=KIM)
    vote(store, name, KIM)
    vote(store, name, LEE, now=NOW - 10)
    assert build(store, automatic=True).approved == 0


def test_what_a_person_decided_stays(store: Store) -> None:
    first, second = answered(store, "1"), answered(store, "2", text="다른 질문입니다")
    vote(store, first, KIM)
    vote(store, second, KIM)
    build(store, automatic=True)
    one, two = every(store)
    reviewer(store).approve(one.id)
    reviewer(store).reject(two.id)
    vote(store, first, KIM, None)
    for person in (LEE, PARK):
        vote(store, second, person)
    assert build(store, automatic=True).approved == 0
    states = {each.id: (each.state, each.people) for each in every(store)}
    assert states[one.id][0] == "approved"
    assert states[two.id] == ("rejected", (KIM.key, LEE.key, PARK.key))


def test_an_edited_answer_is_neither_overwritten_nor_approved_by_votes(store: Store) -> None:
    name = answered(store, "1")
    vote(store, name, KIM)
    build(store)
    (one,) = every(store)
    reviewer(store).edit(one.id, f"{LEAVE} [1][2]")
    vote(store, name, LEE)
    assert build(store, automatic=True).approved == 0
    assert every(store)[0].answer == f"{LEAVE} [1][2]"


def test_a_page_that_closed_takes_its_examples_along_whoever_approved_them(store: Store) -> None:
    vote(store, answered(store, "1"), KIM)
    build(store)
    reviewer(store).approve(every(store)[0].id)
    assert build(store, "VPN.md").withdrawn == 1
    assert (every(store)[0].state, every(store)[0].decided_by) == ("rejected", "auto")


def test_when_the_first_of_several_alike_is_withdrawn_the_example_goes_on(store: Store) -> None:
    first, second = answered(store, "1", now=10.0), answered(store, "2", now=11.0)
    vote(store, first, KIM)
    vote(store, second, LEE)
    build(store)
    (before,) = every(store)
    vote(store, first, KIM, None)
    assert build(store).new == 0
    (after,) = every(store)
    assert (after.id, after.people, after.origins, after.state) == (before.id, (LEE.key,), (second,), "pending")


def test_a_changed_correction_is_another_example_so_that_an_id_always_means_the_same_words(store: Store) -> None:
    name = answered(store, "1")
    vote(store, name, LEE, "down", correction=f"{LEAVE} [2]")
    build(store)
    before = next(one for one in every(store) if one.kind == "corrected")
    vote(store, name, LEE, "down", correction="연차는 99일입니다. [2]")
    build(store)
    reviewer(store).approve(before.id)
    after = {one.answer: one.state for one in every(store) if one.kind == "corrected"}
    assert after == {f"{LEAVE} [2]": "approved", "연차는 99일입니다.": "pending"}


def test_a_synthetic_example_is_closed_when_its_page_says_something_else(store: Store) -> None:
    page = Passage("wiki", "연차.md", 0, "연차", (), f"{LEAVE}\n총무팀 010-1234-5678")
    shown = Evidence("wiki", "연차.md", 0, "연차", f"{LEAVE}\n총무팀 [전화번호]")
    for name, kind in (("a", "synthetic"), ("b", "imported")):
        store.run_now(examples.add, example(name, kind=kind, passages=(shown,), people=(), origins=()))
    assert store.run_now(close_gone, EditionPages([page]), now=NOW) == 0  # what masking changed is not compared
    changed = replace(page, text=page.text.replace("15일", "16일"))
    assert store.run_now(close_gone, EditionPages([changed]), now=NOW) == 1
    assert {one.kind: (one.state, one.decided_by) for one in every(store)} == {
        "synthetic": ("rejected", "auto"),
        "imported": ("pending", ""),
    }
    assert store.run_now(close_gone, EditionPages([]), now=NOW) == 1
