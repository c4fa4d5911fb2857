"""What a fetcher is given, and what it may answer."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.errors import NotEnoughDisk
from bot.models.catalogue import Model
from bot.models.hashing import Progress

MEGABYTE = 1_000_000
RESERVE = 64 * MEGABYTE
"""Never fill the disk to the last byte: the index and the database live on it too."""


class PlaceFailed(Exception):
    """This place did not give the model; the next one is tried. The text is short and technical."""


@dataclass(frozen=True)
class Job:
    """One attempt to get one model from one place."""

    model: Model
    work: Path  # this place's own folder; what lies in it survives until the model is complete
    progress: Progress
    free_bytes: Callable[[Path], int]
    exact: bool  # model.bytes is the exact size of what this place gives

    @property
    def limit(self) -> int:
        """More bytes than this are never accepted. An approximate size leaves room."""
        return self.model.bytes if self.exact else 2 * self.model.bytes + RESERVE

    def need(self, amount: int) -> None:
        """Raise `NotEnoughDisk` unless `amount` more bytes fit."""
        free = self.free_bytes(self.work)
        if amount + RESERVE > free:
            raise self.disk_full(amount + RESERVE, free)

    def disk_full(self, amount: int, free: int) -> NotEnoughDisk:
        """The error for a person."""
        return NotEnoughDisk(
            name=self.model.name,
            needed_mb=-(-amount // MEGABYTE),
            free_mb=max(free, 0) // MEGABYTE,
            path=self.work.parent,
        )


class Fetcher(Protocol):
    """Gets a model from one place."""

    def fetch(self, job: Job) -> Path:
        """The complete file or folder, inside `job.work`. Raises `PlaceFailed`, or `NotEnoughDisk`."""


def is_disk_full(error: OSError) -> bool:
    """No space, or over quota."""
    return error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
