"""The store at one moment, on both databases and under writers that never rest."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select

from bot.store import dump, facts, schema, snapshot
from bot.store.database import Store


def two(connection: Connection, number: int) -> None:
    """Two rows that are always there together."""
    for half in ("a", "b"):
        connection.execute(insert(schema.facts).values(key=f"{half}{number}", value="글" * 300))


def test_what_is_written_meanwhile_is_not_seen(store: Store, tmp_path: Path) -> None:
    store.run_now(facts.put, "kept", "before")
    with store.snapshot(tmp_path) as connection:
        assert dump.count(connection, next(one for one in dump.shapes(connection) if one.table == "facts")) == 2
        store.run_now(facts.put, "kept", "after")
        store.run_now(two, 1)
        found = connection.execute(select(schema.facts.c.value).where(schema.facts.c.key == "kept")).scalar()
        assert found == "before"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".snapshot")] == []


def test_a_copy_that_writers_overtake_again_and_again_is_made_in_one_go(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.file is None:
        pytest.skip("PostgreSQL copies nothing")
    monkeypatch.setattr(snapshot, "_PAGES", 1)
    for number in range(50):
        store.run_now(two, number)
    stop = threading.Event()

    def write() -> None:
        number = 1000
        while not stop.is_set():
            store.run_now(two, number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with store.snapshot(tmp_path) as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            count = connection.execute(select(func.count()).select_from(schema.facts)).scalar_one()
    finally:
        stop.set()
        writer.join()
    assert count >= 101
    assert (count - 1) % 2 == 0  # and the fact that there is a schema


def test_a_copy_is_its_owners_alone_and_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE t (x)")
    raw.close()

    def fails(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        snapshot.copy_sqlite(file, tmp_path / "copy.sqlite", fails)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.sqlite"]
    snapshot.copy_sqlite(file, tmp_path / "copy.sqlite")
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o777 == 0o600


def test_every_column_of_the_schema_can_be_written_down(store: Store) -> None:
    shapes = store.run_now(dump.shapes)
    assert {one.table for one in shapes} == set(schema.metadata.tables) - dump.LEFT_OUT
    for one in shapes:
        assert set(one.names) == set(schema.metadata.tables[one.table].c.keys())
