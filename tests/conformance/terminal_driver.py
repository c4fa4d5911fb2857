"""The terminal under the conformance suite: the real conversation, typed into line by line and read from what it printed.

One person sits there (`kim`), who asks one question at a time; while one is being answered, saying stop is pressing Ctrl-C.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from adapters.terminal.adapter import PERSON, TerminalAdapter
from adapters.terminal.chat import chat
from adapters.terminal.screen import Screen
from bot.conversation import Direction
from bot.platforms import Adapter, Desk
from tests.conformance.driver import Asking, Seen

SECONDS = 40.0
THUMBS: dict[Direction, str] = {"up": "/좋아요", "down": "/아쉬워요"}
_URL = re.compile(r"https?://[^\s<>)\]]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass
class Typed:
    """A line and where on the screen its answer stands."""

    text: str
    start: int = 0
    end: int = 0
    can_vote: bool = False
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class TerminalDriver:
    """See tests.conformance.driver.Driver. Nobody else reads a terminal, and nothing of it outlives its process."""

    name = "terminal"
    capabilities = frozenset({"direct", "thread", "buttons"})

    def __init__(self) -> None:
        self.out = io.StringIO()
        self._keyboard: asyncio.Queue[Typed | None] = asyncio.Queue()
        self._current: Typed | None = None
        self._last_question: Typed | None = None
        self._adapter: TerminalAdapter | None = None
        self._screen: Screen | None = None
        self._talking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """There is nothing to connect to."""

    def adapter(self, desk: Desk) -> Adapter:
        """A new process in a new window."""
        self.out = io.StringIO()
        self._keyboard, self._current, self._talking = asyncio.Queue(), None, None
        self._screen = Screen(self.out, transient=False)
        self._adapter = TerminalAdapter(desk, self._screen)
        return self._adapter

    async def close(self) -> None:
        """The input ends; a conversation that does not end then is stopped."""
        if self._talking is not None:
            self._keyboard.put_nowait(None)
            _, late = await asyncio.wait([self._talking], timeout=5.0)
            await self._end()
            assert not late, "the conversation did not end with its input"

    async def kill(self, adapter: Adapter) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.gather(self._talking, return_exceptions=True)

    def person_id(self, person: str) -> str:
        return PERSON.id

    def contact(self, person: str) -> str:
        return PERSON.id

    def channel_id(self) -> str:
        return PERSON.id

    # Typing

    async def _lines(self) -> AsyncIterator[str]:
        while (typed := await self._keyboard.get()) is not None:
            self._current, typed.start = typed, len(self.out.getvalue())
            typed.taken.set()
            yield f"{typed.text}\n"
            # The conversation asks for the next line, so it has done with this one.
            assert self._adapter is not None
            typed.end, typed.can_vote = len(self.out.getvalue()), self._adapter.can_vote
            self._current = None
            if not typed.text.startswith("/"):
                self._last_question = typed
            typed.ended.set()

    async def _type(self, text: str) -> Typed:
        assert self._adapter is not None
        assert self._screen is not None
        if self._talking is None:
            self._talking = asyncio.create_task(chat(self._adapter, self._screen, read=self._lines))
        typed = Typed(text)
        self._keyboard.put_nowait(typed)
        async with asyncio.timeout(SECONDS):
            await typed.taken.wait()
        return typed

    async def direct(self, text: str, *, person: str = "kim") -> Asking:
        assert person == "kim", "one person sits at a terminal"
        if self._current is None:
            return Asking(text, person, True, await self._type(text))
        assert text == "그만", "the terminal takes no question while it answers one"
        os.kill(os.getpid(), signal.SIGINT)
        return Asking(text, person, True, self._current)

    async def follow_up(self, asking: Asking, text: str, *, person: str = "kim") -> Asking:
        return await self.direct(text, person=person)

    async def press_thumb(self, seen: Seen, direction: Direction, *, person: str = "kim") -> None:
        assert seen.raw is self._last_question, "only the last answer takes a vote"
        await self._done(await self._type(THUMBS[direction]))

    # Reading

    async def answers(self, asking: Asking, *, count: int = 1) -> list[Seen]:
        """As often as its first line was printed, so that an answer told twice counts as two."""
        typed: Typed = asking.raw
        await self._done(typed)
        text = self.out.getvalue()[typed.start : typed.end].removeprefix(f"\n> {typed.text}\n")
        first = text.strip().partition("\n")[0]
        seen = Seen(
            text=text,
            private=True,
            can_vote=typed.can_vote,
            can_escalate=False,
            can_share=False,
            pings=frozenset(),
            links=frozenset(_URL.findall(text)),
            raw=typed,
        )
        found = [seen] * (text.count(first) if first else 0)
        assert len(found) >= count, f"nothing was printed for {typed.text!r}"
        return found

    async def _done(self, typed: Typed) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await typed.ended.wait()
        except TimeoutError:
            raise AssertionError(f"no end of {typed.text!r}: {self.out.getvalue()!r}") from None

    def violations(self) -> list[str]:
        """What would command a terminal rather than stand on it."""
        return [repr(found) for found in _CONTROL.findall(self.out.getvalue())]
