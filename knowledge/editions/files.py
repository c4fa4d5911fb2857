"""Files that are on the disk for certain, and that are what they were."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def sha256(path: Path) -> str:
    """Of the file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Have a file, or a folder's list of names, on the disk before going on. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file, in a stable order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def write_whole(path: Path, text: str, mode: int = 0o666) -> None:
    """All of it or nothing, also over a power cut; see `whole`. Raises OSError."""
    with whole(path, mode) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


@contextmanager
def whole(target: Path, mode: int = 0o600) -> Iterator[Path]:
    """An empty file beside `target` that takes its place once it is written: whole on the disk, or not there at all.

    `mode`: whom the system lets read it, less its umask, from its first byte on; unless told, its owner alone. One writer at a
    time. Raises OSError; what was at `target` is there as before then.
    """
    unfinished = target.with_name(f".{target.name.removeprefix('.')}.part")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield unfinished
        fsync(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    with suppress(OSError):  # it has its place already; some network file systems cannot
        fsync(target.parent)
