"""What people were told and wish, what they asked for, and who is not to come back from a backup. People are pseudonyms here."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from bot.store import audit
from bot.store.inserting import insert_into
from bot.store.schema import exports, privacy_people, privacy_requests, tombstones

Kind = Literal["export", "forget", "suspend", "resume"]
Wish = Literal["suspend", "resume"]
DOWNLOADED = "console:"
"""Begins the path of such an export; no path of a file does."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for. Times in seconds since the epoch."""

    id: str
    person: str
    kind: Kind
    received_at: float
    due_at: float
    done_at: float | None
    report: Mapping[str, Any]
    """Of what was done: counts and hashes, nobody's words."""


def was_told(connection: Connection, person: str) -> bool:
    """Whether they have read what is kept of them."""
    found = select(privacy_people.c.told_at).where(privacy_people.c.person == person)
    return connection.execute(found).scalar() is not None


def told(connection: Connection, person: str, *, now: float) -> None:
    """They have read it now; the first time counts."""
    if not was_told(connection, person):
        _put(connection, person, {"told_at": now})


def suspend(connection: Connection, person: str, *, now: float) -> bool:
    """Nothing of theirs is learnt from, from now on; False: that was so already."""
    if is_suspended(connection, person):
        return False
    _put(connection, person, {"suspended_at": now})
    return True


def resume(connection: Connection, person: str) -> bool:
    """What they say may be learnt from again; False: it might before."""
    if not is_suspended(connection, person):
        return False
    _put(connection, person, {"suspended_at": None})
    return True


def wish(
    connection: Connection, person: str, wished: Wish, *, by: str, now: float, days: int, origin: str = ""
) -> bool:
    """`suspend` or `resume` as somebody asked, on record as a request that was answered; False: it was so before."""
    changed = suspend(connection, person, now=now) if wished == "suspend" else resume(connection, person)
    request = receive(connection, person, wished, now=now, days=days)
    done(connection, request.id, {"changed": changed}, now=now)
    audit.record(connection, by=by, action=f"privacy.{wished}", subject=person, origin=origin, now=now)
    return changed


def is_suspended(connection: Connection, person: str) -> bool:
    """Whether nothing of theirs may be learnt from."""
    found = select(privacy_people.c.suspended_at).where(privacy_people.c.person == person)
    return connection.execute(found).scalar() is not None


def suspended(connection: Connection) -> frozenset[str]:
    """Everybody of whom nothing may be learnt."""
    rows = connection.execute(select(privacy_people.c.person).where(privacy_people.c.suspended_at.is_not(None)))
    return frozenset(rows.scalars())


def bury(connection: Connection, person: str, *, now: float) -> None:
    """Whatever is theirs up to now must not come back."""
    statement = insert_into(connection, tombstones).values(person=person, at=now)
    newer = statement.excluded.at
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[tombstones.c.person], set_={"at": newer}, where=tombstones.c.at < newer
        )
    )


def buried(connection: Connection) -> dict[str, float]:
    """Pseudonym → up to when they were erased."""
    return {row.person: row.at for row in connection.execute(select(tombstones))}


def forgotten_examples(connection: Connection) -> frozenset[str]:
    """Ids of the examples that went when somebody was erased: files may hold them still."""
    reports = connection.execute(select(privacy_requests.c.report).where(privacy_requests.c.kind == "forget")).scalars()
    return frozenset(str(one) for report in reports for one in report.get("examples") or ())


def note_forgotten(connection: Connection, request_id: str, ids: Collection[str]) -> list[str]:
    """These examples go for this request, also if nothing more is said of it: every one that has gone for it, sorted."""
    mine = privacy_requests.c.id == request_id
    report = connection.execute(select(privacy_requests.c.report).where(mine)).scalar_one()
    every = sorted({*report.get("examples", ()), *ids})
    connection.execute(update(privacy_requests).where(mine).values(report={**report, "examples": every}))
    return every


def note_forgotten_again(connection: Connection, person: str, ids: Collection[str], *, now: float) -> None:
    """These examples of somebody who was erased had come back, and go. Nobody asked anew: it stands there as a request that is done."""
    request = Request(secrets.token_hex(8), person, "forget", now, now, now, {"examples": sorted(ids)})
    connection.execute(insert(privacy_requests).values(**_values(request)))


def forget_wishes(connection: Connection, person: str) -> None:
    """That they were told goes; that nothing of theirs may be learnt stays, for it protects them."""
    _told_no_more = update(privacy_people).where(privacy_people.c.person == person).values(told_at=None)
    connection.execute(_told_no_more)
    connection.execute(
        delete(privacy_people).where(privacy_people.c.person == person, privacy_people.c.suspended_at.is_(None))
    )


def receive(connection: Connection, person: str, kind: Kind, *, now: float, days: int) -> Request:
    """Write a request down; one of the same kind that is still open is that one."""
    found = connection.execute(
        select(privacy_requests).where(
            privacy_requests.c.person == person, privacy_requests.c.kind == kind, privacy_requests.c.done_at.is_(None)
        )
    ).first()
    if found is not None:
        return Request(**found._mapping)
    request = Request(secrets.token_hex(8), person, kind, now, now + days * 86400.0, None, {})
    connection.execute(insert(privacy_requests).values(**_values(request)))
    return request


def done(connection: Connection, request_id: str, report: Mapping[str, Any], *, now: float) -> None:
    """It was answered."""
    connection.execute(
        update(privacy_requests).where(privacy_requests.c.id == request_id).values(done_at=now, report=dict(report))
    )


def exported(
    connection: Connection,
    kind: Literal["feedback", "privacy", "gaps"],
    path: str,
    sha256: str,
    *,
    now: float,
    holds: Sequence[str] = (),
    person: str = "",
) -> None:
    """A file with people's words was written, and is to be found again when one of them is erased.

    `path`: where it lies, or what `downloaded` made of its name. `holds`: ids of the examples or questions in it.
    """
    connection.execute(delete(exports).where(exports.c.path == path))
    connection.execute(
        insert(exports).values(
            id=secrets.token_hex(8),
            kind=kind,
            path=path,
            sha256=sha256,
            examples=list(holds),
            person=person,
            made_at=now,
        )
    )


def export_gone(connection: Connection, ids: Sequence[str]) -> None:
    """These files are no more."""
    connection.execute(delete(exports).where(exports.c.id.in_(list(ids))))


def downloaded(name: str) -> str:
    """As the path of an export that a browser took away: nobody here knows where it lies."""
    return f"{DOWNLOADED}{secrets.token_hex(4)}/{name}"


def requests(connection: Connection, *, open_only: bool = False) -> list[Request]:
    """The most urgent first, then those that are done, newest first."""
    wanted = select(privacy_requests)
    if open_only:
        wanted = wanted.where(privacy_requests.c.done_at.is_(None))
    rows = [Request(**row._mapping) for row in connection.execute(wanted)]
    return sorted(rows, key=lambda one: (one.done_at is not None, one.due_at if one.done_at is None else -one.done_at))


def _values(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in Request.__dataclass_fields__}


def _put(connection: Connection, person: str, values: dict[str, Any]) -> None:
    statement = insert_into(connection, privacy_people).values(person=person, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[privacy_people.c.person], set_=values))
