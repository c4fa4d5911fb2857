"""SQLite files that may be lost: a damaged one is thrown away, and what is deleted leaves the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

_NOT_DAMAGED = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Primary codes of errors that have another cause: throwing the file away would not help, or would lose a good one."""


def open_disposable(path: Path, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """`prepare` makes the tables. Raises sqlite3.Error when the file can neither be opened nor made (disk full, locked), OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path, prepare)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_DAMAGED:
            raise
        path.unlink(missing_ok=True)
        return _open(path, prepare)


def _open(path: Path, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30)
    try:
        db.execute("PRAGMA secure_delete = ON")
        prepare(db)
        db.commit()
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("damaged")
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db
