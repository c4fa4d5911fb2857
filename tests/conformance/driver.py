"""What the conformance suite needs of a platform: people who act, and what they then see. One driver per platform.

A driver starts its loopback server and makes the platform's `Adapter`; the suite supplies a real `ReferenceDesk` with a scripted
answer flow. A capability that a platform lacks is left out of `capabilities`, and the scenarios that need it are skipped for it.

People: `kim` and `lee` are colleagues, `admin` is an admin, `guest` comes from outside the company, `helper` is the contact for
escalations. The driver maps the names to platform users; `person_id(name)` and `contact(name)` tell the ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.conversation import Direction
from bot.platforms import Adapter, Desk

CAPABILITIES = (
    "mention",  # ask in a channel by addressing the bot
    "direct",  # ask in a direct message
    "command",  # ask by a command, seen by the asker alone when private
    "menu",  # ask with somebody's message ("위키에서 찾기")
    "thread",  # a follow-up that leans on what was said before
    "buttons",  # thumbs as buttons on the answer
    "reactions",  # thumbs as reactions to the answer
    "modal",  # a form that asks why after a thumb down
    "escalation",  # call a person, who resolves it
    "share",  # show a private answer to the channel
    "redelivery",  # the platform may deliver an event twice
    "outside",  # places where people from outside the company read
    "ping",  # messages can ping people
    "restart",  # the bot's process may die and come back
)


@dataclass(frozen=True)
class Asking:
    """A question somebody asked, for `answers` and `follow_up`. `raw` is the driver's own."""

    text: str
    person: str
    private: bool
    raw: Any = field(compare=False)


@dataclass(frozen=True)
class Seen:
    """A final message as people see it: one per answered question."""

    text: str
    """Everything readable in it: answer, sources, notes."""
    private: bool
    """Only the asker sees it."""
    can_vote: bool
    can_escalate: bool
    can_share: bool
    pings: frozenset[str]
    """Whom the message really pings: platform ids, and `everyone` for a whole channel."""
    links: frozenset[str]
    """Targets of everything clickable, buttons aside."""
    raw: Any = field(compare=False)


class Driver(Protocol):
    """One platform under test. Every waiting method gives up with an AssertionError after about 40 seconds."""

    name: str
    capabilities: frozenset[str]

    async def open(self) -> None:
        """Start the loopback server with one channel, the five people and, for `outside`, a place where outsiders read."""

    def adapter(self, desk: Desk) -> Adapter:
        """A new adapter against the server. Called again after `kill` for the process that starts next."""

    async def close(self) -> None:
        """Stop the server."""

    def person_id(self, person: str) -> str:
        """The platform's id."""

    def contact(self, person: str) -> str:
        """As it stands in `contacts`."""

    def channel_id(self) -> str:
        """The channel where people ask; `PlaceTable.id`."""

    async def mention(self, text: str, *, person: str = "kim", outside: bool = False) -> Asking:
        """Ask in the channel (or in the place where outsiders read). Returns once the platform's event was acknowledged."""

    async def direct(self, text: str, *, person: str = "kim") -> Asking:
        """Ask in a direct message."""

    async def command(self, text: str, *, person: str = "kim", private: bool = True) -> Asking:
        """Ask with `/wiki` or `/ask` in the channel. A platform whose command is always private skips what needs it public."""

    async def menu(self, text: str, *, person: str = "kim") -> Asking:
        """lee writes `text` in the channel, and `person` chooses "위키에서 찾기" on it."""

    async def follow_up(self, asking: Asking, text: str, *, person: str = "kim") -> Asking:
        """Ask again in the same thread or reply chain, addressing the bot."""

    async def deliver_again(self, asking: Asking) -> None:
        """The platform delivers the same event once more (same ids); returns when it was acknowledged."""

    async def answers(self, asking: Asking, *, count: int = 1) -> list[Seen]:
        """Wait for `count` final messages in reply to `asking`; then everything that stands there by then."""

    async def signs(self, asking: Asking) -> list[float]:
        """Seconds from the event to the first visible sign (status, deferral, draft or answer), then to the acknowledgement."""

    async def press_thumb(self, seen: Seen, direction: Direction, *, person: str = "kim") -> None:
        """Click 👍 or 👎 on the answer."""

    async def react(self, seen: Seen, direction: Direction, *, person: str = "kim", skin_tone: bool = False) -> None:
        """Add a thumb as a reaction."""

    async def unreact(self, seen: Seen, direction: Direction, *, person: str = "kim", skin_tone: bool = False) -> None:
        """Take it away."""

    async def explain(self, seen: Seen, *, reason: str, correction: str, person: str = "kim") -> None:
        """Fill in the form that came up after a thumb down by `press_thumb`."""

    async def escalate(self, seen: Seen, *, person: str = "kim") -> Seen:
        """Press "담당자 부르기"; the message that calls the contact."""

    async def resolve(self, call: Seen, *, answer: str, consent: bool, person: str = "helper") -> None:
        """Press "해결" on the call and fill in its form."""

    async def share(self, seen: Seen, *, person: str = "kim") -> Seen | None:
        """Press "채널에 공유"; the message everyone sees, or None when there was no such button or it was refused."""

    async def edit_and_delete(self, asking: Asking) -> None:
        """The asker edits the question and then deletes it; both events are acknowledged."""

    def break_posting(self, times: int) -> None:
        """The next `times` attempts to post or edit anything fail as if the platform were down (5xx or a reset)."""

    async def drop_connection(self) -> None:
        """Cut the adapter's event connection without a goodbye; returns when it is back."""

    async def kill(self, adapter: Adapter) -> None:
        """Take the adapter's connections away as a killed process would: no goodbye, nothing flushed."""

    def violations(self) -> list[str]:
        """Everything the bot sent that the platform would refuse or complain about."""


DriverMaker = Callable[[], Driver]
