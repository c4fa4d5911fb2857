"""The reference desk: what `bot.platforms.Desk` promises, kept with the store, the answer flow and the places' settings.

One per process, on one event loop. Adapters are attached after they were made, since they need the desk first.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.conversation import (
    Asked,
    Escalation,
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
from bot.desk.asking import Asking
from bot.desk.completion import Completion
from bot.desk.intake import Intake, IntakeOptions
from bot.desk.pending import Pending
from bot.desk.turnstile import Turnstile
from bot.errors import NoJobsHere, NotAllowed
from bot.live import name_of
from bot.messages import Answer, Citation, Language, Question
from bot.platforms import Adapter
from bot.store import answers, audit, escalations, facts, questions, votes
from bot.telemetry.observer import Observer
from knowledge.page import reader_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from bot.answering.flow import AnswerFlow
    from bot.desk.audience import Groups
    from bot.desk.people import People
    from bot.desk.places import PlaceBook
    from bot.store.answers import Kept
    from bot.store.database import Store
    from knowledge.search import SearchIndex

_log = logging.getLogger(__name__)
_DAY = 86400.0
_MOST_TOLD = 100
RETRY_AFTER = (2.0, 8.0, 30.0, 60.0, 120.0, 240.0, 480.0)
"""Seconds between tries of posting an answer: a platform's outage of a quarter of an hour costs nobody their answer."""


class Reindex(Protocol):
    """Asks for a run that reads all sources again. The real one stands in bot/reindexing.py."""

    async def __call__(
        self, *, by: str, origin: str, language: Language, told: Callable[[str], Awaitable[None]]
    ) -> str:
        """The sentence that says how it stands; `told` gets the one that says how it went. Raises NoJobsHere, JobPaused."""


