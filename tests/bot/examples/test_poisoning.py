"""People who act together against the training set, through the real store, check and guards."""

from __future__ import annotations

import pytest

from benchmarks.poisoning import ATTACKS, Attack, flooded, smallest, thumbs, void
from bot.examples.grounding import SentenceGrounding
from bot.examples.guards import Rules
from knowledge.korean import Analyser

EXPECTED = {
    "👍, believed, automatic = true": 2,
    "each asks alone, believed, automatic = true": 3,
    "👍, believed, automatic = true, voters = 3": 3,
}
"""Every other attack never succeeds."""


@pytest.fixture(scope="module")
def grounding(analyser: Analyser) -> SentenceGrounding:
    return SentenceGrounding(analyser, lambda _: 1.0)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_so_many_must_act_together_and_one_alone_never_succeeds(attack: Attack, grounding: SentenceGrounding) -> None:
    assert smallest(attack, 3, 440, grounding) == EXPECTED.get(attack.name)


def test_not_even_a_setting_lets_one_person_in(grounding: SentenceGrounding) -> None:
    careless = Attack("", lambda c, k: void(thumbs(c, k)), rules=Rules(automatic=True, voters=1, voter_days=0))
    assert smallest(careless, 3, 440, grounding) == 2


def test_two_people_fill_no_more_than_their_part(grounding: SentenceGrounding) -> None:
    assert flooded(2, 9, 100, grounding) == 5  # 5 % of 105


def test_new_accounts_carry_nothing_for_their_makers(grounding: SentenceGrounding) -> None:
    assert flooded(2, 9, 100, grounding, newcomers=4) == 5
    assert flooded(1, 3, 100, grounding, newcomers=4) == 0
