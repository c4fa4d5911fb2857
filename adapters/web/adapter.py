"""The console's chat as a platform. See bot.platforms.Adapter for what the core asks, bot/web/chat.py for what the page asks."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator

from adapters.web.delivery import WebDelivery
from adapters.web.streams import Streams
from bot.conversation import Asked, Direction, Health, Person, Place, Receipt, Vote, VoteReceipt
from bot.errors import NotFoundInConsole
from bot.platforms import Desk, Remember
from bot.web.chat import ChatEvent
from bot.web.viewer import Viewer

NAME = "web"
_LONGEST_KEY = 64


class WebAdapter:
    """One per process."""

    name = NAME

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._process = secrets.token_hex(8)
        self._streams = Streams()

    # -- for the core -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """The console's address is opened elsewhere."""

    async def stop_intake(self) -> None:
        """The console closes its address."""

    async def close(self) -> None:
        """Nothing to disconnect."""

    def delivery(self, question_id: str, reply_to: str, draft: str, remember: Remember) -> WebDelivery:
        """See bot.platforms.Adapter."""
        process, key = _parsed(reply_to)
        stream = self._streams.get(key) if process == self._process else None
        return WebDelivery(stream, f"{process}:{key}")

    def health(self) -> Health:
        """See bot.platforms.Adapter."""
        return Health(connected=True)

    # -- for the page -----------------------------------------------------------------------------------------------------

    async def ask(self, viewer: Viewer, text: str, turns: tuple[str, ...], key: str) -> tuple[Receipt, str]:
        """See bot.web.chat.Chat."""
        stream = f"{viewer.name}:{key[:_LONGEST_KEY]}"
        known = self._streams.get(stream) is not None
        self._streams.open(stream, viewer.name)
        person = person_of(viewer)
        asked = Asked(
            keys=(f"{NAME}:{self._process}:{stream}",),
            place=Place(NAME, person.id, "direct"),
            person=person,
            text=text,
            reply_to=json.dumps({"process": self._process, "stream": stream}),
            private=True,
            turns=turns,
        )
        try:
            receipt = await self._desk.ask(asked)
        except BaseException:
            self._streams.drop(stream)
            raise
        if receipt is Receipt.DUPLICATE and not known:  # asked so long ago that its answer is not kept here any more
            self._streams.drop(stream)
        return receipt, key[:_LONGEST_KEY]

    def events(self, viewer: Viewer, stream: str, after: int) -> AsyncIterator[tuple[int, ChatEvent]]:
        """See bot.web.chat.Chat."""
        found = self._streams.get(f"{viewer.name}:{stream[:_LONGEST_KEY]}")
        if found is None or found.owner != viewer.name:
            raise NotFoundInConsole
        return found.after(after)

    async def vote(
        self, viewer: Viewer, answer_id: str, direction: Direction | None, reason: str, correction: str
    ) -> VoteReceipt:
        """See bot.web.chat.Chat."""
        person = person_of(viewer)
        receipt = await self._desk.vote(Vote(answer_id, person, direction, "button"))
        if direction == "down" and (reason or correction) and receipt is not VoteReceipt.UNKNOWN:
            await self._desk.explain_vote(answer_id, person, reason=reason, correction=correction)
        return receipt


def person_of(viewer: Viewer) -> Person:
    """An account as the core knows people. Its groups were given by an admin: bot/desk/audience.py takes them as they are."""
    return Person(NAME, viewer.name, roles=viewer.groups)


def _parsed(reply_to: str) -> tuple[str, str]:
    """Process and stream; of no process when it cannot be read, e.g. written by another version."""
    try:
        kept = json.loads(reply_to)
        return str(kept["process"]), str(kept["stream"])
    except (ValueError, KeyError, TypeError):
        return "", ""
