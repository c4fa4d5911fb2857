"""What a site answered last time, so that an unchanged page costs one short request and a broken server no page.

A SQLite file of addresses beside a folder of bodies, each named by its SHA-256. Both can be fetched again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from knowledge.errors import UnreadablePage
from knowledge.sources.web.links import PageFacts

_FILE = "seen-1.sqlite"  # another number when links or the like would be read otherwise: a 304 does not look again
_TABLE = """
CREATE TABLE IF NOT EXISTS seen (
    url TEXT PRIMARY KEY, etag TEXT, last_modified TEXT, suffix TEXT, digest TEXT, size INTEGER, day TEXT, facts TEXT
)"""


@dataclass(frozen=True, slots=True)
class Seen:
    """An address as it answered. `etag`, `last_modified`: the headers, perhaps empty. `digest`: names the body.
    `day`: of its last change, if the server said."""

    url: str
    etag: str
    last_modified: str
    suffix: str
    digest: str
    size: int
    day: dt.date | None
    facts: PageFacts


class Memory:
    """Use as a context manager; bodies can be read afterwards, too."""

    def __init__(self, home: Path) -> None:
        """Raises OSError or sqlite3.OperationalError where nothing can be written."""
        self._bodies = home / "bodies"
        self._bodies.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = home / _FILE
        try:
            self._db = self._open(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._db = self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=30)
        try:
            db.execute(_TABLE)
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def get(self, url: str) -> Seen | None:
        """None if it is unknown or its body is gone."""
        row = self._db.execute("SELECT * FROM seen WHERE url = ?", [url]).fetchone()
        if row is None:
            return None
        _, etag, modified, suffix, digest, size, day, kept = row
        if not self._file(digest).is_file():
            return None
        try:
            title, links, canonical, index = json.loads(kept)
            facts = PageFacts(title, tuple(links), canonical, index)
            return Seen(url, etag, modified, suffix, digest, size, dt.date.fromisoformat(day) if day else None, facts)
        except (ValueError, TypeError):
            return None

    def put(self, seen: Seen, body: bytes) -> None:
        """Written at once, so that a run that is killed has not fetched in vain."""
        file = self._file(seen.digest)
        if not file.is_file():
            aside = file.with_suffix(".new")
            aside.write_bytes(body)
            aside.replace(file)
        facts = json.dumps([seen.facts.title, seen.facts.links, seen.facts.canonical, seen.facts.index])
        row = [seen.url, seen.etag, seen.last_modified, seen.suffix, seen.digest, seen.size]
        with self._db:
            values = [*row, seen.day.isoformat() if seen.day else "", facts]
            self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def forget(self, url: str) -> None:
        """It is gone, or not ours to read any more."""
        with self._db:
            self._db.execute("DELETE FROM seen WHERE url = ?", [url])

    def keep_only(self, urls: Iterable[str]) -> None:
        """Forget every other address, and bodies that no address needs."""
        with self._db:
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (url TEXT PRIMARY KEY)")
            self._db.execute("DELETE FROM kept")
            self._db.executemany("INSERT OR IGNORE INTO kept VALUES (?)", [(url,) for url in urls])
            self._db.execute("DELETE FROM seen WHERE url NOT IN (SELECT url FROM kept)")
        needed = {digest for (digest,) in self._db.execute("SELECT DISTINCT digest FROM seen")}
        for file in self._bodies.iterdir():
            if file.name not in needed:
                with contextlib.suppress(OSError):
                    file.unlink()

    def read(self, digest: str) -> bytes:
        """The body. Raises UnreadablePage if it is gone or damaged; the next run then fetches it again."""
        try:
            body = self._file(digest).read_bytes()
        except OSError as error:
            raise UnreadablePage(reason="its kept copy is gone") from error
        if hashlib.sha256(body).hexdigest() != digest:
            with contextlib.suppress(OSError):
                self._file(digest).unlink()
            raise UnreadablePage(reason="its kept copy is damaged")
        return body

    def _file(self, digest: str) -> Path:
        return self._bodies / digest
