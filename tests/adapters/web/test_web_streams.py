"""Answers on their way to browsers: kept for a while, bounded, and nobody waits for one that will not come."""

from __future__ import annotations

import asyncio

import pytest

from adapters.web import streams as room
from adapters.web.adapter import WebAdapter
from adapters.web.streams import Stream, Streams
from bot.conversation import Asked, Receipt
from bot.errors import NotFoundInConsole
from bot.web.chat import Said
from bot.web.viewer import Viewer

KIM = Viewer("kim", "viewer", frozenset(), "ko", "auto", "", "shared", True)


class OneDesk:
    """Takes each key once, and answers nothing."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.broken = False

    async def ask(self, asked: Asked) -> Receipt:
        if self.broken:
            raise RuntimeError
        new = asked.keys[0] not in self.known
        self.known |= set(asked.keys)
        return Receipt.ACCEPTED if new else Receipt.DUPLICATE


async def test_a_question_sent_again_long_after_is_no_stream_that_never_ends() -> None:
    adapter = WebAdapter(OneDesk())  # type: ignore[arg-type]
    await adapter.ask(KIM, "질문", (), "first")
    for number in range(room._MOST):
        await adapter.ask(KIM, "질문", (), f"k{number}")
    receipt, stream = await adapter.ask(KIM, "질문", (), "first")
    assert receipt is Receipt.DUPLICATE
    with pytest.raises(NotFoundInConsole):
        adapter.events(KIM, stream, 0)


async def test_a_question_sent_again_at_once_is_the_same_stream() -> None:
    adapter = WebAdapter(OneDesk())  # type: ignore[arg-type]
    await adapter.ask(KIM, "질문", (), "first")
    receipt, stream = await adapter.ask(KIM, "질문", (), "first")
    assert receipt is Receipt.DUPLICATE
    adapter.events(KIM, stream, 0)  # it is there


async def test_a_desk_that_breaks_leaves_no_stream() -> None:
    desk = OneDesk()
    desk.broken = True
    adapter = WebAdapter(desk)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        await adapter.ask(KIM, "질문", (), "first")
    with pytest.raises(NotFoundInConsole):
        adapter.events(KIM, "first", 0)


async def test_who_waits_for_a_stream_that_is_dropped_is_let_go() -> None:
    kept = Streams()
    stream = kept.open("k", "kim")
    stream.add(Said("찾고 있습니다…"))

    async def read() -> list[int]:
        return [number async for number, _ in stream.after(0)]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    kept.drop("k")
    assert await asyncio.wait_for(reading, 5) == [1]


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_KEEP_SECONDS", 0.05)
    stream = Stream("kim", 0.0)
    assert [event async for event in stream.after(0)] == []


def test_old_streams_go_and_their_number_is_bounded() -> None:
    now = [0.0]
    kept = Streams(lambda: now[0])
    kept.open("old", "kim")
    now[0] = 901.0
    for number in range(room._MOST + 5):
        kept.open(f"k{number}", "kim")
    assert kept.get("old") is None
    assert kept.get("k0") is None
    assert kept.get(f"k{room._MOST + 4}") is not None
    assert len(kept._streams) <= room._MOST
