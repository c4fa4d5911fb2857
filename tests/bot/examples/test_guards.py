"""What votes are worth, and how much of a set one person may carry."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import prompts
from bot.examples import guards
from bot.examples.example import Example
from bot.examples.guards import ALIKE, Rules, chosen, clusters, counted, may_approve_itself, numbers
from knowledge.korean import bigrams
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


Said = tuple[int, str, str]
WORDS = st.text("가나다라", max_size=14)
REWORDED = st.builds(
    lambda text, at, more: text[:at] + more + text[at:],
    st.sampled_from(["연차는 며칠이나 받을 수 있나요?", "연차는 며칠이나 쓸 수 있나요?", "법인카드를 잃어버렸어요"]),
    st.integers(0, 16),
    st.sampled_from(["", " ", "요", "?!", "지금"]),
)


CUT = st.integers(0, 16).map(
    lambda length: "가나다라마바사아자차카타파하거너"[:length]
)  # 8 of 10 pairs, 12 of 15: just alike
TEXTS = WORDS | REWORDED | CUT


def _one_by_one(said: list[Said]) -> list[list[Said]]:
    """Each is compared with the first of every cluster."""

    def pairs(text: str) -> set[str]:
        return set(bigrams(text))

    def alike(one: str, other: str) -> bool:
        both = pairs(one) | pairs(other)
        return not both or len(pairs(one) & pairs(other)) / len(both) >= ALIKE

    found: list[list[Said]] = []
    for one in said:
        same = (
            each for each in found if each[0][0] == one[0] and alike(each[0][1], one[1]) and alike(each[0][2], one[2])
        )
        if (cluster := next(same, None)) is None:
            found.append([one])
        else:
            cluster.append(one)
    return found


@given(st.lists(st.tuples(st.integers(0, 1), TEXTS, TEXTS), max_size=30))
@settings(max_examples=300, deadline=None)
def test_near_duplicates_are_those_that_comparing_all_with_all_would_find(said: list[Said]) -> None:
    assert clusters(said, lambda one: one[1:], lambda one: one[0]) == _one_by_one(said)
    asked = [(number, text, "") for number, text, _ in said]
    assert clusters(asked, lambda one: (one[1],), lambda one: one[0]) == _one_by_one(asked)


def test_what_shares_no_rare_words_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(0)
    compared: list[frozenset[str]] = []
    letters = [chr(ord("가") + 7 * n) for n in range(500)]
    said = ["".join(chance.choices(letters, k=12)) + "은 누구에게 물어봅니까?" for _ in range(400)]
    real = guards._alike

    def alike(one: frozenset[str], other: frozenset[str]) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr(guards, "_alike", alike)
    found = clusters([*said, *said], lambda text: (text,), lambda _: 0)
    assert found == [[text, text] for text in said]
    assert len(compared) < 4 * len(said)  # all with all would be 160,000


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
