"""A folder of files on this machine."""

from __future__ import annotations

import datetime as dt
import errno
import functools
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import SourceFailed, SourceNotFound, UnreadablePage
from knowledge.page import Audience
from knowledge.sources.base import SourceFile
from knowledge.sources.kinds import Kind, SourceConfig
from knowledge.sources.listing import Selection, readable_name, unreadable

_FRESH_SECONDS = 2.0
"""The coarsest file systems' clocks tick so."""
_LASTING = frozenset({errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
"""Why a folder cannot be listed that will be so in the next run, too: it is closed to us, it left, it lies too deep."""


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """`path`: the folder."""

    path: Path


class FolderSource:
    """Every known file below `root`, sorted by path; hidden ones (`.git`, `~$규정.docx`) are skipped.

    `include`, `exclude`: patterns over the relative path (see patterns.py). Files of unknown format are skipped
    silently, unless a pattern of `include` asks for their suffix. No symlink is read or followed: one would lead out of the
    root, to what is hidden or excluded, or around what is said of the readers of its target's folder.
    """

    def __init__(
        self, name: str, root: Path, audience: Audience, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.audience = audience
        self._root = Path(root)
        self._selection = Selection(include, exclude)

    def files(self) -> Iterator[SourceFile]:
        """Raises SourceNotFound at once if the root is missing or closed to us; SourceFailed if the listing breaks off below it."""
        try:
            root = self._root.resolve(strict=True)
            os.scandir(root).close()
        except (OSError, RuntimeError) as error:  # RuntimeError: Python 3.11's answer to a loop of symlinks
            raise SourceNotFound(name=self.name, path=self._root) from error
        return self._unique(self._walk(root, ""))

    def _unique(self, files: Iterator[SourceFile]) -> Iterator[SourceFile]:
        """Two names that differ only in Unicode form (macOS, Linux) would be one page: the second one is reported."""
        seen: set[str] = set()
        for file in files:
            if file.path in seen:
                yield unreadable(file.path, "another file has the same name in another Unicode form")
            else:
                seen.add(file.path)
                yield file

    def _walk(self, folder: Path, prefix: str) -> Iterator[SourceFile]:
        waiting = [(folder, prefix)]
        while waiting:
            folder, prefix = waiting.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = sorted((readable_name(os.fsencode(entry.name)), entry.name, entry) for entry in listing)
            except OSError as error:
                if error.errno not in _LASTING:  # a mount that stutters: the pages below are not gone
                    raise SourceFailed(name=self.name, reason=_why(error)) from error
                yield unreadable(prefix.rstrip("/"), _why(error))
                continue
            folders: list[tuple[Path, str]] = []
            for name, _, entry in entries:
                path = prefix + name
                if self._selection.excludes(path):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append((Path(entry.path), path + "/"))
                elif self._selection.includes(path):
                    file = self._file(entry, path)
                    if file is not None:
                        yield file
            waiting.extend(reversed(folders))

    def _file(self, entry: os.DirEntry[str], path: str) -> SourceFile | None:
        """None for what is no regular file: symlinks, pipes."""
        try:
            listed_at = time.time()
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            return unreadable(path, _why(error))
        if not stat.S_ISREG(status.st_mode):
            return None
        return SourceFile(
            path,
            url=None,
            modified=_day(status.st_mtime),
            size=status.st_size,
            read=functools.partial(_read, Path(entry.path)),
            version=_version(status, listed_at),
        )


def _version(status: os.stat_result, listed_at: float) -> str | None:
    """Of a file's bytes, by its times, size and place. None when it changed just now: it may change again without its times showing it
    (git's index calls such files racy)."""
    if max(status.st_mtime, status.st_ctime) > listed_at - _FRESH_SECONDS:
        return None
    return f"{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_size}-{status.st_dev}-{status.st_ino}"


def _read(location: Path) -> bytes:
    """Looks again where the path leads: the folder may have changed since it was listed."""
    try:
        if location.resolve(strict=True) != location:
            raise UnreadablePage(reason="it became a link")
        return location.read_bytes()
    except (OSError, RuntimeError) as error:
        raise UnreadablePage(reason=_why(error)) from error


def _why(error: OSError | RuntimeError) -> str:
    """The system's reason without the path."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _day(timestamp: float) -> dt.date | None:
    try:
        return dt.date.fromtimestamp(timestamp)
    except (OverflowError, ValueError, OSError):
        return None


def _open(config: SourceConfig, options: FolderOptions) -> FolderSource:
    return FolderSource(config.name, options.path, config.audience, config.include, config.exclude)


KIND = Kind(FolderOptions, _open, watched=lambda options: options.path)
