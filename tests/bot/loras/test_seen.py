"""What a card tells of the examples behind a LoRA, also one that somebody else wrote."""

from __future__ import annotations

import pytest

from bot.loras.seen import counts_in


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ({"learnt": {"count": 36}, "held_out": {"count": 4}, "more": {"count": 1}}, {"learnt": 36, "held_out": 4}),
        ({"learnt": {"count": 36}, "replay": {"count": 0}}, {"learnt": 36, "replay": 0}),
        ({"learnt": 36, "held_out": {"count": "4"}}, {}),
        ({"learnt": {"count": -1}}, {}),
        (["learnt"], {}),
        (None, {}),
    ],
)
def test_counts_are_taken_as_far_as_a_card_tells_them(told: object, counts: dict[str, int]) -> None:
    assert counts_in({"examples": told}) == counts
