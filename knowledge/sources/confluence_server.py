"""Confluence Data Center: everything from its REST API v1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from knowledge.sources import confluence_pages as pages
from knowledge.sources.confluence_pages import Node, Space, SpaceMissing, identity_of
from knowledge.sources.confluence_readers import (
    EXPANSION,
    NotTold,
    Readers,
    failed_to_tell,
    space_readers,
    told_with_page,
)
from knowledge.sources.paced import ApiFailure, PacedApi, Query

_LIMIT = 100


class ConfluenceServer:
    """`api`: below Confluence's own address, with its context path. Methods: see `Flavour`."""

    def __init__(self, api: PacedApi) -> None:
        self._api = api
        self._told: dict[str, dict[str, Readers]] = {}

    def spaces(self, keys: tuple[str, ...]) -> list[Space]:
        if keys:
            return [self._space(key) for key in keys]
        query: Query = (("type", "global"), ("status", "current"), ("limit", _LIMIT))
        raw = pages.overlapping(lambda start: self._api.get("rest/api/space", [*query, ("start", start)]))
        return [Space(pages.key_of(space), pages.key_of(space)) for space in raw]

    def _space(self, key: str) -> Space:
        try:
            raw = self._api.get(f"rest/api/space/{quote(key, safe='~')}")
        except ApiFailure as failure:
            if failure.status == 404:
                raise SpaceMissing(key) from failure
            raise
        return Space(pages.key_of(raw, key), pages.key_of(raw, key))

    def nodes(self, space: Space) -> dict[str, Node]:
        """The restrictions come along, and are kept for `restrictions`."""
        query: Query = (
            ("spaceKey", space.key),
            ("type", "page"),
            ("status", "current"),
            ("expand", f"version,ancestors,{EXPANSION}"),
            ("limit", _LIMIT),
        )
        found: dict[str, Node] = {}
        told = self._told[space.key] = {}
        base: dict[str, Any] = {}

        def ask(start: int) -> dict[str, Any]:
            answer = self._api.get("rest/api/content", [*query, ("start", start)])
            base.update(answer)
            return answer

        above: dict[str, Node] = {}
        for page in pages.overlapping(ask):
            version, modified = pages.version_of(page, "when")
            parent = self._line(page, above)
            identity = identity_of(page)
            found[identity] = Node(
                id=identity,
                title=str(page.get("title") or ""),
                parent=parent,
                wanted=True,
                version=version,
                modified=modified,
                url=pages.page_url(self._api.base_url, base, page),
            )
            try:
                told[identity] = told_with_page(page)
            except NotTold:
                continue
        return {**above, **found}

    def _line(self, page: Mapping[str, Any], above: dict[str, Node]) -> str | None:
        """The page's parent; those above it that no list gives (hidden, in the trash) are known from here."""
        ancestors = page.get("ancestors")
        if not isinstance(ancestors, list) or not all(isinstance(one, Mapping) for one in ancestors):
            raise ApiFailure("pages without their ancestors")
        parent = None
        for one in ancestors:  # the outermost first
            identity = identity_of(one)
            above[identity] = Node(identity, str(one.get("title") or ""), parent)
            parent = identity
        return parent

    def restrictions(self, space: Space) -> dict[str, Readers]:
        return self._told.get(space.key, {})

    def space_readers(self, space: Space) -> Readers:
        return space_readers(self._viewers(space))

    def _viewers(self, space: Space) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Since Confluence 9.1, for administrators of the space."""
        answer = self._api.get_any(f"rest/api/space/{quote(space.key, safe='~')}/permissions")
        if not isinstance(answer, list):
            raise NotTold
        for permission in answer:
            operation = permission.get("operation") if isinstance(permission, Mapping) else None
            if not isinstance(operation, Mapping):
                raise NotTold
            if (operation.get("operationKey"), operation.get("targetType")) != ("read", "space"):
                continue
            subject = permission.get("subject")
            subject = subject if isinstance(subject, Mapping) else {}
            kind = str(subject.get("type")).lower()
            yield kind, self._user(str(subject.get("userKey"))) if kind == "user" else subject

    def _user(self, key: str) -> Mapping[str, Any]:
        """With the user name if we may know it: permissions hold keys only."""
        try:
            return self._api.get("rest/api/user", [("key", key)])
        except ApiFailure as failure:
            if not failed_to_tell(failure):
                raise
            return {"userKey": key}

    def labelled(self, space: Space, labels: tuple[str, ...]) -> set[str]:
        return pages.labelled(self._api, space, labels)

    def storage(self, page: str) -> str:
        return pages.storage_in(self._api.get(f"rest/api/content/{page}", [("expand", "body.storage")]))
