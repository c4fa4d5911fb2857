"""When something that was refused is tried again: after 1, 2, 4 … 30 minutes."""

from __future__ import annotations

from collections.abc import Callable

_FIRST = 60.0
_LONGEST = 1800.0
"""Seconds; each pause is twice the one before."""


class Pauses:
    """Of whoever takes over what others release, one thing at a time; things are told apart by `==`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._refused: object = None
        self._tries = 0
        self._until = 0.0

    def over(self, thing: object) -> bool:
        """Whether `thing` may be tried: it is another one, or it has waited long enough."""
        return self._refused is None or thing != self._refused or self._clock() >= self._until

    def longer(self, thing: object) -> float:
        """It was refused once more; the seconds until the next try."""
        self._tries = self._tries + 1 if self._refused is not None and thing == self._refused else 1
        self._refused = thing
        pause = min(_FIRST * 2.0 ** (self._tries - 1), _LONGEST)
        self._until = self._clock() + pause
        return pause

    def none(self) -> None:
        """Nothing is refused any more."""
        self._refused = None
