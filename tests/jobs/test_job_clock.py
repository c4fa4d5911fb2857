"""Times of `[jobs]`: read as crontab means them, through time zones and summer time, and turned into due rows."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.errors import InvalidSetting
from bot.store import facts, jobs
from bot.store.database import Store, open_store
from jobs.clock import Clock, Schedule, parse

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")


def schedule(text: str, zone: ZoneInfo = SEOUL) -> Schedule:
    found = parse(text, zone, key="k")
    assert found is not None
    return found


def times(text: str, first: datetime, days: int, zone: ZoneInfo = SEOUL) -> list[str]:
    after = first.timestamp()
    found = schedule(text, zone).fires(after, after + days * 86400)
    return [f"{datetime.fromtimestamp(at, zone):%a %d %H:%M}" for at in found]


THURSDAY = datetime(2026, 11, 26, 12, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * *", ["Fri 27 03:00", "Sat 28 03:00", "Sun 29 03:00"]),
        ("0 3 * * 0", ["Sun 29 03:00"]),
        ("0 3 * * 7", ["Sun 29 03:00"]),
        ("0 3 * * 5-7", ["Fri 27 03:00", "Sat 28 03:00", "Sun 29 03:00"]),
        ("0 3 * * 1-5", ["Fri 27 03:00"]),
        ("0 3 * * FRI,sun", ["Fri 27 03:00", "Sun 29 03:00"]),
        ("0 3 * * */2", ["Sat 28 03:00", "Sun 29 03:00"]),
        ("30 */12 28 * *", ["Sat 28 00:30", "Sat 28 12:30"]),
        ("every 1d", ["Fri 27 12:00", "Sat 28 12:00", "Sun 29 12:00"]),
        ("every 36 h", ["Sat 28 00:00", "Sun 29 12:00"]),
    ],
)
def test_a_schedule_means_what_crontab_means(text: str, expected: list[str]) -> None:
    assert times(text, THURSDAY, 3) == expected


def test_the_times_are_those_of_the_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    at = schedule("0 3 * * *").next(THURSDAY.timestamp())
    assert datetime.fromtimestamp(at, SEOUL) == datetime(2026, 11, 27, 3, tzinfo=SEOUL)


def test_a_nightly_run_happens_once_in_the_nights_of_summer_time() -> None:
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=BERLIN), datetime(2026, 10, 24, 12, tzinfo=BERLIN)
    assert times("30 2 * * *", spring, 2, BERLIN) == ["Sun 29 03:30", "Mon 30 02:30"]
    assert times("30 2 * * *", autumn, 2, BERLIN) == ["Sun 25 02:30", "Mon 26 02:30"]


def test_after_a_long_absence_the_last_time_is_found_without_counting_all() -> None:
    for text in ("* * * * *", "every 1m"):
        found = schedule(text).fires(THURSDAY.timestamp(), THURSDAY.timestamp() + 30 * 86400)
        assert len(found) <= 1001
        assert found[-1] == THURSDAY.timestamp() + 30 * 86400
        assert found == sorted(found)


def test_a_time_is_in_the_interval_that_it_ends_and_not_in_the_one_that_it_begins() -> None:
    nightly = schedule("0 3 * * *")
    at = nightly.next(THURSDAY.timestamp())
    assert nightly.fires(THURSDAY.timestamp(), at) == [at]
    assert nightly.fires(at, at + 60) == []
    assert nightly.fires(THURSDAY.timestamp(), at - 1) == []


@pytest.mark.parametrize(
    "text",
    [
        "0 3 * *",
        "tomorrow",
        "61 * * * *",
        "0 3 * * 8",
        "0 3 * * 6-1",
        "0 3 31 2 *",
        "every 0s",
        "every 5",
        "0 3 * * 1/0",
    ],
)
def test_what_is_no_schedule_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        parse(text, SEOUL, key="[jobs.x] schedule")
    assert "[jobs.x] schedule" in refused.value.explain("ko")


def test_no_schedule_is_none() -> None:
    assert parse(" ", SEOUL, key="k") is None


async def test_the_running_clock_adds_due_rows_and_looks_after_what_passed_before_it_started(tmp_path: Path) -> None:
    store = open_store("", tmp_path)
    try:
        every = schedule("every 1s")
        night = schedule("0 3 * * *")
        long_ago = json.dumps({"schedule": night.text, "at": THURSDAY.timestamp() - 9 * 86400})
        await store.run(facts.put, "clock:night", long_ago)
        clock = Clock(store, {"often": every, "night": night}, grace=60.0)
        await clock.start()
        try:
            assert [run.state for run in await store.run(jobs.every, "night")] in (["missed"], ["due"])
            async with asyncio.timeout(60):
                while not await store.run(jobs.every, "often"):
                    await asyncio.sleep(0.05)
        finally:
            clock.stop()
        before = [run.due_at for run in await store.run(jobs.every, "often")]
        assert len(before) == 1  # still waiting: later times are the same run
    finally:
        store.close()


async def test_a_clock_without_its_store_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Gone(Store):
        def __init__(self) -> None: ...

        async def run(self, *_: object, **__: object) -> None:  # type: ignore[override]
            from bot.errors import StoreError

            raise StoreError(where="db", reason="gone")

    clock = Clock(Gone(), {"often": schedule("every 1s")}, grace=60.0)
    await clock.start()
    clock.stop()
    assert "clock_without_store" in caplog.text
