"""What people and places are to the core, and what they may do beside asking: vote, correct, call a person. Frozen data only.

`bot/messages.py` holds the question and its answer; this file holds everything around them that crosses an adapter's door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bot.messages import Answer, Language

Listen = Literal["mention", "threads", "all"]
Direction = Literal["up", "down"]
PlaceKind = Literal["channel", "direct"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who does something. `id` is the platform's own; names are never kept."""

    platform: str
    id: str
    email: str = ""
    """Verified by the platform, in lower case; empty when it cannot be read."""
    roles: frozenset[str] = frozenset()
    """Ids of the platform's own groups that the person is in: Discord roles, Slack user groups."""
    roles_known: bool = True
    """False: the platform did not say which groups the person is in, so `roles` is empty."""
    guest: bool = False
    """From outside the company: a Slack guest or a Slack Connect person. Gets nothing restricted."""

    @property
    def key(self) -> str:
        """`slack:U123`: how rows, limits and queues name the person."""
        return f"{self.platform}:{self.id}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was asked, and where its answer will be read unless the question is private."""

    platform: str
    id: str
    """The channel that settings are made for. Of a Discord thread: its parent channel."""
    kind: PlaceKind
    """`direct`: only the person and the bot read here."""
    server: str = ""
    """Slack team or Discord guild; empty in Discord's direct messages."""
    thread: str = ""
    """The conversation inside the channel (Slack `thread_ts`, Discord thread id); empty: none."""
    external: bool = False
    """People from outside the company read here (Slack Connect). Nothing restricted is used."""

    @property
    def conversation(self) -> str:
        """Questions of one conversation are answered one after the other; empty where there is none."""
        if not self.thread and self.kind == "channel":
            return ""
        return f"{self.platform}:{self.id}:{self.thread}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a platform delivered it."""

    keys: tuple[str, ...]
    """Every id under which the platform may deliver this question again: event id *and* message or interaction id,
    e.g. `slack:event:Ev1` and `slack:message:T1:C1:1700000000.000100`. Claimed together: any known key is a duplicate."""
    place: Place
    person: Person
    text: str
    """What the person typed, unescaped, without the bot's own mention."""
    reply_to: str
    """The adapter's own JSON: all that `Adapter.delivery` needs to answer here, also in another process after a crash.
    Kept until the answer is delivered, then erased (it may hold a short-lived token)."""
    private: bool = False
    """Only the asker will see the answer (ephemeral). A direct place is always private."""
    turns: tuple[str, ...] = ()
    """What people said earlier in this thread or reply chain, oldest first, at most the last ten; never the bot's answers."""


class Receipt(StrEnum):
    """What became of an `Asked`."""

    ACCEPTED = "accepted"
    """Its answer is on its way."""
    DUPLICATE = "duplicate"
    """It is being answered or was answered: nothing more will be posted."""
    REFUSED = "refused"
    """The person was told why (queue full, over their limit, shutting down) through the delivery."""
    STOPPED = "stopped"
    """It was "그만": what it stopped says so itself; if nothing was running the person was told through the delivery."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The final form of a message: the answer and what may be done with it."""

    question_id: str
    """12 hexadecimal characters. The id a person can quote; it is in the log."""
    answer_id: str
    """16 hexadecimal characters, for buttons and metadata; empty when there is nothing to vote on (a refusal)."""
    answer: Answer
    language: Language
    private: bool
    question: str = ""
    """What was asked, with a shared answer; elsewhere the question stands above it."""
    can_vote: bool = False
    can_escalate: bool = False
    """Show "담당자 부르기" now. After a thumb down it is offered anyway when `contacts` are set for the place."""
    can_share: bool = False
    """Show "채널에 공유": private, asked in a channel, and everything it used may be read there."""
    ai_notice: bool = True
    """Say under the answer that AI wrote it."""
    notice: str = ""
    """What this person must be told once, with their first answer: for their eyes alone where the platform can."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A thumb. `direction` None withdraws; a withdrawal by reaction removes only the same direction."""

    answer_id: str
    person: Person
    direction: Direction | None
    via: Literal["button", "reaction"]
    withdrawn: Direction | None = None
    """With `direction` None: which thumb was taken away."""


class VoteReceipt(StrEnum):
    """What became of a vote."""

    STORED = "stored"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    """No such answer, or nothing to withdraw."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A person was asked for help. `contacts` are platform ids to be pinged, as configured: `U…`/`S…`, or `user:1`/`role:2`."""

    id: str
    """16 hexadecimal characters, for the "해결" button."""
    answer_id: str
    question: str
    contacts: tuple[str, ...]
    language: Language


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """How Saseo behaves in one place: config.toml, changed from chat by an admin."""

    sources: tuple[str, ...] = ()
    """Names of sources to answer from; empty: all."""
    listen: Listen = "mention"
    """`mention`: when addressed. `threads`: also follow-ups in a thread it takes part in. `all`: every message is a question."""
    language: Language = "ko"
    private: bool = False
    """Slash-command answers are seen by the asker alone unless they choose otherwise."""
    contacts: tuple[str, ...] = ()
    """Who is called on escalation."""


@dataclass(frozen=True, slots=True)
class Past:
    """One of the person's own earlier questions."""

    text: str
    outcome: str
    at: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source as a person may see it."""

    name: str
    pages: int
    """Those that may be read in this place."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """For `/status`."""

    edition: str
    pages: int
    passages: int
    model: str
    lora: str
    waiting: int
    running: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Of the last 24 hours."""
    votes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """How an adapter's connection stands."""

    connected: bool
    detail: str = ""
    last_event_seconds: float | None = None
    """Seconds since the platform last sent anything."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A message that answers nobody: the weekly report."""

    mark: str
    """Unique among the announcements of a place, at most 25 characters. The message carries it, to be found by it."""
    text: str
    """Markdown; whatever words of people or pages are in it, the adapter makes it safe."""
    label: str = ""
    """Of the link below it."""
    url: str = ""
