"""A running service takes over editions that another process published, and keeps the old one when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from bot.reindexing import follow


class Shelf:
    def __init__(self) -> None:
        self.newest = "a"
        self.live = "a"
        self.opened = 0
        self.broken: set[str] = set()
        self.tried = asyncio.Event()

    async def reopen(self) -> None:
        self.opened += 1
        self.tried.set()
        if self.newest in self.broken:
            raise OSError("checksum")
        self.live = self.newest


@contextlib.asynccontextmanager
async def following(shelf: Shelf):  # type: ignore[no-untyped-def]
    task = asyncio.create_task(follow(lambda: shelf.newest, lambda: shelf.live, shelf.reopen, every=0.005))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_new_edition_is_taken_over_once() -> None:
    shelf = Shelf()
    async with following(shelf):
        await asyncio.sleep(0.05)
        assert shelf.opened == 0
        shelf.newest = "b"
        await asyncio.wait_for(shelf.tried.wait(), 5)
        await asyncio.sleep(0.05)
    assert (shelf.live, shelf.opened) == ("b", 1)


async def test_an_edition_that_cannot_be_opened_is_tried_once_and_the_next_one_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf = Shelf()
    shelf.broken = {"b"}
    async with following(shelf):
        with caplog.at_level(logging.ERROR):
            shelf.newest = "b"
            await asyncio.wait_for(shelf.tried.wait(), 5)
            await asyncio.sleep(0.05)
        assert (shelf.live, shelf.opened) == ("a", 1)
        assert "edition_refused" in caplog.text
        shelf.tried.clear()
        shelf.newest = "c"
        await asyncio.wait_for(shelf.tried.wait(), 5)
    assert shelf.live == "c"


async def test_a_rollback_to_an_older_edition_is_followed_too() -> None:
    shelf = Shelf()
    async with following(shelf):
        for name in ("b", "a"):  # the second is the one that answered at first
            shelf.tried.clear()
            shelf.newest = name
            await asyncio.wait_for(shelf.tried.wait(), 5)
            await asyncio.sleep(0.02)
            assert shelf.live == name
    assert shelf.opened == 2
