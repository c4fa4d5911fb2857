"""Faults that a test asks for, and Slack's rate limits."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next calls of one method."""

    method: str
    status: int | None = None
    retry_after: int | None = None
    error: str | None = None
    drop_connection: bool = False
    delay: float = 0.0
    times: int | None = 1
    """How many calls it hits; None: all from now on."""
    after: int = 0
    """How many calls pass untouched first."""
    applied: bool = False
    """The call takes effect all the same, only the caller does not learn of it."""
    late: float = 0.0
    """Seconds between a call's effect and its answer. (`delay`: before its effect.)"""

    @property
    def refuses(self) -> bool:
        """Whether it does more than wait."""
        return self.status is not None or self.error is not None or self.drop_connection


class Faults:
    """Those still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan one."""
        self._pending.append(fault)

    def clear(self) -> None:
        """All is well again."""
        self._pending.clear()

    def take(self, method: str) -> Fault | None:
        """What hits this call."""
        for fault in self._pending:
            if fault.method not in (method, "*"):
                continue
            if fault.after > 0:
                fault.after -= 1
                return None
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._pending.remove(fault)
            return fault
        return None


CALLS_PER_MINUTE = {"1": 1, "2": 20, "3": 50, "4": 100}
"""docs.slack.dev rate limits: tiers 1 to 4, per method per workspace per app. Real Slack is at least this generous."""
POSTS_BURST = 5  # "about one message a second per channel, short bursts allowed": how short is not documented


class RateLimits:
    """Counts calls in a sliding window. Off until `enabled` is set; `window` in seconds is 60 at Slack."""

    def __init__(self) -> None:
        self.enabled = False
        self.window = 60.0
        self.per_window = dict(CALLS_PER_MINUTE)
        self._calls: dict[str, list[float]] = {}

    def wait(self, method: str, tier: str, channel: str) -> int | None:
        """Whole seconds to wait (Retry-After), or None: the call may pass and is counted."""
        if not self.enabled:
            return None
        if tier == "special":
            if method != "chat.postMessage":
                return None  # setStatus: a limit exists but is not published
            return self._count(f"{method}:{channel}", POSTS_BURST, float(POSTS_BURST))
        return self._count(method, self.per_window[tier], self.window)

    def _count(self, key: str, most: int, window: float) -> int | None:
        now = time.monotonic()
        calls = self._calls[key] = [at for at in self._calls.get(key, []) if now - at < window]
        if len(calls) >= most:
            return max(1, math.ceil(window - (now - calls[0])))
        calls.append(now)
        return None
