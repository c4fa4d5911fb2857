"""Quantiles from counts are near those of the durations themselves, and counts can be added up."""

from __future__ import annotations

import json
import random
import statistics

import pytest

from bot.store.histogram import Histogram


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_quantiles_are_within_two_and_a_half_percent(share: float) -> None:
    drawn = random.Random(6)
    seconds = [drawn.lognormvariate(1.0, 1.2) for _ in range(3001)]
    exact = sorted(seconds)[int(share * 3001)]
    found = Histogram.of(seconds).quantile(share)
    assert found == pytest.approx(exact, rel=0.026)


def test_adding_up_is_the_same_as_counting_together() -> None:
    one, other = [0.0, 0.2, 3.0], [3.01, 700.0]
    together = Histogram.all([Histogram.of(one), Histogram(), Histogram.of(other)])
    assert together == Histogram.of([*one, *other])
    assert together.count == 5
    assert hash(together) == hash(Histogram.of([*one, *other]))
    assert together != Histogram.of(one)
    assert Histogram(json.loads(json.dumps(together.as_json()))) == together
    assert together.quantile(0.5) == pytest.approx(statistics.median([*one, *other]), rel=0.026)


def test_nothing_has_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None
    assert Histogram.of([]).count == 0
