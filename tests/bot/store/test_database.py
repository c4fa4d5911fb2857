"""The database under strain: locked, silent, and not for everybody's eyes."""

from __future__ import annotations

import socket
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.errors import StoreError
from bot.store import database, facts, questions
from bot.store.database import Store, open_store
from bot.store.questions import ClaimKind
from tests.bot.store.rows import asked


def test_a_locked_database_is_told_before_a_claim_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 3.0)
    store = open_store("", tmp_path)
    other = sqlite3.connect(tmp_path / "saseo.sqlite", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(StoreError, match="locked"):
            store.run_now(facts.get, "x")
        assert time.monotonic() - began < 12.0  # once, not five times, as long as SQLite waits
        other.execute("ROLLBACK")
        assert store.run_now(facts.get, "x") is None
    finally:
        other.close()
        store.close()


def test_a_full_disk_is_a_sentence_and_passes(tmp_path: Path) -> None:
    store = open_store("", tmp_path)
    try:
        pages = store.run_now(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar())
        store.run_now(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar())
        with pytest.raises(StoreError, match="full"):
            store.run_now(questions.claim, asked("e1", text="글" * 20000), owner="a", now=0.0, lease=9.0)
        store.run_now(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=100000").scalar())
        kind, _ = store.run_now(questions.claim, asked("e1"), owner="a", now=0.0, lease=9.0)
        assert kind is ClaimKind.NEW
    finally:
        store.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    open_store("", tmp_path).close()
    assert stat.S_IMODE((tmp_path / "saseo.sqlite").stat().st_mode) == 0o600


def test_a_silent_postgresql_server_does_not_hold_the_process_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database._POSTGRESQL_LIMITS, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never says a word
        url = f"postgresql://saseo@127.0.0.1:{silent.getsockname()[1]}/wiki"
        with pytest.raises(StoreError, match="timeout"):
            open_store(url, tmp_path)


@pytest.mark.parametrize("url", ["mysql://saseo:geheim@db/wiki", "postgresql://saseo:ge@heim@db/wiki", "nonsense"])
def test_an_address_that_cannot_be_a_store_is_a_sentence_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(url, tmp_path)
    assert "heim" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "위키 100%25?a=b#c"
    store = open_store("", folder)
    try:
        assert store.file == folder / "saseo.sqlite"
        with store.snapshot(tmp_path) as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM facts").scalar() == 1
    finally:
        store.close()
    assert "saseo.sqlite" in {one.name for one in folder.iterdir()}
    assert [one.name for one in tmp_path.iterdir()] == [folder.name]


def _limits(store: Store) -> list[object]:
    def read(connection: Connection) -> list[object]:
        return [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("statement_timeout", "lock_timeout")]

    return store.run_now(read)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_table_whose_rewriting_takes_longer_than_a_statement_may_is_compacted(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    open_store(url, tmp_path).close()
    with psycopg.connect(url, autocommit=True) as other:
        # Who rewrites the table makes its index anew: a second for each row.
        slow = "BEGIN PERFORM pg_catalog.pg_sleep(1); RETURN value; END"
        other.execute(f"CREATE FUNCTION slow(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS '{slow}'".encode())
        other.execute("CREATE INDEX slowly ON tombstones (slow(person))")
        other.execute("INSERT INTO tombstones VALUES ('p:1', 1.0)")
    limits = "-c statement_timeout=500 -c lock_timeout=10000"
    monkeypatch.setitem(database._POSTGRESQL_LIMITS, "options", limits)
    store = open_store(url, tmp_path)
    try:
        store.compact()
        assert _limits(store) == ["500ms", "10s"]
    finally:
        store.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_session_that_could_not_compact_has_its_limits_back(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setitem(database._COMPACTING_LIMITS, "lock_timeout", "100ms")
    store = open_store(url, tmp_path)
    try:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE votes")
            with pytest.raises(StoreError):
                store.compact()
        assert _limits(store) == ["15s", "10s"]
    finally:
        store.close()


def test_the_address_may_set_its_own_limits() -> None:
    url = make_url("postgresql+psycopg://saseo@db/wiki?connect_timeout=60")
    engine = database._postgresql(url)
    _, arguments = engine.dialect.create_connect_args(engine.url)
    assert arguments["connect_timeout"] == "60"
    engine.dispose()


def test_a_store_whose_log_is_still_read_is_not_called_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.1)
    monkeypatch.setattr(database, "_WAL_IS_SAFE", (3, 0, 0))
    store = open_store("", tmp_path)
    reader = sqlite3.connect(tmp_path / "saseo.sqlite", isolation_level=None)
    log = tmp_path / "saseo.sqlite-wal"
    try:
        store.run_now(facts.put, "x", "카나리아")
        reader.execute("BEGIN")
        assert reader.execute("SELECT value FROM facts WHERE key = 'x'").fetchone() == ("카나리아",)
        store.run_now(facts.put, "x", "gone")
        with pytest.raises(StoreError, match="busy"):
            store.compact()
        assert "카나리아".encode() in log.read_bytes()
        reader.execute("ROLLBACK")
        store.compact()
        assert log.stat().st_size == 0
        assert "카나리아".encode() not in (tmp_path / "saseo.sqlite").read_bytes()
    finally:
        reader.close()
        store.close()
