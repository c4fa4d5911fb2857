"""Small facts that outlive a process, what admins changed in places, and leases that only one process may hold."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from bot.store.inserting import insert_into
from bot.store.schema import facts, leases, places


def get(connection: Connection, key: str) -> str | None:
    """A remembered value."""
    found: str | None = connection.execute(select(facts.c.value).where(facts.c.key == key)).scalar()
    return found


def put(connection: Connection, key: str, value: str) -> None:
    """Remember a value."""
    statement = insert_into(connection, facts).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=[facts.c.key], set_={"value": value}))


def place_changes(connection: Connection) -> dict[tuple[str, str], dict[str, str]]:
    """Everything admins changed from chat, by (platform, place)."""
    return {(row.platform, row.place): dict(row.changes) for row in connection.execute(select(places))}


def change_place(
    connection: Connection, platform: str, place: str, changes: dict[str, str], *, by: str, now: float
) -> None:
    """Replace what was changed in one place."""
    if not changes:
        connection.execute(delete(places).where(places.c.platform == platform, places.c.place == place))
        return
    values = {"changes": changes, "changed_by": by, "changed_at": now}
    statement = insert_into(connection, places).values(platform=platform, place=place, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[places.c.platform, places.c.place], set_=values))


def hold_lease(connection: Connection, name: str, owner: str, *, now: float, seconds: float) -> bool:
    """Take or renew a lease; False while another process holds it."""
    taken = connection.execute(
        update(leases)
        .where(leases.c.name == name, (leases.c.owner == owner) | (leases.c.until <= now))
        .values(owner=owner, until=now + seconds)
    ).rowcount
    if taken:
        return True
    fresh = insert_into(connection, leases).values(name=name, owner=owner, until=now + seconds).on_conflict_do_nothing()
    return bool(connection.execute(fresh.returning(leases.c.name)).all())


def drop_lease(connection: Connection, name: str, owner: str) -> None:
    """Give a lease up."""
    connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))
