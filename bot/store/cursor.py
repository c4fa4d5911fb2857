"""Where a long list goes on: by key, so a page far down costs as much as the first and rows that come in meanwhile shift nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

_LONGEST_ID = 16
"""Characters of an id of the store."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """One row's key in a list that is sorted by time, and by id among equal times. What a list does with that row itself, it says."""

    at: float
    """Seconds since the epoch."""
    id: str

    def __str__(self) -> str:
        """As it stands in an address."""
        return f"{self.at!r}_{self.id}"

    @classmethod
    def read(cls, written: str) -> Cursor | None:
        """None for what is no cursor: addresses are anybody's to write."""
        time, _, row = written.partition("_")
        try:
            at = float(time)
        except ValueError:
            return None
        return cls(at, row) if math.isfinite(at) and row.isalnum() and len(row) <= _LONGEST_ID else None
