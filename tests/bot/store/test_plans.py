"""The database finds what an erasure and retention look for by indexes: whole tables are read by neither, once per row least of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event, select

from bot.store import personal
from bot.store.database import Store
from bot.store.schema import exports, metadata, questions
from tests.bot.store.rows import KIM
from tests.bot.store.test_forgetting import lived

__all__ = ["lived"]
REFERENCES = sorted(
    (str(column.table.name), str(column.name))
    for table in metadata.sorted_tables
    for column in (key.parent for key in table.foreign_keys)
)


def whole_tables(connection: Connection, statement: str, parameters: Any) -> set[str]:
    """What the database would read from end to end for this statement."""
    found = set()
    if connection.dialect.name == "sqlite":
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
            words = str(row[3]).split()
            if words[0] == "SCAN" and "USING" not in words:
                found.add(words[1])
        return found
    connection.exec_driver_sql(
        "SET LOCAL enable_seqscan = off"
    )  # small tables are read whole wherever that is possible
    for (line,) in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters):
        if "Seq Scan on " in line:
            found.add(line.partition("Seq Scan on ")[2].split()[0])
    return found


@contextmanager
def listening(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Statements as they go to the driver, with their parameters."""
    heard: list[tuple[str, Any]] = []

    def hear(connection: Connection, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        heard.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(connection, "before_cursor_execute", hear)


@pytest.mark.parametrize(("table", "column"), REFERENCES)
def test_what_goes_with_a_deleted_row_is_found_by_an_index(table: str, column: str) -> None:
    """A foreign key that cascades is looked up for each row that goes, on both databases by the same indexes."""
    kept: Table = metadata.tables[table]
    beginnings = {next(iter(index.columns)).name for index in kept.indexes}
    beginnings.add(next(iter(kept.primary_key.columns)).name)
    assert column in beginnings or kept.columns[column].unique


def test_the_questions_of_a_person_go_without_reading_whole_tables(lived: Store) -> None:
    def plan(connection: Connection) -> dict[str, set[str]]:
        read = {}
        for table, column in REFERENCES:
            by = metadata.tables[table].columns[column] == "x"
            statement = metadata.tables[table].delete().where(by).compile(connection)
            values = statement.params if connection.dialect.name == "postgresql" else tuple(statement.params.values())
            read[table] = whole_tables(connection, str(statement), values)
        return read

    assert not set().union(*lived.run_now(plan).values())


def test_all_of_a_person_is_read_without_reading_whole_tables(lived: Store) -> None:
    def plan(connection: Connection) -> tuple[int, set[str]]:
        with listening(connection) as heard:
            assert not personal.of_person(connection, KIM.key).empty
        return len(heard), set().union(*(whole_tables(connection, *one) for one in heard))

    statements, read = lived.run_now(plan)
    assert statements > 15
    assert read == {exports.name}  # files with people's words: few, and each names many


def test_a_whole_table_would_be_noticed(store: Store) -> None:
    def plan(connection: Connection) -> set[str]:
        with listening(connection) as heard:
            connection.execute(select(questions).where(questions.c.text == "x"))
        return set().union(*(whole_tables(connection, *one) for one in heard))

    assert store.run_now(plan) == {questions.name}
