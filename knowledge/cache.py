"""Content hash → what was computed from it: parsed documents, morphemes, vectors. Makes an unchanged page cost nothing.

A cache only: a damaged file is thrown away and filled again. One process writes at a time (the indexing lock).
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal

from knowledge.disposable import open_disposable

Kind = Literal["document", "morphemes", "vector"]

_KEEP_SECONDS = 1.0
_BATCH = 500  # below SQLite's limit on bound parameters


def key_of(*parts: str | bytes) -> str:
    """SHA-256 over the parts, each with its length so that no two lists of parts look alike."""
    written = [part.encode() if isinstance(part, str) else part for part in parts]
    digest = hashlib.sha256(b"".join(piece for data in written for piece in (len(data).to_bytes(8, "big"), data)))
    return digest.hexdigest()


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS entry (kind TEXT, key TEXT, value BLOB, PRIMARY KEY (kind, key))")


class ContentCache:
    """A SQLite file of (kind, key) → bytes. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.Error when the file can neither be opened nor made (disk full, locked)."""
        self._db = open_disposable(path, _prepare)
        self._kept_at = time.monotonic()

    def __enter__(self) -> ContentCache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.commit()  # what was computed before an error was computed
        self._db.close()

    def get(self, kind: Kind, keys: Iterable[str]) -> dict[str, bytes]:
        """Those of `keys` that are known."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, bytes] = {}
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            marks = ",".join("?" * len(batch))
            rows = self._db.execute(
                f"SELECT key, value FROM entry WHERE kind = ? AND key IN ({marks})",  # noqa: S608 - marks are only '?'
                [kind, *batch],
            )
            found.update(rows.fetchall())
        return found

    def holds(self, kind: Kind, keys: Iterable[str]) -> set[str]:
        """Which of `keys` are known, without reading what is kept for them."""
        wanted = set(keys)
        return self._keys(kind) & wanted if wanted else wanted

    def _keys(self, kind: Kind) -> set[str]:
        return {key for (key,) in self._db.execute("SELECT key FROM entry WHERE kind = ?", [kind])}

    def put(self, kind: Kind, values: Mapping[str, bytes]) -> None:
        """Store: a batch at once, single values together once a second and at the end. On a full disk the run goes on without (the
        edition's own writes will say so)."""
        try:
            self._db.executemany(
                "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", [(kind, key, value) for key, value in values.items()]
            )
            # Waiting for the disk after every page would take longer than parsing it.
            if len(values) > 1 or time.monotonic() - self._kept_at > _KEEP_SECONDS:
                self._db.commit()
                self._kept_at = time.monotonic()
        except sqlite3.OperationalError:
            with contextlib.suppress(sqlite3.OperationalError):
                self._db.rollback()

    def keep_only(self, kind: Kind, keys: Iterable[str]) -> None:
        """Forget everything else of this kind: what left the wiki leaves the cache too."""
        gone = self._keys(kind).difference(keys)
        with contextlib.suppress(sqlite3.OperationalError), self._db:
            self._db.executemany("DELETE FROM entry WHERE kind = ? AND key = ?", [(kind, key) for key in gone])
