"""How often a message that is being written may change: Discord wants edits of one message at least a second apart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from adapters.discord.guard import UNREACHABLE
from adapters.discord.logs import record, where

logger = logging.getLogger(__name__)
FIRST_GAP_SECONDS = 1.5
GROWTH = 1.3
MOST_EDITS = 10
"""With gaps growing from 1.5 s by a third each, ten edits cover the first minute of a slow model."""
LONGEST_EDIT_SECONDS = 20.0


class Pace:
    """Shows the newest text, at most one edit at a time. Never raises for what Discord refuses: a draft is a courtesy."""

    def __init__(self, show: Callable[[str], Awaitable[None]], delay: float) -> None:
        self._show = show
        self._delay = delay
        self._gap = FIRST_GAP_SECONDS
        self._wanted = ""
        self._shown = ""
        self._edits = 0
        self._next: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._stopped = False

    def at_once(self, action: Callable[[], Awaitable[None]]) -> None:
        """Something beside the drafts, such as a typing indicator."""
        if not self._stopped:
            self._start(action)

    def want(self, text: str) -> None:
        """Show `text` as soon as the pace allows; a newer one replaces it."""
        self._wanted = text
        self._schedule()

    async def stop(self) -> None:
        """No further draft; waits for the one on its way, so that it cannot overtake the final message."""
        self._no_more()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=LONGEST_EDIT_SECONDS)
            for task in late:
                task.cancel()

    def leave(self) -> None:
        """No further draft; one on its way is given up, before it is tried again over what stands there by then."""
        self._no_more()
        for task in self._running:
            task.cancel()

    def _no_more(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        if self._stopped or self._running or self._timer or self._edits >= MOST_EDITS or self._wanted == self._shown:
            return
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.time() + self._delay
        self._timer = loop.call_later(max(0.0, self._next - loop.time()), self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._edits += 1
        self._shown = text = self._wanted
        self._start(lambda: self._show(text))

    def _start(self, action: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._courtesy(action))
        self._running.add(task)
        task.add_done_callback(self._done)

    async def _courtesy(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            await action()
        except UNREACHABLE as error:
            record(logger, "draft_refused", code=getattr(error, "code", None), error=type(error).__name__)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:  # ours, not Discord's: the answer itself will still come
            record(logger, "draft_failed", logging.ERROR, error=type(error).__name__, where=where(error))
            return
        if self._edits and not self._stopped:
            self._next = asyncio.get_running_loop().time() + self._gap
            self._gap *= GROWTH
        self._schedule()
