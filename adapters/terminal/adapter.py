"""The terminal adapter: one person, one place, one question at a time, asked through the desk like anywhere else."""

from __future__ import annotations

import asyncio
import json
import secrets

from adapters.terminal.delivery import Line, TerminalDelivery
from adapters.terminal.screen import Screen
from bot.conversation import Asked, Direction, Health, Person, Place, Receipt, Vote, VoteReceipt
from bot.platforms import Desk, Remember

PERSON = Person("terminal", "local")
PLACE = Place("terminal", "local", "direct")
_STOP = "그만"


class TerminalAdapter:
    """See bot.platforms.Adapter. `chat` in chat.py reads the lines and calls `ask` and `vote`."""

    name = "terminal"

    def __init__(self, desk: Desk, screen: Screen) -> None:
        self._desk = desk
        self._screen = screen
        self._process = secrets.token_hex(8)
        self._asked = 0
        self._lines: dict[int, Line] = {}
        self._last_answer = ""

    @property
    def can_vote(self) -> bool:
        """Whether the last question was given an answer that takes a vote."""
        return bool(self._last_answer)

    async def start(self) -> None:
        """A terminal is always there."""

    async def stop_intake(self) -> None:
        """The conversation reads no more lines once it has ended."""

    async def close(self) -> None:
        """Nothing is printed from now on."""
        for line in self._lines.values():
            line.left = True

    def delivery(self, question_id: str, reply_to: str, draft: str, remember: Remember) -> TerminalDelivery:
        """See bot.platforms.Adapter. Without a draft: what was half printed stays."""
        process, number = _parsed(reply_to)
        line = self._lines.get(number) if process == self._process else None
        return TerminalDelivery(line, f"{process}:{number}", self._screen)

    def health(self) -> Health:
        """See bot.platforms.Adapter."""
        return Health(connected=True)

    async def ask(self, text: str, turns: tuple[str, ...], interrupts: asyncio.Queue[None]) -> Receipt | None:
        """Ask and wait until the answer is printed. `interrupts`: one item for each Ctrl-C.

        The first Ctrl-C stops the answer, which then says so itself. None: there was a second one before it did.
        Raises what the screen raised, such as BrokenPipeError.
        """
        number, line = self._next_number(), Line()
        self._lines[number] = line
        try:
            receipt = await self._desk.ask(self._as_asked(number, text, turns))
            if receipt is Receipt.DUPLICATE:
                return receipt
            if not await self._answered(line, interrupts):
                return None
            reply = line.answered.result()
        finally:
            line.left = True
            del self._lines[number]
        if receipt is not Receipt.STOPPED:  # a stop word is no question whose answer one could mean
            self._last_answer = reply.answer_id if reply.can_vote else ""
        return receipt

    async def vote(self, direction: Direction, reason: str = "") -> VoteReceipt | None:
        """On the last answer, with why. None: there is none."""
        if not self._last_answer:
            return None
        receipt = await self._desk.vote(Vote(self._last_answer, PERSON, direction, "button"))
        if receipt is VoteReceipt.UNKNOWN or not reason:
            return receipt
        explained = await self._desk.explain_vote(self._last_answer, PERSON, reason=reason, correction="")
        return receipt if explained else VoteReceipt.UNKNOWN

    async def _answered(self, line: Line, interrupts: asyncio.Queue[None]) -> bool:
        for stop in (True, False):
            pressed = asyncio.ensure_future(interrupts.get())
            try:
                await asyncio.wait((line.answered, pressed), return_when=asyncio.FIRST_COMPLETED)
            finally:
                pressed.cancel()
            if line.answered.done():
                return True
            if stop:
                # Nobody waits for this line, so its own reply is not printed: what it stops says so itself.
                await self._desk.ask(self._as_asked(self._next_number(), _STOP, ()))
        return False

    def _next_number(self) -> int:
        self._asked += 1
        return self._asked

    def _as_asked(self, number: int, text: str, turns: tuple[str, ...]) -> Asked:
        return Asked(
            keys=(f"terminal:{self._process}:{number}",),
            place=PLACE,
            person=PERSON,
            text=text,
            reply_to=json.dumps({"process": self._process, "line": number}),
            private=True,
            turns=turns,
        )


def _parsed(reply_to: str) -> tuple[str, int]:
    """Process and line; of no process when it cannot be read, e.g. written by another version."""
    try:
        kept = json.loads(reply_to)
        return str(kept["process"]), int(kept["line"])
    except (ValueError, KeyError, TypeError):
        return "", 0
