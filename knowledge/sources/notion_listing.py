"""Everything shared with a Notion integration: which pages there are, where they stand, and when each was edited.

Search finds pages by name and promises no complete list, so what it leaves out is looked for where the API does promise:
rows by querying their data source, parents by their id, and pages of the last run one by one.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from knowledge.sources.notion_blocks import plain_text
from knowledge.sources.notion_properties import Property, properties_of, title_of
from knowledge.sources.paced import ApiFailure, PacedApi

_log = logging.getLogger(__name__)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PAGE_SIZE = 100  # the API's largest
_GONE = frozenset({400, 403, 404})
"""Removed, not shared, or no page but something else (400)."""
_MOST_LOOKED_FOR = 2_000
"""Pages of the last run that are asked for singly. Where more are missing, the builder's guard against shrinking decides."""
_MOST_STEPS = 100
"""From a page to its outermost parent."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A page, data source, database or block as the API tells of it; ids as the API writes them (with dashes)."""

    id: str
    kind: str
    """`page`, `data_source`, `database`, `block`."""
    title: str
    url: str | None
    parent: tuple[str, str] | None
    """Kind and id; None: the workspace itself, or nothing that is told. Of a data source: its database."""
    created: str
    edited: str
    trashed: bool
    properties: tuple[Property, ...]
    above: tuple[str, str] | None
    """Where it stands: its parent, or for a data source the parent of its database."""


