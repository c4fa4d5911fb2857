"""What happens to a store when it is opened: a new one gets its tables, an older one is brought up to date, a newer one is refused.

Usually nothing is to do, and that is found out with one read. A store is changed under a lock, in one transaction, after a backup:
whatever goes wrong leaves it as it was.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, inspect, select, update

from bot.errors import MigrationFailed, StoreInUse, StoreTooNew
from bot.store import audit, migrations, schema
from bot.store.in_use import Hold
from bot.store.snapshot import NO_LIMITS, copy_sqlite

_log = logging.getLogger(__name__)
_VERSION = Table(migrations.TABLE, MetaData(), Column("version_num", String(32), primary_key=True))
_WAIT_SECONDS = 20.0
"""For other processes to let an older store go."""
_LONGEST_SECONDS = 600.0
"""For one that is changing it."""
LOCK = 5343
"""PostgreSQL's advisory lock of whoever creates or changes the tables; an arbitrary number of our own."""


def revision(connection: Connection) -> str:
    """Of the store's tables; empty for a new database."""
    names = set(inspect(connection).get_table_names())
    if migrations.TABLE in names:
        found: str | None = connection.execute(select(_VERSION.c.version_num)).scalar()
        return found or ""
    return migrations.FIRST if schema.facts.name in names else ""


def _revision_now(engine: Engine) -> str:
    """Of a SQLite file, empty where alembic's table is not there: read without a transaction of ours, which would wait for every writer."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - for the type
        if not raw.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (migrations.TABLE,)).fetchone():
            return ""
        found = raw.execute(f"SELECT version_num FROM {migrations.TABLE}").fetchone()  # noqa: S608 - our own name
        return str(found[0]) if found else ""


def create(connection: Connection) -> None:
    """All tables as this program wants them, in an empty database."""
    schema.metadata.create_all(connection)
    _VERSION.create(connection)
    connection.execute(insert(_VERSION).values(version_num=migrations.head()))
    connection.execute(insert(schema.facts).values(key="schema", value=schema.VERSION))


def upgrade(connection: Connection) -> None:
    """From whatever revision to the newest, in the connection's transaction. See `migrations.upgrading.upgrade`."""
    from bot.store.migrations import upgrading

    upgrading.upgrade(connection)
    # Programs from before there were revisions look at this alone, and refuse what is not theirs.
    facts = schema.facts
    values = {"value": schema.VERSION}
    if not connection.execute(update(facts).where(facts.c.key == "schema").values(values)).rowcount:
        connection.execute(insert(facts).values(key="schema", **values))


def start(engine: Engine, where: str, file: Path | None, backups: Path, clock: Callable[[], float]) -> Hold | None:
    """Make the store ready. `where`: for people; `file`: of SQLite; `backups`: where the copy from before goes.

    The lock that says that a SQLite store is in use: close it with the store. Raises StoreTooNew, StoreInUse, MigrationFailed and
    what SQLAlchemy raises.
    """
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            if revision(connection) == migrations.head():
                return None
        _change_postgresql(engine, where, backups, clock)
        return None
    if file is None:
        with engine.begin() as connection:
            if not revision(connection):
                create(connection)
        return None
    hold = Hold(file)
    try:
        _take(hold, engine, where, file, backups, clock)
    except BaseException:
        hold.close()
        raise
    return hold


def _take(hold: Hold, engine: Engine, where: str, file: Path, backups: Path, clock: Callable[[], float]) -> None:
    """Share the store once it is as it should be. Of several processes one changes it, and the others wait for that."""
    began = changing_since = time.monotonic()
    while True:
        if hold.share():
            if _revision_now(engine) == migrations.head():
                return
            changing_since = time.monotonic()
            if hold.alone():
                _change_sqlite(engine, where, file, backups, clock)
                continue
            if time.monotonic() - began > _WAIT_SECONDS:
                raise StoreInUse(where=where)
        elif time.monotonic() - changing_since > _LONGEST_SECONDS:
            raise StoreInUse(where=where)
        time.sleep(0.02 + 0.1 * (os.getpid() % 7) / 7)  # not all at the same moment


def _change_sqlite(engine: Engine, where: str, file: Path, backups: Path, clock: Callable[[], float]) -> None:
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - for the type
        # A table that is made anew is dropped in between, which must not delete what refers to it. Not possible inside a transaction.
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                found = _refuse_newer(connection, where)
                if found == migrations.head():
                    return
                if not found:
                    create(connection)
                    return
                backup = backups / _name(clock(), ".sqlite")
                with _told(where, found, backup):
                    copy_sqlite(file, backup)
                    upgrade(connection)
                    _record(connection, found, backup, clock())
                    broken = raw.execute("PRAGMA foreign_key_check").fetchall()
                    if broken:
                        raise ValueError(f"{len(broken)} rows of {broken[0][0]} refer to nothing")
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


def _change_postgresql(engine: Engine, where: str, backups: Path, clock: Callable[[], float]) -> None:
    with engine.begin() as connection:
        for statement in NO_LIMITS:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        found = _refuse_newer(connection, where)
        if found == migrations.head():
            return
        if not found:
            create(connection)
            return
        now = clock()
        backup = backups / _name(now, ".zip")
        with _told(where, found, backup):
            from bot.backup.writing import write_rows  # a backup's archive, of the rows alone

            write_rows(engine, backup, now)
            upgrade(connection)
            _record(connection, found, backup, now)


def _refuse_newer(connection: Connection, where: str) -> str:
    found = revision(connection)
    if found not in ("", migrations.head()):
        from bot.store.migrations import upgrading

        if not upgrading.known(found):
            raise StoreTooNew(where=where, found=found, known=migrations.head())
    return found


@contextmanager
def _told(where: str, found: str, backup: Path) -> Iterator[None]:
    """Say in the log what happens to the store, and what went wrong in a sentence."""
    head = migrations.head()
    _log.warning(json.dumps({"event": "store_migrating", "from": found, "to": head, "backup": str(backup)}))
    try:
        yield
    except Exception as error:  # whatever a step raises: the transaction takes it all back
        cause = getattr(error, "orig", None) or error
        reason = f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"[:300]
        raise MigrationFailed(where=where, found=found, head=head, reason=reason) from error
    _log.warning(json.dumps({"event": "store_migrated", "from": found, "to": head}))


def _record(connection: Connection, found: str, backup: Path, now: float) -> None:
    detail = {"from": found, "backup": backup.name}
    audit.record(connection, by="saseo", action="store.migrate", subject=migrations.head(), detail=detail, now=now)


def _name(now: float, suffix: str) -> str:
    return f"before-{migrations.head()}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}{suffix}"
