"""How often a growing message is edited, and that no edit overtakes the final message."""

from __future__ import annotations

import asyncio
import itertools
import logging

import discord
import pytest

from adapters.discord import pace
from adapters.discord.pace import MOST_EDITS, Pace


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST_GAP_SECONDS", 0.02)


async def test_edits_are_few_spaced_and_of_the_newest_text() -> None:
    shown: list[tuple[float, str]] = []
    loop = asyncio.get_running_loop()
    enough = asyncio.Event()

    async def show(text: str) -> None:
        shown.append((loop.time(), text))
        if len(shown) == MOST_EDITS:
            enough.set()

    paced = Pace(show, 0.02)
    count = 0
    started = loop.time()
    async with asyncio.timeout(20):
        while not enough.is_set():
            count += 1
            paced.want(f"{count}")
            await asyncio.sleep(0.002)
    for _ in range(50):
        paced.want("too many")
        await asyncio.sleep(0.002)
    await paced.stop()
    gaps = [b - a for (a, _), (b, _) in itertools.pairwise(shown)]
    assert len(shown) == MOST_EDITS
    assert shown[0][0] - started >= 0.015
    assert all(gap >= 0.015 for gap in gaps)
    assert gaps[-1] > 0.02 * pace.GROWTH ** (MOST_EDITS - 3)
    assert [int(text) for _, text in shown] == sorted({int(text) for _, text in shown})
    assert count > MOST_EDITS


async def test_stopping_waits_for_the_edit_on_its_way_and_cancels_what_is_planned() -> None:
    begun, release = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def show(text: str) -> None:
        begun.set()
        await release.wait()
        done.append(text)

    paced = Pace(show, 0.0)
    paced.want("first")
    await asyncio.wait_for(begun.wait(), 40)
    paced.want("second")
    stopping = asyncio.ensure_future(paced.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    release.set()
    await asyncio.wait_for(stopping, 40)
    paced.want("third")
    await asyncio.sleep(0.05)
    assert done == ["first"]


async def test_leaving_gives_up_the_edit_on_its_way_and_shows_nothing_more() -> None:
    begun = asyncio.Event()
    done: list[str] = []

    async def show(text: str) -> None:
        begun.set()
        await asyncio.sleep(0.1)  # a request that discord.py would try again
        done.append(text)

    async def typing() -> None:
        done.append("typing")

    paced = Pace(show, 0.0)
    paced.want("first")
    await asyncio.wait_for(begun.wait(), 40)
    paced.want("second")
    paced.leave()
    paced.want("third")
    paced.at_once(typing)
    await asyncio.sleep(0.3)
    assert done == []


async def test_what_discord_refuses_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    refused = asyncio.Event()

    async def show(text: str) -> None:
        refused.set()
        raise discord.DiscordException("no")

    paced = Pace(show, 0.0)
    paced.want("text")
    await asyncio.wait_for(refused.wait(), 40)
    await paced.stop()


async def test_our_own_mistake_is_logged_and_the_answer_still_comes(caplog: pytest.LogCaptureFixture) -> None:
    async def show(text: str) -> None:
        raise ValueError("비밀")

    paced = Pace(show, 0.0)
    with caplog.at_level(logging.ERROR, logger=pace.__name__):
        paced.want("text")
        async with asyncio.timeout(40):
            while not caplog.records:
                await asyncio.sleep(0.005)
    await paced.stop()
    assert "draft_failed" in caplog.text
    assert "비밀" not in caplog.text
