"""A Desk that follows a script, for the Discord adapter's tests. It claims, answers through the adapter, and writes down all it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

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

CITATION = Citation(1, "휴가.md", "연차 규정", "https://wiki.example/leave", "연차는 1년에 15일을 줍니다.", "부여")


def answer(text: str = "연차는 1년에 15일입니다. [1]", outcome: Outcome = Outcome.ANSWERED) -> Answer:
    """An answer with one source."""
    cited = (CITATION,) if outcome is Outcome.ANSWERED else ()
    return Answer(outcome, text, cited, "scripted", "none", "e1", "p1", Tokens(), Seconds(0.1, None, 0.2))


@dataclass
class ScriptedDesk:
    """`say`: what every question is answered with; `gate`: hold answers until it is set."""

    say: Answer = field(default_factory=answer)
    statuses: tuple[str, ...] = ("위키에서 찾고 있습니다…",)
    writes: tuple[str, ...] = ()
    pause: float = 0.0
    """Seconds between sentences."""
    gate: asyncio.Event | None = None
    waits: Callable[[Awaitable[object]], Awaitable[object]] = lambda gate: gate
    """How the gate is waited for: simcord wants to be told of waits that it cannot end itself."""
    settings: PlaceSettings = field(default_factory=PlaceSettings)
    contacts: tuple[str, ...] = ()
    admins: frozenset[str] = frozenset()
    receipts: dict[str, Receipt] = field(default_factory=dict)
    suggestions: tuple[str, ...] = ()
    breaks: Exception | None = None

    adapter: Adapter | None = None
    asked: list[Asked] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    explained: list[tuple[str, str, str, str]] = field(default_factory=list)
    posted: dict[str, str] = field(default_factory=dict)
    """reference → answer id."""
    found: list[str | None] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    """question id → what the delivery asked to remember."""
    failures: list[DeliveryFailed] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    reindexed: list[tuple[Place, Callable[[str], Awaitable[None]]]] = field(default_factory=list)
    """Where it was asked for, and how to tell how it went."""
    reindex_refusal: SaseoError | None = None
    also_at: dict[str, str] = field(default_factory=dict)
    open: dict[str, Escalation] = field(default_factory=dict)
    resolved: list[tuple[str, str, str, bool]] = field(default_factory=list)
    completed: list[tuple[Place, Person, str, bool]] = field(default_factory=list)
    changes: list[dict[str, str]] = field(default_factory=list)
    searched: list[Asked] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, asked: Asked) -> Receipt:
        if self.breaks is not None:
            raise self.breaks
        if any(key in self._keys() for key in asked.keys):
            return Receipt.DUPLICATE
        self.asked.append(asked)
        receipt = self.receipts.get(asked.text, Receipt.ACCEPTED)
        if receipt is Receipt.ACCEPTED:
            self.spawn(len(self.asked))
        return receipt

    def _keys(self) -> set[str]:
        return {key for one in self.asked for key in one.keys}

    def spawn(self, number: int, *, draft: str = "", find: bool = False) -> asyncio.Task[None]:
        """Deliver the answer to the `number`-th question, as after a claim or (with `find`) after a crash."""
        task = asyncio.get_running_loop().create_task(self._deliver(number, draft, find))
        self.tasks.add(task)
        return task

    def reply_to(self, number: int) -> Reply:
        """The reply to the `number`-th question."""
        asked = self.asked[number - 1]
        return Reply(
            f"{number:012x}",
            f"{number:016x}",
            self.say,
            "ko",
            asked.private,
            can_vote=True,
            can_escalate=bool(self.contacts),
            can_share=asked.private and asked.place.kind == "channel",
        )

    def delivery(self, number: int, draft: str = "") -> Delivery:
        """A delivery for the `number`-th question."""
        assert self.adapter is not None

        async def remember(note: str) -> None:
            self.notes[f"{number:012x}"] = note

        return self.adapter.delivery(f"{number:012x}", self.asked[number - 1].reply_to, draft, remember)

    async def _deliver(self, number: int, draft: str, find: bool) -> None:
        delivery = self.delivery(number, draft)
        if find:
            self.found.append(await delivery.find())
            if self.found[-1] is not None:
                self.finished.set()
                return
        for text in self.statuses:
            await delivery.status(text)
        for text in self.writes:
            await delivery.write(text)
            await asyncio.sleep(self.pause)
        if self.gate is not None:
            await self.waits(self.gate.wait())
        reply = self.reply_to(number)
        try:
            self.posted[await delivery.finish(reply)] = reply.answer_id
        except DeliveryFailed as error:
            self.failures.append(error)
        self.finished.set()

    async def vote(self, vote: Vote) -> VoteReceipt:
        if vote.answer_id not in self.posted.values():
            return VoteReceipt.UNKNOWN
        self.votes.append(vote)
        return VoteReceipt.STORED

    async def explain_vote(self, answer_id: str, person: Person, *, reason: str, correction: str) -> bool:
        self.explained.append((answer_id, person.key, reason, correction))
        return True

    async def answer_at(self, platform: str, message: str) -> str | None:
        return self.posted.get(message) if platform == "discord" else None

    async def asked_by(self, answer_id: str) -> str | None:
        return self.asked[int(answer_id, 16) - 1].person.key

    async def may_escalate(self, answer_id: str) -> bool:
        return bool(self.contacts) and not self.open

    async def escalate(self, answer_id: str, person: Person) -> Escalation | None:
        if not await self.may_escalate(answer_id):
            return None
        text = self.asked[int(answer_id, 16) - 1].text
        made = Escalation("e" * 16, answer_id, text, self.contacts, "ko")
        self.open[made.id] = made
        return made

    async def uncall(self, escalation_id: str) -> None:
        self.open.pop(escalation_id, None)

    async def shown_at(self, answer_id: str, message: str) -> None:
        self.also_at[message] = answer_id

    async def escalation(self, escalation_id: str) -> Escalation | None:
        return self.open.get(escalation_id)

    async def resolve(self, escalation_id: str, person: Person, *, answer: str, consent: bool) -> bool:
        if self.open.pop(escalation_id, None) is None:
            return False
        self.resolved.append((escalation_id, person.key, answer, consent))
        return True

    async def share(self, answer_id: str, person: Person, *, external: bool = False) -> Reply | None:
        if await self.asked_by(answer_id) != person.key:
            return None
        return replace(self.reply_to(int(answer_id, 16)), private=False, can_share=False)

    async def search(self, asked: Asked, most: int = 5) -> tuple[Citation, ...]:
        self.searched.append(asked)
        return (CITATION,) if "연차" in asked.text else ()

    async def complete(
        self, place: Place, person: Person, typed: str, *, private: bool, most: int = 25
    ) -> tuple[str, ...]:
        self.completed.append((place, person, typed, private))
        return self.suggestions

    async def recent(self, person: Person, most: int = 5) -> tuple[Past, ...]:
        return tuple(Past(a.text, "answered", 1_700_000_000.0) for a in self.asked if a.person.key == person.key)

    def place_settings(self, place: Place) -> PlaceSettings:
        return self.settings

    async def change_place(self, place: Place, person: Person, changes: Mapping[str, str]) -> PlaceSettings:
        if changes.get("listen") == "쓰레기":
            raise InvalidSetting(key="listen", reason="mention, threads, all 가운데 하나여야 합니다")
        self.changes.append(dict(changes))
        return self.settings

    def is_admin(self, person: Person) -> bool:
        return bool({person.id, *person.roles} & self.admins)

    async def sources(self, place: Place, person: Person, *, private: bool) -> tuple[SourceInfo, ...]:
        return (SourceInfo("wiki", 12), SourceInfo("인사*팀*", 3))

    async def status(self, person: Person) -> ServiceStatus:
        if not self.is_admin(person):
            raise NotAllowed(action="상태 보기", doing="view of the state")
        return ServiceStatus("e1", 12, 34, "scripted", "none", 1, 2, {"answered": 5})

    async def reindex(self, place: Place, person: Person, told: Callable[[str], Awaitable[None]]) -> str:
        if self.reindex_refusal is not None:
            raise self.reindex_refusal
        self.reindexed.append((place, told))
        return "다시 색인하도록 요청했습니다."

    async def remembered(self, key: str) -> str | None:
        return self.facts.get(key)

    async def remember(self, key: str, value: str) -> None:
        self.facts[key] = value
