"""What both kinds of Confluence tell of spaces and pages, and how their lists are read to the end or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from knowledge.sources.confluence_readers import Readers
from knowledge.sources.paced import ApiFailure, PacedApi, Query

_MOST_ANSWERS = 10_000


@dataclass(frozen=True, slots=True)
class Space:
    """`id`: what its pages are asked for with."""

    id: str
    key: str


@dataclass(frozen=True, slots=True)
class Node:
    """A page, or what pages stand in (a folder). `wanted`: a current page."""

    id: str
    title: str
    parent: str | None
    wanted: bool = False
    version: int = 0
    modified: dt.date | None = None
    url: str | None = None


class SpaceMissing(Exception):
    """The space `key` does not exist, or is hidden from the account."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Flavour(Protocol):
    """One kind of Confluence. Every method raises ApiFailure rather than giving a part."""

    def spaces(self, keys: tuple[str, ...]) -> list[Space]:
        """Those of `keys`; without any, all that are nobody's personal space. Raises SpaceMissing."""

    def nodes(self, space: Space) -> dict[str, Node]:
        """By id: the space's pages and what they stand in, as far as it is told."""

    def restrictions(self, space: Space) -> dict[str, Readers]:
        """By page id, as far as they are told in bulk. After `nodes`."""

    def space_readers(self, space: Space) -> Readers:
        """Raises NotTold."""

    def labelled(self, space: Space, labels: tuple[str, ...]) -> set[str]:
        """Ids of the pages with one of `labels`."""

    def storage(self, page: str) -> str:
        """The page's body in the storage format."""


def results_of(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The objects of one answer of a list. Raises ApiFailure."""
    results = answer.get("results")
    if not isinstance(results, list) or not all(isinstance(one, Mapping) for one in results):
        raise ApiFailure("a list without results")
    return results


def followed(api: PacedApi, path: str, query: Query) -> Iterator[dict[str, Any]]:
    """Each answer of a list whose `_links.next` tells where it goes on, by cursor or by start. Raises ApiFailure.

    Only cursor and start are taken from the link: the token goes to no other address.
    """
    step: list[tuple[str, str | int]] = []
    seen: set[tuple[str, str]] = set()
    for _ in range(_MOST_ANSWERS):
        answer = api.get(path, [*query, *step])
        yield answer
        link = next_link(answer)
        if link is None:
            return
        given = parse_qs(urlsplit(link).query)
        found = next(((key, given[key][0]) for key in ("cursor", "start") if key in given), None)
        if found is None or found in seen:
            raise ApiFailure("a list that was cut off")
        seen.add(found)
        step = [found]
    raise ApiFailure("a list that does not end")


def overlapping(ask: Callable[[int], dict[str, Any]]) -> list[Mapping[str, Any]]:
    """A list that is numbered from its start, read so that nothing slips through when a page is deleted meanwhile.

    `ask`: the answer that begins at a number. Each begins with the last object of the one before; if it does not, the
    list has moved and is read anew. Raises ApiFailure.
    """
    for _ in range(5):
        found: list[Mapping[str, Any]] = []
        for _ in range(_MOST_ANSWERS):
            answer = ask(max(len(found) - 1, 0))
            results = results_of(answer)
            if found and (not results or results[0].get("id") != found[-1].get("id")):
                break
            more = results[1:] if found else results
            found.extend(more)
            if next_link(answer) is None:
                return found
            if not more:
                raise ApiFailure("a list that was cut off")
    raise ApiFailure("the list changed again and again while it was read")


def next_link(answer: Mapping[str, Any]) -> str | None:
    """`_links.next`; None at the end of the list."""
    links = answer.get("_links")
    link = links.get("next") if isinstance(links, Mapping) else None
    return link if isinstance(link, str) and link else None


def page_url(base: str, answer: Mapping[str, Any], page: Mapping[str, Any]) -> str | None:
    """Where people read `page`, one of `answer`'s; `base` where the answer does not say."""
    links, own = answer.get("_links"), page.get("_links")
    told = links.get("base") if isinstance(links, Mapping) else None
    shown = own.get("webui") if isinstance(own, Mapping) else None
    return (told if isinstance(told, str) else base.rstrip("/")) + shown if isinstance(shown, str) else None


def identity_of(content: Mapping[str, Any]) -> str:
    """The id, which is only digits: it becomes part of an address. Raises ApiFailure."""
    identity = str(content.get("id", ""))
    if not identity.isascii() or not identity.isdigit():
        raise ApiFailure("an object without an id")
    return identity


def key_of(space: Mapping[str, Any], wanted: str | None = None) -> str:
    """A space's key; `wanted`: which it must be. Raises ApiFailure."""
    key = space.get("key")
    if not isinstance(key, str) or not key or (wanted is not None and key.casefold() != wanted.casefold()):
        raise ApiFailure("a space without its key")
    return key


def day_of(written: object) -> dt.date | None:
    """An ISO time → the day here."""
    try:
        return dt.datetime.fromisoformat(str(written)).astimezone().date()
    except (ValueError, OverflowError, OSError):
        return None


def version_of(page: Mapping[str, Any], when: str) -> tuple[int, dt.date | None]:
    """Number (0: not told) and day; `when`: what the time is called."""
    version = page.get("version")
    version = version if isinstance(version, Mapping) else {}
    number = version.get("number")
    return number if isinstance(number, int) else 0, day_of(version.get(when))


def quoted(text: str) -> str:
    """A string of Confluence's query language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def labelled(api: PacedApi, space: Space, labels: tuple[str, ...]) -> set[str]:
    """Pages with one of `labels`, by search. Raises ApiFailure."""
    query = f"space = {quoted(space.key)} and type = page and label in ({', '.join(map(quoted, labels))})"
    answers = followed(api, "rest/api/content/search", [("cql", query), ("limit", 100)])
    return {identity_of(page) for answer in answers for page in results_of(answer)}


def storage_in(content: Mapping[str, Any]) -> str:
    """The storage format in a page's JSON. Raises ApiFailure."""
    body = content.get("body")
    storage = body.get("storage") if isinstance(body, Mapping) else None
    value = storage.get("value") if isinstance(storage, Mapping) else None
    if not isinstance(value, str):
        raise ApiFailure("a page without its body")
    return value
