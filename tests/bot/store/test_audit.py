"""The audit: appended to by many, changed by nobody, and what was touched shows."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from bot.errors import StoreError
from bot.store import audit, schema
from bot.store.append_only import LEAST_SECONDS
from bot.store.database import Store

YEAR = float(LEAST_SECONDS)


def written(store: Store, times: int, *, at: float = 1000.0) -> None:
    for number in range(times):
        store.run_now(
            audit.record,
            by="cli",
            action=f"lora.promote{number}",
            subject="hr-1",
            detail={"n": number},
            now=at + number,
        )


def without_guard(connection: Connection) -> None:
    """What somebody with all rights of the database can do."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
    else:
        for name in ("audit_unchanged", "audit_kept"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")


def test_entries_come_back_as_they_were_recorded_newest_first(store: Store) -> None:
    store.run_now(
        audit.record,
        by="web:kim",
        action="privacy.export",
        subject="p:1",
        detail={"rows": 3},
        origin="10.0.0.7",
        now=5.5,
    )
    store.run_now(audit.record, by="cli", action="backup.made", now=6.5)
    newest, oldest = store.run_now(audit.entries)
    assert (newest.id, newest.by, newest.action, newest.at) == (2, "cli", "backup.made", 6.5)
    assert (oldest.by, oldest.subject, dict(oldest.detail), oldest.origin) == (
        "web:kim",
        "p:1",
        {"rows": 3},
        "10.0.0.7",
    )


def test_pages_and_filters(store: Store) -> None:
    written(store, 7)
    store.run_now(audit.record, by="cli", action="privacy.forget", now=2000.0)
    first = store.run_now(audit.entries, most=3)
    second = store.run_now(audit.entries, most=3, before=first[-1].id)
    assert [one.id for one in (*first, *second)] == [8, 7, 6, 5, 4, 3]
    assert [one.id for one in store.run_now(audit.entries, action="privacy.")] == [8]
    assert [one.id for one in store.run_now(audit.entries, action="lora.promote3")] == [4]
    assert [one.id for one in store.run_now(audit.entries, since=1002.0, until=1004.0)] == [4, 3]
    assert store.run_now(audit.entries, subject="nobody") == []


def test_an_untouched_chain_is_whole_and_its_head_can_be_noted(store: Store) -> None:
    assert store.run_now(audit.verify) == audit.Verdict(0, audit.START)
    written(store, 3)
    head = store.run_now(audit.verify).head
    written(store, 2)
    assert store.run_now(audit.verify, head).whole
    assert store.run_now(audit.verify).entries == 5


@pytest.mark.parametrize("column", ["at", "by", "action", "subject", "detail", "origin"])
def test_a_changed_row_is_found(store: Store, column: str) -> None:
    written(store, 4)

    def touch(connection: Connection) -> None:
        without_guard(connection)
        value: object = 1.0 if column == "at" else "{}" if column == "detail" else "x"
        connection.execute(update(schema.audit).where(schema.audit.c.id == 3).values({column: value}))

    store.run_now(touch)
    found = store.run_now(audit.verify)
    assert (found.broken, found.reason, found.entries) == (3, "changed", 2)


def test_a_missing_row_is_found_in_the_middle_and_at_the_beginning(store: Store) -> None:
    written(store, 4)

    def drop(connection: Connection, number: int) -> None:
        if number == 3:
            without_guard(connection)
        connection.execute(delete(schema.audit).where(schema.audit.c.id == number))

    store.run_now(drop, 3)
    assert store.run_now(audit.verify).reason == "missing"
    store.run_now(drop, 1)
    found = store.run_now(audit.verify)
    assert (found.reason, found.broken) == ("beginning", 2)


def test_a_cut_off_end_is_found_beside_a_noted_head(store: Store) -> None:
    written(store, 4)
    head = store.run_now(audit.verify).head

    def cut(connection: Connection) -> None:
        without_guard(connection)
        connection.execute(delete(schema.audit).where(schema.audit.c.id == 4))

    store.run_now(cut)
    assert store.run_now(audit.verify).whole
    assert store.run_now(audit.verify, head).reason == "unknown"


def test_an_inserted_row_is_found(store: Store) -> None:
    written(store, 2)

    def forge(connection: Connection) -> None:
        row = dict(connection.execute(select(schema.audit).where(schema.audit.c.id == 2)).one()._mapping)
        connection.execute(insert(schema.audit).values(**row | {"id": 3, "by": "web:lee"}))

    store.run_now(forge)
    assert store.run_now(audit.verify).broken == 3


def test_the_database_refuses_changes_and_deletions(store: Store) -> None:
    written(store, 2)
    for work in (
        lambda connection: connection.execute(update(schema.audit).values(by="x")),
        lambda connection: connection.execute(delete(schema.audit)),
    ):
        with pytest.raises(StoreError):
            store.run_now(work)
    assert store.run_now(audit.verify).entries == 2


def test_postgresql_refuses_to_be_emptied(store: Store) -> None:
    if "postgresql" not in store.where:
        pytest.skip("SQLite has no TRUNCATE")
    written(store, 1)
    with pytest.raises(StoreError):
        store.run_now(lambda connection: connection.exec_driver_sql("TRUNCATE audit"))


def test_old_rows_go_on_record_and_the_rest_stays_whole(store: Store) -> None:
    written(store, 3, at=1000.0)
    written(store, 2, at=1000.0 + YEAR)
    now = 1500.0 + YEAR
    assert store.run_now(audit.trim, older_than=now, by="job:retention", now=now) == 3
    left = store.run_now(audit.entries)
    assert [one.id for one in left] == [6, 5, 4]
    assert (left[0].action, left[0].subject) == ("audit.trimmed", "3")
    assert store.run_now(audit.verify).whole
    # Once more, when the record of the first time is itself old.
    later = now + YEAR + 1000.0
    assert store.run_now(audit.trim, older_than=later, by="job:retention", now=later) == 3
    assert store.run_now(audit.verify).whole


def test_nothing_younger_than_a_year_is_trimmed(store: Store) -> None:
    written(store, 3)
    assert store.run_now(audit.trim, older_than=9e12, by="cli", now=2000.0) == 0
    # Also a forged record of a deletion does not help.
    store.run_now(audit.record, by="x", action="audit.trimmed", subject="3", now=2000.0)
    with pytest.raises(StoreError):
        store.run_now(lambda connection: connection.execute(delete(schema.audit).where(schema.audit.c.id <= 3)))


def test_a_clock_that_ran_ahead_keeps_what_follows(store: Store) -> None:
    written(store, 2, at=1000.0)
    store.run_now(audit.record, by="cli", action="x", now=1000.0 + 2 * YEAR)
    written(store, 1, at=1010.0)
    now = 1100.0 + YEAR
    assert store.run_now(audit.trim, older_than=now, by="job:retention", now=now) == 2
    assert store.run_now(audit.verify).whole


def test_long_values_are_kept_as_their_length(store: Store) -> None:
    store.run_now(audit.record, by="cli", action="x", detail={"why": "가" * 500, "list": ["짧은 것"]}, now=1.0)
    (row,) = store.run_now(audit.entries)
    assert dict(row.detail) == {"why": "<500 characters>", "list": ["짧은 것"]}
    assert json.loads(json.dumps(row.as_json()))["detail"] == dict(row.detail)


def test_many_writers_make_one_chain(store: Store) -> None:
    def write(name: str) -> None:
        for number in range(8):
            store.run_now(audit.record, by=name, action="x", detail={"n": number}, now=float(number))

    threads = [threading.Thread(target=write, args=(f"writer{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = store.run_now(audit.verify)
    assert (verdict.whole, verdict.entries) == (True, 32)


def test_what_was_rolled_back_is_not_on_record(store: Store) -> None:
    def fails(connection: Connection) -> None:
        audit.record(connection, by="cli", action="x", now=1.0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.run_now(fails)
    written(store, 1)
    assert store.run_now(audit.verify).entries == 1
