"""The clock: times of `[jobs]` → rows in state `due`. The only file that imports APScheduler, which keeps its schedules in memory.

What fires is looked up in the store, not trusted: `bot.store.job_clock.fire` compares the schedule's times with when it was last
looked after. So two clocks add one row, and times that passed while nothing ran are noticed at the next start.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.errors import InvalidSetting, StoreError
from bot.store import job_clock
from bot.store.database import Store

_log = logging.getLogger(__name__)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST = 1000
"""Times that are counted one by one after a long absence."""
_SWEEP_SECONDS = 60.0
"""How often every schedule is looked after beside its own times: a machine that slept, or whose clock was set, is late otherwise."""


class Schedule(Protocol):
    """When a job is due. Seconds since the epoch."""

    @property
    def text(self) -> str:
        """As configured."""

    def fires(self, after: float, until: float) -> list[float]:
        """Times in (after, until], oldest first; of more than a thousand the first ones and the last."""

    def next(self, after: float) -> float:
        """The first time after `after`, up to which the schedule was looked after."""

    def trigger(self, after: float) -> Any:
        """For APScheduler."""


@dataclass(frozen=True, slots=True)
class Every:
    """`every 6h`."""

    text: str
    seconds: float
    zone: ZoneInfo

    def fires(self, after: float, until: float) -> list[float]:
        """See `Schedule`."""
        count = int(max(0.0, until - after) // self.seconds)
        kept = [*range(1, min(count, _MOST) + 1), *([count] if count > _MOST else [])]
        return [after + number * self.seconds for number in kept]

    def next(self, after: float) -> float:
        """See `Schedule`."""
        return after + self.seconds

    def trigger(self, after: float) -> Any:
        """See `Schedule`."""
        start = datetime.fromtimestamp(self.next(after), self.zone)
        return IntervalTrigger(seconds=self.seconds, start_date=start, timezone=self.zone)


@dataclass(frozen=True, slots=True)
class Cron:
    """`0 3 * * 1-5`, with crontab's weekdays: 0 and 7 are Sunday. Day and weekday must both fit. An hour that comes twice in
    autumn counts once."""

    text: str
    zone: ZoneInfo
    cron: CronTrigger

    def fires(self, after: float, until: float) -> list[float]:
        """See `Schedule`."""
        times: list[float] = []
        at = self._following(after)
        while at is not None and at <= until:
            times.append(at)
            if len(times) == _MOST:  # every few minutes and away for long: go on where it matters
                at = self._following(max(at, until - 86400.0))
                while at is not None and at <= until:
                    times[-1] = at
                    at = self._following(at)
                break
            at = self._following(at)
        return times

    def next(self, after: float) -> float:
        """See `Schedule`."""
        found = self._following(after)
        if found is None:
            raise ValueError(self.text)  # `parse` refuses a schedule that never comes
        return found

    def trigger(self, after: float) -> Any:
        """See `Schedule`."""
        return self.cron

    def _following(self, after: float) -> float | None:
        at = datetime.fromtimestamp(after, self.zone)
        while True:
            found: datetime | None = self.cron.get_next_fire_time(at, at)
            if found is None or not found.fold or not _falls_back(found):
                return None if found is None else found.timestamp()
            at = found


def _falls_back(at: datetime) -> bool:
    """Whether the clock on the wall shows this time for the second time."""
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def parse(text: str, zone: ZoneInfo, *, key: str) -> Schedule | None:
    """`every 30m`, five fields of a crontab line, or empty for none. Raises InvalidSetting, naming `key`."""
    if not text.strip():
        return None
    interval = re.fullmatch(r"every (\d+) ?([smhd])", text.strip())
    if interval is not None:
        seconds = int(interval[1]) * _UNITS[interval[2]]
        if seconds < 1:
            raise InvalidSetting(key=key, reason=f"{text}: at least 1 s")
        return Every(text, float(seconds), zone)
    fields = text.split()
    if len(fields) != 5:
        raise InvalidSetting(key=key, reason=f'{text}: "every 6h", or minute hour day month weekday')
    try:
        minute, hour, day, month, weekday = fields
        cron = CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_named_weekdays(weekday), timezone=zone
        )
        never = cron.get_next_fire_time(None, datetime.now(zone)) is None
    except (ValueError, TypeError, IndexError) as error:
        raise InvalidSetting(key=key, reason=f"{text}: {error}") from error
    if never:
        raise InvalidSetting(key=key, reason=f"{text}: never comes")
    return Cron(text, zone, cron)


def _named_weekdays(field: str) -> str:
    """APScheduler counts weekdays from Monday, crontab from Sunday: numbers become names (agronholm/apscheduler#286)."""
    parts = []
    for part in re.sub(r"^\*/", "0-6/", field.lower()).split(","):
        numbers = re.fullmatch(r"([0-7])(?:-([0-7]))?(?:/(\d+))?", part)
        if numbers is None:
            parts.append(part)
            continue
        first = int(numbers[1])
        last = int(numbers[2]) if numbers[2] else (6 if numbers[3] else first)
        if last < first:
            raise ValueError(f"weekdays {part}")
        parts += [_WEEK[day] for day in range(first, last + 1, int(numbers[3] or 1))]
    return ",".join(parts)


class Clock:
    """Adds due rows while an event loop runs."""

    def __init__(
        self, store: Store, schedules: Mapping[str, Schedule], *, grace: float, clock: Callable[[], float] = time.time
    ) -> None:
        """`schedules` by job. `grace` in seconds."""
        self._store = store
        self._schedules = schedules
        self._grace = grace
        self._clock = clock
        self._scheduler: AsyncIOScheduler | None = None

    async def start(self) -> None:
        """Look after what passed while nothing ran, then go on by the clock. Inside a running loop."""
        scheduler = AsyncIOScheduler(timezone=UTC)  # of its own log lines; a schedule brings its own zone
        # How late is too late, and that several late times are one, is decided in `fire`, also across processes.
        options: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        for job, schedule in self._schedules.items():
            after = await self.fire(job)
            scheduler.add_job(self.fire, schedule.trigger(after or self._clock()), args=[job], id=job, **options)
        scheduler.add_job(
            self._sweep, IntervalTrigger(seconds=int(_SWEEP_SECONDS), timezone=UTC), id=".sweep", **options
        )
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """Add nothing more."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    async def fire(self, job: str) -> float | None:
        """Bring one schedule's rows up to date; None when the store cannot be reached (the next sweep tries again)."""
        schedule = self._schedules[job]
        try:
            return await self._store.run(
                job_clock.fire, job, schedule.text, schedule.fires, now=self._clock(), grace=self._grace
            )
        except StoreError as error:
            _log.warning(json.dumps({"event": "clock_without_store", "job": job, "reason": str(error)}))
            return None

    async def _sweep(self) -> None:
        for job in self._schedules:
            await self.fire(job)