class ReferenceDesk:
    """See `bot.platforms.Desk` for what each method promises."""

    def __init__(
        self,
        store: Store,
        flow: AnswerFlow,
        places: PlaceBook,
        groups: Groups,
        people: People,
        options: IntakeOptions,
        *,
        owner: str,
        reindex: Reindex | None = None,
        retry_after: tuple[float, ...] = RETRY_AFTER,
        clock: Callable[[], float] = time.time,
        keep_traces: bool = True,
        observer: Observer | None = None,
    ) -> None:
        """`owner`: this process's name among those that share the store, never used twice. `retry_after`: seconds between tries
        of posting an answer. `reindex`: None where no jobs run. `keep_traces`: the way of each question is kept with its answer."""
        self._observer = observer or Observer()
        self._store = store
        self._flow = flow
        self._places = places
        self._groups = groups
        self._people = people
        self._to_tell: dict[str, str] = {}
        self._reindex = reindex
        self._clock = clock
        self._turnstile = Turnstile(options.at_once)
        asking = Asking(
            store, flow, people, self._turnstile, self._may_share,
            lease=options.lease, retry_after=retry_after, clock=clock, keep_traces=keep_traces, observer=observer,
        )  # fmt: skip
        self._intake = Intake(
            store, asking, places, groups, people, options, owner=owner, clock=clock, observer=observer
        )
        self._completion: tuple[str, Completion] | None = None

    def attach(self, adapter: Adapter) -> None:
        """Answers of this platform's questions go out through `adapter`."""
        self._intake.attach(adapter)

    def ready(self, platform: str) -> None:
        """The adapter is connected: questions that an earlier process left there may be taken up."""
        self._intake.ready(platform)

    async def start(self) -> None:
        """Load what admins changed and begin to answer, with what an earlier process left."""
        await self._intake.reload_places()
        self._intake.start()

    def line(self) -> tuple[int, int]:
        """How many questions wait for their turn here, and how many are being answered."""
        waiting = self._turnstile.waiting
        return waiting, max(self._intake.open - waiting, 0)

    async def close(self, drain: float) -> None:
        """Finish what is being answered within `drain` seconds; leave the rest to the next process."""
        await self._intake.close(drain)

    async def ask(self, asked: Asked) -> Receipt:
        """See `Desk.ask`."""
        return await self._intake.ask(asked)

    # -- votes and people -----------------------------------------------------------------------------------------------

    async def vote(self, vote: Vote) -> VoteReceipt:
        """See `Desk.vote`. On a private answer only the asker votes, until they share it."""
        kept = await self._seen_by(vote.person, vote.answer_id)
        if kept is None:
            return VoteReceipt.UNKNOWN
        receipt = await self._store.run(votes.cast, vote, now=self._clock(), person=self._people.named(vote.person))
        _log.info(json.dumps({"event": "vote", "question": kept.question_id, "receipt": receipt.value}))
        if receipt in (VoteReceipt.STORED, VoteReceipt.CHANGED, VoteReceipt.WITHDRAWN):
            self._observer.voted(vote.person.platform, vote.direction or "withdrawn")
        return receipt

    async def _seen_by(self, person: Person, answer_id: str) -> Kept | None:
        """The answer, if the person can have seen it."""

        name = self._people.named(person)

        def find(connection: Connection) -> Kept | None:
            kept = answers.get(connection, answer_id)
            hidden = kept is not None and kept.private and kept.asker != name
            return None if hidden and not answers.is_shared(connection, answer_id) else kept

        return await self._store.run(find)

    async def explain_vote(self, answer_id: str, person: Person, *, reason: str, correction: str) -> bool:
        """See `Desk.explain_vote`."""
        return await self._store.run(
            votes.explain, answer_id, self._people.named(person), reason=reason, correction=correction
        )

    async def answer_at(self, platform: str, message: str) -> str | None:
        """See `Desk.answer_at`."""
        direct = self._people.direct_message(platform, message)
        return await self._store.run(answers.at, platform, message, direct)

    async def shown_at(self, answer_id: str, message: str) -> None:
        """See `Desk.shown_at`."""
        await self._store.run(answers.shown, answer_id, message)

    async def asked_by(self, answer_id: str) -> str | None:
        """See `Desk.asked_by`."""
        return self._to_tell.pop(answer_id, "") or None

    async def may_escalate(self, answer_id: str) -> bool:
        """See `Desk.may_escalate`."""
        kept = await self._store.run(answers.get, answer_id)
        if kept is None or not self._places.settings(kept.place).contacts:
            return False
        return not await self._store.run(escalations.exists, answer_id)

    async def escalate(self, answer_id: str, person: Person) -> Escalation | None:
        """See `Desk.escalate`. A private answer's question is shown to others only by its asker."""
        kept = await self._seen_by(person, answer_id)
        if kept is None:
            return None
        contacts = self._places.settings(kept.place).contacts
        if not contacts:
            return None
        called = await self._store.run(
            escalations.call,
            answer_id,
            contacts,
            caller=self._people.named(person),
            now=self._clock(),
            tell=person.key,
        )
        if called is None:
            return None
        _log.info(json.dumps({"event": "escalated", "question": kept.question_id}))
        self._observer.escalated(person.platform)
        return await self.escalation(called)

    async def uncall(self, escalation_id: str) -> None:
        """See `Desk.uncall`."""
        await self._store.run(escalations.uncall, escalation_id)

    async def escalation(self, escalation_id: str) -> Escalation | None:
        """See `Desk.escalation`."""
        found = await self._store.run(escalations.get, escalation_id)
        return found.escalation if found is not None else None

    async def resolve(self, escalation_id: str, person: Person, *, answer: str, consent: bool) -> bool:
        """See `Desk.resolve`."""
        found = await self._store.run(escalations.get, escalation_id)
        if found is None or found.platform != person.platform:
            return False
        contacts = {contact.removeprefix("user:").removeprefix("role:") for contact in found.escalation.contacts}
        # Where the platform does not say who is in a user group, any colleague may close.
        unknown_members = not person.guest and not person.roles_known and any(c.startswith("S") for c in contacts)
        name = self._people.named(person)
        named = person.id in contacts or bool(person.roles & contacts) or name in (found.asker, found.called_by)
        if not (named or unknown_members or self.is_admin(person)):
            return False

        def close(connection: Connection) -> tuple[bool, str]:
            done = escalations.resolve(
                connection, escalation_id, name, answer=answer, consent=consent, now=self._clock()
            )
            return done, escalations.take_tell(connection, found.escalation.answer_id) if done else ""

        done, tell = await self._store.run(close)
        if tell:  # the adapter asks at once; without it this stays until the process ends
            self._to_tell = {found.escalation.answer_id: tell, **dict(list(self._to_tell.items())[:_MOST_TOLD])}
        return done

    async def share(self, answer_id: str, person: Person, *, external: bool = False) -> Reply | None:
        """See `Desk.share`; judged again now, since pages and channels change."""
        kept = await self._store.run(answers.get, answer_id)
        if kept is None or kept.asker != self._people.named(person) or kept.place.kind != "channel":
            return None
        place = replace(kept.place, external=kept.place.external or external)
        if not await self._readable_in(kept.answer, place, person):
            return None
        language = self._places.settings(kept.place).language
        return Reply(
            kept.question_id, kept.id, kept.answer, language, private=False, question=kept.question, can_vote=True,
            ai_notice=self._people.ai_notice,
        )  # fmt: skip

    async def _may_share(self, answer: Answer, pending: Pending) -> bool:
        return await self._readable_in(answer, pending.claim.asked.place, pending.claim.asked.person)

    async def _readable_in(self, answer: Answer, place: Place, person: Person) -> bool:
        """Whether everything an answer shows and rests on may be read by all in a channel."""
        reader = reader_of(self._groups.readable_by(place, person, private=False))
        # Two sources may have a page of one name, and of them one may be gone or for fewer readers.
        # A page that is gone from the index has no audience any more: then nobody can say that all may read it.
        known = await asyncio.to_thread(lambda: [self._flow.known(page, source) for source, page in answer.pages])
        readable = await asyncio.to_thread(
            lambda: [self._flow.readable(page, reader, source) for source, page in answer.pages]
        )
        return all(known) and all(readable)

    # -- looking around -------------------------------------------------------------------------------------------------

    async def search(self, asked: Asked, most: int = 5) -> tuple[Citation, ...]:
        """See `Desk.search`."""
        private = asked.private or asked.place.kind == "direct"
        question = Question(
            asked.text,
            id="search",
            asker=asked.person.key,
            groups=self._groups.readable_by(asked.place, asked.person, private=private),
            sources=frozenset(self._places.settings(asked.place).sources),
        )
        return await self._flow.nearest(question, most)

    async def complete(
        self, place: Place, person: Person, typed: str, *, private: bool, most: int = 25
    ) -> tuple[str, ...]:
        """See `Desk.complete`."""
        index = self._flow.live().index

        def look_up() -> tuple[str, ...]:
            kept = self._completion
            if kept is None or kept[0] != index.name:
                kept = self._completion = (index.name, Completion(index.edition.passages))
            return kept[1].matching(typed, self._mask(index, place, person, private), most)

        return await asyncio.to_thread(look_up)

    async def recent(self, person: Person, most: int = 5) -> tuple[Past, ...]:
        """See `Desk.recent`."""
        return await self._store.run(questions.recent, self._people.named(person), most)

    async def sources(self, place: Place, person: Person, *, private: bool) -> tuple[SourceInfo, ...]:
        """See `Desk.sources`."""
        index = self._flow.live().index

        def count() -> tuple[SourceInfo, ...]:
            pages: dict[str, set[str]] = {}
            mask = self._mask(index, place, person, private)
            for passage, readable in zip(index.edition.passages, mask, strict=True):
                if readable:
                    pages.setdefault(passage.source, set()).add(passage.page)
            return tuple(SourceInfo(name, len(found)) for name, found in pages.items())

        return await asyncio.to_thread(count)

    def _mask(self, index: SearchIndex, place: Place, person: Person, private: bool) -> NDArray[np.bool_]:
        """Over `index`'s passages, not those of whatever is live by now: a mask of another edition would show the wrong ones."""
        reader = reader_of(self._groups.readable_by(place, person, private=private or place.kind == "direct"))
        return index.readable(reader, frozenset(self._places.settings(place).sources))

    # -- settings and admins --------------------------------------------------------------------------------------------

    def place_settings(self, place: Place) -> PlaceSettings:
        """See `Desk.place_settings`."""
        return self._places.settings(place)

    async def change_place(self, place: Place, person: Person, changes: Mapping[str, str]) -> PlaceSettings:
        """See `Desk.change_place`."""
        self._demand_admin(person, "설정 변경", "change of settings")
        name, now = self._people.named(person), self._clock()
        place = self._people.place(place)

        def change(connection: Connection) -> dict[tuple[str, str], dict[str, str]]:
            # Of the store, not as known here: another process may have changed it since.
            there, key = facts.place_changes(connection), (place.platform, place.id)
            merged = self._places.merged(place.platform, there.get(key, {}), changes)
            facts.change_place(connection, place.platform, place.id, merged, by=name, now=now)
            audit.record(
                connection,
                by=name,
                action="place.change",
                subject=f"{place.platform}:{place.id}",
                detail={"keys": sorted(changes)},
                origin=place.platform,
                now=now,
            )
            return there | {key: merged}

        self._places.load(await self._store.run(change))
        _log.info(json.dumps({"event": "place_changed", "platform": place.platform, "keys": sorted(changes)}))
        return self._places.settings(place)

    def is_admin(self, person: Person) -> bool:
        """See `Desk.is_admin`."""
        return self._places.is_admin(person)

    async def status(self, person: Person) -> ServiceStatus:
        """See `Desk.status`."""
        self._demand_admin(person, "상태 보기", "view of the state")
        since = self._clock() - _DAY
        live = self._flow.live()
        manifest = live.index.edition.manifest
        return ServiceStatus(
            live.index.name,
            manifest.pages,
            manifest.passages,
            live.model,
            name_of(live.lora),
            waiting=self._turnstile.waiting,
            running=self._intake.open - self._turnstile.waiting,
            outcomes=await self._store.run(questions.outcomes, since=since),
            votes=await self._store.run(votes.counts, since=since),
        )

    async def reindex(self, place: Place, person: Person, told: Callable[[str], Awaitable[None]]) -> str:
        """See `Desk.reindex`."""
        self._demand_admin(person, "다시 색인하기", "indexing again")
        if self._reindex is None:
            raise NoJobsHere
        language, by = self._places.settings(place).language, self._people.named(person)
        return await self._reindex(by=by, origin=place.platform, language=language, told=told)

    def _demand_admin(self, person: Person, action: str, doing: str) -> None:
        if not self.is_admin(person):
            raise NotAllowed(action=action, doing=doing)

    async def remembered(self, key: str) -> str | None:
        """See `Desk.remembered`."""
        return await self._store.run(facts.get, key)

    async def remember(self, key: str, value: str) -> None:
        """See `Desk.remember`."""
        await self._store.run(facts.put, key, value)
