"""Getting a finished answer into its place once: look before repeating, and write down that it stands there.

A platform that fails to answer may have done what it was asked all the same. So nothing is posted a second time before
`Delivery.find` was asked, and nobody goes on posting whose claim another process has taken.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bot.conversation import Reply
from bot.desk.pending import Lost, Pending
from bot.errors import DeliveryFailed, StoreError
from bot.messages import Outcome
from bot.store import answers, questions
from bot.telemetry.observer import Observer, end_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.desk.people import People
    from bot.store.database import Store

_log = logging.getLogger(__name__)
_FINISH_SECONDS = 90.0
_MOST_LOOKS = 5
"""Looks after a crash before posting anyway: what stands there cannot be seen for minutes, and silence would be worse."""


class Posting:
    """Posts, looks and ends. One per process."""

    def __init__(
        self,
        store: Store,
        people: People,
        *,
        lease: float,
        retry_after: tuple[float, ...],
        clock: Callable[[], float],
        observer: Observer | None = None,
    ) -> None:
        """`retry_after`: pauses between tries, in seconds."""
        self._observer = observer or Observer()
        self._store = store
        self._people = people
        self._lease = lease
        self._retry_after = retry_after
        self._clock = clock

    async def post_and_end(self, pending: Pending, reply: Reply) -> None:
        """Post it and end the question. Raises Lost, and StoreError only while nothing has been posted."""
        pending.delivering = True
        await self.demand(pending)
        message = await self.post(pending, reply)
        outcome = reply.answer.outcome if message is not None else Outcome.FAILED
        notes = reply.answer.notes if message is not None else ()
        await self.end(pending, outcome, answer_id=reply.answer_id, message=message or "", notes=notes)

    async def demand(self, pending: Pending) -> None:
        """Hold the claim for another lease. Raises Lost, StoreError."""
        kept = await self._store.run(questions.renew, [pending.claim], now=self._clock(), lease=self._lease)
        if pending.id not in kept:
            raise Lost

    async def post(self, pending: Pending, reply: Reply, *, look_first: bool = False) -> str | None:
        """The message's reference; None when the platform would not take it after every try. Raises Lost."""
        for number, pause in enumerate((*self._retry_after, None)):
            try:
                if number or look_first:
                    await self._still_held(pending)
                    if found := await self._found(pending, last=pause is None):
                        return found
                async with asyncio.timeout(_FINISH_SECONDS):
                    return await pending.delivery.finish(reply)
            except Lost:
                raise
            except Exception as error:  # noqa: BLE001 - whatever an adapter raises, the question must reach its end
                _log.warning(json.dumps({"event": "not_posted", "question": pending.id, "reason": _reason(error)}))
                self._observer.not_posted(pending.claim.asked.place.platform)
            if pause is not None:
                await asyncio.sleep(pause)
        _log.error(json.dumps({"event": "undeliverable", "question": pending.id}))
        return None

    async def find(self, pending: Pending) -> str | None:
        """What an earlier process posted, if it stands there. A platform that cannot be looked at is looked at again."""
        for pause in (*self._retry_after[: _MOST_LOOKS - 1], None):
            try:
                return await self._look(pending)
            except Exception as error:  # noqa: BLE001 - an adapter may raise anything, and the question must go on
                _log.warning(json.dumps({"event": "find_failed", "question": pending.id, "reason": _reason(error)}))
            if pause is not None:
                await asyncio.sleep(pause)
        return None

    async def end(
        self, pending: Pending, outcome: Outcome, *, answer_id: str = "", message: str = "", notes: Sequence[str] = ()
    ) -> None:
        """Write down how the question ended and where its answer stands. `notes`: the answer's. Raises Lost.

        The message is out: a store that is away for a while must not bring another one. When it stays away the claim runs
        out, and whoever takes it over finds the message.
        """

        end = end_of(outcome, notes)
        aside = end if end in ("refused", "stopped") else ""

        def write(connection: Connection) -> bool:
            if not questions.finish(connection, pending.claim, outcome, now=self._clock(), aside=aside):
                return False
            if answer_id and message:
                answers.posted(connection, answer_id, self._people.message(pending.claim.asked.place, message))
            return True

        for pause in (*self._retry_after, None):
            try:
                if not await self._store.run(write):
                    raise Lost
                break
            except StoreError as error:
                _log.error(json.dumps({"event": "end_not_kept", "question": pending.id, "reason": str(error)}))
            if pause is None:
                return
            await asyncio.sleep(pause)
        seconds = round(self._clock() - pending.claim.asked_at, 3)
        _log.info(json.dumps({"event": "ended", "question": pending.id, "outcome": outcome.value, "seconds": seconds}))
        platform = pending.claim.asked.place.platform
        self._observer.ended(pending.id, platform, end, asked_at=pending.claim.asked_at, seconds=seconds)

    async def _still_held(self, pending: Pending) -> None:
        try:
            await self.demand(pending)
        except StoreError as error:
            # Who has the claim cannot be known now; looking for the message is what is left.
            _log.warning(json.dumps({"event": "claim_unknown", "question": pending.id, "reason": str(error)}))

    async def _found(self, pending: Pending, *, last: bool) -> str | None:
        """A platform that cannot be looked at may be posted to only when there is no later try: silence would be worse."""
        try:
            return await self._look(pending)
        except Exception:
            if not last:
                raise
            return None

    @staticmethod
    async def _look(pending: Pending) -> str | None:
        async with asyncio.timeout(_FINISH_SECONDS):
            return await pending.delivery.find()


def _reason(error: Exception) -> str:
    """Our own errors speak in codes; the words of others may hold a text, an address or a token."""
    return str(error) if isinstance(error, DeliveryFailed) else type(error).__name__
