"""What a restore put aside on PostgreSQL goes when somebody in it is erased, and when it is old."""

from __future__ import annotations

import calendar
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.privacy.retention import DAY, sweep
from bot.privacy_settings import PrivacySettings
from bot.store.asides import asides, drop, holds
from bot.store.database import Store

NAME = "saseo_before_restore_20261101t120000z"
MADE = float(calendar.timegm((2026, 11, 1, 12, 0, 0)))


def put_aside(connection: Connection) -> None:
    connection.exec_driver_sql(f"CREATE SCHEMA {NAME}")
    connection.exec_driver_sql(f"CREATE TABLE {NAME}.questions (person text)")
    connection.exec_driver_sql(f"INSERT INTO {NAME}.questions SELECT 'p:1'")
    connection.exec_driver_sql(f"CREATE TABLE {NAME}.escalations (resolved_by text)")  # of an older program
    connection.exec_driver_sql("CREATE SCHEMA saseo_before_restore_of_somebody_else")


@pytest.fixture
def aside(store: Store) -> Store:
    if "postgresql" not in store.where:
        pytest.skip("SQLite keeps a folder")
    store.run_now(put_aside)
    return store


def test_on_sqlite_there_are_none(store: Store) -> None:
    if "postgresql" in store.where:
        pytest.skip("of SQLite")
    assert store.run_now(asides) == {}


def test_it_is_found_looked_into_and_dropped(aside: Store) -> None:
    assert aside.run_now(asides) == {NAME: MADE}
    assert aside.run_now(holds, NAME, {"p:1", "slack:U1"})
    assert not aside.run_now(holds, NAME, {"p:2"})
    aside.run_now(drop, NAME)
    assert aside.run_now(asides) == {}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("votes", "person"),
        ("vote_changes", "person"),
        ("examples", "asker"),
        ("example_people", "person"),
        ("escalations", "called_by"),
        ("escalations", "resolved_by"),
    ],
)
def test_whoever_said_something_stands_in_it(aside: Store, table: str, column: str) -> None:
    def put(connection: Connection) -> None:
        connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {NAME}.{table} ()")
        connection.exec_driver_sql(f"ALTER TABLE {NAME}.{table} ADD COLUMN IF NOT EXISTS {column} text")
        connection.exec_driver_sql(f"INSERT INTO {NAME}.{table} ({column}) SELECT 'p:3'")

    assert not aside.run_now(holds, NAME, {"p:3"})
    aside.run_now(put)
    assert aside.run_now(holds, NAME, {"p:3"})


def test_it_goes_after_a_month(aside: Store, tmp_path: Path) -> None:
    assert sweep(aside, tmp_path, PrivacySettings(), now=MADE + 29 * DAY)["before_restores"] == 0
    assert sweep(aside, tmp_path, PrivacySettings(), now=MADE + 31 * DAY)["before_restores"] == 1
    assert aside.run_now(asides) == {}
