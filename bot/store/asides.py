"""What a restore put aside in PostgreSQL: the tables of before, in a schema of their own (bot/backup/targets.py). SQLite keeps a folder."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Collection

from sqlalchemy import Connection, bindparam, text

_NAME = re.compile(r"saseo_before_restore_(\d{8}t\d{6})z")


def asides(connection: Connection) -> dict[str, float]:
    """Schema → when it was put aside."""
    if connection.dialect.name != "postgresql":
        return {}
    names = connection.exec_driver_sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'saseo_before_restore_%%'")
    found = {name: _NAME.fullmatch(name) for name in names.scalars()}
    return {
        name: float(calendar.timegm(time.strptime(match[1], "%Y%m%dt%H%M%S"))) for name, match in found.items() if match
    }


def holds(connection: Connection, schema: str, people: Collection[str]) -> bool:
    """Whether one of these people stands in it: as an asker, or by a vote. `schema`: one of `asides`."""
    for table in ("questions", "votes"):
        if connection.exec_driver_sql(f"SELECT to_regclass('\"{schema}\".{table}')").scalar() is None:
            continue
        found = text(f'SELECT 1 FROM "{schema}".{table} WHERE person IN :people LIMIT 1')  # noqa: S608 - a schema of ours
        if connection.execute(found.bindparams(bindparam("people", list(people), expanding=True))).first() is not None:
            return True
    return False


def drop(connection: Connection, schema: str) -> None:
    """It goes, with all its tables. `schema`: one of `asides`."""
    connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')
