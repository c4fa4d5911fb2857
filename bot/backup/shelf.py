"""The folder of backups: names, what is there, one that is written at a time, and how many are kept."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from bot.backup.archive import Manifest, glance
from bot.errors import BackupBusy, BackupError, BackupNotWritten, NoSpace

FOLDER = "backups"
"""In the data directory: also for copies from before the store was brought up to date (bot/store/starting.py)."""
_OURS = re.compile(r"saseo-\d{8}T\d{6}Z(?:-\d+)?\.zip")
_BEFORE = re.compile(r"before-\d{4}-\d{8}T\d{6}Z\.(?:sqlite|zip)")
_BEFORE_SECONDS = 30 * 86400.0
_SPARE = 64_000_000
"""Bytes that a disk keeps free."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One backup for a list. `manifest` None: it is not complete or not ours; `problem` says so."""

    path: Path
    bytes: int
    manifest: Manifest | None
    problem: BackupError | None = None


class BackupShelf:
    """Backups in `folder`, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def every(self) -> list[Kept]:
        """Oldest first; nothing but their manifests is read."""
        found = []
        for path in self._archives():
            with suppress(FileNotFoundError):  # another process keeps fewer of them just now
                size = path.stat().st_size
                try:
                    found.append(Kept(path, size, glance(path)))
                except BackupError as error:
                    found.append(Kept(path, size, None, error))
        return found

    def newest_at(self) -> float | None:
        """When the newest complete one was made, in seconds since the epoch; None: there is none. Reads one manifest, as a rule."""
        for path in reversed(self._archives()):
            with suppress(FileNotFoundError, BackupError):
                return glance(path).made_at
        return None

    def new(self, now: float) -> Path:
        """Where the next one goes."""
        name = time.strftime("saseo-%Y%m%dT%H%M%SZ", time.gmtime(now))
        names = (f"{name}{more}.zip" for more in ("", *(f"-{number}" for number in range(2, 1000))))
        return next(self.folder / one for one in names if not (self.folder / one).exists())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One backup at a time; what a crash left of an earlier one is removed. Raises BackupBusy, BackupNotWritten."""
        lock = FileLock(self.folder / ".lock", timeout=0, mode=0o600)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout as error:
            raise BackupBusy(folder=self.folder) from error
        except OSError as error:
            raise BackupNotWritten(path=self.folder, reason=error.strerror or type(error).__name__) from error
        try:
            for left in self.folder.glob(".snapshot-*"):
                shutil.rmtree(left, ignore_errors=True)
            for left in self.folder.glob(".saseo-*.part"):
                left.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def forget(self, keep: int, now: float) -> list[Path]:
        """Delete all but the newest `keep` archives, and copies from before an update once they are a month old; what went."""
        gone = self._archives()[:-keep]
        for path in gone:
            path.unlink(missing_ok=True)
        return gone + self.forget_before_updates(now)

    def forget_before_updates(self, now: float) -> list[Path]:
        """Delete those copies alone: `retention` does, where no nightly backup runs; what went."""
        gone = []
        for path in self._named(_BEFORE):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < now - _BEFORE_SECONDS:
                    path.unlink()
                    gone.append(path)
        return gone

    def _archives(self) -> list[Path]:
        """By the time in their names."""
        return self._named(_OURS)

    def _named(self, form: re.Pattern[str]) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(
            (path for path in self.folder.iterdir() if form.fullmatch(path.name)),
            key=lambda path: [int(part) for part in re.findall(r"\d+", path.stem)],
        )


def need_space(*wanted: tuple[Path, int]) -> None:
    """Folders, which must be there, and bytes that each is to take; what lies on one disk adds up. Raises NoSpace, OSError."""
    disks: dict[int, tuple[Path, int]] = {}
    for folder, needed in wanted:
        disk = folder.stat().st_dev
        first, before = disks.get(disk, (folder, _SPARE))
        disks[disk] = (first, before + needed)
    for folder, needed in disks.values():
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise NoSpace(path=folder, needed=needed // 1_000_000, free=free // 1_000_000)
