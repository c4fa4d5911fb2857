"""Weights from votes: small, on the simplex, explained, and refused unless they hold on other questions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import BrokenWeights
from knowledge.learned_weights import BOUND, LEGS, Voted, learn, load, save

DEFAULTS = {"morpheme": 0.4, "bigram": 0.3, "dense": 0.3}


def votes(count: int, right: int, *, good: bool = True, seed: int = 0) -> list[Voted]:
    """Answers whose cited passage the leg number `right` puts first; the other legs are noise."""
    drawn = np.random.default_rng(seed)
    found = []
    for number in range(count):
        shares = drawn.random((8, 3))
        cited = int(shares[:, right].argmax() if good else shares[:, right].argmin())
        rows = tuple((float(a), float(b), float(c)) for a, b, c in shares)
        found.append(Voted(f"q{number}", rows, tuple(i == cited for i in range(8)), good))
    return found


@pytest.mark.parametrize("right", [0, 1, 2])
def test_the_leg_that_is_right_gains_within_the_bound(right: int) -> None:
    learned = learn(votes(300, right), DEFAULTS)
    assert learned.accepted
    leg = LEGS[right]
    assert DEFAULTS[leg] + 0.05 < learned.weights[leg] <= DEFAULTS[leg] + BOUND + 1e-3
    assert learned.agreed[leg] > max(value for other, value in learned.agreed.items() if other != leg)
    assert learned.mrr_after > learned.mrr_before


def test_bad_answers_teach_the_other_way_round() -> None:
    learned = learn([*votes(200, 2, good=False), *votes(100, 2, seed=1)], DEFAULTS)
    assert learned.weights["dense"] > DEFAULTS["dense"]


def test_too_few_votes_change_nothing() -> None:
    learned = learn(votes(199, 2), DEFAULTS)
    assert not learned.accepted
    assert learned.reason == "199 votes of at least 200"
    assert learned.weights == pytest.approx(DEFAULTS)


def test_what_does_not_hold_on_other_questions_is_refused() -> None:
    """To fit: 👎 only, which say that the dense leg is right; to check: 👍 where it is wrong."""
    misleading = [*votes(400, 2, good=False), *votes(100, 0, seed=3)]
    learned = learn(misleading, {"morpheme": 1.0, "bigram": 0.0, "dense": 0.0})
    assert not learned.accepted
    assert learned.weights["morpheme"] == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2), st.integers(0, 1000), st.tuples(*[st.floats(0.0, 1.0)] * 3).filter(lambda w: sum(w) > 0.1))
def test_weights_stay_on_the_simplex_near_the_defaults(
    right: int, seed: int, start: tuple[float, float, float]
) -> None:
    learned = learn(votes(40, right, seed=seed), dict(zip(LEGS, start, strict=True)), least=1)
    assert sum(learned.weights.values()) == pytest.approx(1.0, abs=1e-3)
    for leg in LEGS:
        assert learned.weights[leg] >= 0
        assert abs(learned.weights[leg] - learned.defaults[leg]) <= BOUND + 1e-3


def test_what_was_saved_is_read_again_and_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    assert load(path) is None
    learned = learn(votes(300, 1), DEFAULTS)
    save(path, learned)
    assert load(path) == learned
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["learned"]["weights"]["dense"] += 0.01
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(BrokenWeights, match="SHA-256"):
        load(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(BrokenWeights):
        load(path)
