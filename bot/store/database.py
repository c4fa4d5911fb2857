"""The store's database: SQLite in the data directory by default, PostgreSQL by `[store] url`. Transactions run off the event loop.

SQLite: full synchronisation, and a write-ahead log only where the library is free of the WAL-reset race (3.51.3,
https://sqlite.org/wal.html); an older one keeps the rollback journal, which several processes may share safely.
Write transactions begin IMMEDIATE, so that a claim is never read by one process and taken by another in between.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from bot.errors import StoreError
from bot.store import schema, starting
from bot.store.in_use import Hold
from bot.store.snapshot import snapshot
from bot.telemetry.observer import Observer

P = ParamSpec("P")
T = TypeVar("T")

_WAL_IS_SAFE = (3, 51, 3)
_FILE = "saseo.sqlite"
"""In the data directory, where `[store] url` says nothing."""
_BUSY_SECONDS = 15.0
_TRIES = 5
_CHECKPOINTS = 3
"""Each waits for readers as long as SQLite does."""
APPLICATION = "saseo"
"""How a process of ours names its sessions on PostgreSQL, so that who restores a backup sees them."""
_POSTGRESQL_LIMITS: dict[str, int | str] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": APPLICATION,
    "options": "-c statement_timeout=15000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000",
}
"""libpq's connection parameters (https://www.postgresql.org/docs/current/libpq-connect.html): seconds, or milliseconds for
`tcp_user_timeout` and `options`. Without them a dead server's host holds a thread for a quarter of an hour or longer."""
_COMPACTING_LIMITS = {"statement_timeout": "0", "lock_timeout": "20s"}
"""Of the session while it rewrites tables, however large they are; it waits for a table longer than any statement of ours may run."""


