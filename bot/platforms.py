"""The door between the core and a chat platform, as three contracts.

`Desk` is what an adapter may ask of the core, `Adapter` and `Delivery` are what the core asks of an adapter. Only the data of
bot/messages.py and bot/conversation.py passes. An adapter translates: it knows nothing of retrieval, models or the store.
The conformance suite (tests/conformance) holds every adapter to this file; docs/adding-a-platform.md walks through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Protocol, Self

from bot.conversation import (
    Announcement,
    Asked,
    Escalation,
    Health,
    Past,
    Person,
    Place,
    PlaceSettings,
    Receipt,
    Reply,
    ServiceStatus,
    SourceInfo,
    Vote,
    VoteReceipt,
)
from bot.messages import Citation

Remember = Callable[[str], Awaitable[None]]
"""Stores an adapter's note about a half-written message, so that it can be cleared away after a crash."""


class Desk(Protocol):
    """What an adapter may ask of the core. Every method is quick: answers come later, through a `Delivery`."""

    async def ask(self, asked: Asked) -> Receipt:
        """Claim the question and answer it in the background. Never raises for what a person did.

        The adapter acknowledges the platform's event first (3 s), then calls this. Returns within milliseconds; the core then
        calls `Adapter.delivery(asked.reply_to, …)` and drives it. Stop words ("그만") are recognised here.
        """

    async def vote(self, vote: Vote) -> VoteReceipt:
        """Store one person's current thumb on one answer. Safe to repeat."""

    async def explain_vote(self, answer_id: str, person: Person, *, reason: str, correction: str) -> bool:
        """Add why, and what would have been right, to the person's thumb down. False: they have none on this answer."""

    async def answer_at(self, platform: str, message: str) -> str | None:
        """The answer posted as `message` (the reference `Delivery.finish` returned), for votes by reaction."""

    async def shown_at(self, answer_id: str, message: str) -> None:
        """The answer now also stands in `message` (it was shared): reactions there are votes on it too."""

    async def asked_by(self, answer_id: str) -> str | None:
        """`Person.key` of whom to tell what a called colleague answered: who called them. Once, right after `resolve`; else None."""

    async def may_escalate(self, answer_id: str) -> bool:
        """Whether "담당자 부르기" makes sense: contacts are set for the answer's place and nobody was called yet."""

    async def escalate(self, answer_id: str, person: Person) -> Escalation | None:
        """Call the contacts; the adapter then pings them in the thread. None: nobody to call, or called already."""

    async def uncall(self, escalation_id: str) -> None:
        """The message to the contacts could not be posted: nobody was called after all, and it may be tried again."""

    async def escalation(self, escalation_id: str) -> Escalation | None:
        """An open escalation, for its "해결" form."""

    async def resolve(self, escalation_id: str, person: Person, *, answer: str, consent: bool) -> bool:
        """Close it; with consent their answer is kept as a correction. False: unknown, closed, or not theirs to close.

        Contacts, admins and the asker may close.
        """

    async def share(self, answer_id: str, person: Person, *, external: bool = False) -> Reply | None:
        """The answer for everyone in the channel it was asked in. None: not the asker, or it used pages not all may read.

        `external`: people from outside the company read there now, whether or not they did when it was asked.
        """

    async def search(self, asked: Asked, most: int = 5) -> tuple[Citation, ...]:
        """The nearest pages, without an answer. Nothing is claimed or kept; `keys` and `reply_to` may be empty."""

    async def complete(
        self, place: Place, person: Person, typed: str, *, private: bool, most: int = 25
    ) -> tuple[str, ...]:
        """Suggestions while typing a question: titles and headings that may be read there. Answers from memory."""

    async def recent(self, person: Person, most: int = 5) -> tuple[Past, ...]:
        """The person's own last questions, newest first."""

    def place_settings(self, place: Place) -> PlaceSettings:
        """How Saseo behaves there now."""

    async def change_place(self, place: Place, person: Person, changes: Mapping[str, str]) -> PlaceSettings:
        """An admin changes settings: `{"sources": "hr, it", "listen": "threads", "contacts": ""}`; an empty value resets the key.

        Raises NotAllowed, InvalidSetting, UnknownSetting, each with a sentence for the person.
        """

    def is_admin(self, person: Person) -> bool:
        """Whether config.toml names the person or one of their roles."""

    async def sources(self, place: Place, person: Person, *, private: bool) -> tuple[SourceInfo, ...]:
        """What may be asked about there."""

    async def status(self, person: Person) -> ServiceStatus:
        """For admins. Raises NotAllowed."""

    async def reindex(self, place: Place, person: Person, told: Callable[[str], Awaitable[None]]) -> str:
        """Ask for a run that reads all sources again; returns the sentence that says how it stands, in the place's language.

        `told` gets the one that says how it went, minutes later; never when this process ends before.
        For admins. Raises NotAllowed, and NoJobsHere or JobPaused, each with a sentence for the person.
        """

    async def remembered(self, key: str) -> str | None:
        """A small fact an adapter kept, such as the hash of its registered commands."""

    async def remember(self, key: str, value: str) -> None:
        """Keep it."""


