"""The terminal over the real desk and store: what a killed conversation leaves, stopping, and why a thumb points down."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.screen import Screen
from bot import texts
from knowledge.korean import Analyser
from tests.conformance.office import LEAVE, LEAVE_ANSWER, UNKNOWN, Office
from tests.conformance.terminal_driver import TerminalDriver

pytestmark = pytest.mark.slow


@pytest.fixture
async def driver() -> AsyncIterator[TerminalDriver]:
    one = TerminalDriver()
    yield one
    await one.close()


@pytest.fixture
async def office(driver: TerminalDriver, tmp_path: Path, analyser: Analyser) -> AsyncIterator[Office]:
    one = Office(driver, tmp_path, analyser)
    yield one
    await one.close()


@pytest.mark.parametrize("kept", [False, True], ids=["while being answered", "with the answer kept"])
async def test_what_a_killed_conversation_asked_ends_without_a_word(
    office: Office, driver: TerminalDriver, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.open(per_person=1)
    if kept:
        posting = asyncio.Event()

        async def never(*_: object) -> str:
            posting.set()
            await asyncio.sleep(60)
            return ""

        monkeypatch.setattr("adapters.terminal.delivery.TerminalDelivery.finish", never)
        await driver.direct(UNKNOWN)
        async with asyncio.timeout(45):
            await posting.wait()
        monkeypatch.undo()
    else:
        office.flow.gate.clear()
        await driver.direct(UNKNOWN)
        async with asyncio.timeout(45):
            while not office.flow.questions:
                await asyncio.sleep(0.02)
    await office.crash()
    office.flow.gate.set()
    await office.open()
    assert await office.outcomes() == ["abstained" if kept else "failed"]
    assert driver.out.getvalue() == ""
    assert len(office.flow.questions) == 1
    (seen,) = await driver.answers(await driver.direct(LEAVE))
    assert LEAVE_ANSWER in seen.text
    assert driver.out.getvalue().startswith(f"\n> {LEAVE}\n")


async def test_stop_while_nothing_runs_is_told_so_by_the_desk(office: Office, driver: TerminalDriver) -> None:
    await office.open()
    (seen,) = await driver.answers(await driver.direct("그만"))
    assert seen.text.strip() == texts.nothing_to_stop("ko")


async def test_a_thumb_down_keeps_why(office: Office, driver: TerminalDriver) -> None:
    await office.open()
    await driver.answers(await driver.direct(LEAVE))
    (thanks,) = await driver.answers(await driver.direct("/아쉬워요 옛 규정입니다."))
    assert "고맙습니다" in thanks.text
    assert [row[:4] for row in await office.votes()] == [
        (office.people.of("terminal:local"), "down", "옛 규정입니다.", "")
    ]
    await driver.answers(await driver.direct("/좋아요"))
    assert [row[:4] for row in await office.votes(lambda rows: rows[0][1] == "up")] == [
        (office.people.of("terminal:local"), "up", "", "")
    ]


async def test_an_answer_printed_to_nobody_is_not_posted_over_and_over(office: Office) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    await office.open()
    assert office.desk is not None
    adapter = TerminalAdapter(office.desk, Screen(Closed(), transient=False))
    office.desk.attach(adapter)
    async with asyncio.timeout(40):
        with pytest.raises(BrokenPipeError):
            await adapter.ask(LEAVE, (), asyncio.Queue())
    assert await office.outcomes() == ["answered"]
