"""Groups of what shares a key, also through others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.linked import linked


def test_things_hang_together_through_others_and_are_numbered_as_they_come() -> None:
    assert linked([["a"], [], ["b"], ["c", "a"], ["b", "c"], []]) == [0, 1, 0, 0, 0, 2]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=3), max_size=12))
def test_two_things_are_in_one_group_if_and_only_if_a_chain_of_shared_keys_joins_them(keys: list[list[str]]) -> None:
    reached = [{place} for place in range(len(keys))]
    for _ in keys:
        for one in reached:
            one |= {b for a in tuple(one) for b in range(len(keys)) if set(keys[a]) & set(keys[b])}
    numbers = linked(keys)
    for a in range(len(keys)):
        assert {b for b in range(len(keys)) if numbers[b] == numbers[a]} == reached[a]
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))
