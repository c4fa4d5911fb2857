"""The job that posts the weekly report into one channel, once a week whatever is restarted or run twice.

A claim in the store says who posts. Whoever takes over from a process that died, or tries again after a failure whose effect is unknown,
looks first whether the report stands there already.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bot.errors import AdapterError, DeliveryFailed
from bot.gaps.digest import Week, collect, compose, week_of
from bot.store import digests
from bot.store.digests import Turn
from jobs.gap_parts import GapParts
from jobs.job import JobContext, JobParts, JobSpec

NAME = "digest"
_LEASE_SECONDS = 300.0
PAUSES = (0.0, 20.0, 60.0)
"""Seconds before each try."""


def post_digest(parts: JobParts, context: JobContext) -> Mapping[str, Any]:
    """Raises AdapterError or DeliveryFailed when it could not be posted: the same week may be tried again, by a run that is asked for."""
    wanted, store, now = parts.gaps(), parts.store, time.time()
    if not wanted.place:
        return {"posted": False, "why": "no place"}
    zone = ZoneInfo(parts.settings.jobs.timezone)
    week = week_of(now, zone)
    key = (week, wanted.platform, wanted.place)
    turn = store.run_now(digests.claim, *key, owner=context.run, now=now, lease=_LEASE_SECONDS)
    if turn is None:
        done = store.run_now(digests.is_posted, *key)
        return {"posted": False, "why": "posted already" if done else "busy", "week": week}
    material = store.run_now(collect, now=now)
    try:
        message = asyncio.run(_posted(wanted, context, turn, material, zone))
    except BaseException:
        store.run_now(digests.give_up, turn, now=time.time())
        raise
    store.run_now(digests.posted, turn, message, now=time.time())
    return {"posted": True, "week": week, "message": message}


async def _posted(wanted: GapParts, context: JobContext, turn: Turn, week: Week, zone: ZoneInfo) -> str:
    """The message's reference. Raises what the last try raised."""
    look = turn.again
    for number, pause in enumerate(PAUSES, start=1):
        await asyncio.sleep(pause)
        context.check()
        try:
            async with wanted.announcer() as announcer:
                place = await announcer.place(wanted.place)
                groups = wanted.readable()(place)
                announcement = compose(week, wanted.digest, groups, zone)
                found = await announcer.find(wanted.place, announcement.mark, turn.first_at) if look else None
                look = True
                return found or await announcer.post(wanted.place, announcement)
        except (AdapterError, DeliveryFailed):
            if number == len(PAUSES):
                raise
    raise AssertionError  # the loop returns or raises


def job(parts: JobParts) -> JobSpec:
    """As the registry wants it."""
    return JobSpec(
        NAME,
        "주간 보고 보내기",
        "Post the weekly report",
        lambda context: post_digest(parts, context),
        kept_after=(AdapterError, DeliveryFailed),
    )
