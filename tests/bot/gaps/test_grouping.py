"""Groups: average linkage, identity over runs, and the same result every time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot.gaps.grouping import grouped


def symmetric(values: list[list[float]]) -> NDArray[np.float32]:
    found = np.array(values, dtype=np.float32)
    return np.maximum(found, found.T)


TWO_PAIRS = symmetric([[1, 0.9, 0.1, 0.1], [0, 1, 0.1, 0.1], [0, 0, 1, 0.8], [0, 0, 0, 1]])


def test_what_is_alike_enough_comes_together_and_the_rest_stays_apart() -> None:
    assert grouped(TWO_PAIRS.copy(), [None] * 4, 0.5) == [[0, 1], [2, 3]]
    assert grouped(TWO_PAIRS.copy(), [None] * 4, 0.85) == [[0, 1], [2], [3]]
    assert grouped(TWO_PAIRS.copy(), [None] * 4, 0.95) == [[0], [1], [2], [3]]


def test_the_average_over_all_pairs_decides_not_the_best_pair() -> None:
    chain = symmetric([[1, 0.9, 0.0], [0, 1, 0.6], [0, 0, 1]])
    assert grouped(chain, [None] * 3, 0.5) == [[0, 1], [2]]  # (0.0 + 0.6) / 2 is not enough


def test_a_group_keeps_what_it_has_even_where_it_would_not_form_today() -> None:
    assert grouped(TWO_PAIRS.copy(), ["a", None, "a", None], 0.7)[0] >= [0, 2]
    assert [0, 2] in [
        [row for row in rows if row in (0, 2)] for rows in grouped(TWO_PAIRS.copy(), ["a", None, "a", None], 0.7)
    ]


def test_groups_that_people_know_never_become_one_though_all_is_alike() -> None:
    alike = np.ones((5, 5), dtype=np.float32)
    found = grouped(alike, ["a", "b", None, None, "b"], 0.5)
    assert len(found) == 2
    assert sorted(row for rows in found for row in rows) == [0, 1, 2, 3, 4]
    assert any({1, 4} <= set(rows) for rows in found)


def test_nothing_gives_no_groups() -> None:
    assert grouped(np.zeros((0, 0), dtype=np.float32), [], 0.5) == []


def plain(likeness: NDArray[np.float32], before: list[str | None], least: float) -> list[list[int]]:
    """The same, said simply: look at every pair of groups at every step."""
    known: dict[str, list[int]] = {}
    groups: list[list[int]] = []
    named: dict[int, bool] = {}
    for row, name in enumerate(before):
        if name is not None and name in known:
            known[name].append(row)
            continue
        group = [row]
        groups.append(group)
        named[id(group)] = name is not None
        if name is not None:
            known[name] = group
    while True:
        best: tuple[float, int, int] | None = None
        for one in range(len(groups)):
            for other in range(one + 1, len(groups)):
                if named[id(groups[one])] and named[id(groups[other])]:
                    continue
                mean = float(likeness[np.ix_(groups[one], groups[other])].mean())
                if mean >= least and (best is None or mean > best[0]):
                    best = (mean, one, other)
        if best is None:
            return sorted((sorted(rows) for rows in groups), key=lambda rows: rows[0])
        _, one, other = best
        named[id(groups[one])] = named[id(groups[one])] or named[id(groups[other])]
        groups[one] += groups.pop(other)


@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.sampled_from([0.3, 0.5, 0.7]))
def test_it_finds_what_the_simple_way_finds(seed: int, count: int, least: float) -> None:
    drawn = np.random.default_rng(seed)
    values = drawn.random((count, count)).astype(np.float32)  # no two are equal, so that there is one right answer
    likeness = (values + values.T) / 2
    before: list[str | None] = [None if drawn.random() < 0.6 else "abc"[int(drawn.integers(3))] for _ in range(count)]
    assert grouped(likeness.copy(), before, least) == plain(likeness, before, least)
    assert grouped(likeness.copy(), before, least) == grouped(likeness.copy(), before, least)
