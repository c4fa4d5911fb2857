"""Slows down who guesses passwords: per address and per account, in memory.

An account's own pause stays short: strangers must not lock its owner out.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_FREE = 5
"""Wrong passwords without a pause."""
_LONGEST_SECONDS = {"address": 900.0, "account": 30.0}
"""By the first word of a key."""
_FORGET_SECONDS = 3600.0
_MOST = 10_000
"""Names that are remembered; the oldest go first, so that memory is bounded."""


class Throttle:
    """After five failures of one key, `address:…` or `account:…`, each further one doubles the pause, up to a quarter of an hour
    for an address and half a minute for an account; a success clears it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, *keys: str) -> float:
        """Seconds until one of `keys` may try again; 0: now."""
        return max((self._wait(key) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        """One more failure."""
        for key in keys:
            number, _ = self._known(key)
            self._failures[key] = (number + 1, self._clock())
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST:
            self._failures.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Clear."""
        for key in keys:
            self._failures.pop(key, None)

    def _known(self, key: str) -> tuple[int, float]:
        number, at = self._failures.get(key, (0, 0.0))
        return (number, at) if self._clock() - at < _FORGET_SECONDS else (0, 0.0)

    def _wait(self, key: str) -> float:
        number, at = self._known(key)
        if number < _FREE:
            return 0.0
        pause = min(2.0 ** min(number - _FREE, 10), _LONGEST_SECONDS[key.partition(":")[0]])
        return max(0.0, at + pause - self._clock())
