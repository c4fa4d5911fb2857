"""The core that every platform is tested with: the real desk, store, flow and search over a small wiki; only the model is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage
from sqlalchemy import Connection, select

from bot.answering.flow import AnswerFlow
from bot.desk.audience import Groups
from bot.desk.desk import ReferenceDesk
from bot.desk.intake import IntakeOptions
from bot.desk.people import People
from bot.desk.places import PlaceBook
from bot.live import Live
from bot.messages import Event, Question
from bot.platforms import Adapter
from bot.privacy.pseudonyms import Pseudonyms
from bot.settings import PlaceTable
from bot.store import schema
from bot.store.database import Store, open_store
from knowledge.korean import Analyser
from tests.conformance.driver import Driver
from tests.conftest import WIKI, Indexer, write_wiki
from tests.fakes.scripted_writer import ScriptedWriter

LEAVE = "연차는 며칠 전까지 신청합니까?"
LEAVE_ANSWER = "연차는 사용 3일 전까지 그룹웨어에서 신청하고 팀장 승인을 받습니다"
SALARY = "책임 직급의 연봉 상한은 얼마입니까?"
SALARY_ANSWER = "책임 직급의 연봉 상한은 9,100만 원입니다"
NOTICE = "송년회 공지는 무엇입니까?"
UNKNOWN = "피아노 조율은 어떻게 합니까?"
LONG = "긴 규정은 어떻게 됩니까?"

HOSTILE = (
    "송년회 공지는 @everyone @here <!channel> <!here|x> <!subteam^S1> <@U0KIM> <@&1> ![그림](https://evil.example/?q=1) "
    "[여기](https://evil.example/a) https://evil.example/b 를 확인합니다."
)
PAGES = {
    **WIKI,
    "공지.md": f"---\nurl: https://wiki.example/notice\n---\n# 송년회 공지\n\n{HOSTILE}\n",
    "긴규정.md": "# 긴 규정\n\n"
    + "\n\n".join(f"긴 규정 제{n}조는 {n}번째 조항을 그대로 따릅니다." for n in range(1, 40))
    + "\n",
}


def recite(messages: Sequence[BaseMessage]) -> str:
    """The model: says the sentence of the evidence that fits the question."""
    asked = messages[-1].text
    for question, answer in (
        ("연봉", f"{SALARY_ANSWER} [1]."),
        ("송년회", f"{HOSTILE} [1]"),
        ("긴 규정", " ".join(f"긴 규정 제{n}조는 {n}번째 조항을 그대로 따릅니다 [1]." for n in range(1, 40))),
        ("연차", f"{LEAVE_ANSWER} [1]."),
    ):
        if question in asked.rsplit("질문:", 1)[-1]:
            return answer
    return f"{LEAVE_ANSWER} [1]."


class GatedFlow(AnswerFlow):
    """Answers while `gate` is open; `broken` raises as a bug would."""

    gate: asyncio.Event
    questions: list[Question]
    broken = False

    async def stream(self, question: Question) -> AsyncIterator[Event]:
        """As the real one, after the gate."""
        self.questions.append(question)
        await self.gate.wait()
        async for event in super().stream(question):
            yield event


class Office:
    """One store and one platform; `open` starts a process, `crash` kills it, `open` again starts the next."""

    def __init__(self, driver: Driver, folder: Path, analyser: Analyser) -> None:
        self.driver = driver
        self.folder = folder
        indexer = Indexer(write_wiki(folder / "wiki", PAGES), folder / "data", analyser)
        indexer.build()
        index = indexer.open()
        writer = ScriptedWriter(script=recite)
        live = Live(index, index.analyser, writer, "scripted", None, "test", 2.0)
        self.flow = GatedFlow(lambda: live)
        self.flow.gate = asyncio.Event()
        self.flow.gate.set()
        self.flow.questions = []
        self.store: Store | None = None
        self.desk: ReferenceDesk | None = None
        self.adapter: Adapter | None = None
        self.first_use = ""
        self.people = Pseudonyms(b"a key for tests, long enough by far")
        self._opened = 0

    async def open(self, *, language: str = "ko", listen: str = "mention", **options: Any) -> None:
        """A new process on the same store."""
        driver = self.driver
        groups = Groups(None, always=frozenset({"hr"}))  # as `--as hr`, where people are not told apart
        tables = []
        if driver.name in ("slack", "discord"):
            members = self.folder / "groups.toml"
            members.write_text(f'[hr]\n{driver.name}_users = ["{driver.person_id("kim")}"]\n', encoding="utf-8")
            groups = Groups(members)
            tables.append(
                PlaceTable(
                    platform=driver.name,  # type: ignore[arg-type]
                    id="*",
                    contacts=(driver.contact("helper"),),
                    language=language,  # type: ignore[arg-type]
                    listen=listen,  # type: ignore[arg-type]
                )
            )
        self.store = open_store("", self.folder / "data")
        people = People(self.store, self.people, first_use=lambda language: self.first_use)
        self.desk = ReferenceDesk(
            self.store,
            self.flow,
            PlaceBook(
                tables,
                language="ko",
                source_names=["wiki"],
                admins={driver.name: frozenset({driver.person_id("admin")})},
                named=people.place,
            ),
            groups,
            people,
            IntakeOptions(**({"lease": 2.0, "at_once": 1} | options)),
            owner=f"process-{self._opened}",
            retry_after=(0.2, 0.2, 0.5, 0.5, 1.0),
        )
        self._opened += 1
        self.adapter = driver.adapter(self.desk)
        self.desk.attach(self.adapter)
        await self.desk.start()
        await self.adapter.start()
        self.desk.ready(self.adapter.name)

    async def crash(self) -> None:
        """As kill -9: the adapter's connections break off, tasks vanish, nothing more is written."""
        assert self.adapter is not None
        assert self.desk is not None
        assert self.store is not None
        intake = self.desk._intake
        tasks = [pending.task for pending in intake._open.values() if pending.task] + (
            [intake._keeper] if intake._keeper else []
        )
        for task in tasks:
            task.cancel()
        await self.driver.kill(self.adapter)
        await asyncio.gather(*tasks, return_exceptions=True)
        intake._open.clear()
        self.store.close()
        self.adapter = self.desk = self.store = None

    async def close(self) -> None:
        """An orderly end."""
        self.flow.gate.set()
        if self.adapter is not None and self.desk is not None and self.store is not None:
            await self.adapter.stop_intake()
            await self.desk.close(drain=5.0)
            await self.adapter.close()
            self.store.close()
        self.flow.close()

    async def outcomes(self) -> list[str]:
        """Of every question so far, once all have ended; control words and refusals included."""
        for _ in range(1000):
            rows = self._read(lambda c: list(c.execute(select(schema.questions.c.outcome)).scalars()))
            if all(rows):
                return sorted(str(row) for row in rows)
            await asyncio.sleep(0.05)
        raise AssertionError(f"open questions: {rows}")

    async def votes(self, ready: Any = bool) -> list[tuple[str, str | None, str, str, str]]:
        """(person, direction, reason, correction, edition) once `ready` is content with them."""
        table = schema.votes.c
        columns = (table.person, table.direction, table.reason, table.correction, table.edition)
        for _ in range(800):
            rows = self._read(lambda c: [tuple(row) for row in c.execute(select(*columns).order_by(table.person))])
            if ready(rows):
                return rows
            await asyncio.sleep(0.05)
        raise AssertionError(f"votes: {rows}")

    def named(self, person: str) -> str:
        """As rows name somebody of the driver's people."""
        return self.people.of(f"{self.driver.name}:{self.driver.person_id(person)}")

    async def resolution(self) -> tuple[str | None, str]:
        """(who resolved, what was kept) of the only escalation, once it is closed."""
        table = schema.escalations.c
        for _ in range(800):
            rows = self._read(lambda c: [tuple(r) for r in c.execute(select(table.resolved_by, table.resolution))])
            if rows and rows[0][0]:
                return rows[0]
            await asyncio.sleep(0.05)
        raise AssertionError(f"escalations: {rows}")

    def _read(self, read: Any) -> Any:
        def work(connection: Connection) -> Any:
            return read(connection)

        assert self.store is not None
        return self.store.run_now(work)
