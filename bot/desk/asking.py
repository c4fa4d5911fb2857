"""The way of one claimed question: wait for its turn, answer, keep, post, end. Exactly one outcome, whatever happens.

Order matters: the answer is kept before it is posted and the claim is renewed just before posting, so that a crash at any point
leaves either a message that `Delivery.find` recognises, or an answer that can be posted again, or a question that can be asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bot import texts
from bot.conversation import Reply
from bot.desk.pending import Lost, Pending
from bot.desk.posting import Posting
from bot.desk.turnstile import Turnstile
from bot.errors import StoreError
from bot.live import name_of
from bot.messages import Answer, Finished, Outcome, Progressed, Question, Seconds, Tokens, Wrote
from bot.store import answers, questions, traces
from bot.telemetry.observer import Observer, Span

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.answering.flow import AnswerFlow
    from bot.desk.people import People
    from bot.store.database import Store

_log = logging.getLogger(__name__)
MOST_ATTEMPTS = 4
"""Takers of one question before it is given up: it may be what kills the process."""
_COURTESY_SECONDS = 10.0


class Asking:
    """Runs pending questions. One per process."""

    def __init__(
        self,
        store: Store,
        flow: AnswerFlow,
        people: People,
        turnstile: Turnstile,
        shareable: Callable[[Answer, Pending], Awaitable[bool]],
        *,
        lease: float,
        retry_after: tuple[float, ...],
        clock: Callable[[], float] = time.time,
        keep_traces: bool = True,
        observer: Observer | None = None,
    ) -> None:
        """`retry_after`: pauses between tries of posting, in seconds."""
        self._observer = observer or Observer()
        self._keep_traces = keep_traces
        self._store = store
        self._flow = flow
        self._people = people
        self._turnstile = turnstile
        self._shareable = shareable
        self._lease = lease
        self._clock = clock
        self._posting = Posting(
            store, people, lease=lease, retry_after=retry_after, clock=clock, observer=self._observer
        )
        self._conversations: dict[str, tuple[asyncio.Lock, int]] = {}

    async def run(self, pending: Pending) -> None:
        """From the claim to the outcome. Cancelled without `stopped`: the claim is left for the next process."""
        try:
            answer = await self._answered(pending)
            if answer is not None:
                pending.delivering = True
                await self._keep_and_post(pending, answer)
        except Lost:
            _log.warning(json.dumps({"event": "claim_lost", "question": pending.id}))
        except StoreError as error:
            _log.error(json.dumps({"event": "store_failed", "question": pending.id, "reason": str(error)}))
            await self._without_store(pending)

    async def _without_store(self, pending: Pending) -> None:
        """Nothing can be promised then. The person gets a word, unless another process could go on and has given one."""
        pending.delivering = True
        answer = self.refusal(texts.failed(pending.id, pending.settings.language), "StoreError")
        try:
            if message := await self._posting.post(pending, pending.plain_reply(answer), look_first=True):
                await self._posting.end(pending, Outcome.FAILED, message=message)
        except Lost:
            _log.warning(json.dumps({"event": "claim_lost", "question": pending.id}))

    async def refuse(self, pending: Pending, text: str, note: str) -> None:
        """Tell the person why there will be no answer, and end the question. Raises StoreError while nothing was said."""
        try:
            if pending.resumed and (message := await self._posting.find(pending)):
                await self._posting.end(pending, Outcome.FAILED, message=message, notes=(note,))
                return
            await self._posting.post_and_end(pending, pending.plain_reply(self.refusal(text, note)))
        except Lost:
            _log.warning(json.dumps({"event": "claim_lost", "question": pending.id}))

    async def give_up(self, pending: Pending) -> None:
        """A last word about a question that crashes whoever takes it."""
        await self.refuse(pending, texts.failed(pending.id, pending.settings.language), "too_many_attempts")

    def refusal(self, text: str, note: str) -> Answer:
        """An answer that says why there is none."""
        live = self._flow.live()
        return Answer(
            Outcome.FAILED, text, (), live.model, name_of(live.lora), live.index.name, live.prompt,
            Tokens(), Seconds(0.0, None, 0.0), notes=(note,),
        )  # fmt: skip

    # -- answering ------------------------------------------------------------------------------------------------------

    async def _answered(self, pending: Pending) -> Answer | None:
        """None: an earlier process answered, and that is settled now."""
        language = pending.settings.language
        current = asyncio.current_task()
        try:
            # Looked before anything is shown: a draft would stand in the place of the answer that a dead process left.
            if pending.resumed and await self._already_answered(pending):
                return None
            await self._courtesy(pending.delivery.status(texts.step("searching", 0, language)), pending)
            if pending.claim.attempt > MOST_ATTEMPTS:
                return self.refusal(texts.failed(pending.id, language), "too_many_attempts")
            if pending.stopped:
                return self.refusal(texts.stopped(language), "stopped")
            began, clock = time.time(), time.perf_counter()
            async with (
                self._conversation(pending.claim.asked.place.conversation),
                self._turnstile.turn(
                    pending.claim.asked.person.key,
                    tell=lambda place: self._courtesy(pending.delivery.status(texts.waiting(place, language)), pending),
                ),
            ):
                self._observer.waited(pending.id, Span("wait", began, time.perf_counter() - clock))
                return await self._through_the_flow(pending)
        except asyncio.CancelledError:
            if not pending.stopped or pending.delivering:
                raise
            if current is not None:
                current.uncancel()
            return self.refusal(texts.stopped(language), "stopped")

    async def _through_the_flow(self, pending: Pending) -> Answer:
        asked = pending.claim.asked
        question = Question(
            asked.text,
            id=pending.id,
            asker=asked.person.key,
            groups=pending.groups,
            turns=asked.turns,
            sources=frozenset(pending.settings.sources),
            language=pending.settings.language,
            conversation=asked.place.conversation,
        )
        answer: Answer | None = None
        async with aclosing(self._flow.stream(question)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Progressed):
                    text = texts.step(event.step, event.detail, pending.settings.language)
                    await self._courtesy(pending.delivery.status(text), pending)
                elif isinstance(event, Wrote):
                    await self._courtesy(pending.delivery.write(event.text), pending)
                elif isinstance(event, Finished):
                    answer = event.answer
                    pending.trace = event.trace if self._keep_traces else None
        return answer or self.refusal(texts.failed(pending.id, pending.settings.language), "no_answer")

    async def _already_answered(self, pending: Pending) -> bool:
        """After a crash: what is already there need not be done again."""
        pending.delivering = True  # what may stand there already can no longer be stopped
        message = await self._posting.find(pending)
        kept = await self._store.run(answers.of_question, pending.id)
        if message is not None:
            # Answered and posted; only the end was not written down.
            outcome = kept.answer.outcome if kept is not None else Outcome.FAILED
            await self._posting.end(pending, outcome, answer_id=kept.id if kept is not None else "", message=message)
            return True
        if kept is not None:
            await self._posting.post_and_end(pending, await self._reply(pending, kept.id, kept.answer))
            return True
        pending.delivering = False
        return False

    # -- keeping and posting --------------------------------------------------------------------------------------------

    async def _keep_and_post(self, pending: Pending, answer: Answer) -> None:
        if answer.outcome is Outcome.FAILED:
            await self._keep_trace(pending)
            await self._posting.post_and_end(pending, pending.plain_reply(answer))
            return
        answer_id = secrets.token_hex(8)

        def keep(connection: Connection) -> bool:
            now = self._clock()
            if not questions.renew(connection, [pending.claim], now=now, lease=self._lease):
                return False
            answers.save(
                connection,
                answer_id,
                pending.id,
                answer,
                language=pending.settings.language,
                private=pending.private,
                place=self._people.place(pending.claim.asked.place),
                now=now,
            )
            if pending.trace is not None:
                traces.save(connection, pending.id, pending.trace, now=now)
            return True

        if not await self._store.run(keep):
            raise Lost
        reply = await self._reply(pending, answer_id, answer)
        words = await self._first_words(pending)
        try:
            await self._posting.post_and_end(pending, replace(reply, notice=words))
        except BaseException:
            self._people.not_told(pending.claim.asked.person)
            raise
        if words:
            with contextlib.suppress(StoreError):  # then they are told once more
                await self._people.told(pending.claim.asked.person)

    async def _first_words(self, pending: Pending) -> str:
        """What the person must be told once. A store that is away must not cost the answer."""
        try:
            return await self._people.first_words(pending.claim.asked.person, pending.settings.language)
        except StoreError:
            return ""

    async def _keep_trace(self, pending: Pending) -> None:
        """Of a question that failed: no answer is kept, but how far it came is."""
        if pending.trace is not None:
            try:
                await self._store.run(traces.save, pending.id, pending.trace, now=self._clock())
            except StoreError as error:
                _log.warning(json.dumps({"event": "trace_not_kept", "question": pending.id, "reason": str(error)}))

    async def _reply(self, pending: Pending, answer_id: str, answer: Answer) -> Reply:
        in_channel = pending.claim.asked.place.kind == "channel"
        return Reply(
            pending.id,
            answer_id,
            answer,
            pending.settings.language,
            pending.private,
            can_vote=True,
            can_escalate=answer.outcome is Outcome.ABSTAINED and bool(pending.settings.contacts),
            can_share=pending.private and in_channel and answer.outcome is Outcome.ANSWERED
            and await self._shareable(answer, pending),
            ai_notice=self._people.ai_notice,
        )  # fmt: skip

    # -- manners --------------------------------------------------------------------------------------------------------

    async def _courtesy(self, call: Awaitable[None], pending: Pending) -> None:
        """A status or a sentence on its way must not cost the answer."""
        try:
            async with asyncio.timeout(_COURTESY_SECONDS):
                await call
        except Exception as error:  # noqa: BLE001 - see above
            _log.warning(
                json.dumps({"event": "courtesy_failed", "question": pending.id, "error": type(error).__name__})
            )

    @asynccontextmanager
    async def _conversation(self, name: str) -> AsyncIterator[None]:
        """One question of a conversation after the other."""
        if not name:
            yield
            return
        lock, users = self._conversations.get(name, (asyncio.Lock(), 0))
        self._conversations[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._conversations[name]
            if users == 1:
                del self._conversations[name]
            else:
                self._conversations[name] = (lock, users - 1)
