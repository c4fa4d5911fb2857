"""What the last runs knew of each listed file: so that an unchanged one is not even read, and a broken one not parsed every night.

A SQLite file beside the cache. Losing it costs time only; a damaged one is thrown away. One process writes (the indexing lock).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from knowledge import errors
from knowledge.disposable import open_disposable
from knowledge.errors import PageError, UnreadablePage
from knowledge.page import Document, Section

_FORM = 1
_RETRY_AFTER = (0.0, 3600.0, 6 * 3600.0, 24 * 3600.0)
"""Seconds before a page that failed so many times is tried again though it has not changed: at first in the next run."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it was last read. `document`: its key in the cache; `head`: the document with its first heading as its only text."""

    version: str | None
    identity: str | None
    document: str
    head: Document


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read. Times in seconds since the epoch; `count`: times in a row."""

    error: PageError
    version: str | None
    made_with: str
    count: int
    since: float
    retry_at: float

    @classmethod
    def after(
        cls, before: Failure | None, error: PageError, version: str | None, made_with: str, now: float
    ) -> Failure:
        """The next failure in a row."""
        count = before.count + 1 if before else 1
        wait = _RETRY_AFTER[min(count, len(_RETRY_AFTER)) - 1]
        return cls(error, version, made_with, count, before.since if before else now, now + wait)

    def rests(self, version: str | None, made_with: str, now: float) -> bool:
        """Whether the same bytes failed the same parser and it is too early to try again."""
        return version is not None and (version, made_with) == (self.version, self.made_with) and now < self.retry_at


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: as it was last read, and how it failed since then, if it did. `made_with`: parser and limits of `known`."""

    made_with: str = ""
    known: Known | None = None
    failure: Failure | None = None


def head_of(document: Document) -> Document:
    """What `to_page` needs of a document for everything but the text, as it comes back from the ledger."""
    return _head_from(_head_to(document))


def _prepare(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA user_version").fetchone() != (_FORM,):
        db.execute("DROP TABLE IF EXISTS file")
        db.execute(
            "CREATE TABLE file (source TEXT, path TEXT, made_with TEXT, version TEXT, identity TEXT, document TEXT,"
            " head TEXT, failure TEXT, PRIMARY KEY (source, path)) WITHOUT ROWID"
        )
        db.execute(f"PRAGMA user_version = {_FORM}")


class Ledger:
    """(source, path) → `Entry`. Use as a context manager: what was written is kept when it is left without an error, or by `keep`."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.Error when the file can neither be opened nor made (disk full, locked)."""
        self._db = open_disposable(path, _prepare)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(sqlite3.OperationalError):
            self.keep()  # what was read before an error was read
        self._db.close()

    def keep(self) -> None:
        """Have everything that was written outlive a kill."""
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk: the next run reads those files again
            self._db.commit()

    def of(self, source: str) -> dict[str, Entry]:
        """Path → entry of one source."""
        rows = self._db.execute(
            "SELECT path, made_with, version, identity, document, head, failure FROM file WHERE source = ?", [source]
        )
        return {path: read_entry(*rest) for path, *rest in rows}

    def documents(self) -> set[str]:
        """Cache keys of every document that was read."""
        return {key for (key,) in self._db.execute("SELECT document FROM file WHERE document IS NOT NULL")}

    def write(self, source: str, entries: Iterable[tuple[str, Entry]]) -> None:
        """Remember (path, entry)s."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.executemany(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(source, path, *_row(entry)) for path, entry in entries],
            )

    def forget_others(self, source: str, paths: Collection[str]) -> None:
        """Forget what is not listed any more."""
        known = [path for (path,) in self._db.execute("SELECT path FROM file WHERE source = ?", [source])]
        gone = set(known).difference(paths)
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.executemany("DELETE FROM file WHERE source = ? AND path = ?", [(source, path) for path in gone])

    def forget_sources(self, configured: Collection[str]) -> None:
        """Forget sources that are not configured any more."""
        known = [name for (name,) in self._db.execute("SELECT DISTINCT source FROM file")]
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.executemany(
                "DELETE FROM file WHERE source = ?", [(name,) for name in set(known).difference(configured)]
            )


def _row(entry: Entry) -> tuple[str | None, ...]:
    known = entry.known
    failure = None
    if entry.failure is not None:
        failure = json.dumps(_failure_to(entry.failure), ensure_ascii=False, default=str)
    if known is None:
        return (entry.made_with, None, None, None, None, failure)
    return (entry.made_with, known.version, known.identity, known.document, _head_to(known.head), failure)


def read_entry(
    made_with: str,
    version: str | None,
    identity: str | None,
    document: str | None,
    head: str | None,
    failure: str | None,
) -> Entry:
    """A row without source and path; one of another version is an empty entry."""
    try:
        known = Known(version, identity, document, _head_from(head)) if document and head else None
        return Entry(made_with, known, _failure_from(json.loads(failure)) if failure else None)
    except (ValueError, KeyError, TypeError, AttributeError):  # of another version: read again
        return Entry()


def _failure_to(failure: Failure) -> dict[str, Any]:
    return {
        "error": type(failure.error).__name__,
        "details": failure.error.details,
        "version": failure.version,
        "made_with": failure.made_with,
        "count": failure.count,
        "since": failure.since,
        "retry_at": failure.retry_at,
    }


def _failure_from(raw: dict[str, Any]) -> Failure:
    kind = getattr(errors, raw.pop("error"), UnreadablePage)
    details = raw.pop("details")
    if not (isinstance(kind, type) and issubclass(kind, PageError)):
        raise ValueError("no error of a page")
    return Failure(error=kind(**details), **raw)


def _head_to(document: Document) -> str:
    heading = next((section.heading[0] for section in document.sections if section.heading), None)
    return json.dumps(
        {"title": document.title, "meta": document.meta, "heading": heading}, ensure_ascii=False, default=str
    )


def _head_from(text: str) -> Document:
    raw = json.loads(text)
    sections = (Section((raw["heading"],), ()),) if raw["heading"] is not None else ()
    return Document(title=raw["title"], sections=sections, meta=raw["meta"])
