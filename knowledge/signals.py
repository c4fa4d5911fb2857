"""Weak signals beside the match itself: how new a page is, and how near to the top of its source. Off unless configured.

Each takes at most its own share (≤ 3 %) off a score, and only less where there is more of it: a page that fits
clearly better is never overtaken by one that is merely newer. Ages count from the day the edition was made, so an edition
answers alike for as long as it serves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.page import Passage

MOST = 0.03
"""Of a score, per signal."""


@dataclass(frozen=True, slots=True)
class Signals:
    """`recency`, `authority`: the most they take off, 0 to `MOST`; 0: off. `half_life_days`: until half of it is gone."""

    recency: float = 0.0
    half_life_days: float = 365.0
    authority: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.recency <= MOST and 0 <= self.authority <= MOST and self.half_life_days > 0):
            raise ValueError(f"recency and authority are 0 to {MOST}, half_life_days is above 0")

    def factors(self, passages: Sequence[Passage], today: dt.date) -> NDArray[np.float64] | None:
        """One factor on the score per passage, at most 1; None when all signals are off.

        Recency: 0.5^(age / half life) of 1, a page without a date in the middle. Authority: 0.5 per folder between the page and
        the top of its source.
        """
        if not (self.recency or self.authority):
            return None
        factors = np.ones(len(passages))
        if self.recency:
            ages = [max((today - p.modified).days, 0) if p.modified else self.half_life_days for p in passages]
            factors -= self.recency * (1 - 0.5 ** (np.array(ages, dtype=np.float64) / self.half_life_days))
        if self.authority:
            depths = np.array([p.page.count("/") for p in passages], dtype=np.float64)
            factors -= self.authority * (1 - 0.5**depths)
        return factors

    def taken_off(self, passage: Passage, today: dt.date) -> tuple[float, float]:
        """What recency and authority take off one passage's score, as shares of it."""
        alone = (Signals(self.recency, self.half_life_days), Signals(authority=self.authority))
        factors = [one.factors([passage], today) for one in alone]
        recency, authority = (0.0 if one is None else 1.0 - float(one[0]) for one in factors)
        return recency, authority


OFF = Signals()
