"""The two sides of the tuning benchmark really take turns, and neither waits for one that failed."""

from __future__ import annotations

import threading

import pytest

from benchmarks.tuning_speed import OURS, THEIRS, Turns, quartiles


def _side(turns: Turns, side: str, steps: int, seen: list[str]) -> threading.Thread:
    def run() -> None:
        turns.begin(side)
        for _ in range(steps):
            seen.append(side)
            turns.end(side)
        turns.leave(side)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_one_works_at_a_time_and_who_begins_alternates() -> None:
    seen: list[str] = []
    turns = Turns((OURS, THEIRS), 4)
    for thread in [_side(turns, side, 4, seen) for side in (THEIRS, OURS)]:
        thread.join(10)
        assert not thread.is_alive()
    assert seen == [OURS, THEIRS, THEIRS, OURS, OURS, THEIRS, THEIRS, OURS]
    assert all(len(turns.times[side].wall) == len(turns.times[side].cpu) == 4 for side in (OURS, THEIRS))


def test_a_side_that_failed_is_not_waited_for() -> None:
    seen: list[str] = []
    turns = Turns((OURS, THEIRS), 3)
    turns.leave(OURS)
    thread = _side(turns, THEIRS, 3, seen)
    thread.join(10)
    assert not thread.is_alive()
    assert seen == [THEIRS] * 3


def test_quartiles_are_those_of_the_numbers() -> None:
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx((2.0, 3.0, 4.0))
