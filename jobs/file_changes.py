"""Folders that are watched while the service runs: what changes there makes a reading of that source due.

The system tells of changes (inotify and the like, through watchfiles); where it refuses (too many folders),
the folders are looked through every few seconds instead; then of two changes within one second the later one may be overlooked
until the next. `[jobs.reindex] schedule` beside it catches what was.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """In seconds."""

    quiet: float = 5.0
    """Nothing has changed for so long: whoever saves a page often, or copies a folder, is read once."""
    longest: float = 120.0
    """A folder that never becomes quiet is read after so long."""
    again: float = 60.0
    """Until a folder that cannot be watched (it is not there) is tried again."""
    poll: float | None = None
    """Look every so often instead of being told; None: only where the system cannot tell."""
    poll_fallback: float = 10.0


class FileChanges:
    """Runs until cancelled. One failing folder does not keep the others from being watched."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        due: Callable[[str], Awaitable[None]],
        options: WatchOptions | None = None,
    ) -> None:
        """`folders` by source; `due` is told the source of which something changed."""
        self._folders = folders
        self._due = due
        self._options = options or WatchOptions()

    async def run(self) -> None:
        """Watch all of them."""
        async with asyncio.TaskGroup() as group:
            for source, folder in self._folders.items():
                group.create_task(self._keep_watching(source, folder), name=f"watch-{source}")

    async def _keep_watching(self, source: str, folder: Path) -> None:
        poll = self._options.poll
        missed = False
        while True:
            try:
                await self._watch(source, folder, poll, missed)
            except FileNotFoundError:
                missed = True
                self._say(source, "folder is not there")
            except OSError as error:  # the system's limit of watched folders is reached, or it cannot watch this drive
                self._say(source, error.strerror or type(error).__name__)
                poll = poll or self._options.poll_fallback
            except Exception as error:  # noqa: BLE001 - watchfiles' own surprises must not end the watching
                missed = True
                self._say(source, type(error).__name__)
            await asyncio.sleep(self._options.again)

    async def _watch(self, source: str, folder: Path, poll: float | None, missed: bool) -> None:
        from watchfiles import awatch

        await _must_be_there(folder)  # awatch would wait for it for ever
        changes = awatch(
            folder,
            watch_filter=lambda _, path: _is_page(folder, Path(path)),
            step=int(self._options.quiet * 1000),
            debounce=int(self._options.longest * 1000),
            rust_timeout=1000,
            yield_on_timeout=True,
            force_polling=poll is not None,
            poll_delay_ms=int((poll or 0.3) * 1000),
            ignore_permission_denied=True,
        )
        async with aclosing(changes):  # left open, its task group would hold this task
            async for changed in changes:
                if changed or missed:
                    missed = not await self._told(source)
                else:
                    await _must_be_there(folder)  # the system goes on watching a folder that is gone, in silence

    async def _told(self, source: str) -> bool:
        """A store that is away for a moment must not lose a change: it is told a second later, or with the next one."""
        try:
            await self._due(source)
        except Exception as error:  # noqa: BLE001
            _log.warning(json.dumps({"event": "change_not_told", "source": source, "reason": type(error).__name__}))
            return False
        return True

    def _say(self, source: str, reason: str) -> None:
        _log.warning(json.dumps({"event": "not_watched", "source": source, "reason": reason}, ensure_ascii=False))


async def _must_be_there(folder: Path) -> None:
    if not await asyncio.to_thread(folder.is_dir):
        raise FileNotFoundError


def _is_page(folder: Path, path: Path) -> bool:
    """Hidden files, those of editors and of Office while a document is open are none."""
    try:
        names = path.relative_to(folder).parts
    except ValueError:
        names = (path.name,)
    return not any(
        name.startswith((".", "~$")) or name.endswith(("~", ".tmp", ".swp", ".crdownload")) for name in names
    )
