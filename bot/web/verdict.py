"""A verdict of the gate as pages draw it. The words and figures come from who knows the gate; here is only what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.messages import Language

Tone = Literal["good", "bad", "warn", "quiet", "main"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure on both sides, written, and its difference as numbers turned so that more is better."""

    key: str
    name: str
    present: str
    candidate: str
    difference: str
    questions: int
    share: bool
    """The difference is one of shares; else a ratio. The two have no scale in common."""
    gain: float | None
    low: float | None
    high: float | None
    """The interval of `gain`."""
    margin: float | None = None
    """How much worse it may be; None: not guarded."""
    state: str = ""
    """The guard's result as a word."""
    tone: Tone = "quiet"


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """The whole of it."""

    candidate: str
    present: str
    """Names; `none` is the plain base."""
    passed: bool
    tone: Tone
    sentence: str
    basis: str
    reasons: Sequence[str]
    main: Measured
    guards: Sequence[Measured]
    told: Sequence[Measured]
    kinds: Sequence[tuple[str, Sequence[Measured]]]
    parity: str
    heads: Mapping[str, str]
    """Of the table's columns and sections."""

    @property
    def measures(self) -> Sequence[Measured]:
        """All of them, the main one first."""
        return (self.main, *self.guards, *self.told)


Reading = Callable[[Mapping[str, Any], Language], ShownVerdict]
"""A kept verdict → shown. Raises KeyError, TypeError or ValueError for what is none."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From gains to places in a drawing that is `WIDTH` wide."""

    least: float
    most: float

    def at(self, gain: float) -> float:
        """From 0 to WIDTH."""
        inside = min(max(gain, self.least), self.most)
        return round(PAD + (WIDTH - 2 * PAD) * (inside - self.least) / (self.most - self.least), 1)


WIDTH, PAD = 220.0, 6.0


def scale(rows: Iterable[Measured], *, share: bool) -> Scale:
    """One that has room for all of these rows, and for 0."""
    ends = [-0.02, 0.02]
    for one in rows:
        if one.share == share:
            ends += [end for end in (one.gain, one.low, one.high) if end is not None]
            ends += [-one.margin] if one.margin is not None else []
    room = 0.06 * (max(ends) - min(ends))
    return Scale(max(min(ends) - room, -1.5), min(max(ends) + room, 1.5))
