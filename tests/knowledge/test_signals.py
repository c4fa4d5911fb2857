"""Weak signals: bounded, monotone, off unless asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.page import Passage, reader_of
from knowledge.search import SearchIndex, SearchOptions
from knowledge.signals import MOST, OFF, Signals

TODAY = dt.date(2026, 11, 26)
PAGE = Passage("wiki", "a.md", 0, "제목", (), "글")


def dated(days: int | None) -> Passage:
    return replace(PAGE, modified=None if days is None else TODAY - dt.timedelta(days=days))


@given(
    st.lists(st.none() | st.integers(-400, 20_000), min_size=1),
    st.floats(0, MOST),
    st.floats(0, MOST),
    st.floats(1, 5000),
)
def test_no_signal_takes_more_than_its_share(
    ages: list[int | None], recency: float, authority: float, half_life: float
) -> None:
    factors = Signals(recency, half_life, authority).factors([dated(days) for days in ages], TODAY)
    if factors is not None:
        assert np.all((factors <= 1) & (factors >= 1 - recency - authority - 1e-12))


def test_newer_is_never_below_older_and_a_page_without_a_date_is_in_the_middle() -> None:
    factors = Signals(recency=0.03, half_life_days=100).factors([dated(d) for d in (-5, 0, 50, None, 300, 9000)], TODAY)
    assert factors is not None
    assert factors.tolist() == sorted(factors, reverse=True)
    assert factors[[0, 1, 3]].tolist() == pytest.approx([1.0, 1.0, 0.985])


def test_what_stands_nearer_to_the_top_is_never_below() -> None:
    pages = [replace(PAGE, page=name) for name in ("a.md", "b/a.md", "c/b/a.md")]
    factors = Signals(authority=0.02).factors(pages, TODAY)
    assert factors is not None
    assert factors.tolist() == pytest.approx([1.0, 0.99, 0.985])


@pytest.mark.parametrize("wrong", [{"recency": 0.04}, {"authority": -0.01}, {"half_life_days": 0}])
def test_a_signal_that_could_decide_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="recency"):
        Signals(**wrong)


def test_off_by_default_and_then_nothing_changes(index: SearchIndex) -> None:
    assert SearchOptions().signals == OFF
    assert OFF.factors([PAGE], TODAY) is None
    on = SearchIndex(index.edition, index.analyser, index.embedder, SearchOptions(signals=Signals(recency=0.03)))
    plain, weighed = (one.search("연차 신청", reader_of()) for one in (index, on))
    assert weighed.evidence == plain.evidence
    for hit in weighed.hits:
        before = next(other.score for other in plain.hits if other.number == hit.number)
        assert 0.97 * before - 1e-9 <= hit.score <= before
