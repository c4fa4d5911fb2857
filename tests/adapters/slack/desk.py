"""A desk that answers as a test says, without a store, a queue or a model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

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
from bot.errors import DeliveryFailed, InvalidSetting, NotAllowed, SaseoError
from bot.messages import Answer, Citation, Outcome, Seconds, Tokens
from bot.platforms import Adapter, Delivery

SENTENCES = ("연차는 15일입니다. [1]", " 신청은 인사 시스템에서 합니다. [2]")
CITATIONS = (
    Citation(1, "hr/leave.md", "연차 규정", "https://wiki.example.com/hr/leave", "연차는 15일이다.", "일수"),
    Citation(2, "hr/how.md", "연차 신청", None, "인사 시스템에서 신청한다."),
)


def answer(
    text: str = "".join(SENTENCES),
    *,
    outcome: Outcome = Outcome.ANSWERED,
    citations: tuple[Citation, ...] = CITATIONS,
    nearest: tuple[Citation, ...] = (),
) -> Answer:
    """An answer with what a test cares about."""
    return Answer(
        outcome=outcome,
        text=text,
        citations=citations,
        model="scripted",
        lora="none",
        edition="e1",
        prompt="p1",
        tokens=Tokens(),
        seconds=Seconds(0.0, None, 0.0),
        nearest=nearest,
    )


class ScriptedDesk:
    """Claims keys, then drives the delivery in the background: status, sentences, finish."""

    def __init__(self, *, claims: set[str] | None = None, number: int = 0) -> None:
        """`claims`: shared by two desks that share a store. `number`: tells their question ids apart."""
        self.adapter: Adapter | None = None
        self.claims = claims if claims is not None else set()
        self.asked: list[Asked] = []
        self.receipts: list[Receipt] = []
        self.questions: dict[str, Asked] = {}
        self.delivered: dict[str, str] = {}
        """Question id → ref."""
        self.failed: list[DeliveryFailed | TimeoutError] = []
        self.deliveries: dict[str, Delivery] = {}
        self.finish_seconds = 60.0
        self.replies: dict[str, Reply] = {}
        """Answer id → reply."""
        self.drafts: dict[str, list[str]] = {}
        self.statuses: tuple[str, ...] = ("위키에서 찾고 있습니다…",)
        self.sentences: tuple[str, ...] = SENTENCES
        self.answer: Callable[[Asked], Answer] = lambda _: answer()
        self.options: dict[str, Any] = {"can_vote": True}
        self.hold_status = asyncio.Event()
        """Cleared by a test: the desk waits after the status."""
        self.hold_finish = asyncio.Event()
        """Cleared by a test: the desk waits before it finishes."""
        self.hold_status.set()
        self.hold_finish.set()
        self.votes: list[Vote] = []
        self.explained: list[tuple[str, str, str, str]] = []
        self.also_at: dict[str, str] = {}
        """Where a shared answer stands too: ref → answer id."""
        self.shared_outside: list[bool] = []
        """For each wish to share: whether the adapter said that outsiders read there."""
        self.may_call = False
        self.contacts: tuple[str, ...] = ("U9",)
        self.calls: dict[str, Escalation] = {}
        self.closers: set[str] = {"U9"}
        self.resolved: list[tuple[str, str, str, bool]] = []
        self.settings = PlaceSettings()
        self.admins: set[str] = {"U1"}
        self.changes: list[dict[str, str]] = []
        """Asked of `change_place`, refused or not."""
        self.reindexed: list[tuple[str, Callable[[str], Awaitable[None]]]] = []
        """Where it was asked for, and how to tell how it went."""
        self.reindex_refusal: SaseoError | None = None
        self.kept: dict[str, str] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.ask_seconds = 0.0
        self.sentence_seconds = 0.0
        self._count = number * 1000

    async def ask(self, asked: Asked) -> Receipt:
        if self.ask_seconds:
            await asyncio.sleep(self.ask_seconds)
        if self.claims & set(asked.keys):
            self.receipts.append(Receipt.DUPLICATE)
            return Receipt.DUPLICATE
        self.claims |= set(asked.keys)
        self.asked.append(asked)
        self._count += 1
        question_id = f"{self._count:012x}"
        self.questions[question_id] = asked
        task = asyncio.create_task(self.deliver(question_id))
        self.tasks.add(task)
        self.receipts.append(Receipt.ACCEPTED)
        return Receipt.ACCEPTED

    def delivery(self, question_id: str, draft: str = "") -> Delivery:
        assert self.adapter is not None

        async def remember(note: str) -> None:
            self.drafts.setdefault(question_id, []).append(note)

        return self.adapter.delivery(question_id, self.questions[question_id].reply_to, draft, remember)

    async def deliver(self, question_id: str) -> None:
        asked = self.questions[question_id]
        delivery = self.deliveries[question_id] = self.delivery(question_id)
        for status in self.statuses:
            await delivery.status(status)
        await self.hold_status.wait()
        for sentence in self.sentences:
            await delivery.write(sentence)
            await asyncio.sleep(self.sentence_seconds)
        await self.hold_finish.wait()
        await self.finish(question_id, delivery, self.answer(asked))

    async def finish(self, question_id: str, delivery: Delivery, given: Answer) -> None:
        asked = self.questions[question_id]
        answer_id = f"a{question_id:0>15}"
        reply = Reply(
            question_id=question_id,
            answer_id=answer_id,
            answer=given,
            language="ko",
            private=asked.private or asked.place.kind == "direct",
            **self.options,
        )
        self.replies[answer_id] = reply
        try:
            async with asyncio.timeout(self.finish_seconds):
                self.delivered[question_id] = await delivery.finish(reply)
        except (DeliveryFailed, TimeoutError) as error:
            self.failed.append(error)

    async def finish_again(self, question_id: str) -> None:
        """As the real desk after a failure: the same delivery, the same reply."""
        reply = next(reply for reply in self.replies.values() if reply.question_id == question_id)
        self.delivered[question_id] = await self.deliveries[question_id].finish(reply)

    async def settled(self) -> None:
        """Every answer that was begun is delivered."""
        async with asyncio.timeout(45):
            await asyncio.gather(*self.tasks)

    async def vote(self, vote: Vote) -> VoteReceipt:
        self.votes.append(vote)
        return VoteReceipt.STORED if vote.answer_id in self.replies else VoteReceipt.UNKNOWN

    async def explain_vote(self, answer_id: str, person: Person, *, reason: str, correction: str) -> bool:
        self.explained.append((answer_id, person.id, reason, correction))
        return True

    async def answer_at(self, platform: str, message: str) -> str | None:
        for question_id, ref in self.delivered.items():
            if ref == message:
                return f"a{question_id:0>15}"
        return None

    async def asked_by(self, answer_id: str) -> str | None:
        reply = self.replies.get(answer_id)
        return self.questions[reply.question_id].person.key if reply else None

    async def may_escalate(self, answer_id: str) -> bool:
        return self.may_call

    async def escalate(self, answer_id: str, person: Person) -> Escalation | None:
        if not self.may_call or answer_id not in self.replies:
            return None
        self.may_call = False
        asked = self.questions[self.replies[answer_id].question_id]
        call = Escalation(f"e{len(self.calls):015x}", answer_id, asked.text, self.contacts, "ko")
        self.calls[call.id] = call
        return call

    async def uncall(self, escalation_id: str) -> None:
        if self.calls.pop(escalation_id, None) is not None:
            self.may_call = True

    async def shown_at(self, answer_id: str, message: str) -> None:
        self.also_at[message] = answer_id

    async def escalation(self, escalation_id: str) -> Escalation | None:
        return self.calls.get(escalation_id)

    async def resolve(self, escalation_id: str, person: Person, *, answer: str, consent: bool) -> bool:
        if escalation_id not in self.calls or person.id not in self.closers:
            return False
        self.resolved.append((escalation_id, person.id, answer, consent))
        del self.calls[escalation_id]
        return True

    async def share(self, answer_id: str, person: Person, *, external: bool = False) -> Reply | None:
        reply = self.replies.get(answer_id)
        self.shared_outside.append(external)
        if reply is None or await self.asked_by(answer_id) != person.key:
            return None
        return replace(reply, private=False, can_share=False)

    async def search(self, asked: Asked, most: int = 5) -> tuple[Citation, ...]:
        return ()

    async def complete(
        self, place: Place, person: Person, typed: str, *, private: bool, most: int = 25
    ) -> tuple[str, ...]:
        return ()

    async def recent(self, person: Person, most: int = 5) -> tuple[Past, ...]:
        return (Past("반차는?", "", 1.0), Past("<!channel> 연차는?", "answered", 0.0))

    def place_settings(self, place: Place) -> PlaceSettings:
        return self.settings

    async def change_place(self, place: Place, person: Person, changes: Mapping[str, str]) -> PlaceSettings:
        self.changes.append(dict(changes))
        if person.id not in self.admins:
            raise NotAllowed(action="설정 변경", doing="change of settings")
        if changes.get("listen") not in (None, "mention", "threads", "all"):
            raise InvalidSetting(key="listen", reason="mention, threads, all")
        parts: dict[str, Any] = {
            key: tuple(part.strip() for part in changes[key].split(",") if part.strip())
            for key in ("sources", "contacts")
            if key in changes
        }
        parts |= {key: value for key, value in changes.items() if key in ("listen", "language")}
        self.settings = replace(self.settings, **parts)
        return self.settings

    def is_admin(self, person: Person) -> bool:
        return person.id in self.admins

    async def sources(self, place: Place, person: Person, *, private: bool) -> tuple[SourceInfo, ...]:
        return (SourceInfo("인사 & 총무", 12),)

    async def status(self, person: Person) -> ServiceStatus:
        raise NotAllowed(action="상태 보기", doing="view of the state")

    async def reindex(self, place: Place, person: Person, told: Callable[[str], Awaitable[None]]) -> str:
        if person.id not in self.admins:
            raise NotAllowed(action="다시 색인하기", doing="indexing again")
        if self.reindex_refusal is not None:
            raise self.reindex_refusal
        self.reindexed.append((place.id, told))
        return "<!channel> 다시 색인하도록 요청했습니다."

    async def remembered(self, key: str) -> str | None:
        return self.kept.get(key)

    async def remember(self, key: str, value: str) -> None:
        self.kept[key] = value
