"""The store as it is at one moment, while others go on writing to it."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from knowledge.editions.files import whole

NO_LIMITS = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
"""For what reads or rewrites whole tables on PostgreSQL."""


@contextmanager
def snapshot(
    engine: Engine, scratch: Path, told: Callable[[int, int], None] = lambda done, total: None
) -> Iterator[Connection]:
    """A connection that sees one moment, for reading only.

    PostgreSQL: one transaction. SQLite: a copy in `scratch`, a folder, that goes away in the end; in one transaction a reader would
    keep writers from committing for as long as it reads. `told`: its pages, done of how many.
    Raises OSError, sqlite3.Error and what SQLAlchemy raises.
    """
    if engine.dialect.name == "postgresql":
        once = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with once.connect() as connection, connection.begin():
            for statement in NO_LIMITS:
                connection.exec_driver_sql(statement)
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix=".snapshot-", dir=scratch) as folder:
        copy = Path(folder) / "copy.sqlite"
        copy_sqlite(Path(engine.url.database or ""), copy, told)
        beside = create_engine(URL.create("sqlite", database=str(copy)), poolclass=NullPool, hide_parameters=True)
        with beside.connect() as connection:
            yield connection


def copy_sqlite(file: Path, target: Path, told: Callable[[int, int], None] | None = None) -> None:
    """A consistent copy of a SQLite file that others may be writing to; whole on the disk, or not there at all.

    `told`: pages done, of how many. Raises OSError and sqlite3.Error.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole(target) as unfinished:
        _copy(file, unfinished, told)


class _StartsOver(Exception):
    """Others write faster than pages are copied bit by bit."""


_PAGES = 4096
_RESTARTS = 2


def _copy(file: Path, target: Path, told: Callable[[int, int], None] | None) -> None:
    """Bit by bit, so that writers wait for milliseconds only; after they made it start over twice, in one go, while they wait."""
    source = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=30.0)
    copy = sqlite3.connect(target)
    try:
        copy.execute("PRAGMA journal_mode=OFF")
        copy.execute("PRAGMA synchronous=OFF")
        least, restarts = sys.maxsize, 0

        def heard(status: int, remaining: int, total: int) -> None:
            nonlocal least, restarts
            restarts += remaining > least
            least = remaining
            if told is not None:
                told(total - remaining, total)
            if restarts > _RESTARTS:
                raise _StartsOver

        try:
            source.backup(copy, pages=_PAGES, progress=heard, sleep=0.005)
        except _StartsOver:
            source.backup(copy, pages=-1)
        if told is not None:
            told(1, 1)
    finally:
        copy.close()
        source.close()
