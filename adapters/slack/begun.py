"""Which question each stream of this process belongs to.

A streamed message has no metadata before its end, so in a thread it looks like one that a dead process left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_KEPT = 1000


class Begun:
    """Shared by all deliveries of one adapter: none of them may take another question's stream for its own draft."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        """Message → question. Kept after the end: whoever looked before it still holds the stream for a draft."""
        self._starting: set[asyncio.Event] = set()

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Around the call that starts a stream and `add`: it may stand before its ts is known here."""
        over = asyncio.Event()
        self._starting.add(over)
        try:
            yield
        finally:
            self._starting.discard(over)
            over.set()

    def add(self, ref: str, question_id: str) -> None:
        """`ref` is a stream of this question."""
        self._owners[ref] = question_id
        if len(self._owners) > _MOST_KEPT:
            del self._owners[next(iter(self._owners))]

    async def by_another(self, ref: str, question_id: str) -> bool:
        """Whether a message that was seen already belongs to another question; waits for starts under way (seconds at most)."""
        if ref not in self._owners:
            for over in tuple(self._starting):
                await over.wait()
        return self._owners.get(ref, question_id) != question_id
