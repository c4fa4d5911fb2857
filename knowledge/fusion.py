"""Scores of several legs → one score. Pure.

Min-max fusion of each leg's best candidates was significantly better than reciprocal-rank fusion on three of four
Korean question sets and never worse; RRF stays selectable for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Numbers = NDArray[np.int64]
Fusion = Literal["minmax", "rrf"]

RRF_K = 60


def best(scores: Scores, count: int, *, floor: float = -np.inf) -> tuple[Numbers, Scores]:
    """The `count` highest scores above `floor`: (document numbers, scores), best first, ties by number."""
    count = min(count, len(scores))
    if count <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    picked = np.argpartition(scores, len(scores) - count)[-count:]
    picked = picked[scores[picked] > floor]
    picked = picked[np.lexsort((picked, -scores[picked]))]
    return picked.astype(np.int64), scores[picked]


@dataclass(frozen=True, slots=True)
class Fused:
    """Who was proposed by any leg, in no order. `shares`: leg → one per number, 0 where it did not propose it."""

    numbers: Numbers
    scores: NDArray[np.float64]
    shares: Mapping[str, NDArray[np.float64]]
    proposed: Mapping[str, NDArray[np.bool_]]

    def shares_of(self, place: int) -> dict[str, float]:
        """Of one of them, by its place in `numbers`: each leg that proposed it, before weighting."""
        return {leg: float(self.shares[leg][place]) for leg, by in self.proposed.items() if by[place]}


def fuse(legs: Mapping[str, tuple[Numbers, Scores]], weights: Mapping[str, float], fusion: Fusion = "minmax") -> Fused:
    """Fused scores, 0..1 for min-max.

    `legs`: per leg the candidates, best first. A document that a leg did not propose gets 0 from it.
    A leg whose candidates all score alike gives them 1: being proposed at all is then its only word.
    """
    found = [numbers for numbers, _ in legs.values() if len(numbers)]
    every = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    total = sum(weights[leg] for leg in legs) or 1.0
    sums, shares, proposed = np.zeros(len(every)), {}, {}
    for leg, (numbers, scores) in legs.items():
        share, by = np.zeros(len(every)), np.zeros(len(every), dtype=np.bool_)
        if len(numbers):
            at = np.searchsorted(every, numbers)
            share[at], by[at] = _scaled(scores, fusion), True
        sums += weights[leg] * share
        shares[leg], proposed[leg] = share, by
    return Fused(every, sums / total, shares, proposed)


def _scaled(scores: Scores, fusion: Fusion) -> NDArray[np.floating]:
    if fusion == "rrf":
        return (RRF_K + 1) / (RRF_K + 1 + np.arange(len(scores), dtype=np.float32))
    low, high = float(scores[-1]), float(scores[0])
    return (scores - low) / (high - low) if high > low else np.ones(len(scores), dtype=np.float32)
