"""Answers on their way to browsers, kept for a while so that one that lost its connection reads on where it was."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable

from bot.web.chat import ChatEvent, Ended

_KEEP_SECONDS = 900.0
"""After its end, for who reads on; and the longest that anybody waits for one."""
_MOST = 500
"""Streams; the oldest go first, so that memory is bounded."""


class Stream:
    """One question's events."""

    def __init__(self, owner: str, opened_at: float) -> None:
        """`owner`: name of the account, which alone may read it."""
        self.owner = owner
        self.opened_at = opened_at
        self._events: list[ChatEvent] = []
        self._news = asyncio.Event()
        self._left = False

    @property
    def ended(self) -> bool:
        """Its answer is there."""
        return bool(self._events) and isinstance(self._events[-1], Ended)

    def add(self, event: ChatEvent) -> None:
        """Nothing follows an end."""
        if not self.ended:
            self._events.append(event)
            self._news.set()
            self._news = asyncio.Event()

    def leave(self) -> None:
        """No answer will come: whoever waits for one is let go."""
        self._left = True
        self._news.set()

    async def after(self, number: int) -> AsyncIterator[tuple[int, ChatEvent]]:
        """Events with their numbers, from `number` + 1 on; until the end, or until none has come for a quarter of an hour."""
        while True:
            news = self._news
            while number < len(self._events):
                number += 1
                yield number, self._events[number - 1]
            if self.ended or self._left:
                return
            if news is self._news:
                try:
                    async with asyncio.timeout(_KEEP_SECONDS):
                        await news.wait()
                except TimeoutError:
                    return


class Streams:
    """All of this process, by question key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._streams: OrderedDict[str, Stream] = OrderedDict()

    def open(self, key: str, owner: str) -> Stream:
        """The stream of a question; the same one when it is asked twice by the same person."""
        self._clear()
        found = self._streams.get(key)
        if found is None or found.owner != owner:
            found = self._streams[key] = Stream(owner, self._clock())
        return found

    def drop(self, key: str) -> None:
        """Forget a stream that nobody will write to."""
        found = self._streams.pop(key, None)
        if found is not None:
            found.leave()

    def get(self, key: str) -> Stream | None:
        """None: unknown, of another process, or too long ago."""
        return self._streams.get(key)

    def _clear(self) -> None:
        before = self._clock() - _KEEP_SECONDS
        for key in [key for key, one in self._streams.items() if one.opened_at < before]:
            self.drop(key)
        while len(self._streams) >= _MOST:
            self.drop(next(iter(self._streams)))
