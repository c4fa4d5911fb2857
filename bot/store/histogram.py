"""How long things took, as counts that can be added up over days and places: quantiles to within 2.5 %."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

WIDTH = 1.05
"""Each bucket ends 5 % above where it begins."""
_LEAST = 0.001
"""Seconds; shorter ones count as this."""


def bucket(seconds: float) -> int:
    """Its number: 0 for a second, below it negative."""
    return math.floor(math.log(max(seconds, _LEAST)) / math.log(WIDTH))


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts`: how many in each bucket."""

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """From single durations."""
        counts: dict[int, int] = {}
        for one in seconds:
            number = bucket(one)
            counts[number] = counts.get(number, 0) + 1
        return cls(counts)

    @classmethod
    def of_json(cls, data: Mapping[str, int]) -> Histogram:
        """What `as_json` made."""
        return cls({int(number): count for number, count in data.items()})

    def as_json(self) -> dict[str, int]:
        """For the store."""
        return {str(number): count for number, count in sorted(self.counts.items())}

    def __add__(self, other: Histogram) -> Histogram:
        """Both together."""
        counts = dict(self.counts)
        for number, count in other.counts.items():
            counts[number] = counts.get(number, 0) + count
        return Histogram(counts)

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> float | None:
        """Seconds below which `share` of them stay (0.5: the median); None: there are none."""
        left = math.ceil(share * self.count)
        for number, count in sorted(self.counts.items()):
            left -= count
            if left <= 0:
                return float(WIDTH ** (number + 0.5))
        return None
