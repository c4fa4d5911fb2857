"""Who may read a page in Confluence: restrictions as the API tells them → names for the groups file (docs/permissions.md).

What is not told completely admits nobody: a list that is missing is no list of nobody restricted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.sources.paced import ApiFailure, PacedApi

Readers = frozenset[str] | None
"""Names of which a reader needs one; None: not restricted."""

_LIMIT = 200
_MOST_PAGES = 100
EXPANSION = "restrictions.read.restrictions.user,restrictions.read.restrictions.group"
"""Asks for a page's restrictions along with the page."""


class NotTold(Exception):
    """The answer does not say who may read it, or not wholly."""


def told_with_page(page: Mapping[str, Any]) -> Readers:
    """From a page that was asked for with EXPANSION. Raises NotTold."""
    names, restricted, more = _named(_inside(_inside(page, "restrictions"), "read"))
    if more:
        raise NotTold
    return names if restricted else None


def asked_for(api: PacedApi, content: str) -> Readers:
    """Of one page, folder or whatever may stand above a page. Raises NotTold, ApiFailure."""
    path = f"rest/api/content/{content}/restriction/byOperation/read"
    names: frozenset[str] = frozenset()
    restricted = False
    for at in range(_MOST_PAGES):
        query: list[tuple[str, str | int]] = [
            ("expand", "restrictions.user,restrictions.group"),
            ("start", at * _LIMIT),
            ("limit", _LIMIT),
        ]
        found, some, more = _named(api.get(path, query))
        names, restricted = names | found, restricted or some
        if not more or (at and not found):
            return names if restricted else None
    raise NotTold


def group_name(group: Mapping[str, Any]) -> str | None:
    """`confluence:` and its name; its id where it has none."""
    return _prefixed("confluence:", group.get("name") or group.get("id"))


def user_name(user: Mapping[str, Any]) -> str | None:
    """`confluence-user:` and the account id (Cloud) or the user name (Data Center)."""
    return _prefixed("confluence-user:", user.get("accountId") or user.get("username") or user.get("userKey"))


def _prefixed(prefix: str, name: object) -> str | None:
    """In NFC, as the groups file is compared."""
    return prefix + unicodedata.normalize("NFC", name).strip() if isinstance(name, str) and name.strip() else None


def _named(restriction: Mapping[str, Any]) -> tuple[frozenset[str], bool, bool]:
    """Names, whether anybody is named at all (with a name that we know or not), whether the lists go on."""
    inner = _inside(restriction, "restrictions")
    names: set[str] = set()
    restricted = more = False
    for kind, name_of in (("user", user_name), ("group", group_name)):
        subjects = _inside(inner, kind)
        results = subjects.get("results")
        if not isinstance(results, list):
            raise NotTold
        names.update(name for one in results if isinstance(one, Mapping) and (name := name_of(one)) is not None)
        size, limit = subjects.get("size"), subjects.get("limit")
        restricted = restricted or bool(results) or (isinstance(size, int) and size > 0)
        more = (
            more
            or (isinstance(limit, int) and 0 < limit <= len(results))
            or (isinstance(size, int) and size > len(results))
        )
    return frozenset(names), restricted, more


def _inside(outer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = outer.get(key)
    if not isinstance(inner, Mapping):
        raise NotTold
    return inner


def space_readers(permissions: Iterator[tuple[str, Mapping[str, Any]]]) -> Readers:
    """From kind and subject of all who may view a space; `anonymous` means all the world. Raises NotTold if there are none."""
    names: set[str] = set()
    anybody = False
    for kind, subject in permissions:
        anybody = True
        if kind == "anonymous":
            return None
        if kind == "user":
            name = user_name(subject)
        elif kind == "group":
            name = group_name(subject)
        else:  # a role, or a class of accounts: it can be mapped by this name, and admits nobody until it is
            name = _prefixed(f"confluence:{kind}:", subject.get("id"))
        if name is not None:
            names.add(name)
    if not anybody:
        raise NotTold
    return frozenset(names)


def failed_to_tell(failure: ApiFailure) -> bool:
    """Whether this is an answer (forbidden, unknown) rather than a server in trouble."""
    return failure.status in (400, 403, 404, 405, 410, 501)