class Store:
    """Runs record functions (`bot/store/questions.py` …), each inside one transaction.

        claim = await store.run(questions.claim, asked, …)

    The functions get the connection first; whatever they raise rolls everything back.
    """

    def __init__(
        self, engine: Engine, threads: int, observer: Observer | None = None, hold: Hold | None = None
    ) -> None:
        self._engine = engine
        self._hold = hold
        self._observer = observer or Observer()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")

    @property
    def where(self) -> str:
        """The address without a password."""
        return _shown(self._engine.url)

    @property
    def file(self) -> Path | None:
        """Of SQLite; None for PostgreSQL."""
        return file_of(self._engine.url)

    @contextmanager
    def snapshot(
        self, scratch: Path, told: Callable[[int, int], None] = lambda done, total: None
    ) -> Iterator[Connection]:
        """A connection that sees one moment while others go on writing (bot/store/snapshot.py). Raises StoreError, OSError."""
        try:
            with snapshot(self._engine, scratch, told) as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreError(where=self.where, reason=_short(error)) from error

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(connection, …)` in a transaction on the store's thread. Raises StoreError when the database cannot be reached."""
        context = contextvars.copy_context()  # what is logged there is about the same question
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(lambda: self.run_now(work, *args, **kwargs))
        )

    def run_now(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`run` on the calling thread: for commands without an event loop."""
        began = time.monotonic()
        try:
            return self._tried(work, began, *args, **kwargs)
        except StoreError:
            self._observer.store_failed()
            raise
        finally:
            self._observer.stored(time.monotonic() - began)

    def _tried(
        self, work: Callable[Concatenate[Connection, P], T], began: float, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for attempt in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    return work(connection, *args, **kwargs)
            except (TryAgain, OperationalError) as error:
                # Locked, deadlocked, or the server went away: the whole transaction again, a little later.
                # Who waited for a lock as long as SQLite does is told so, while the claim they hold is still theirs.
                if attempt == _TRIES - 1 or time.monotonic() - began > _BUSY_SECONDS / 2:
                    raise StoreError(where=self.where, reason=_short(error)) from error
                time.sleep(0.05 * 2**attempt * (1 + random.random()))  # noqa: S311 - jitter
            except DBAPIError as error:
                if error.connection_invalidated and attempt < _TRIES - 1:
                    continue
                raise StoreError(where=self.where, reason=_short(error)) from error
        raise AssertionError  # the loop returns or raises

    def compact(self) -> None:
        """Rewrite what the database keeps, so that nothing deleted is left in its files. Others wait meanwhile. Raises StoreError.

        PostgreSQL's own log may hold deleted rows until it is recycled, and so may its backups.
        """
        raw = self._engine.raw_connection()
        try:
            connection: Any = raw.driver_connection
            if self._engine.dialect.name == "sqlite":
                connection.execute("VACUUM")
                self._empty_log(connection)
                return
            connection.rollback()
            connection.autocommit = True
            try:
                for name, value in _COMPACTING_LIMITS.items():
                    connection.execute(f"SET {name} = '{value}'")
                for table in schema.metadata.sorted_tables:
                    if table.name != schema.audit.name:
                        connection.execute(f'VACUUM (FULL, ANALYZE) "{table.name}"')
            finally:
                for name in _COMPACTING_LIMITS:
                    connection.execute(f"RESET {name}")
                connection.autocommit = False
        except StoreError:
            raise
        except Exception as error:  # whichever driver it is; it may name rows' texts
            raise StoreError(where=self.where, reason=type(error).__name__) from error
        finally:
            raw.close()

    def _empty_log(self, connection: sqlite3.Connection) -> None:
        """The write-ahead log, if there is one, holds deleted rows until it is cut off. Whoever still reads an earlier moment prevents it.

        Such a reader makes no error: the first column of the answer says so (https://sqlite.org/pragma.html#pragma_wal_checkpoint).
        """
        for _ in range(_CHECKPOINTS):
            (busy, *_pages) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return
        raise StoreError(where=self.where, reason="wal_checkpoint: busy")

    def close(self) -> None:
        """Let running transactions end, then close every connection."""
        self._threads.shutdown(wait=True)
        self._engine.dispose()
        if self._hold is not None:
            self._hold.close()


class TryAgain(Exception):
    """Raised by a record function that lost a race and wants its transaction to start over."""


def open_store(url: str, data_dir: Path, observer: Observer | None = None) -> Store:
    """Open; create its tables or bring them up to date (bot/store/starting.py). For `url` and `data_dir` see `address_of`.

    Raises StoreError.
    """
    address = address_of(url, data_dir)
    sqlite = address.get_backend_name() == "sqlite"
    shown = _shown(address)
    try:
        if not url:
            data_dir.mkdir(parents=True, exist_ok=True)
            (data_dir / _FILE).touch(mode=0o600)  # it holds what people asked; its journal gets the same rights
        engine = _sqlite(address) if sqlite else _postgresql(address)
        try:
            hold = starting.start(engine, shown, file_of(address), data_dir / "backups", time.time)
        except BaseException:
            engine.dispose()
            raise
    except (SQLAlchemyError, OSError, ValueError, ImportError) as error:  # a driver that is none
        raise StoreError(where=shown, reason=_short(error)) from error
    # One thread is SQLite's one writer; PostgreSQL sorts concurrent transactions out itself.
    return Store(engine, 1 if sqlite else 4, observer, hold)


def address_of(url: str, data_dir: Path) -> URL:
    """The store that `[store] url` means; an empty one is `saseo.sqlite` in `data_dir`. Raises StoreError for what cannot be one."""
    if not url:
        return URL.create("sqlite", database=str(data_dir / _FILE))
    try:
        address = make_url(postgresql_url(url))
    except (ArgumentError, ValueError) as error:  # a port that is none
        raise StoreError(where="[store] url", reason=_short(error)) from error
    if "@" in (address.host or ""):
        raise StoreError(where=_shown(address), reason="write @ in the password as %40")
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(where=_shown(address), reason="only sqlite and postgresql")
    return address


def store_exists(url: str, data_dir: Path) -> bool:
    """Whether anything can have been stored: False for the default file as long as nobody has made it."""
    return bool(url) or (data_dir / _FILE).exists()


def postgresql_url(url: str) -> str:
    """With the driver that we use; any other address as it is."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url


def _shown(url: URL) -> str:
    """Without the password, wherever it was written: before the @, after it because of a second @, or as `?password=`."""
    host = url.host.rpartition("@")[2] if url.host else url.host
    return url.set(host=host, query={}).render_as_string(hide_password=True)


def file_of(address: URL) -> Path | None:
    """Of a SQLite database on disk; None for one in memory, and for PostgreSQL."""
    name = address.database or ""
    return Path(name) if address.get_backend_name() == "sqlite" and name not in ("", ":memory:") else None


def _postgresql(url: URL) -> Engine:
    """A server that went away silently is noticed within half a minute, unless the address says otherwise."""
    limits = {name: value for name, value in _POSTGRESQL_LIMITS.items() if name not in url.query}
    # Parameters are people's texts: an exception that is logged must not show them.
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=4,
        isolation_level="READ COMMITTED",
        connect_args=limits,
        hide_parameters=True,
    )


def _sqlite(url: URL) -> Engine:
    # A traceback prints the driver's error, and with it what people wrote, unless the parameters are hidden.
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
    journal = "WAL" if sqlite3.sqlite_version_info >= _WAL_IS_SAFE else "TRUNCATE"

    @event.listens_for(engine, "connect")
    def _set_up(raw: sqlite3.Connection, _: object) -> None:
        raw.isolation_level = None  # no implicit BEGIN: ours below is IMMEDIATE
        cursor = raw.cursor()
        for pragma in (f"journal_mode={journal}", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _short(error: BaseException) -> str:
    """The driver's own sentence, without the statement and its parameters, which hold people's texts."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}"[:300]
