"""The small JSON beside a verified model: what was hashed, so that the next start need not hash a gigabyte again.

A stamp guards against damage and half-done copies, not against somebody who can write into the cache folder.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.models.hashing import files_of
from knowledge.editions.files import write_whole


@dataclass(frozen=True)
class Stamp:
    """The verified state of one model."""

    sha256: str
    source: str  # the place it came from, or `found` when it was already there
    first_use: bool  # nobody vouched for the bytes: this is what was seen first
    files: dict[str, tuple[int, int]]  # path → size, mtime_ns

    @classmethod
    def of(cls, target: Path, sha256: str, source: str, *, first_use: bool) -> Stamp:
        """The stamp of what lies at `target` now."""
        return cls(sha256, source, first_use, _look(target))

    @classmethod
    def read(cls, path: Path) -> Stamp | None:
        """The stored stamp; none if it is missing or unreadable (then the model is simply verified again)."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            files = {str(name): (int(size), int(mtime)) for name, (size, mtime) in raw["files"].items()}
            return cls(str(raw["sha256"]), str(raw["source"]), bool(raw["first_use"]), files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, path: Path) -> None:
        """Store it. A read-only cache folder is no error: the model is then hashed at each start."""
        with suppress(OSError):
            write_whole(path, json.dumps(asdict(self), indent=1, ensure_ascii=False))

    def matches(self, target: Path) -> bool:
        """Nothing about the files has changed since they were hashed."""
        return self.files == _look(target)


def _look(target: Path) -> dict[str, tuple[int, int]]:
    look: dict[str, tuple[int, int]] = {}
    for file in files_of(target):
        state = file.stat()
        look[file.relative_to(target.parent).as_posix()] = (state.st_size, state.st_mtime_ns)
    return look
