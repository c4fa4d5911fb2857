"""Re-indexing as the running service knows it: asking for a run of its job, and taking over editions that other processes published."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from bot import job_book, texts
from bot.errors import NoJobsHere
from bot.pauses import Pauses
from bot.store import jobs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.job_book import JobBook
    from bot.messages import Language
    from bot.store.database import Store
    from bot.store.job_rows import Run

_log = logging.getLogger(__name__)
_OVER = ("done", "failed", "stopped", "missed")
Told = Callable[[str], Awaitable[None]]


class Reindexing:
    """Call it to have all sources read again: a run of the job for that becomes due, on the record, as in the console."""

    def __init__(
        self,
        store: Store,
        book: JobBook,
        *,
        runs_here: bool,
        look_seconds: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`runs_here`: this process starts the job once somebody asked for it. `look_seconds`: between looks at a run whose end is told."""
        self._store = store
        self._book = book
        self._runs_here = runs_here
        self._look_seconds = look_seconds
        self._clock = clock
        self._waiting: set[asyncio.Task[None]] = set()

    async def __call__(self, *, by: str, origin: str, language: Language, told: Told) -> str:
        """The sentence that says how it stands; `told` gets the one that says how it went, unless this process ends before.

        `by`: as rows name the person. `origin`: the platform. Raises NoJobsHere, JobPaused.
        """
        if not self._runs_here:
            raise NoJobsHere
        now = self._clock()

        def ask(connection: Connection) -> tuple[str, str]:
            job, arguments = self._book.reading()
            running = jobs.running(connection, [job], now=now)
            if running and running.arguments == arguments and not jobs.paused(connection, job):
                return running.id, texts.reindex_running(language)
            run = job_book.ask(connection, self._book, job, by=by, origin=origin, now=now, arguments=arguments)
            beside = jobs.running(connection, self._book.jobs[job].group, now=now)
            return run.id, texts.reindex_asked(beside is not None, language)

        run, sentence = await self._store.run(ask)
        task = asyncio.create_task(self._tell(run, language, told), name="reindex-told")
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return sentence

    def close(self) -> None:
        """Nobody is told any more."""
        for task in self._waiting:
            task.cancel()

    async def _tell(self, run: str, language: Language, told: Told) -> None:
        """Once the run is over. One that was merged into another, or forgotten, is not told of."""
        try:
            while True:
                await asyncio.sleep(self._look_seconds)
                found = await self._store.run(jobs.get, run)
                if found is None:
                    return
                if found.state in _OVER and found.until is None:  # else it is gone on with
                    await told(_went(found, language))
                    return
        except Exception as error:  # noqa: BLE001 - it is a courtesy: the console and `saseo jobs log` tell it, too
            _log.warning(json.dumps({"event": "reindex_not_told", "run": run, "error": type(error).__name__}))


def _went(run: Run, language: Language) -> str:
    """How it went."""
    if run.state == "done" and run.result.get("reused"):
        return texts.reindex_unchanged(language)
    if run.state == "done":
        held_back = [str(one["source"]) for one in run.result["held_back"]]
        pages, passages, failed = (int(run.result[key]) for key in ("pages", "passages", "failed"))
        return texts.reindexed(pages, passages, failed, held_back, language)
    if run.state == "failed":
        kind, _, words = run.error.partition(": ")
        return texts.reindex_failed(words or kind, language)
    return texts.reindex_stopped(language)


async def follow(
    serving: Callable[[], str],
    live: Callable[[], str],
    reopen: Callable[[], Awaitable[None]],
    *,
    every: float = 30.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Take over what another process lets serve (`saseo index` from cron, `saseo editions rollback`), until cancelled.

    `serving` and `live` name editions; `every` in seconds. The old edition answers while the new one cannot be opened; that is logged and
    tried again after 1, 2, 4 … 30 minutes: memory or a disk may have been short for a moment.
    """
    pauses, unread = Pauses(clock), False
    while True:
        await sleep(every)
        try:
            name = await asyncio.to_thread(serving)
            unread = False
        except Exception as error:  # noqa: BLE001 - a folder that is away for a while; told once
            if not unread:
                _log.error(json.dumps({"event": "edition_unknown", "error": type(error).__name__}))
            unread = True
            continue
        if name == live():
            pauses.none()
        elif pauses.over(name):
            try:
                await reopen()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the new edition, the old one answers
                refused = {"edition": name, "error": type(error).__name__, "again_in": pauses.longer(name)}
                _log.error(json.dumps({"event": "edition_refused", **refused}))
            else:
                pauses.none()
                _log.info(json.dumps({"event": "edition_taken", "edition": live()}))
