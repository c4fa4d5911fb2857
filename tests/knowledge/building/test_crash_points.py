"""Real processes that are killed, or meet a full disk, in the middle of an indexing run: the old edition serves, the next run goes on.

All points stand in `benchmarks/crash_points.py`, which makes a table of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.crash_points import ADDED, crash
from knowledge.korean import Analyser

pytestmark = pytest.mark.slow
SELF_TEST = 2


@pytest.mark.parametrize(
    ("point", "embedded"),
    [
        ("vectors", ADDED - 256 + SELF_TEST),
        ("between two files", SELF_TEST),
        ("before the manifest", SELF_TEST),
        ("before the rename", SELF_TEST),
        ("before current", 0),
        ("inside current", 0),
        ("after current", 0),
    ],
)
def test_after_a_kill_the_old_edition_serves_and_nothing_is_embedded_twice(
    tmp_path: Path, analyser: Analyser, point: str, embedded: int
) -> None:
    outcome = crash(tmp_path, point, analyser=analyser)
    assert outcome.held
    assert outcome.ended == "signal 9"
    assert outcome.again_parsed == 0
    assert outcome.again_embedded == embedded


def test_a_kill_while_reading_costs_about_a_second_of_reading(tmp_path: Path, analyser: Analyser) -> None:
    outcome = crash(tmp_path, "reading", analyser=analyser)
    assert outcome.held
    assert outcome.again_parsed < ADDED


@pytest.mark.parametrize("longest", [20_000, 200_000])
def test_a_full_disk_is_told_and_the_old_edition_serves(tmp_path: Path, analyser: Analyser, longest: int) -> None:
    outcome = crash(tmp_path, "disk full", analyser=analyser, longest=longest)
    assert outcome.held
    assert outcome.ended.startswith("PublishFailed")
    assert outcome.left == 0
