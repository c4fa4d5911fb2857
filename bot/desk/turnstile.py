"""Lets a few questions through at once, fairly to people, and tells each waiting one its place in line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.writers.fair_queue import FairQueue


class Turnstile:
    """`at_once` may be inside; the rest wait round-robin over people. Used from one event loop."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(
        self, asker: str, *, tell: Callable[[int], Awaitable[None]], every: float = 10.0
    ) -> AsyncIterator[None]:
        """Wait for the turn, then hold it. `tell` gets the place in line (1 = next) at once and, when it changed, every so often."""
        if self._free and not self._waiting:
            self._free -= 1
        else:
            await self._in_line(asker, tell, every)
        try:
            yield
        finally:
            self._pass_on()

    async def _in_line(self, asker: str, tell: Callable[[int], Awaitable[None]], every: float) -> None:
        ready = asyncio.get_running_loop().create_future()
        self._waiting.put(asker, ready)
        told = 0
        try:
            while not ready.done():
                position = self._waiting.position(asker, ready)
                if position and position != told:
                    told = position
                    await tell(position)
                await asyncio.wait([ready], timeout=every)
        except BaseException:
            if not self._waiting.remove(asker, ready):
                self._pass_on()  # the turn came while we were leaving
            raise

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.take().set_result(None)  # the place changes hands, it is never free in between
        else:
            self._free += 1
