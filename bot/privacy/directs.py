"""Direct messages and the console's chat: the ids of such a place, and of what stands in it, would name a person. Rows hold pseudonyms.

Only while a question is open its row holds the platform's ids beside them (`asked`, `reply_to`), since its answer has to go somewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Connection, select, update

from bot.conversation import Asked, Place
from bot.privacy.pseudonyms import is_pseudonym
from bot.store import facts
from bot.store.schema import answers, claims, places, questions

Pseudonym = Callable[[str], str]
"""A platform and an id of it, `slack:D1` → its pseudonym (bot/privacy/pseudonyms.py)."""
_DONE = "privacy.directs_pseudonymised"


def place_in_rows(place: Place, pseudonym: Pseudonym) -> Place:
    """A channel, which names nobody, as it is. Safe to repeat."""
    if place.kind != "direct" or is_pseudonym(place.id):
        return place
    return replace(place, id=pseudonym(f"{place.platform}:{place.id}"))


def keys_in_rows(asked: Asked, pseudonym: Pseudonym) -> tuple[str, ...]:
    """Keys of a claim hold the ids of place and message."""
    return tuple(map(pseudonym, asked.keys)) if asked.place.kind == "direct" else asked.keys


def message_in_rows(platform: str, message: str, pseudonym: Pseudonym) -> str:
    """The platform's reference of a message that stands in a direct place."""
    return pseudonym(f"{platform}:{message}") if message else ""


def hide_directs(connection: Connection, pseudonym: Pseudonym) -> int:
    """Rows of before: what names a direct place gets its pseudonym; how many places there were. Safe to repeat."""
    found: set[tuple[str, str]] = set()
    for conversation in _conversations(connection):
        platform, _, rest = conversation.partition(":")
        id_, _, thread = rest.rpartition(":")
        if is_pseudonym(id_):
            continue
        now = place_in_rows(Place(platform, id_, "direct", thread=thread), pseudonym)
        found.add((platform, id_))
        _hide(connection, conversation, now, pseudonym)
    for platform, id_ in sorted(found):
        name = place_in_rows(Place(platform, id_, "direct"), pseudonym).id
        here = (places.c.platform == platform, places.c.place == id_)
        connection.execute(update(places).where(*here).values(place=name))
    return len(found)


def hide_directs_once(connection: Connection, pseudonym: Pseudonym) -> None:
    """`hide_directs`, unless it was done to this store before."""
    if facts.get(connection, _DONE) is None:
        hide_directs(connection, pseudonym)
        facts.put(connection, _DONE, "1")


def _conversations(connection: Connection) -> list[str]:
    """Of direct places: no question of theirs has a channel. One that failed long ago has none in a channel's thread, too."""

    def distinct(condition: Any) -> set[str]:
        column = questions.c.conversation
        return set(connection.execute(select(column).where(column != "", condition).distinct()).scalars())

    return sorted(distinct(questions.c.place == "") - distinct(questions.c.place != ""))


def _hide(connection: Connection, conversation: str, now: Place, pseudonym: Pseudonym) -> None:
    here = questions.c.conversation == conversation
    asked = select(questions.c.id).where(here)
    for key in connection.execute(select(claims.c.key).where(claims.c.question.in_(asked))).scalars().all():
        _put(connection, claims.c.key, key, key=pseudonym(key))
    held = select(answers.c.id, answers.c.place, answers.c.message).where(answers.c.question.in_(asked))
    for row in connection.execute(held).all():
        message = row.message if is_pseudonym(row.message) else message_in_rows(now.platform, row.message, pseudonym)
        _put(connection, answers.c.id, row.id, place={**row.place, "id": now.id}, message=message)
    connection.execute(update(questions).where(here).values(conversation=now.conversation))


def _put(connection: Connection, column: Column[Any], value: str, **values: object) -> None:
    connection.execute(update(column.table).where(column == value).values(**values))
