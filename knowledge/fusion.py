"""Scores of several legs → one score. Pure.

Min-max fusion of each leg's best candidates was significantly better than reciprocal-rank fusion on three of four
Korean question sets and never worse; RRF stays selectable for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    picked = np.argpartition(-scores, count - 1)[:count]
    picked = picked[scores[picked] > floor]
    picked = picked[np.lexsort((picked, -scores[picked]))]
    return picked.astype(np.int64), scores[picked]


def fuse(
    legs: Mapping[str, tuple[Numbers, Scores]], weights: Mapping[str, float], fusion: Fusion = "minmax"
) -> dict[int, tuple[float, dict[str, float]]]:
    """Document → (fused score, each leg's share before weighting, 0..1 for min-max).

    `legs`: per leg the candidates, best first. A document that a leg did not propose gets 0 from it.
    A leg whose candidates all score alike gives them 1: being proposed at all is then its only word.
    """
    shares: dict[int, dict[str, float]] = {}
    for leg, (numbers, scores) in legs.items():
        if not len(numbers):
            continue
        scaled: NDArray[np.floating]
        if fusion == "rrf":
            scaled = (RRF_K + 1) / (RRF_K + 1 + np.arange(len(numbers), dtype=np.float32))
        else:
            low, high = float(scores[-1]), float(scores[0])
            scaled = (scores - low) / (high - low) if high > low else np.ones(len(numbers), dtype=np.float32)
        for number, share in zip(numbers.tolist(), scaled.tolist(), strict=True):
            shares.setdefault(number, {})[leg] = share
    total = sum(weights[leg] for leg in legs) or 1.0
    return {
        number: (sum(weights[leg] * share for leg, share in found.items()) / total, found)
        for number, found in shares.items()
    }
