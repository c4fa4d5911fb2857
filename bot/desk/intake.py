"""Taking questions in: claim, limits, stop words; and keeping claims alive, taking over those that a dead process left.

Every accepted question is one task from here to its outcome (bot/desk/asking.py), so an adapter's delivery is called from one task.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot import logs, texts
from bot.conversation import Asked, Receipt
from bot.desk.asking import MOST_ATTEMPTS, Asking
from bot.desk.pending import Pending
from bot.errors import StoreError
from bot.messages import Language, Outcome
from bot.platforms import Adapter
from bot.privacy.notices import agreed, wish
from bot.small_talk import asks_to_stop, is_small_talk
from bot.store import facts, questions
from bot.store.questions import Claim, ClaimKind
from bot.telemetry.observer import Observer

if TYPE_CHECKING:
    from bot.desk.audience import Groups
    from bot.desk.people import People
    from bot.desk.places import PlaceBook
    from bot.store.database import Store

_log = logging.getLogger(__name__)
_LEAVING_SECONDS = 5.0
"""For a cancelled question to clear up behind it, when the process ends."""
_MOST_TOLD = 1000


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """`[service]`. Times in seconds."""

    queue_size: int = 64
    per_person: int = 3
    at_once: int = 2
    lease: float = 30.0


class Intake:
    """Holds every open question of this process."""

    def __init__(
        self,
        store: Store,
        asking: Asking,
        places: PlaceBook,
        groups: Groups,
        people: People,
        options: IntakeOptions,
        *,
        owner: str,
        clock: Callable[[], float] = time.time,
        observer: Observer | None = None,
    ) -> None:
        """`owner`: this process's name among those that share the store; never used twice."""
        self._observer = observer or Observer()
        self._store = store
        self._asking = asking
        self._places = places
        self._groups = groups
        self._people = people
        self._options = options
        self._owner = owner
        self._clock = clock
        self._adapters: dict[str, Adapter] = {}
        self._open: dict[str, Pending] = {}
        self._ready: set[str] = set()
        self._told: dict[str, None] = {}  # keys of questions refused without a store, which alone knows duplicates
        self._wake = asyncio.Event()
        self._closing = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def open(self) -> int:
        """How many questions are on their way."""
        return len(self._open)

    def attach(self, adapter: Adapter) -> None:
        """Answers of this platform's questions go out through `adapter`."""
        self._adapters[adapter.name] = adapter

    def ready(self, platform: str) -> None:
        """The platform can deliver: questions that an earlier process left there may be taken up."""
        self._ready.add(platform)
        self._wake.set()

    def start(self) -> None:
        """Take up what an earlier process left, and keep claims alive from now on."""
        self._keeper = asyncio.create_task(self._keep(), name="claims")

    async def close(self, drain: float) -> None:
        """Finish what is being answered within `drain` seconds; leave the rest to the next process."""
        self._closing = True
        if tasks := [pending.task for pending in self._open.values() if pending.task is not None]:
            await asyncio.wait(tasks, timeout=drain)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._hand_over(list(self._open.values()))

    async def _hand_over(self, left: list[Pending]) -> None:
        tasks = [pending.task for pending in left if pending.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LEAVING_SECONDS)
        for pending in left:
            if not pending.delivering:
                with contextlib.suppress(Exception):  # a courtesy on the way out
                    async with asyncio.timeout(2.0):
                        await pending.delivery.status(texts.restarting(pending.settings.language))
        await self._release([pending.claim for pending in left])

    async def _release(self, held: list[Claim]) -> None:
        """To the process that starts next. Without the store the claims run out by themselves."""
        with contextlib.suppress(StoreError):
            await self._store.run(questions.release, held, now=self._clock())

    async def ask(self, asked: Asked) -> Receipt:
        """Claim and answer; see `Desk.ask`."""
        try:
            kind, claim = await self._store.run(
                questions.claim,
                asked,
                owner=self._owner,
                now=self._clock(),
                lease=self._options.lease,
                held=frozenset(self._open),
                person=self._people.named(asked.person),
                place=self._people.place(asked.place),
                keys=self._people.keys(asked),
            )
        except StoreError as error:
            return await self._refuse_without_store(asked, error)
        if claim is None:
            return Receipt.DUPLICATE
        logs.is_about(claim.question_id)
        _log.info(
            json.dumps(
                {"event": "asked", "question": claim.question_id, "platform": asked.place.platform, "claim": kind.value}
            )
        )
        if self._closing:
            await self._release([claim])
            return Receipt.ACCEPTED  # by the process that starts next
        if await self._obeyed(claim, resumed=kind is ClaimKind.TAKEN_OVER):
            return Receipt.STOPPED
        if kind is ClaimKind.TAKEN_OVER:
            await self._accept(claim, self._asking.run, resumed=True)
            return Receipt.ACCEPTED
        language = self._places.settings(asked.place).language
        waiting = max(sum(p.counted for p in self._open.values()) - self._options.at_once, 0)
        theirs = sum(p.counted and p.claim.asked.person.key == asked.person.key for p in self._open.values())
        if theirs >= self._options.per_person:
            refusal = partial(self._asking.refuse, text=texts.over_limit(theirs, language), note="over_limit")
        elif waiting >= self._options.queue_size:
            refusal = partial(self._asking.refuse, text=texts.queue_full(waiting, language), note="queue_full")
        else:
            await self._accept(claim, self._asking.run)
            return Receipt.ACCEPTED
        await self._accept(claim, refusal, counted=False)
        return Receipt.REFUSED

    async def _accept(
        self, claim: Claim, way: Callable[[Pending], Awaitable[None]], *, resumed: bool = False, counted: bool = True
    ) -> Pending:
        asked = claim.asked

        async def remember(draft: str) -> None:
            await self._store.run(questions.remember_draft, claim, draft)

        delivery = self._adapters[asked.place.platform].delivery(
            claim.question_id, asked.reply_to, claim.draft, remember
        )
        private = asked.private or asked.place.kind == "direct"
        pending = Pending(
            claim,
            delivery,
            self._places.settings(asked.place),
            self._groups.readable_by(asked.place, asked.person, private=private),
            resumed=resumed,
            counted=counted,
        )
        self._open[pending.id] = pending
        self._observer.asked(asked.place.platform)
        pending.task = asyncio.create_task(self._to_the_end(pending, way), name=f"question-{pending.id}")
        return pending

    async def _to_the_end(self, pending: Pending, way: Callable[[Pending], Awaitable[None]]) -> None:
        with logs.about(pending.id):
            await self._all_the_way(pending, way)

    async def _all_the_way(self, pending: Pending, way: Callable[[Pending], Awaitable[None]]) -> None:
        pending.begun = True
        try:
            try:
                await way(pending)
            except Exception as error:  # noqa: BLE001 - the claim runs out and is tried again; nothing else may suffer
                _crashed(pending.id, error)
                if pending.claim.attempt >= MOST_ATTEMPTS:
                    await self._asking.give_up(pending)
        except Exception as error:  # noqa: BLE001 - as above
            _crashed(pending.id, error)
        finally:
            self._open.pop(pending.id, None)
            if not self._closing:  # then the person is told that it goes on after the restart
                with contextlib.suppress(Exception):
                    await pending.delivery.leave()

    async def _refuse_without_store(self, asked: Asked, error: StoreError) -> Receipt:
        claim, began = Claim(secrets.token_hex(6), self._owner, 1, asked), self._clock()
        _log.error(json.dumps({"event": "not_claimed", "question": claim.question_id, "reason": str(error)}))
        if any(key in self._told for key in asked.keys):
            return Receipt.DUPLICATE
        self._told |= dict.fromkeys(asked.keys)
        for key in list(self._told)[:-_MOST_TOLD]:
            del self._told[key]

        async def tell(pending: Pending) -> None:
            pending.delivering = True
            text = texts.failed(pending.id, pending.settings.language)
            await pending.delivery.finish(pending.plain_reply(self._asking.refusal(text, "StoreError")))
            self._observer.ended(
                pending.id, asked.place.platform, "failed", asked_at=began, seconds=self._clock() - began
            )

        await self._accept(claim, tell, counted=False)
        return Receipt.REFUSED

    async def _obeyed(self, claim: Claim, *, resumed: bool) -> bool:
        """Do what a stop word says, or what its asker wishes about learning, and confirm it; return thanks. False: it is a question."""
        asked = claim.asked
        language = self._places.settings(asked.place).language
        if asks_to_stop(asked.text):
            text, note = self._stop_before(claim, language), "stop"
        elif is_small_talk(asked.text):
            text, note = texts.welcome(language), "small_talk"
        elif (wished := wish(asked.text)) is not None:
            note = wished
            try:
                text = agreed(wished, await self._people.wish(asked.person, wished), language)
            except StoreError:
                text = texts.failed(claim.question_id, language)
        else:
            return False
        way = partial(self._asking.refuse, text=text, note=note)
        await self._accept(claim, way, resumed=resumed, counted=False)
        return True

    def _stop_before(self, claim: Claim, language: Language) -> str:
        """Stop what its person asked there before; what they asked since stands, though the word is heard late."""
        mine = [
            pending
            for pending in self._open.values()
            if pending.claim.asked.person.key == claim.asked.person.key
            and pending.claim.asked.place.id == claim.asked.place.id
            and pending.claim.asked_at <= claim.asked_at
            and pending.stop()
        ]
        return texts.stopped(language) if mine else texts.nothing_to_stop(language)

    async def reload_places(self) -> None:
        """What admins changed from chat, whichever process they were talking to. Raises StoreError."""
        self._places.load(await self._store.run(facts.place_changes))

    # -- keeping claims -------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Renew our claims, and take over those whose process is gone."""
        while not (self._closing and not self._open):
            try:
                await self._renew()
                await self.reload_places()
                await self._resume()
            except StoreError as error:
                _log.error(json.dumps({"event": "claims_not_kept", "reason": str(error)}))
            except Exception as error:  # noqa: BLE001 - this loop is what makes crashes harmless; it must outlive any surprise
                _log.exception(json.dumps({"event": "claims_not_kept", "error": type(error).__name__}))
            # Not asyncio.wait_for: before Python 3.12 it may swallow a cancellation, and closing would wait for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.lease / 3):
                    await self._wake.wait()
            self._wake.clear()

    async def _renew(self) -> None:
        mine = list(self._open.values())
        if not mine:
            return
        kept = await self._store.run(
            questions.renew, [p.claim for p in mine], now=self._clock(), lease=self._options.lease
        )
        for pending in mine:
            if pending.id not in kept and pending.id in self._open and not pending.delivering and pending.task:
                pending.task.cancel()  # another process answers it

    def _stops_taking(self) -> bool:
        return self._closing

    async def _resume(self) -> None:
        if self._stops_taking() or not self._ready:
            return
        waiting = await self._store.run(questions.expired, sorted(self._ready), now=self._clock())
        for question_id in waiting:
            if question_id in self._open:
                continue
            claim = await self._store.run(
                questions.take_over, question_id, owner=self._owner, now=self._clock(), lease=self._options.lease
            )
            if claim is None:
                continue
            if self._stops_taking():  # meanwhile
                await self._release([claim])
                return
            _log.info(json.dumps({"event": "resumed", "question": question_id, "attempt": claim.attempt}))
            try:
                if not await self._obeyed(claim, resumed=True):
                    await self._accept(claim, self._asking.run, resumed=True)
            except Exception as error:  # noqa: BLE001 - one that cannot be delivered must not hold up the others
                _crashed(question_id, error)
                if claim.attempt >= MOST_ATTEMPTS:
                    await self._store.run(questions.finish, claim, Outcome.FAILED, now=self._clock())


def _crashed(question_id: str, error: Exception) -> None:
    _log.exception(
        json.dumps({"event": "question_crashed", "question": question_id, "error": type(error).__name__}),
        exc_info=error,
    )
