"""Indexing on demand while the service runs: `saseo index` in a process of its own, then the new edition takes over here."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot import texts
from bot.errors import ReindexFailed
from bot.settings import default_folder

_log = logging.getLogger(__name__)
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bot.app import main; main()"


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


async def follow(
    serving: Callable[[], str], live: Callable[[], str], reopen: Callable[[], Awaitable[None]], *, every: float = 30.0
) -> None:
    """Take over what another process lets serve (`saseo index` from cron, `saseo editions rollback`), until cancelled.

    `serving` and `live` name editions; `every` in seconds. What cannot be opened is logged once, and the old edition goes on.
    """
    refused = ""
    while True:
        await asyncio.sleep(every)
        try:
            name = await asyncio.to_thread(serving)
            if name not in (live(), refused):
                refused = name  # until it has been opened
                await reopen()
                _log.info(json.dumps({"event": "edition_taken", "edition": live()}))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new edition, the old one answers
            _log.error(json.dumps({"event": "edition_refused", "edition": refused, "error": type(error).__name__}))