class Delivery(Protocol):
    """One answer on its way to one place. The core calls from one task: `status` and `write` any number of times, then `finish`;
    where that raised or hung, `find` and, when nothing stands there, `finish` again.

    `status` and `write` must never raise for what the platform refuses, nor take longer than the platform's own pace needs:
    they are courtesies. `finish` is the promise.
    """

    async def status(self, text: str) -> None:
        """What is happening ("위키에서 찾고 있습니다…", "앞에 3건이 있습니다."). The first call comes at once: show it within a second."""

    async def write(self, text: str) -> None:
        """One more checked sentence, with the space or line break before it."""

    async def finish(self, reply: Reply) -> str:
        """Post or complete the one final message; returns its reference for `Desk.answer_at`.

        Carries `reply.answer_id`/`question_id` where the platform lets it (metadata, custom ids), so that `find` works.
        Retries what may pass, falls back to another way of posting, and raises DeliveryFailed only when nothing got through.
        """

    async def find(self) -> str | None:
        """After a crash or a failed `finish`: the reference of this question's finished message if it stands there already.

        Otherwise removes a half-written draft (see `Remember`) and returns None; the core then delivers anew. Raises (anything)
        when the platform cannot be asked just now: the core looks again later rather than posting a second message.
        """

    async def leave(self) -> None:
        """This process has nothing to do with the answer any more, whatever became of it: show nothing from now on.

        Another process may have answered meanwhile, and what came late would stand over its answer. Never raises; what is
        half-written is left for the `find` of whoever goes on.
        """


class Adapter(Protocol):
    """One platform."""

    name: str
    """`slack`, `discord`, …: the first part of every claim key."""

    async def start(self) -> None:
        """Connect; returns when events can arrive. Raises AdapterError with what to do (bad token, unreachable)."""

    async def stop_intake(self) -> None:
        """Take no new events; deliveries still work."""

    async def close(self) -> None:
        """Disconnect. Nothing is delivered afterwards."""

    def delivery(self, question_id: str, reply_to: str, draft: str, remember: Remember) -> Delivery:
        """A way to answer `reply_to`. `draft`: what was last given to `remember` for this question, in whatever process."""

    def health(self) -> Health:
        """How the connection stands, from memory."""


class Announcer(Protocol):
    """Posts what answers nobody, into one place; also from a process that takes no events. An async context manager: it signs in.

    Every method, and entering, raises AdapterError (cannot sign in) or DeliveryFailed (the place is not there, or refuses).
    """

    async def __aenter__(self) -> Self:
        """Sign in."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sign out."""

    async def place(self, place: str) -> Place:
        """Who reads there: `external` is set where people from outside the company do."""

    async def find(self, place: str, mark: str, since: float) -> str | None:
        """The reference of our announcement with that mark, if it stands there. `since`: seconds since the epoch."""

    async def post(self, place: str, announcement: Announcement) -> str:
        """Its reference, once it stands there."""
