"""A running service takes over editions that another process published, and keeps the old one for as long as it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Callable

import pytest

from bot.reindexing import follow

EVERY = 30.0


class Shelf:
    """Editions, and a clock that stands still except while `follow` sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.newest = "a"
        self.live = "a"
        self.opened: list[float] = []
        """When `reopen` was called."""
        self.broken: set[str] = set()
        self.away = False

    def serving(self) -> str:
        if self.away:
            raise FileNotFoundError
        return self.newest

    async def reopen(self) -> None:
        self.opened.append(self.now)
        if self.newest in self.broken:
            raise MemoryError
        self.live = self.newest

    async def follow(self, *steps: tuple[float, Callable[[], None]], until: float) -> None:
        """From `self.now`; each step is done at its time."""
        left = list(steps)

        async def sleep(seconds: float) -> None:
            self.now += seconds
            while left and left[0][0] <= self.now:
                left.pop(0)[1]()
            if self.now > until:
                raise asyncio.CancelledError

        with contextlib.suppress(asyncio.CancelledError):
            await follow(self.serving, lambda: self.live, self.reopen, every=EVERY, clock=lambda: self.now, sleep=sleep)

    def publish(self, name: str, *, broken: bool = False) -> Callable[[], None]:
        def step() -> None:
            self.newest = name
            if broken:
                self.broken.add(name)

        return step


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(record.message) for record in caplog.records if record.name == "bot.reindexing"]


async def test_a_new_edition_is_taken_over_once() -> None:
    shelf = Shelf()
    await shelf.follow((90.0, shelf.publish("b")), until=600.0)
    assert (shelf.live, shelf.opened) == ("b", [90.0])


async def test_an_edition_that_cannot_be_opened_is_tried_again_after_longer_and_longer_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf = Shelf()
    with caplog.at_level(logging.ERROR):
        await shelf.follow((30.0, shelf.publish("b", broken=True)), until=4 * 3600.0)
    assert shelf.live == "a"
    tries = shelf.opened
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses[:7] == [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0]
    assert told(caplog) == [
        {"event": "edition_refused", "edition": "b", "error": "MemoryError", "again_in": pause}
        for pause in [60.0, 120.0, 240.0, 480.0, 960.0, *[1800.0] * (len(tries) - 5)]
    ], "once for each failure"


async def test_once_what_was_in_the_way_has_passed_the_edition_answers() -> None:
    shelf = Shelf()
    await shelf.follow((30.0, shelf.publish("b", broken=True)), (100.0, shelf.broken.clear), until=900.0)
    assert (shelf.live, shelf.opened) == ("b", [30.0, 90.0, 210.0])


async def test_another_edition_does_not_wait_for_the_pause_of_the_one_before() -> None:
    shelf = Shelf()
    await shelf.follow((30.0, shelf.publish("b", broken=True)), (60.0, shelf.publish("c")), until=300.0)
    assert (shelf.live, shelf.opened) == ("c", [30.0, 60.0])


async def test_a_rollback_to_an_older_edition_is_followed_too() -> None:
    shelf = Shelf()
    seen: list[str] = []
    await shelf.follow(
        (30.0, shelf.publish("b")), (60.0, lambda: seen.append(shelf.live)), (60.0, shelf.publish("a")), until=300.0
    )
    assert (seen, shelf.live, shelf.opened) == (["b"], "a", [30.0, 60.0])


async def test_an_edition_that_was_gone_back_from_begins_anew_when_it_shall_serve_again() -> None:
    shelf = Shelf()
    await shelf.follow(
        (30.0, shelf.publish("b", broken=True)), (180.0, shelf.publish("a")), (240.0, shelf.publish("b")), until=300.0
    )
    assert shelf.opened == [30.0, 90.0, 240.0, 300.0]


async def test_a_folder_that_is_away_is_told_once_and_looked_for_on(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()

    def away(is_so: bool) -> Callable[[], None]:
        return lambda: setattr(shelf, "away", is_so)

    with caplog.at_level(logging.ERROR):
        await shelf.follow(
            (30.0, away(True)), (300.0, shelf.publish("b")), (330.0, away(False)), (600.0, away(True)), until=900.0
        )
    assert (shelf.live, shelf.opened) == ("b", [330.0])
    assert [one["event"] for one in told(caplog)] == ["edition_unknown", "edition_unknown"]
