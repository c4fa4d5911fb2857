"""How the console's own chat is asked: what its page needs of the adapter behind it. Frozen data and one contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from bot.conversation import Direction, Receipt, Reply, VoteReceipt
from bot.web.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Said:
    """What is happening, such as "위키에서 찾고 있습니다…"."""

    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """One more checked sentence, with the space or line break before it."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer, whole. The last event of a question."""

    reply: Reply


ChatEvent = Said | Written | Ended


class Chat(Protocol):
    """Questions of the console go the way of every other one: claimed, answered, kept, voted on."""

    async def ask(self, viewer: Viewer, text: str, turns: tuple[str, ...], key: str) -> tuple[Receipt, str]:
        """Ask; the stream's id. `key`: made by the page for this question, so that a form sent twice is one question."""

    def events(self, viewer: Viewer, stream: str, after: int) -> AsyncIterator[tuple[int, ChatEvent]]:
        """Numbered from 1; those after `after`, as they come. Ends with `Ended`, or without one when no answer will come.

        Raises NotFoundInConsole at once for a stream that is unknown or another's.
        """

    async def vote(
        self, viewer: Viewer, answer_id: str, direction: Direction | None, reason: str, correction: str
    ) -> VoteReceipt:
        """A thumb, and why."""
