"""One answer on its way to the screen."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from adapters.terminal.screen import Screen
from adapters.text.characters import CleanStream, clean
from bot import texts
from bot.conversation import Reply
from bot.errors import DeliveryFailed
from bot.messages import Outcome


@dataclass(slots=True)
class Line:
    """A question that this conversation waits for."""

    answered: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Its reply, once printed; or the OSError or ValueError that printing raised."""
    left: bool = False
    """The person has gone: nothing more is printed for it."""


class TerminalDelivery:
    """See bot.platforms.Delivery. Prints sentences as they come; after them the sources.

    What a model or a page wrote loses its control characters, so that it cannot command the terminal.
    """

    def __init__(self, line: Line | None, reference: str, screen: Screen) -> None:
        """`line` None: nobody waits for this question here, so all of it happens unseen."""
        self._line = line
        self._reference = reference
        self._screen = screen
        self._cleaned = CleanStream()
        self._written = False

    @property
    def _seen(self) -> bool:
        return self._line is not None and not self._line.left and not self._line.answered.done()

    async def status(self, text: str) -> None:
        """See bot.platforms.Delivery."""
        if self._seen and not self._written:
            with contextlib.suppress(OSError, ValueError):  # `finish` will say so
                self._screen.status(text)

    async def write(self, text: str) -> None:
        """See bot.platforms.Delivery."""
        if self._seen:
            with contextlib.suppress(OSError, ValueError):  # `finish` will say so
                if not self._written:
                    self._screen.fresh_line()  # an earlier try may have broken off in the middle of one
                self._written = True
                self._screen.write(self._cleaned.feed(text))

    async def finish(self, reply: Reply) -> str:
        """Print what is missing. Raises DeliveryFailed when the stream takes nothing more."""
        if self._line is None or not self._seen:
            return self._reference
        try:
            self._end(reply)
        except (OSError, ValueError) as error:
            self._line.answered.set_exception(error)  # the conversation ends with it
            raise DeliveryFailed(platform="terminal", reason=type(error).__name__) from error
        self._line.answered.set_result(reply)
        return self._reference

    async def find(self) -> str | None:
        """Nothing printed can be looked up, but who asked can: `reply_to` names the process and the line.

        A question of another process was asked by a `saseo chat` that was killed. Its person saw that, and whoever sits here now did not
        ask: the reference, as if the answer stood there, lets the core end the question without a word. The same holds for a line of
        this process that nobody waits for any more. None: somebody does, so it is to be answered.
        """
        return None if self._seen else self._reference

    async def leave(self) -> None:
        """Nothing is shown by itself here."""

    def _end(self, reply: Reply) -> None:
        self._screen.write(self._cleaned.close())
        answer = reply.answer
        if answer.outcome is Outcome.FAILED:
            self._screen.line(clean(answer.text))
            return
        text = "" if self._written else answer.text
        self._screen.write(clean(text + texts.closing(answer, reply.language)) + "\n")
        if reply.ai_notice and answer.outcome is Outcome.ANSWERED:
            self._screen.line(texts.generated_by_ai(reply.language))
        if reply.notice:
            self._screen.line(clean(reply.notice))
