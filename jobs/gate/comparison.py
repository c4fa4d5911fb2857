"""Is the difference between two sides more than noise? A paired bootstrap over whole clusters of questions. Pure; numpy only.

* Paired bootstrap of two systems over one test set: Koehn 2004, "Statistical significance tests for machine translation evaluation".
* Clusters drawn whole, because questions of one page rise and fall together: Davison and Hinkley 1997, section 3.8 (strategy 1).
* The interval is the percentile interval (Efron 1979) between levels widened for few clusters: Φ(-√(G/(G-1))·t(G-1)) instead of Φ(-z)
  (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", expanded percentile interval).
* For guards one question won and one lost is added (Bonett and Price 2012, for paired proportions), since a bootstrap over few questions
  that all agree would give an interval without width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jobs.gate.measures import Share

Floats = NDArray[np.float64]
_MOST_NAMED = 10_000
_AT_ONCE = 4_000_000
"""Numbers of one block of resamples: bounds memory to some 100 MB."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure on both sides. `difference` is candidate less present (`share`), or candidate / present less 1 (`mean`, `median`)."""

    measure: str
    better: Literal["higher", "lower"]
    as_: Literal["share", "mean", "median"]
    candidate: float | None
    """None: no question counts on this side."""
    present: float | None
    difference: float | None
    low: float | None
    high: float | None
    confidence: float
    questions: int
    """That count on either side."""
    clusters: int

    @property
    def gain(self) -> float | None:
        """The difference, positive where the candidate is better."""
        return self.difference if self.better == "higher" or self.difference is None else -self.difference

    @property
    def gain_bounds(self) -> tuple[float, float] | None:
        """The interval of `gain`."""
        if self.low is None or self.high is None:
            return None
        return (self.low, self.high) if self.better == "higher" else (-self.high, -self.low)

    def as_json(self) -> dict[str, object]:
        """Figures rounded to six digits."""
        names = ("candidate", "present", "difference", "low", "high")
        figures = {name: getattr(self, name) for name in names}
        return {
            "measure": self.measure,
            "better": self.better,
            "as": self.as_,
            **{name: None if value is None else round(value, 6) for name, value in figures.items()},
            "confidence": self.confidence,
            "questions": self.questions,
            "clusters": self.clusters,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Comparison:
        """What `as_json` gave."""
        return cls(**{("as_" if key == "as" else key): value for key, value in raw.items()})


@dataclass(frozen=True, slots=True)
class Resampling:
    """How noise is found."""

    confidence: float = 0.95
    resamples: int = 10_000
    seed: int = 0
    cautious: bool = False
    """Adds a question won and one lost; for shares."""


def compare(
    measure: str,
    better: Literal["higher", "lower"],
    as_: Literal["share", "mean", "median"],
    candidate: Sequence[Share],
    present: Sequence[Share],
    clusters: Sequence[int],
    how: Resampling,
) -> Comparison:
    """One measure over the same questions in the same order; `clusters` numbers their clusters."""
    theirs, ours = np.asarray(candidate, np.float64).reshape(-1, 2), np.asarray(present, np.float64).reshape(-1, 2)
    numbers = np.asarray(clusters, np.int64)
    counts = (theirs[:, 1] > 0) | (ours[:, 1] > 0) if as_ == "share" else (theirs[:, 1] > 0) & (ours[:, 1] > 0)
    theirs, ours, numbers = theirs[counts], ours[counts], np.unique(numbers[counts], return_inverse=True)[1]
    groups = int(numbers.max()) + 1 if len(numbers) else 0
    value, baseline = _value(theirs, as_), _value(ours, as_)
    difference, low, high = _difference(value, baseline, as_), None, None
    if difference is not None and groups > 1:
        if as_ == "median":
            found = _resampled_medians(theirs[:, 0], ours[:, 0], numbers, groups, how)
        else:
            found = _resampled_ratios(theirs, ours, numbers, groups, how, as_=as_)
        low, high = _interval(found, groups, how.confidence)
    return Comparison(
        measure, better, as_, value, baseline, difference, low, high, how.confidence, int(counts.sum()), groups
    )


def _value(rows: Floats, as_: str) -> float | None:
    if not rows[:, 1].sum():
        return None
    if as_ == "median":
        return float(np.sort(rows[:, 0])[(len(rows) - 1) // 2])
    return float(rows[:, 0].sum() / rows[:, 1].sum())


def _difference(candidate: float | None, present: float | None, as_: str) -> float | None:
    if candidate is None or present is None or (as_ != "share" and not present):
        return None
    return candidate - present if as_ == "share" else candidate / present - 1


def _resampled_ratios(
    theirs: Floats, ours: Floats, numbers: NDArray[np.int64], groups: int, how: Resampling, *, as_: str
) -> Floats:
    """Differences (or ratios less 1) of Σ numerators / Σ denominators."""
    rows = np.hstack([theirs, ours])
    if how.cautious and as_ == "share":
        rows = np.vstack([rows, [[1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0]]])
        numbers, groups = np.append(numbers, [groups, groups + 1]), groups + 2
    sums = np.zeros((groups, 4))
    np.add.at(sums, numbers, rows)
    drawn = np.vstack([counts @ sums for counts in _draws(groups, how, width=groups)])
    sound = (drawn[:, 1] > 0) & (drawn[:, 3] > 0)
    if as_ != "share":
        sound &= drawn[:, 2] > 0
    drawn = drawn[sound]
    candidate, present = drawn[:, 0] / drawn[:, 1], drawn[:, 2] / drawn[:, 3]
    found: Floats = candidate - present if as_ == "share" else candidate / present - 1
    return found


def _resampled_medians(
    theirs: Floats, ours: Floats, numbers: NDArray[np.int64], groups: int, how: Resampling
) -> Floats:
    """Ratios less 1 of the medians."""
    found = []
    for counts in _draws(groups, how, width=len(theirs)):
        weights = counts[:, numbers]
        present = _medians(ours, weights)
        found.append(_medians(theirs, weights) / np.where(present > 0, present, np.nan) - 1)
    joined = np.concatenate(found)
    return joined[np.isfinite(joined)]


def _medians(values: Floats, weights: Floats) -> Floats:
    """Of `values`, each taken as often as its weight says, for every row of weights: the lower median."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[:, order], axis=1)
    middle: Floats = values[order][(reached >= reached[:, -1:] / 2).argmax(axis=1)]
    return middle


def _draws(groups: int, how: Resampling, *, width: int) -> Iterator[Floats]:
    """How often each cluster is drawn, a row per resample, in blocks."""
    generator = np.random.default_rng(how.seed)
    block = max(1, min(how.resamples, _AT_ONCE // max(width, 1)))
    for at in range(0, how.resamples, block):
        rows = min(block, how.resamples - at)
        drawn = generator.integers(groups, size=(rows, groups)) + groups * np.arange(rows)[:, None]
        counted = np.bincount(drawn.ravel(), minlength=rows * groups)
        yield counted.reshape(rows, groups).astype(np.float64)


def _interval(found: Floats, groups: int, confidence: float) -> tuple[float | None, float | None]:
    """See the head of this file. None where too few resamples say anything."""
    if len(found) < 100:
        return None, None
    tail = expanded_tail(groups, confidence)
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)


def expanded_tail(groups: int, confidence: float) -> float:
    """The share of resamples to cut off at each end: less than (1 - confidence) / 2, most so for few clusters."""
    return NormalDist().cdf(-math.sqrt(groups / (groups - 1)) * student((1 + confidence) / 2, groups - 1))


def student(probability: float, freedom: int) -> float:
    """Quantile of Student's t; Abramowitz and Stegun 26.7.5. From ten degrees of freedom on right to 0.001 for the levels used here."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom ** (power + 1)) for power, term in enumerate(terms))


def questions_needed(comparison: Comparison, bound: float, *, power: float) -> int | None:
    """About how many questions of this kind would put the whole interval beyond `bound`, if the gain stays what it is, with `power`.

    The half-width shrinks with √questions (normal approximation). None: the gain itself is not beyond it, or so hardly that the number
    would help nobody.
    """
    gain, bounds = comparison.gain, comparison.gain_bounds
    if gain is None or bounds is None or gain <= bound:
        return None
    z = NormalDist().inv_cdf((1 + comparison.confidence) / 2)
    error = (bounds[1] - bounds[0]) / 2 / z
    needed = comparison.questions * ((z + NormalDist().inv_cdf(power)) * error / (gain - bound)) ** 2
    return max(math.ceil(needed), 2) if needed <= _MOST_NAMED else None


def questions_if_alike(margin: float, confidence: float) -> int:
    """How many questions a guard over a share needs where both sides do alike on all: z·√2 / (n + 2) ≤ margin (Bonett and Price)."""
    return max(math.ceil(NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(2) / margin) - 2, 2)
