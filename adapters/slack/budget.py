"""How many calls of a rate-limited method may still be made this minute."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

_MINUTE = 60.0


class MinuteBudget:
    """At most `per_minute` takings in any 60 seconds.

    A plain token bucket lets twice as much through in its first minute (a full bucket and its refill); Slack counts a
    method's calls per minute, workspace and app (https://docs.slack.dev/apis/web-api/rate-limits/), so the moments of the
    last minute are kept instead. Of one process: where several share a workspace, Slack's 429 has the last word.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._taken: deque[float] = deque()

    def try_take(self) -> bool:
        """Take one if there is one."""
        now = self._clock()
        while self._taken and now - self._taken[0] >= _MINUTE:
            self._taken.popleft()
        if len(self._taken) >= self._per_minute:
            return False
        self._taken.append(now)
        return True


class Pace:
    """Lets callers through one after the other, `seconds` apart, each channel for itself.

    chat.postMessage takes about one message a second per channel (docs.slack.dev, rate limits).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free: dict[str, float] = {}

    async def turn(self, channel: str) -> None:
        """Wait for it."""
        now = time.monotonic()
        at = max(now, self._free.get(channel, now))
        self._free = {name: free for name, free in self._free.items() if free > now}
        self._free[channel] = at + self._seconds
        await asyncio.sleep(at - now)
