"""The record of what admins did and of who looked at or took out whose data: appended to, chained by hashes, never changed.

Each row's hash is SHA-256 over the hash before it and the row itself as canonical JSON, so that a changed, inserted or missing row
shows (`verify`). A cut-off end shows only beside a hash that was noted elsewhere: pass it as `known`.

No texts: what a person wrote must stay erasable, and this is not. People are named by their pseudonym.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from bot.store.append_only import LEAST_SECONDS, TRIMMED
from bot.store.schema import audit

START = "0" * 64
"""Stands before the first row."""
_LONGEST = 200
"""Characters of a value in `detail`; what is longer is a text and has no place here."""
_LOCK = 5361  # an arbitrary number of our own
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row."""

    id: int
    """1, 2, 3 … without gaps."""
    at: float
    by: str
    """`web:NAME`, `cli:ACCOUNT`, `job:NAME`, or the pseudonym of an admin in chat."""
    action: str
    """`privacy.forget`, `lora.promote` …"""
    subject: str
    """What or whom it was done to."""
    detail: Mapping[str, Any]
    origin: str
    """Where from: an address, a platform; empty: this machine."""
    hash: str

    def as_json(self) -> dict[str, object]:
        """For scripts and exports."""
        return {
            "id": self.id,
            "at": self.at,
            "by": self.by,
            "action": self.action,
            "subject": self.subject,
            "detail": dict(self.detail),
            "origin": self.origin,
            "hash": self.hash,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found."""

    entries: int
    """Read until the first broken one."""
    head: str
    """Hash of the newest row: noted elsewhere, it later proves that nothing before it was touched."""
    broken: int | None = None
    """Id of the first row that is not as it was written, or whose predecessor is missing."""
    reason: str = ""
    """`changed`, `missing`, `beginning` (the oldest rows went without a record of it), `unknown` (`known` stands nowhere)."""

    @property
    def whole(self) -> bool:
        """Nothing is wrong."""
        return not self.reason


def record(
    connection: Connection,
    *,
    by: str,
    action: str,
    subject: str = "",
    detail: Mapping[str, object] | None = None,
    origin: str = "",
    now: float,
) -> None:
    """Append a row, in the transaction of what it records. `detail`: JSON; of a value longer than 200 characters only its length."""
    if connection.dialect.name == "postgresql":
        # Until the transaction ends: the next row needs this one's hash. SQLite's write transactions are alone anyway.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    last = connection.execute(select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)).first()
    number, before = (last.id + 1, last.hash) if last is not None else (1, START)
    values: dict[str, Any] = {
        "id": number,
        "at": float(now),
        "by": _short(by, 128),
        "action": _short(action, 64),
        "subject": _short(subject, 255),
        "detail": _canonical(_without_texts(dict(detail or {}))),
        "origin": _short(origin, 255),
    }
    connection.execute(insert(audit).values(**values, previous=before, hash=_hash(before, values)))


def auditor(by: str) -> str:
    """As the audit names whom other rows name so: `terminal:kim` is `cli:kim`; everybody else stays."""
    return by.replace("terminal:", "cli:", 1) if by.startswith("terminal:") else by


def verify(connection: Connection, known: str = "") -> Verdict:
    """Follow the chain from its beginning to its end. `known`: a hash noted before, which must stand in it."""
    count, before, number = 0, "", 0
    seen = not known or known == START
    trims = {
        int(row.subject): json.loads(row.detail).get("hash")
        for row in connection.execute(select(audit.c.subject, audit.c.detail).where(audit.c.action == TRIMMED))
        if row.subject.isdigit()
    }
    for row in _rows(connection):
        if not count:
            # The first row follows nothing, or what a later row says was deleted.
            if row.previous != (START if row.id == 1 else trims.get(row.id - 1)):
                return Verdict(count, before, row.id, "beginning")
        elif row.id != number + 1 or row.previous != before:
            return Verdict(count, before, row.id, "missing")
        values = {name: row._mapping[name] for name in _HASHED}
        if _hash(row.previous, values) != row.hash:
            return Verdict(count, before, row.id, "changed")
        count, before, number = count + 1, row.hash, row.id
        seen = seen or known in (row.hash, row.previous)
    return Verdict(count, before or START) if seen else Verdict(count, before or START, None, "unknown")


def entries(
    connection: Connection,
    *,
    most: int = 100,
    before: int | None = None,
    by: str = "",
    action: str = "",
    subject: str = "",
    since: float | None = None,
    until: float | None = None,
) -> list[Entry]:
    """Newest first; page on with `before` = the last id. `action`: a whole one, or a beginning with its dot (`privacy.`)."""
    wanted = select(audit).order_by(audit.c.id.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(audit.c.id < before)
    if by:
        wanted = wanted.where(audit.c.by == by)
    if action.endswith("."):
        wanted = wanted.where(audit.c.action.startswith(action, autoescape=True))
    elif action:
        wanted = wanted.where(audit.c.action == action)
    if subject:
        wanted = wanted.where(audit.c.subject == subject)
    if since is not None:
        wanted = wanted.where(audit.c.at >= since)
    if until is not None:
        wanted = wanted.where(audit.c.at < until)
    return [_entry(row) for row in connection.execute(wanted)]


def following(connection: Connection, after: int) -> list[Entry]:
    """The next ones after that number, oldest first, some hundred at a time: for exports, which let others write in between."""
    return [_entry(row) for row in _page(connection, after)]


def trim(connection: Connection, *, older_than: float, by: str, now: float) -> int:
    """Delete rows of before `older_than` (never younger than a year), on record; how many went."""
    last = connection.execute(
        select(func.max(audit.c.id)).where(audit.c.at < min(older_than, now - LEAST_SECONDS))
    ).scalar()
    if last is None:
        return 0
    end = connection.execute(select(audit.c.hash).where(audit.c.id == last)).scalar_one()
    # A clock that once ran ahead may have left younger rows before `last`: the database refuses, so they and all after them stay.
    young = connection.execute(
        select(func.min(audit.c.id)).where(audit.c.id <= last, audit.c.at > now - LEAST_SECONDS)
    ).scalar()
    if young is not None:
        found = connection.execute(select(audit.c.id, audit.c.hash).where(audit.c.id == young - 1)).first()
        if found is None:
            return 0
        last, end = found.id, found.hash
    record(connection, by=by, action=TRIMMED, subject=str(last), detail={"hash": end}, now=now)
    return connection.execute(delete(audit).where(audit.c.id <= last)).rowcount


_HASHED = ("id", "at", "by", "action", "subject", "detail", "origin")


def _hash(before: str, values: Mapping[str, Any]) -> str:
    return hashlib.sha256((before + _canonical(dict(values))).encode()).hexdigest()


def _canonical(value: object) -> str:
    """One text per value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _without_texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_short(str(key), 64): _without_texts(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_texts(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST else f"<{len(text)} characters>"


def _short(text: str, most: int) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:most]


def _rows(connection: Connection) -> Iterator[Row[Any]]:
    after = 0
    while page := _page(connection, after):
        yield from page
        after = page[-1].id


def _page(connection: Connection, after: int) -> Sequence[Row[Any]]:
    return connection.execute(select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(_PAGE)).all()


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.id, row.at, row.by, row.action, row.subject, json.loads(row.detail), row.origin, row.hash)
