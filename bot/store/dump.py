"""The store's rows as JSON Lines and back, the same from SQLite and PostgreSQL, so that either may be restored into the other.

One file per table, one line per row: the row's values as a JSON array, in the order of `Shape.columns`. A JSON column's value is a
string that holds its text, bytes are base64. What is read is what one transaction sees.
"""

from __future__ import annotations

import base64
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import JSON, Boolean, Connection, Float, Integer, LargeBinary, MetaData, String
from sqlalchemy.types import TypeEngine

from bot.store import schema

Kind: TypeAlias = Literal["text", "json", "bool", "float", "int", "bytes"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LEFT_OUT = frozenset({schema.web_sessions.name, schema.leases.name})
"""What belongs to processes and browsers of the moment: people log in again, and no lease outlives its holder."""
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands in the lines of one table."""

    table: str
    columns: tuple[tuple[str, Kind], ...]
    """Name and kind."""

    @property
    def names(self) -> list[str]:
        """Of its columns."""
        return [name for name, _ in self.columns]


def shapes(connection: Connection) -> list[Shape]:
    """Every table of ours that is in the database, of whatever revision; what others refer to comes first."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in schema.metadata.tables and name not in LEFT_OUT)
    wanted = [table for table in found.sorted_tables if table.name not in LEFT_OUT]
    return [Shape(table.name, tuple((column.name, _kind(column.type)) for column in table.columns)) for table in wanted]


def count(connection: Connection, shape: Shape) -> int:
    """Rows."""
    table = _quoted(connection, shape.table)
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - our own names


def lines(connection: Connection, shape: Shape) -> Iterator[tuple[int, bytes]]:
    """Some rows at a time: how many, and their lines."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    odd = [(at, kind) for at, (_, kind) in enumerate(shape.columns) if kind in ("bool", "bytes")]
    for rows in _batches(connection, shape):
        plain: Iterable[Sequence[Any]] = rows if not odd else (_jsonable(row, odd) for row in rows)
        text = "\n".join(map(encode, plain))
        yield len(rows), f"{text}\n".encode()


def load(connection: Connection, shape: Shape, read: Iterable[bytes]) -> Iterator[int]:
    """Put lines into the table, which must be there and empty; yields how many rows were put, some at a time.

    Raises ValueError for a line that is none of this table's, and what the driver raises.
    """
    raw = connection.connection.driver_connection
    names = ", ".join(_quoted(connection, name) for name in shape.names)
    table = _quoted(connection, shape.table)
    rows = _rows(shape, read)
    if isinstance(raw, sqlite3.Connection):
        statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(shape.columns))})"  # noqa: S608
        while batch := list(itertools.islice(rows, _BATCH)):
            raw.executemany(statement, batch)
            yield len(batch)
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:  # type: ignore[union-attr]
        while batch := list(itertools.islice(rows, _BATCH)):
            for row in batch:
                # PostgreSQL keeps no NUL in a text; a Text column of SQLite may.
                copy.write_row([value.replace("\0", "") if isinstance(value, str) else value for value in row])
            yield len(batch)


def count_on(connection: Connection) -> None:
    """PostgreSQL: let every counter go on behind the rows that were put in with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    for table in schema.metadata.tables.values():
        column = table.autoincrement_column
        if column is None:
            continue
        name, number = _quoted(connection, table.name), _quoted(connection, column.name)
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{name}', '{column.name}'), max({number})) FROM {name} "  # noqa: S608
            f"HAVING max({number}) IS NOT NULL AND pg_get_serial_sequence('{name}', '{column.name}') IS NOT NULL"
        )


def _batches(connection: Connection, shape: Shape) -> Iterator[Sequence[Sequence[Any]]]:
    """Rows as the driver has them, JSON as its text."""
    postgresql = connection.dialect.name == "postgresql"
    names = ", ".join(
        f"CAST({_quoted(connection, name)} AS TEXT)" if postgresql and kind == "json" else _quoted(connection, name)
        for name, kind in shape.columns
    )
    statement = f"SELECT {names} FROM {_quoted(connection, shape.table)}"  # noqa: S608 - our own names
    raw = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        cursor = raw.execute(statement)
        while rows := cursor.fetchmany(_BATCH):
            yield rows
        return
    with raw.cursor(name="saseo_dump") as cursor:  # type: ignore[union-attr]  # on the server: rows come as they are read
        cursor.execute(statement)
        while rows := cursor.fetchmany(_BATCH):
            yield rows


def _jsonable(row: Sequence[Any], odd: Sequence[tuple[int, Kind]]) -> list[Any]:
    values = list(row)
    for at, kind in odd:
        if values[at] is not None:
            values[at] = bool(values[at]) if kind == "bool" else base64.b64encode(values[at]).decode()
    return values


_FITS: dict[Kind, type | tuple[type, ...]] = {"bool": bool, "int": int, "float": (int, float)}
"""Any other kind is a string in its line."""


def _rows(shape: Shape, read: Iterable[bytes]) -> Iterator[list[Any]]:
    fits = [_FITS.get(kind, str) for _, kind in shape.columns]
    encoded = [at for at, (_, kind) in enumerate(shape.columns) if kind == "bytes"]
    for line in read:
        values = json.loads(line)
        if not isinstance(values, list) or len(values) != len(fits):
            raise ValueError(f"{shape.table}: a line is no row of it")
        for at, value in enumerate(values):
            if value is not None and not isinstance(value, fits[at]):
                raise ValueError(f"{shape.table}.{shape.names[at]}: a value is no {shape.columns[at][1]}")
        for at in encoded:
            if values[at] is not None:
                values[at] = base64.b64decode(values[at], validate=True)
        yield values


def _kind(column: TypeEngine[Any]) -> Kind:
    """Raises TypeError for a type that this file does not know."""
    kinds: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
        (JSON, "json"),
        (Boolean, "bool"),
        (LargeBinary, "bytes"),
        (Float, "float"),
        (Integer, "int"),
        (String, "text"),
    )
    for known, kind in kinds:
        if isinstance(column, known):
            return kind
    raise TypeError(f"no way to write {column!r} down")


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
