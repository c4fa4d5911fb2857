"""The gate through which everything from Slack comes: open, full or shut; counts what is under way.

Socket Mode has no backpressure: each envelope becomes a task at once. What finds the gate full or shut is not acknowledged,
so that Slack delivers it again, here or to another instance.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator

MOST_AT_ONCE = 256


class Intake:
    """One per adapter."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._open = True
        self._last: float | None = None

    @property
    def takes(self) -> bool:
        """Whether one more may come in."""
        return self._open and self._running < self._most

    @property
    def last_event_seconds(self) -> float | None:
        """Seconds since Slack last sent anything."""
        return None if self._last is None else time.monotonic() - self._last

    def heard(self) -> None:
        """Something came."""
        self._last = time.monotonic()

    def shut(self) -> None:
        """Nothing more comes in."""
        self._open = False

    @contextlib.contextmanager
    def passing(self) -> Iterator[None]:
        """While an envelope or a listener is under way."""
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def drained(self, seconds: float) -> bool:
        """Wait for what is under way. False: some of it still is."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
