"""What votes are worth, and how much of a set one person may carry."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import prompts
from bot.examples.example import Example
from bot.examples.guards import Rules, chosen, clusters, counted, may_approve_itself, numbers
from tests.bot.examples.rows import DAY, NOW, example

AUTOMATIC = Rules(automatic=True)
KIM, LEE = "slack:U1", "slack:U2"


def test_a_newcomers_vote_waits_and_nobody_counts_twice() -> None:
    seen = {KIM: NOW - 8 * DAY, LEE: NOW - 6 * DAY}
    assert counted([KIM, KIM, LEE, "slack:unknown"], seen, Rules(), now=NOW) == (KIM,)
    assert counted([LEE], seen, Rules(voter_days=0), now=NOW) == (LEE,)


@pytest.mark.parametrize(
    ("changes", "up", "down", "rules", "expected"),
    [
        ({}, [KIM, LEE], [], AUTOMATIC, True),
        ({}, [KIM, LEE], [], Rules(), False),
        ({}, [KIM], [], AUTOMATIC, False),
        ({}, [KIM, KIM], [], AUTOMATIC, False),
        ({}, [KIM, LEE], ["slack:U3"], AUTOMATIC, False),
        ({}, [KIM, LEE], [], replace(AUTOMATIC, voters=3), False),
        ({}, [KIM], [], replace(AUTOMATIC, voters=1), False),
        ({"problems": ("number",)}, [KIM, LEE], [], AUTOMATIC, False),
        ({"kind": "corrected"}, [KIM, LEE], [], AUTOMATIC, False),
        ({"kind": "resolved"}, [KIM, LEE], [], AUTOMATIC, False),
        ({"kind": "imported"}, [KIM, LEE], [], AUTOMATIC, False),
        ({"kind": "disliked"}, [KIM, LEE], [], AUTOMATIC, False),
        ({"answer": prompts.REFUSAL}, [KIM, LEE], [], AUTOMATIC, False),
    ],
)
def test_votes_alone_approve_only_the_bots_own_grounded_answer(
    changes: dict[str, object], up: list[str], down: list[str], rules: Rules, expected: bool
) -> None:
    assert may_approve_itself(example(**changes), up, down, rules) is expected


def test_an_edited_answer_is_not_the_bots_own() -> None:
    assert not may_approve_itself(example(), [KIM, LEE], [], AUTOMATIC, original=False)


def test_near_duplicates_come_together_and_other_numbers_apart() -> None:
    said = ["연차는 며칠이나 받을 수 있나요?", "연차는 며칠이나 받을 수 있나요", "법인카드를 잃어버렸어요", "!?", "…"]
    assert [len(one) for one in clusters(said, lambda text: (text,), lambda _: 0)] == [2, 1, 2]
    assert [len(one) for one in clusters(said[:2], lambda text: (text,), lambda text: text)] == [1, 1]
    assert numbers("연차는 15일") != numbers("연차는 16일")
    assert numbers("15일") == numbers("15일")


def varied(n: int, **changes: object) -> Example:
    """Examples that are no near-duplicates of each other."""
    return example(f"e{n}", question=f"질문 {n}", answer=f"답 {n} [1]", **changes)


def test_a_set_holds_near_duplicates_once() -> None:
    alike = [example("1", people=()), example("2", people=(), question="연차는 며칠입니까"), varied(3, people=())]
    assert [one.id for one in chosen(alike, Rules(), known=())] == [alike[0].id, alike[2].id]


def test_one_person_carries_at_most_the_part_and_the_number_of_a_set() -> None:
    reviewed = [varied(n, people=(KIM,), decided_by="terminal:r") for n in range(60)]
    own = [varied(n, people=(), kind="imported", decided_by="terminal:r") for n in range(100, 200)]
    some = chosen([*reviewed, *own], Rules(), known=())
    assert len([one for one in some if one.people]) == 5  # of 105
    many = chosen([*reviewed, *own], Rules(), known=(), others=10_000)
    assert len([one for one in many if one.people]) == 20


def test_a_clique_fills_no_more_than_its_people_may_together() -> None:
    clique = tuple(f"slack:C{n}" for n in range(4))
    pushed = [varied(n, people=clique, decided_by="auto") for n in range(200)]
    assert len(chosen(pushed, Rules(), known=clique, others=1000)) == 4 * 20 // 2
    assert chosen(pushed, Rules(), known=clique) == []  # they cannot be a set by themselves
    assert chosen(pushed, Rules(), known=clique[:1], others=1000) == []
    crowd = [replace(one, people=(*clique[:2], *(f"slack:N{n}" for n in range(30)))) for one in pushed]
    assert len(chosen(crowd, Rules(), known=clique[:2], others=1000)) == 20


people = st.lists(st.sampled_from([f"slack:U{n}" for n in range(8)]), max_size=5, unique=True).map(tuple)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(people, st.sampled_from(["auto", "terminal:r"])), max_size=60), st.integers(0, 300))
def test_no_set_rests_on_one_person_beyond_the_limits(rows: list[tuple[tuple[str, ...], str]], others: int) -> None:
    rules = Rules(person_share=0.1, person_most=7)
    made = [varied(n, people=who, decided_by=by) for n, (who, by) in enumerate(rows)]
    kept = chosen(made, rules, known=[f"slack:U{n}" for n in range(8)], others=others)
    most = min(7, (len(kept) + others) // 10)
    alone = Counter(one.people[0] for one in kept if len(one.people) == 1)
    assert all(count <= most for count in alone.values())
    assert all(len(one.people) >= 2 for one in kept if one.people and one.decided_by == "auto")
    charged = sum(2 if one.decided_by == "auto" else 1 for one in kept if one.people)
    assert charged <= most * len({person for one in kept for person in one.people})
