"""One commit of a repository: which files it has, their bytes, and when each was last changed."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from knowledge.errors import UnreadablePage
from knowledge.sources.git.program import Git, GitFailed, end
from knowledge.sources.listing import readable_name

_ENTRY = re.compile(rb"(\d+) (\w+) ([0-9a-f]+) +(\w+|-)\t(.+)", re.DOTALL)
_FILES = (b"100644", b"100755", b"100664")
_MARK = re.compile(rb"\x01([0-9a-f]{40,64}) (\d{4}-\d\d-\d\d)")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of the commit. `name`: as in the repository; `path`: the same in NFC, readable."""

    name: bytes
    path: str
    sha: str
    size: int


def blobs(git: Git, commit: str) -> Iterator[Blob]:
    """All regular files, in git's order. Symbolic links and submodules are none. Raises GitFailed."""
    for entry in git.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit).split(b"\0"):
        found = _ENTRY.fullmatch(entry)
        if found is not None and found[1] in _FILES:
            size = int(found[4]) if found[4].isdigit() else 0  # BAD: the blob is missing, which reading it will tell
            yield Blob(found[5], readable_name(found[5]), found[3].decode(), size)


def last_changes(git: Git, commit: str, names: set[bytes], *, seconds: float) -> dict[bytes, dt.date]:
    """For each of `names` the day of the last commit that touched it: one walk back, no longer than needed.

    Names whose commit lies further back than `seconds` of walking are left out.
    """
    found: dict[bytes, dt.date] = {}
    day = dt.date.min
    first = False
    walk = git.records(
        "log", "-z", "--name-only", "--no-renames", "--no-color", "--format=%x01%H %cs", commit, "--", seconds=seconds
    )
    for record in walk:
        if mark := _MARK.fullmatch(record):
            day, first = dt.date.fromisoformat(mark[2].decode()), True
            continue
        name = record.removeprefix(b"\n") if first else record
        first = False
        if name in names and name not in found:
            found[name] = day
            if len(found) == len(names):
                break
    walk.close()
    return found


class Contents:
    """The bytes of blobs, through one `git cat-file` that runs from the first to the last reader."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, sha: str) -> bytes:
        """Raises UnreadablePage."""
        with self._lock:
            data = self._answer(sha)
        if data.startswith(_LFS_POINTER) and len(data) < 1024:
            raise UnreadablePage(reason="its content is in Git LFS; the repository holds a pointer only")
        return data

    def _answer(self, sha: str) -> bytes:
        try:
            process = self._running()
            questions, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            questions.write(f"{sha}\n".encode())
            questions.flush()
            header = answers.readline().split()
            if len(header) == 3 and header[1] == b"blob":
                size = int(header[2])
                data = answers.read(size + 1)
                if len(data) == size + 1:
                    return data[:-1]
            elif header[1:] == [b"missing"]:
                raise UnreadablePage(reason="its content is missing in the repository")
        except (OSError, ValueError) as error:
            self._stop()
            raise UnreadablePage(reason="git ended while reading") from error
        self._stop()
        raise UnreadablePage(reason="git ended while reading")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = self._git.launch("cat-file", "--batch", reads=True)
            weakref.finalize(self, end, self._process)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None


def is_shallow(git: Git) -> bool:
    """Whether older commits are missing, so that a last change cannot be told."""
    try:
        return git.run("rev-parse", "--is-shallow-repository").strip() == b"true"
    except GitFailed:
        return False
