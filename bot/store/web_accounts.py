"""Who may use the web console, and who is logged in. A session's token is kept as its SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from bot.store.schema import web_accounts, web_sessions

Role = Literal["viewer", "reviewer", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "reviewer", "admin")
"""Each may do what those before it may."""
_IDLE_SECONDS = 12 * 3600.0
_LONGEST_SECONDS = 7 * 24 * 3600.0
_SEEN_EVERY_SECONDS = 60.0
"""A session is not written at each request."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person of the console. `groups`: whose pages they may read beside those of everyone."""

    name: str
    role: Role
    groups: frozenset[str]
    password: str
    """Argon2id, as argon2-cffi writes it."""
    made_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is logged in."""

    account: Account
    csrf: str
    """What a form of this session has to carry."""


def put(connection: Connection, name: str, *, password: str, role: Role, groups: Collection[str], now: float) -> bool:
    """Make an account, or give it a new password, role and groups; its sessions end. True: it is new."""
    values = {"password": password, "role": role, "groups": sorted(groups)}
    end_sessions(connection, name)
    if connection.execute(update(web_accounts).where(web_accounts.c.name == name).values(**values)).rowcount:
        return False
    connection.execute(insert(web_accounts).values(name=name, made_at=now, **values))
    return True


def remove(connection: Connection, name: str) -> bool:
    """With its sessions. False: there is none."""
    end_sessions(connection, name)
    return bool(connection.execute(delete(web_accounts).where(web_accounts.c.name == name)).rowcount)


def get(connection: Connection, name: str) -> Account | None:
    """By its name."""
    row = connection.execute(select(web_accounts).where(web_accounts.c.name == name)).first()
    return None if row is None else _account(row)


def every(connection: Connection) -> Sequence[Account]:
    """All of them, by name."""
    return [_account(row) for row in connection.execute(select(web_accounts).order_by(web_accounts.c.name))]


def of_person(
    connection: Connection, person: str, pseudonym: Callable[[str], str], *, before: float | None = None
) -> Account | None:
    """Whose pseudonym that is; None: nobody's. `before`: only one that was made up to then."""
    found = (one for one in every(connection) if before is None or one.made_at <= before)
    return next((one for one in found if pseudonym(f"web:{one.name}") == person), None)


def count(connection: Connection) -> int:
    """How many accounts there are."""
    return connection.execute(select(func.count()).select_from(web_accounts)).scalar_one()


def begin_session(connection: Connection, name: str, *, now: float) -> str:
    """Log `name` in; returns the token for the cookie. Sessions that ran out are cleared away."""
    connection.execute(
        delete(web_sessions).where(
            (web_sessions.c.seen_at < now - _IDLE_SECONDS) | (web_sessions.c.began_at < now - _LONGEST_SECONDS)
        )
    )
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(web_sessions).values(
            token=_hashed(token), account=name, csrf=secrets.token_urlsafe(24), began_at=now, seen_at=now
        )
    )
    return token


def session(connection: Connection, token: str, *, now: float) -> Session | None:
    """Whose token this is; None when it is unknown or ran out: idle for 12 hours, or 7 days old."""
    row = connection.execute(
        select(web_accounts, web_sessions.c.csrf, web_sessions.c.seen_at)
        .join(web_sessions, web_sessions.c.account == web_accounts.c.name)
        .where(
            web_sessions.c.token == _hashed(token),
            web_sessions.c.seen_at >= now - _IDLE_SECONDS,
            web_sessions.c.began_at >= now - _LONGEST_SECONDS,
        )
    ).first()
    if row is None:
        return None
    if row.seen_at < now - _SEEN_EVERY_SECONDS:
        connection.execute(update(web_sessions).where(web_sessions.c.token == _hashed(token)).values(seen_at=now))
    return Session(_account(row), row.csrf)


def end_session(connection: Connection, token: str) -> None:
    """Log out."""
    connection.execute(delete(web_sessions).where(web_sessions.c.token == _hashed(token)))


def end_sessions(connection: Connection, name: str) -> None:
    """Log an account out everywhere."""
    connection.execute(delete(web_sessions).where(web_sessions.c.account == name))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _account(row: Row[tuple[object, ...]]) -> Account:
    values = row._mapping
    return Account(values["name"], values["role"], frozenset(values["groups"]), values["password"], values["made_at"])
