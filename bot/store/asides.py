"""What a restore put aside in PostgreSQL: the tables of before, in a schema of their own (bot/backup/targets.py). SQLite keeps a folder."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Collection

from sqlalchemy import Connection, bindparam, text

_NAME = re.compile(r"saseo_before_restore_(\d{8}t\d{6})z")
_PEOPLE = (
    ("questions", "person"),
    ("votes", "person"),
    ("vote_changes", "person"),
    ("escalations", "resolved_by"),
    ("escalations", "called_by"),
    ("examples", "asker"),
    ("example_people", "person"),
)
"""Table and column of whoever asked, voted, called, answered a call, or stands in an example."""


def asides(connection: Connection) -> dict[str, float]:
    """Schema → when it was put aside."""
    if connection.dialect.name != "postgresql":
        return {}
    names = connection.exec_driver_sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'saseo_before_restore_%%'")
    found = {name: _NAME.fullmatch(name) for name in names.scalars()}
    return {
        name: float(calendar.timegm(time.strptime(match[1], "%Y%m%dt%H%M%S"))) for name, match in found.items() if match
    }


def folder_of(schema: str) -> str:
    """The name of the folder with what the same restore put aside of files. `schema`: one of `asides`."""
    return f"before-restore-{schema.rpartition('_')[2].upper()}"


def holds(connection: Connection, schema: str, people: Collection[str]) -> bool:
    """Whether one of these people stands in it. `schema`: one of `asides`."""
    there = text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = :schema")
    columns = {(row.table_name, row.column_name) for row in connection.execute(there, {"schema": schema})}
    for table, column in _PEOPLE:
        if (table, column) not in columns:  # of an older program
            continue
        found = text(f'SELECT 1 FROM "{schema}".{table} WHERE {column} IN :people LIMIT 1')  # noqa: S608 - a schema of ours
        if connection.execute(found.bindparams(bindparam("people", list(people), expanding=True))).first() is not None:
            return True
    return False


def drop(connection: Connection, schema: str) -> None:
    """It goes, with all its tables. `schema`: one of `asides`."""
    connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')
