"""Where rows are restored to: a new database is filled aside, and takes the old one's place in one step; the old one stays aside."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from sqlalchemy import URL, Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bot.errors import RestoreRefused
from bot.store import migrations, schema, starting
from bot.store.database import APPLICATION, postgresql_url
from bot.store.in_use import SUFFIX, Hold
from bot.store.snapshot import NO_LIMITS
from knowledge.editions.files import fsync

_JOURNALS = ("-journal", "-wal", "-shm")


class Target(Protocol):
    """A database to restore into. As a context: nobody else uses it meanwhile, and what was not put in place goes away in the end."""

    where: str
    """For people."""
    folder: Path | None
    """On whose disk it lies; None: on another machine's, for all we know."""

    def __enter__(self) -> Self:
        """Raises RestoreRefused while a service uses it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing behind."""

    @property
    def taken(self) -> bool:
        """Something is there already."""

    @property
    def url(self) -> str:
        """Of the new database, as `open_store` wants it."""

    def engine(self) -> Engine:
        """Of the new database, empty; foreign keys are not enforced where that could be in the way."""

    def buried(self) -> Mapping[str, float]:
        """Whom the old database knows as erased, and when; nobody where it cannot be read."""

    def put(self, aside: str) -> str:
        """Let the new one take the old one's place, all of it or nothing; where the old one is now, or nothing. `aside`: a name."""


class SqliteTarget:
    """A file; the new one is made beside it."""

    def __init__(self, file: Path) -> None:
        self.where = str(file)
        self.folder: Path | None = file.parent
        self._file = file
        self._fresh = file.with_name(f".{file.name}.restoring")

    def __enter__(self) -> Self:
        """See `Target`."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._hold = Hold(self._file)
        if not self._hold.alone():
            self._hold.close()
            raise RestoreRefused(where=self.where)
        self._clear()  # of a restore that was killed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `Target`."""
        self._clear()
        self._hold.close()

    def _clear(self) -> None:
        for suffix in ("", SUFFIX, *_JOURNALS):
            self._fresh.with_name(self._fresh.name + suffix).unlink(missing_ok=True)

    @property
    def taken(self) -> bool:
        """See `Target`."""
        return self._file.exists() and self._file.stat().st_size > 0

    @property
    def url(self) -> str:
        """See `Target`."""
        return URL.create("sqlite", database=str(self._fresh)).render_as_string()

    def engine(self) -> Engine:
        """See `Target`."""
        self._fresh.touch(mode=0o600)
        # Nobody reads it before it is whole and on the disk.
        return create_engine(self.url, poolclass=NullPool, hide_parameters=True)

    def buried(self) -> Mapping[str, float]:
        """See `Target`."""
        if self.taken:
            with suppress(sqlite3.Error), closing(sqlite3.connect(self._file)) as old:
                return {str(person): float(at) for person, at in old.execute("SELECT person, at FROM tombstones")}
        return {}

    def put(self, aside: str) -> str:
        """See `Target`."""
        fsync(self._fresh)
        kept = self._file.with_name(aside)
        if self.taken:
            # What a crash left in a journal goes into the file first; a file that is broken is kept as it is, with its journal.
            with suppress(sqlite3.Error), closing(sqlite3.connect(self._file)) as old:
                old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                old.execute("SELECT count(*) FROM sqlite_master").fetchall()
            kept.mkdir(mode=0o700, exist_ok=True)
            os.link(self._file, kept / self._file.name)
            for suffix in _JOURNALS:
                journal = self._file.with_name(self._file.name + suffix)
                if journal.exists():
                    journal.rename(kept / journal.name)
        self._fresh.replace(self._file)
        with suppress(OSError):  # it has its place already; some network file systems cannot
            fsync(self._file.parent)
        return str(kept / self._file.name) if (kept / self._file.name).exists() else ""


class PostgresqlTarget:
    """The schema that the address leads to; the new tables are made in a schema of their own and then moved."""

    def __init__(self, url: str, name: str) -> None:
        """`name`: of the schema for the new tables."""
        self.folder: Path | None = None
        self._engine = create_engine(postgresql_url(url), poolclass=NullPool, hide_parameters=True)
        self._name = name
        self._url = make_url(postgresql_url(url)).update_query_dict({"options": f"-c search_path={name}"})
        self.where = self._engine.url.set(query={}).render_as_string(hide_password=True)

    def __enter__(self) -> Self:
        """See `Target`."""
        with self._engine.begin() as connection:
            others = connection.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND application_name = :name AND pid <> pg_backend_pid()"
                ),
                {"name": APPLICATION},
            ).scalar_one()
            if others:
                raise RestoreRefused(where=self.where)
            connection.exec_driver_sql(f"CREATE SCHEMA {self._name}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `Target`."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {self._name} CASCADE")

    @property
    def taken(self) -> bool:
        """See `Target`."""
        with self._engine.connect() as connection:
            return bool(_ours(connection))

    @property
    def url(self) -> str:
        """See `Target`."""
        return self._url.render_as_string(hide_password=False)

    def engine(self) -> Engine:
        """See `Target`."""
        return create_engine(self._url, poolclass=NullPool, hide_parameters=True)

    def buried(self) -> Mapping[str, float]:
        """See `Target`."""
        with self._engine.connect() as connection:
            if schema.tombstones.name not in _ours(connection):
                return {}
            return {row.person: row.at for row in connection.execute(schema.tombstones.select())}

    def put(self, aside: str) -> str:
        """See `Target`."""
        kept = f"saseo_{aside.replace('-', '_').lower()}"
        with self._engine.begin() as connection:
            for statement in NO_LIMITS:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")  # somebody who came in meanwhile
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({starting.LOCK})")
            here = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
            old = _ours(connection)
            if old:
                connection.exec_driver_sql(f"CREATE SCHEMA {kept}")
                _move(connection, here, kept, old)
            _move(connection, self._name, here, _ours(connection, self._name))
        return f"schema {kept}" if old else ""


def _ours(connection: Connection, name: str | None = None) -> list[str]:
    """Names of our tables that are in a schema; the address's own by default."""
    wanted = {*schema.metadata.tables, migrations.TABLE}
    return sorted(wanted & set(inspect(connection).get_table_names(name)))


def _move(connection: Connection, source: str, target: str, tables: list[str]) -> None:
    """With their indexes, counters and triggers; the triggers' function is moved, too."""
    for table in tables:
        connection.exec_driver_sql(f'ALTER TABLE {source}."{table}" SET SCHEMA {target}')
    functions = text(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE quote_ident(n.nspname) = :source AND p.proname = 'audit_append_only'"
    )
    for (function,) in connection.execute(functions, {"source": source}).all():
        connection.exec_driver_sql(f"ALTER FUNCTION {source}.{function}() SET SCHEMA {target}")