class NotionListing:
    """One listing. `roots`: only what is one of these pages or databases or below; empty: all that is shared.

    `remembered`: ids of the pages of the run before. Raises ApiFailure from every method that asks the API.
    """

    def __init__(self, api: PacedApi, roots: Collection[str], remembered: Collection[str]) -> None:
        self._api = api
        self._roots = frozenset(roots)
        self._remembered = remembered
        self._known: dict[tuple[str, str], Entry | None] = {}

    def pages(self) -> list[Entry]:
        """In the order of their creation; what is in the trash, or inside something that is, is not among them."""
        for kind in ("page", "data_source"):
            for found in self._search(kind):
                self._known[kind, found.id] = found
        for root in sorted(self._roots):
            if self._root(root) is None:
                raise RootMissing(root)
        queried: set[str] = set()
        self._rows(queried)
        missing = sorted(page for page in self._remembered if ("page", page) not in self._known)
        for page in missing[:_MOST_LOOKED_FOR]:
            self._look_up("page", page)
        for key, entry in list(self._known.items()):  # parents that search left out are pages, too
            if key[0] in ("page", "data_source") and entry is not None:
                self.parents(entry)
        self._rows(queried)
        wanted = [
            entry
            for (kind, _), entry in self._known.items()
            if kind == "page" and entry is not None and self._wanted(entry)
        ]
        return sorted(wanted, key=lambda entry: (entry.created, entry.id))

    def parents(self, entry: Entry) -> list[Entry]:
        """From the nearest to the outermost that the integration may see."""
        chain: list[Entry] = []
        above = entry.above
        while above is not None and len(chain) < _MOST_STEPS:
            found = self._look_up(*above)
            if found is None or found is entry or found in chain:
                break
            chain.append(found)
            above = found.above
        return chain

    def _wanted(self, entry: Entry) -> bool:
        line = [entry, *self.parents(entry)]
        if any(one.trashed for one in line):
            return False
        # A database is the parent of its data source without being an entry of the line itself.
        ids = {one.id for one in line} | {one.parent[1] for one in line if one.parent is not None}
        return not self._roots or bool(ids & self._roots)

    def _root(self, root: str) -> Entry | None:
        for kind in ("page", "data_source", "database"):
            entry = self._look_up(kind, root)
            if entry is not None:
                return entry
        return None

    def _rows(self, queried: set[str]) -> None:
        """Query every wanted data source not yet in `queried`, those that turn up on the way too."""
        while True:
            waiting = [
                entry
                for (kind, _), entry in list(self._known.items())
                if kind == "data_source" and entry is not None and entry.id not in queried and self._wanted(entry)
            ]
            if not waiting:
                return
            for source in waiting:
                queried.add(source.id)
                try:
                    for entry in self._query(source.id):
                        self._known[entry.kind, entry.id] = entry
                except ApiFailure as failure:
                    # Unshared since it was found, or of a kind that cannot be queried. Rows of the last run are looked for.
                    if failure.status not in _GONE:
                        raise
                    _log.warning(json.dumps({"event": "notion_rows_not_listed", "data_source": source.id}))

    def _search(self, kind: str) -> Iterator[Entry]:
        # Oldest edit first: what is edited meanwhile moves to the end and is seen twice rather than never.
        body: dict[str, object] = {
            "filter": {"property": "object", "value": kind},
            "sort": {"timestamp": "last_edited_time", "direction": "ascending"},
        }
        for answer in self._pages_of("search", body):
            if _cut_off(answer):
                raise ApiFailure("search ends at 10,000 results: share less with this integration, or use several")
            yield from map(_entry, _results(answer))

    def _query(self, source: str) -> Iterator[Entry]:
        """Every row. A query ends at 10,000 results, so a longer one goes on from the last row's time of creation."""
        body: dict[str, object] = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
        since = ""
        while True:
            cut_off, last = False, since
            for answer in self._pages_of(f"data_sources/{source}/query", body):
                cut_off = cut_off or _cut_off(answer)
                for entry in map(_entry, _results(answer)):
                    last = max(last, entry.created)
                    yield entry
            if not cut_off:
                return
            if last == since:
                raise ApiFailure("more than 10,000 rows of a data source were created in one minute")
            since = last
            body["filter"] = {"timestamp": "created_time", "created_time": {"on_or_after": since}}

    def _pages_of(self, path: str, body: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            start = {} if cursor is None else {"start_cursor": cursor}
            answer = self._api.post(path, {**body, "page_size": _PAGE_SIZE, **start})
            yield answer
            cursor = next_cursor(answer, seen)
            if cursor is None:
                return

    def _look_up(self, kind: str, identity: str) -> Entry | None:
        """By id; None: gone, not shared, or of another kind. Asked for once."""
        key = (kind, identity)
        if key not in self._known:
            plural = {"page": "pages", "data_source": "data_sources", "database": "databases", "block": "blocks"}
            try:
                self._known[key] = _entry(self._api.get(f"{plural[kind]}/{identity}"))
            except ApiFailure as failure:
                if failure.status not in _GONE:
                    raise
                self._known[key] = None
        return self._known[key]


class RootMissing(Exception):
    """The root `identity` does not exist, or is not shared with the integration."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self.identity = identity


def is_id(value: object) -> TypeGuard[str]:
    """Whether `value` is an id, which may become part of an address."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def next_cursor(answer: Mapping[str, Any], seen: set[str]) -> str | None:
    """Where the list goes on; None at its end. Raises ApiFailure rather than ending early or never."""
    if answer.get("has_more") is not True:
        if answer.get("has_more") is not False:
            raise ApiFailure("a list that does not say whether it goes on")
        return None
    cursor = answer.get("next_cursor")
    if not isinstance(cursor, str) or not cursor or cursor in seen:
        raise ApiFailure("a list that was cut off")
    seen.add(cursor)
    return cursor


def _results(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    results = answer.get("results")
    if not isinstance(results, list) or not all(isinstance(one, Mapping) for one in results):
        raise ApiFailure("a list without results")
    return results


def _cut_off(answer: Mapping[str, Any]) -> bool:
    status = answer.get("request_status")
    return isinstance(status, Mapping) and status.get("type") == "incomplete"


def _entry(raw: Mapping[str, Any]) -> Entry:
    identity, kind = raw.get("id"), raw.get("object")
    if not is_id(identity) or kind not in ("page", "data_source", "database", "block"):
        raise ApiFailure("an object without an id")
    if "parent" not in raw:
        raise ApiFailure("pages without their content: the integration lacks the capability 'Read content'", 403)
    title = title_of(raw.get("properties")) if kind == "page" else plain_text(raw.get("title"))
    return Entry(
        id=identity,
        kind=kind,
        title=title,
        url=raw["url"] if isinstance(raw.get("url"), str) else None,
        parent=_parent(raw.get("parent")),
        created=str(raw.get("created_time") or ""),
        edited=str(raw.get("last_edited_time") or ""),
        # `archived`: the name of `in_trash` before 2026-03-11.
        trashed=any(raw.get(flag) is True for flag in ("in_trash", "archived", "is_archived")),
        properties=properties_of(raw.get("properties")) if kind == "page" else (),
        above=_parent(raw.get("database_parent" if kind == "data_source" else "parent")),
    )


def _parent(raw: object) -> tuple[str, str] | None:
    """`{"type": "page_id", "page_id": …}`; a row's parent is its data source."""
    if not isinstance(raw, Mapping):
        return None
    for kind in ("data_source", "page", "block", "database"):
        if raw.get("type") == f"{kind}_id" and is_id(raw.get(f"{kind}_id")):
            return kind, raw[f"{kind}_id"]
    return None
