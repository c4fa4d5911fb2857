"""Indexing on demand while the service runs: `saseo index` in a process of its own, then the new edition takes over here."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot import texts
from bot.errors import ReindexFailed
from bot.settings import default_folder

_log = logging.getLogger(__name__)
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bot.app import main; main()"

_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 1800.0
"""Seconds before an edition that could not be opened is tried again: each pause is twice the one before."""


class Reindexing:
    """Call it to re-read the sources. One run at a time; indexing itself also holds a lock across processes."""

    def __init__(self, config: Path | None, reopen: Callable[[], Awaitable[None]], language: texts.Language) -> None:
        """`config`: of `--config`. `reopen` opens the newest edition and makes it answer."""
        self._config = config
        self._reopen = reopen
        self._language = language
        self._running = False

    async def __call__(self) -> str:
        """The sentence that says how it went. Raises ReindexFailed."""
        if self._running:
            return texts.reindex_running(self._language)
        self._running = True
        try:
            return await self._run()
        finally:
            self._running = False

    async def _run(self) -> str:
        config = ["--config", str(self._config)] if self._config is not None else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _START, str(default_folder()), *config, "index", "--json",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            out, errors = await process.communicate()
        finally:
            if process.returncode is None:  # we are shutting down; the old edition stays
                process.terminate()
        try:
            report = json.loads(out.decode("utf-8").strip().splitlines()[-1])
        except (ValueError, IndexError):
            report = {}
        if process.returncode != 0 or "pages" not in report:
            printed = errors.decode("utf-8", "replace").strip().splitlines()
            last = printed[-1][:300] if printed else f"exit {process.returncode}"
            raise ReindexFailed(reason=str(report.get("message") or last))
        await self._reopen()
        held_back = [one["source"] for one in report["held_back"]]
        return texts.reindexed(report["pages"], report["passages"], len(report["failed"]), held_back, self._language)


class _Pauses:
    """Until a refused edition is tried again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._name = ""
        self._tries = 0
        self._until = 0.0

    def over(self, name: str) -> bool:
        """Whether `name` may be tried: it is another one, or it has waited long enough."""
        return name != self._name or self._clock() >= self._until

    def longer(self, name: str) -> float:
        """It was refused once more; the seconds until the next try."""
        self._tries = self._tries + 1 if name == self._name else 1
        self._name = name
        pause = min(_FIRST_PAUSE * 2 ** (self._tries - 1), _LONGEST_PAUSE)
        self._until = self._clock() + pause
        return pause

    def none(self) -> None:
        """What shall serve does."""
        self._name = ""


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
    pauses, unread = _Pauses(clock), False
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
