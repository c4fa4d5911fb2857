"""SHA-256 of what was fetched: of a file, or of a folder as one number.

The tree hash is the SHA-256 over one line per regular file, sorted by path: `<path with />␀<hex SHA-256>␊`. It covers
names and contents and nothing else, so the same bytes give the same number on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[str, int, int | None], None]
"""`progress(stage, done, total)`: stages are `copy`, `download`, `unpack`, `verify`, `wait`; `total` may be unknown."""

_CHUNK = 4 * 1024 * 1024


def silent(stage: str, done: int, total: int | None) -> None:
    """A progress callback that does nothing."""


def files_of(path: Path) -> list[Path]:
    """The file itself, or every regular file of the folder, sorted by its path inside it."""
    if path.is_dir():
        return sorted((file for file in path.rglob("*") if file.is_file()), key=lambda file: _inside(path, file))
    return [path]


def size_of(path: Path) -> int:
    """Bytes of a file or of all files of a folder."""
    return sum(file.stat().st_size for file in files_of(path))


def sha256_of(path: Path, progress: Progress = silent) -> str:
    """SHA-256 of the file, or the tree hash of the folder."""
    total = size_of(path)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress("verify", done, total)

    if not path.is_dir():
        return _file_sha256(path, advance)
    tree = hashlib.sha256()
    for file in files_of(path):
        tree.update(f"{_inside(path, file)}\0{_file_sha256(file, advance)}\n".encode())
    return tree.hexdigest()


def _file_sha256(path: Path, advance: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


def _inside(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()
