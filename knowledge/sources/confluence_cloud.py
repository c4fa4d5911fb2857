"""Confluence Cloud: lists and bodies from its API v2, restrictions (which v2 does not have) from v1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.sources import confluence_pages as pages
from knowledge.sources.confluence_pages import Node, Space, SpaceMissing, followed, identity_of, results_of
from knowledge.sources.confluence_readers import (
    EXPANSION,
    NotTold,
    Readers,
    failed_to_tell,
    space_readers,
    told_with_page,
)
from knowledge.sources.paced import ApiFailure, PacedApi, Query

_LIMIT = 250
_CONTAINERS = {"folder": "folders", "whiteboard": "whiteboards", "database": "databases", "embed": "embeds"}
_MOST_STEPS = 100


class ConfluenceCloud:
    """`api`: below `https://SITE.atlassian.net/wiki/`. Methods: see `Flavour`."""

    def __init__(self, api: PacedApi) -> None:
        self._api = api
        self._groups: dict[str, Mapping[str, Any]] = {}

    def spaces(self, keys: tuple[str, ...]) -> list[Space]:
        if keys:
            return [self._space(key) for key in keys]
        answers = followed(self._api, "api/v2/spaces", [("status", "current"), ("limit", _LIMIT)])
        raw = [space for answer in answers for space in results_of(answer) if space.get("type") != "personal"]
        return [Space(identity_of(space), pages.key_of(space)) for space in raw]

    def _space(self, key: str) -> Space:
        for answer in followed(self._api, "api/v2/spaces", [("keys", key), ("limit", _LIMIT)]):
            for space in results_of(answer):
                if pages.key_of(space).casefold() == key.casefold():
                    return Space(identity_of(space), pages.key_of(space))
        raise SpaceMissing(key)

    def nodes(self, space: Space) -> dict[str, Node]:
        found: dict[str, Node] = {}
        parents: dict[str, str] = {}
        path = f"api/v2/spaces/{space.id}/pages"
        for answer in followed(self._api, path, [("limit", _LIMIT), ("sort", "id")]):
            for page in results_of(answer):
                version, modified = pages.version_of(page, "createdAt")
                node = Node(
                    id=identity_of(page),
                    title=str(page.get("title") or ""),
                    parent=_parent(page),
                    wanted=page.get("status") == "current",
                    version=version,
                    modified=modified,
                    url=pages.page_url(self._api.base_url, answer, page),
                )
                found[node.id] = node
                if node.parent is not None:
                    parents[node.parent] = str(page.get("parentType") or "page")
        for parent, kind in parents.items():
            self._add_container(found, parent, kind)
        return found

    def _add_container(self, found: dict[str, Node], identity: str | None, kind: str) -> None:
        """What pages stand in without being pages, up to a page or the top. What is hidden stays unknown."""
        for _ in range(_MOST_STEPS):
            if identity is None or identity in found or kind not in _CONTAINERS:
                return
            try:
                raw = self._api.get(f"api/v2/{_CONTAINERS[kind]}/{identity}")
            except ApiFailure as failure:
                if failed_to_tell(failure):
                    return
                raise
            found[identity] = Node(identity, str(raw.get("title") or ""), _parent(raw))
            identity, kind = _parent(raw), str(raw.get("parentType") or "page")

    def restrictions(self, space: Space) -> dict[str, Readers]:
        told: dict[str, Readers] = {}
        cql = f"space = {pages.quoted(space.key)} and type = page"
        query: Query = (("cql", cql), ("expand", EXPANSION), ("limit", 100))
        try:
            for answer in followed(self._api, "rest/api/content/search", query):
                for page in results_of(answer):
                    try:
                        told[identity_of(page)] = told_with_page(page)
                    except NotTold:
                        continue
        except ApiFailure as failure:
            if not failed_to_tell(failure):
                raise
        return told

    def space_readers(self, space: Space) -> Readers:
        return space_readers(self._viewers(space))

    def _viewers(self, space: Space) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for answer in followed(self._api, f"api/v2/spaces/{space.id}/permissions", [("limit", _LIMIT)]):
            for permission in results_of(answer):
                operation, principal = permission.get("operation"), permission.get("principal")
                if not isinstance(operation, Mapping) or not isinstance(principal, Mapping):
                    raise NotTold
                if (operation.get("key"), operation.get("targetType")) != ("read", "space"):
                    continue
                kind, identity = str(principal.get("type")).lower(), str(principal.get("id"))
                yield kind, self._group(identity) if kind == "group" else {"accountId": identity, "id": identity}

    def _group(self, identity: str) -> Mapping[str, Any]:
        """With its name if we may know it: permissions hold ids only."""
        if identity not in self._groups:
            try:
                self._groups[identity] = self._api.get("rest/api/group/by-id", [("id", identity)])
            except ApiFailure as failure:
                if not failed_to_tell(failure):
                    raise
                self._groups[identity] = {"id": identity}
        return self._groups[identity]

    def labelled(self, space: Space, labels: tuple[str, ...]) -> set[str]:
        return pages.labelled(self._api, space, labels)

    def storage(self, page: str) -> str:
        return pages.storage_in(self._api.get(f"api/v2/pages/{page}", [("body-format", "storage")]))


def _parent(content: Mapping[str, Any]) -> str | None:
    """Raises ApiFailure for a parent that is named, but not by an id."""
    return identity_of({"id": content["parentId"]}) if content.get("parentId") else None
