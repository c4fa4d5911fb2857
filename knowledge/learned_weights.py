"""What the three legs count, learnt from votes: little, within bounds, explained, and only if it holds on other questions.

A question's candidates have a share of each leg (0..1). Of an answer with 👍 the cited passages should stand above the
other candidates, of one with 👎 below; each such pair says how much each leg was right. Fitted is the logistic loss over pairs

    Σ log(1 + exp(−s · w·(better − worse))) / pairs + λ |w − default|²

(RankNet's loss for a linear score: Burges et al., "Learning to Rank using Gradient Descent", 2005) by projected gradient
on weights that sum to 1 and differ from the default by at most `BOUND`. The weights are used only if the mean reciprocal
rank of the cited passages, on questions that took no part in fitting, is not worse.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import BrokenWeights

LEGS = ("morpheme", "bigram", "dense")
BOUND = 0.15
"""How far a weight may go from its default."""
LEAST_VOTES = 200
_STEEPNESS, _HOLD, _STEPS, _RATE = 10.0, 1.0, 400, 0.02
_HELD_OUT, _RESAMPLES, _ALLOWED = 0.3, 2000, 0.005
"""Share of questions to check on; bootstrap samples; how far below 0 the 5 % quantile of the difference in MRR may lie."""


@dataclass(frozen=True, slots=True)
class Voted:
    """One answer that people voted on. `shares`: one row per candidate, each leg's share in the order of `LEGS`."""

    question: str
    """Its id: answers of one question are never on both sides of the check."""
    shares: tuple[tuple[float, float, float], ...]
    cited: tuple[bool, ...]
    good: bool
    """👍"""


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of it. `agreed`: per leg the share of pairs in which it put the right passage first, ties half."""

    accepted: bool
    reason: str
    weights: dict[str, float]
    defaults: dict[str, float]
    votes: int
    pairs: int
    agreed: dict[str, float]
    checked: int
    """Questions with 👍 that took no part in fitting."""
    mrr_before: float
    mrr_after: float
    mrr_low: float
    """5 % quantile of the difference, bootstrap over questions."""

    def learnt_from(self, defaults: Mapping[str, float]) -> bool:
        """Whether these are the weights that it started from: others were configured since if not."""
        total = sum(defaults[leg] for leg in LEGS) or 1.0
        return all(abs(defaults[leg] / total - self.defaults[leg]) < 1e-3 for leg in LEGS)


def learn(votes: Sequence[Voted], defaults: Mapping[str, float], *, least: int = LEAST_VOTES, seed: int = 0) -> Learned:
    """Fit, check, explain. `defaults` are scaled to sum to 1. Not accepted: `weights` are the defaults."""
    total = sum(defaults[leg] for leg in LEGS) or 1.0
    start = np.array([defaults[leg] / total for leg in LEGS])
    usable = [one for one in votes if any(one.cited) and not all(one.cited)]
    fitting, checking = _split(usable, seed)
    pairs = _pairs(fitting)
    weights = _fitted(pairs, start) if len(pairs) else start
    ranks = [np.array([_reciprocal_rank(one, w) for one in checking]) for w in (start, weights)]
    low = _low(ranks[1] - ranks[0], seed) if len(checking) else 0.0
    before, after = (float(found.mean()) if len(found) else 0.0 for found in ranks)
    reason = ""
    if len(usable) < least:
        reason = f"{len(usable)} votes of at least {least}"
    elif not checking:
        reason = "no question with a good answer is left to check on"
    elif after < before or low < -_ALLOWED:
        reason = "not better on questions that took no part"
    final = start if reason else weights
    return Learned(
        accepted=not reason,
        reason=reason,
        weights=_named(final),
        defaults=_named(start),
        votes=len(usable),
        pairs=len(pairs),
        agreed=_named((pairs > 0).mean(axis=0) + (pairs == 0).mean(axis=0) / 2) if len(pairs) else {},
        checked=len(checking),
        mrr_before=round(before, 4),
        mrr_after=round(after, 4),
        mrr_low=round(low, 4),
    )


def save(path: Path, learned: Learned) -> None:
    """Write aside, then rename: a reader sees the old weights or the new ones."""
    body = asdict(learned)
    text = json.dumps({"sha256": _checksum(body), "learned": body}, ensure_ascii=False, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(path)


def load(path: Path) -> Learned | None:
    """What was saved; None when nothing was. Raises BrokenWeights."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        body = raw["learned"]
        if raw["sha256"] != _checksum(body):
            raise BrokenWeights(path=path, reason="SHA-256")
        learned = Learned(**body)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BrokenWeights(path=path, reason=type(error).__name__) from error
    if set(learned.weights) != set(LEGS) or any(
        abs(learned.weights[leg] - learned.defaults[leg]) > BOUND + 1e-3 for leg in LEGS
    ):
        raise BrokenWeights(path=path, reason="out of bounds")
    return learned


def _split(votes: Sequence[Voted], seed: int) -> tuple[list[Voted], list[Voted]]:
    """(to fit, to check: those with 👍), by question."""
    questions = sorted({one.question for one in votes})
    np.random.default_rng(seed).shuffle(questions)
    held = set(questions[: round(_HELD_OUT * len(questions))])
    return [one for one in votes if one.question not in held], [o for o in votes if o.question in held and o.good]


def _pairs(votes: Sequence[Voted]) -> NDArray[np.float64]:
    """(pairs, 3): shares of the better candidate minus those of the worse."""
    rows = []
    for one in votes:
        shares, cited = np.array(one.shares), np.array(one.cited)
        differences = (shares[cited][:, None, :] - shares[~cited][None, :, :]).reshape(-1, len(LEGS))
        rows.append(differences if one.good else -differences)
    return np.concatenate(rows) if rows else np.zeros((0, len(LEGS)))


def _fitted(pairs: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = start.copy()
    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(_STEEPNESS * (pairs @ weights)))
        gradient = -_STEEPNESS * (wrong[:, None] * pairs).mean(axis=0) + 2 * _HOLD * (weights - start)
        weights = _projected(weights - _RATE * gradient, start)
    return weights


def _projected(weights: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest point that sums to 1 and keeps within the bounds: the shift is found by bisection."""
    low, high = np.maximum(start - BOUND, 0.0), np.minimum(start + BOUND, 1.0)
    least, most = float((low - weights).min()), float((high - weights).max())
    for _ in range(60):
        shift = (least + most) / 2
        least, most = (shift, most) if np.clip(weights + shift, low, high).sum() < 1 else (least, shift)
    return np.clip(weights + (least + most) / 2, low, high)


def _reciprocal_rank(one: Voted, weights: NDArray[np.float64]) -> float:
    scores, cited = np.array(one.shares) @ weights, np.array(one.cited)
    return 1.0 / (1 + int((scores[~cited] > scores[cited].max()).sum()))


def _low(differences: NDArray[np.float64], seed: int) -> float:
    drawn = np.random.default_rng(seed).integers(0, len(differences), (_RESAMPLES, len(differences)))
    return float(np.quantile(differences[drawn].mean(axis=1), 0.05))


def _named(values: NDArray[np.float64]) -> dict[str, float]:
    return {leg: round(float(value), 4) for leg, value in zip(LEGS, values, strict=True)}


def _checksum(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
