"""How long things took, as counts that can be added up over days and places: quantiles to within 2.5 %."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

WIDTH = 1.05
"""Each bucket ends 5 % above where it begins."""
_LEAST = 0.001
"""Seconds; shorter ones count as this."""


def bucket(seconds: float) -> int:
    """Its number: 0 for a second, below it negative."""
    return math.floor(math.log(max(seconds, _LEAST)) / math.log(WIDTH))


class Histogram:
    """How many in each bucket. Never changed; sums are worked out when somebody asks, since most are only added to others."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Mapping[str, int]) -> None:
        """Each of `parts`: number of the bucket, as text like in JSON → how many."""
        self._parts = tuple(part for part in parts if part)

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """From single durations."""
        return cls(Counter(str(bucket(one)) for one in seconds))

    def as_json(self) -> dict[str, int]:
        """For the store; what `Histogram(…)` takes."""
        return {str(number): count for number, count in sorted(self._counts().items())}

    @classmethod
    def all(cls, some: Iterable[Histogram]) -> Histogram:
        """All of them together."""
        return cls(*(part for one in some for part in one._parts))

    def as_one(self) -> Histogram:
        """The same, added up now: for one that is kept and added to others often."""
        return Histogram(self.as_json())

    def __eq__(self, other: object) -> bool:
        """Whether the same was counted."""
        return isinstance(other, Histogram) and self._counts() == other._counts()

    def __hash__(self) -> int:
        """Of what was counted."""
        return hash(frozenset(self._counts().items()))

    def __repr__(self) -> str:
        """With all buckets."""
        return f"Histogram({self.as_json()})"

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(sum(part.values()) for part in self._parts)

    def quantile(self, share: float) -> float | None:
        """Seconds below which `share` of them stay (0.5: the median); None: there are none."""
        counts = self._counts()
        left = math.ceil(share * sum(counts.values()))
        for number, count in sorted(counts.items()):
            left -= count
            if left <= 0:
                return float(WIDTH ** (number + 0.5))
        return None

    def _counts(self) -> dict[int, int]:
        whole: Counter[str] = Counter()
        for part in self._parts:
            whole.update(part)
        return {int(number): count for number, count in whole.items()}
