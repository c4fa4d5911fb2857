"""A desk over the real index, flow and SQLite store, with a scripted writer and a platform in memory."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.answering.flow import AnswerFlow
from bot.conversation import Asked, Person, Place
from bot.desk.audience import Groups
from bot.desk.desk import ReferenceDesk
from bot.desk.intake import IntakeOptions
from bot.desk.people import People
from bot.desk.places import PlaceBook
from bot.live import Live
from bot.messages import Event, Language, Question
from bot.privacy.pseudonyms import Pseudonyms
from bot.settings import PlaceTable
from bot.store.database import Store, open_store
from bot.telemetry.observer import Observer
from knowledge.search import SearchIndex
from tests.fakes.recording_adapter import RecordingAdapter
from tests.fakes.scripted_writer import ScriptedWriter

GOOD = "연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다 [1]."
CHANNEL = Place("slack", "C1", "channel", server="T1")
THREAD = Place("slack", "C1", "channel", server="T1", thread="1.0")
DIRECT = Place("slack", "D1", "direct", server="T1")
KIM = Person("slack", "U1", email="kim@example.com")
LEE = Person("slack", "U2")
ADMIN = Person("slack", "UADMIN")
KEY = b"a key for tests, long enough by far"
_numbers = itertools.count()


def asked(
    text: str = "연차는 며칠 전까지 신청합니까?",
    *,
    person: Person = KIM,
    place: Place = CHANNEL,
    private: bool = False,
    key: str = "",
) -> Asked:
    """A question nobody asked before, unless `key` repeats."""
    key = key or f"k{next(_numbers)}"
    return Asked((f"slack:event:{key}", f"slack:message:{key}"), place, person, text, reply_to=key, private=private)


class GatedFlow(AnswerFlow):
    """Answers when `gate` is open; remembers what it was asked."""

    def __init__(self, live: Callable[[], Live], observer: Observer) -> None:
        super().__init__(live, observer=observer)
        self.gate = asyncio.Event()
        self.gate.set()
        self.questions: list[Question] = []
        self.inside = 0
        self.most_inside = 0

    async def stream(self, question: Question) -> AsyncIterator[Event]:
        self.questions.append(question)
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        try:
            await self.gate.wait()
            async for event in super().stream(question):
                yield event
        finally:
            self.inside -= 1


class Bench:
    """Everything a desk test touches. `open_desk` again for the process that starts after a crash."""

    def __init__(self, index: SearchIndex, folder: Path, observer: Observer | None = None) -> None:
        self.folder = folder
        self.observer = observer or Observer()
        self.adapter = RecordingAdapter()
        self.writer = ScriptedWriter(script=[GOOD])
        live = Live(index, index.analyser, self.writer, "scripted", None, "test", 2.0)
        self.flow = GatedFlow(lambda: live, self.observer)
        self.desks: list[ReferenceDesk] = []
        self.stores: list[Store] = []
        self.now = 1000.0
        self.first_use = ""
        self.reindexed: list[tuple[str, str, str]] = []
        self.retry_after: tuple[float, ...] = (0.01, 0.01)

    def open_desk(self, *places: PlaceTable, groups: Path | None = None, **options: Any) -> ReferenceDesk:
        store = open_store("", self.folder, observer=self.observer)
        keep_traces = bool(options.pop("keep_traces", True))
        people = People(store, Pseudonyms(KEY), first_use=lambda language: self.first_use, clock=lambda: self.now)
        admins = {"slack": frozenset({"UADMIN", "SADMINS"})}
        desk = ReferenceDesk(
            store,
            self.flow,
            PlaceBook(places, language="ko", source_names=["wiki"], admins=admins, named=people.place),
            Groups(groups),
            people,
            IntakeOptions(**({"lease": 30.0} | options)),
            owner=f"p{len(self.desks)}",
            reindex=self._reindex,
            retry_after=self.retry_after,
            clock=lambda: self.now,
            keep_traces=keep_traces,
            observer=self.observer,
        )
        desk.attach(self.adapter)
        self.desks.append(desk)
        self.stores.append(store)
        return desk

    async def start_desk(self, *places: PlaceTable, groups: Path | None = None, **options: Any) -> ReferenceDesk:
        desk = self.open_desk(*places, groups=groups, **options)
        await desk.start()
        desk.ready("slack")
        return desk

    async def close(self) -> None:
        self.flow.gate.set()
        for desk in self.desks:
            await desk.close(drain=5.0)
        for store in self.stores:
            store.close()
        self.flow.close()

    async def _reindex(
        self, *, by: str, origin: str, language: Language, told: Callable[[str], Awaitable[None]]
    ) -> str:
        self.reindexed.append((by, origin, language))
        await told("다시 색인했습니다.")
        return "요청했습니다."


@pytest.fixture
async def bench(index: SearchIndex, tmp_path: Path) -> AsyncIterator[Bench]:
    one = Bench(index, tmp_path)
    yield one
    await one.close()
