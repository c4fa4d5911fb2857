"""The paired bootstrap: known answers, its sources' formulas, and how wide it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.gate.comparison import Resampling, compare, expanded_tail, questions_if_alike, questions_needed, student
from jobs.gate.measures import Share

HOW = Resampling(resamples=2000)


def shares(values: list[float]) -> list[Share]:
    return [(value, 1.0) for value in values]


def test_quantiles_of_students_t_are_the_tables() -> None:
    table = {
        (0.975, 9): 2.262157,
        (0.975, 29): 2.045230,
        (0.90, 9): 1.383029,
        (0.90, 29): 1.311434,
        (0.995, 9): 3.249836,
    }
    for (probability, freedom), value in table.items():
        assert student(probability, freedom) == pytest.approx(value, abs=0.002)


def test_few_clusters_widen_the_interval_and_many_do_not() -> None:
    assert expanded_tail(10, 0.95) < expanded_tail(30, 0.95) < expanded_tail(3000, 0.95) < 0.025
    assert expanded_tail(3000, 0.95) == pytest.approx(0.025, abs=1e-4)


def test_the_interval_of_independent_questions_is_that_of_the_normal_approximation() -> None:
    random = np.random.default_rng(1)
    theirs, ours = random.random(400), random.random(400)
    found = compare(
        "x", "higher", "share", shares([*theirs]), shares([*ours]), range(400), Resampling(resamples=10_000)
    )
    error = float((theirs - ours).std(ddof=1)) / math.sqrt(400)
    assert found.low is not None
    assert found.high is not None
    assert found.difference == pytest.approx(float((theirs - ours).mean()))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.05)


def test_questions_of_one_page_that_rise_and_fall_together_count_as_few() -> None:
    random = np.random.default_rng(2)
    pages = np.repeat(np.arange(40), 10)
    gain = random.normal(0, 0.3, 40)[pages]
    theirs, ours = shares([*(0.5 + gain)]), shares([0.5] * 400)
    alone = compare("x", "higher", "share", theirs, ours, range(400), HOW)
    together = compare("x", "higher", "share", theirs, ours, [*pages], HOW)
    assert together.clusters == 40
    assert together.high - together.low > 2.5 * (alone.high - alone.low)  # type: ignore[operator]


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    covered = 0
    for run in range(300):
        pages = np.repeat(np.arange(30), 3)
        theirs = (random.random(90) < 0.7).astype(float)
        ours = (random.random(90) < 0.6).astype(float)
        found = compare(
            "x", "higher", "share", shares([*theirs]), shares([*ours]), [*pages], Resampling(0.95, 1000, run)
        )
        covered += found.low <= 0.1 <= found.high  # type: ignore[operator]
    assert 0.92 <= covered / 300 <= 0.99


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30))
@settings(max_examples=30, deadline=None)
def test_swapping_the_sides_mirrors_the_difference(pairs: list[tuple[float, float]]) -> None:
    theirs, ours = shares([one for one, _ in pairs]), shares([two for _, two in pairs])
    there = compare("x", "higher", "share", theirs, ours, range(len(pairs)), HOW)
    back = compare("x", "higher", "share", ours, theirs, range(len(pairs)), HOW)
    assert there.difference == pytest.approx(-back.difference)  # type: ignore[operator]
    assert there.low == pytest.approx(-back.high, abs=1e-9)  # type: ignore[operator]


def test_sides_that_agree_everywhere_get_an_interval_with_width_when_cautious() -> None:
    same = shares([1.0] * 60)
    plain = compare("x", "higher", "share", same, same, range(60), Resampling(0.8, 2000))
    cautious = compare("x", "higher", "share", same, same, range(60), Resampling(0.8, 2000, cautious=True))
    assert (plain.low, plain.high) == (0.0, 0.0)
    # Bonett and Price: z·√2 / (n + 2)
    assert cautious.high == pytest.approx(1.2816 * math.sqrt(2) / 62, rel=0.25)
    assert questions_if_alike(0.05, 0.8) == 35


def test_a_measure_counts_only_where_it_can_be_counted() -> None:
    theirs: list[Share] = [(1.0, 1.0), (0.0, 0.0), (0.5, 1.0), (0.0, 0.0)]
    ours: list[Share] = [(0.0, 1.0), (1.0, 1.0), (0.0, 0.0), (0.0, 0.0)]
    found = compare("x", "higher", "share", theirs, ours, range(4), HOW)
    assert (found.candidate, found.present, found.questions) == (0.75, 0.5, 3)
    nothing = compare("x", "higher", "share", [(0.0, 0.0)] * 4, ours, range(4), HOW)
    assert (nothing.candidate, nothing.difference, nothing.low) == (None, None, None)
    assert compare("x", "higher", "share", [], [], [], HOW).questions == 0


def test_ratios_of_means_and_medians_pair_questions_of_both_sides() -> None:
    ours = shares([1.0, 2.0, 3.0, 100.0] * 20)
    theirs = shares([2.0, 4.0, 6.0, 10.0] * 20)
    median = compare("s", "lower", "median", theirs, ours, range(80), HOW)
    assert (median.candidate, median.present, median.difference) == (4.0, 2.0, 1.0)
    assert median.gain == -1.0
    assert median.gain_bounds is not None
    assert median.low is not None
    assert median.gain_bounds[1] == -median.low
    mean = compare("s", "lower", "mean", [*theirs[:4], (0.0, 0.0)], [*ours[:4], (9.0, 1.0)], range(5), HOW)
    assert (mean.candidate, mean.present, mean.questions) == (5.5, 26.5, 4)


def test_a_median_resampled_is_the_median_of_what_was_drawn() -> None:
    from jobs.gate.comparison import _medians

    values = np.array([5.0, 1.0, 3.0])
    weights = np.array([[1, 1, 1], [0, 2, 1], [3, 0, 0], [1, 0, 2]], dtype=float)
    drawn = [np.repeat(values, row.astype(int)) for row in weights]
    assert [*_medians(values, weights)] == [np.sort(one)[(len(one) - 1) // 2] for one in drawn]


def test_memory_is_bounded_by_blocks_that_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    theirs, ours = shares([*random.random(50)]), shares([*random.random(50)])
    whole = compare("x", "higher", "share", theirs, ours, range(50), HOW)
    monkeypatch.setattr("jobs.gate.comparison._AT_ONCE", 3000)
    assert compare("x", "higher", "share", theirs, ours, range(50), HOW) == whole


def test_how_many_questions_would_do() -> None:
    random = np.random.default_rng(6)
    theirs, ours = shares([*(random.random(100) + 0.03)]), shares([*random.random(100)])
    found = compare("x", "higher", "share", theirs, ours, range(100), HOW)
    needed = questions_needed(found, 0.0, power=0.8)
    assert found.gain is not None
    assert (needed is None) == (found.gain <= 0)
    wide = questions_needed(found, -0.5, power=0.8)
    assert wide is not None
    assert wide < 100
    assert questions_needed(found, found.gain + 0.1, power=0.8) is None
