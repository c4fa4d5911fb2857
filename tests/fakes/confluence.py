"""A Confluence on this machine, Cloud or Data Center, that speaks the read side of its API and is strict about what it receives."""

from __future__ import annotations

import base64
import itertools
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.fakes.http_api import HttpApi, Refused, Reply, Request

TOKEN = "confluence-token"
USER = "bot@example.com"
_CQL = re.compile(r'space = "(?P<space>[^"]*)" and type = page(?: and label in \((?P<labels>.*)\))?')
_RESTRICTIONS = ["restrictions.read.restrictions.user", "restrictions.read.restrictions.group"]


@dataclass
class FakePage:
    """`kind`: `page`, `folder`. `users`, `groups`: who may read it; nobody named: not restricted."""

    id: str
    title: str
    space: str
    parent: str | None
    body: str = "<p>본문</p>"
    version: int = 1
    when: str = "2026-01-05T09:00:00.000Z"
    kind: str = "page"
    status: str = "current"
    labels: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass
class FakeSpace:
    """`viewers`: kind and name of those who may view it; None: the API does not tell."""

    id: str
    key: str
    kind: str = "global"
    viewers: list[tuple[str, str]] | None = field(default_factory=lambda: [("group", "confluence-users")])


class FakeConfluence(HttpApi):
    """`unsearchable`: ids that search does not find. `untold`: ids whose restrictions are refused. `inline`: how many
    readers of a kind are told along with a page. `most`: objects of one answer."""

    def __init__(self, flavour: str) -> None:
        super().__init__()
        self.flavour = flavour
        self.space_list: dict[str, FakeSpace] = {}
        self.pages: dict[str, FakePage] = {}
        self.unsearchable: set[str] = set()
        self.untold: set[str] = set()
        self.hidden: set[str] = set()
        self.inline = 200
        self.most = 250
        self._ids = itertools.count(1001)
        self._cursors: dict[str, tuple[str, int]] = {}

    @property
    def context(self) -> str:
        return "/wiki" if self.flavour == "cloud" else "/confluence"

    @property
    def url(self) -> str:
        return f"{self.address}{self.context}"

    def space(self, key: str, kind: str = "global", viewers: list[tuple[str, str]] | None = None) -> str:
        self.space_list[key] = FakeSpace(str(next(self._ids)), key, kind)
        if viewers is not None:
            self.space_list[key].viewers = viewers
        return key

    def page(self, space: str, title: str, parent: str | None = None, **more: Any) -> str:
        """Adds a page (or folder); its id."""
        identity = str(next(self._ids))
        self.pages[identity] = FakePage(identity, title, space, parent, **more)
        return identity

    def answer(self, request: Request) -> Reply:
        pair = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        wanted = f"Basic {pair}" if self.flavour == "cloud" else f"Bearer {TOKEN}"
        if request.headers.get("authorization") != wanted:
            raise _refused(401)
        if request.method != "GET" or not request.path.startswith(self.context + "/"):
            raise _refused(404)
        parts = request.path.removeprefix(self.context + "/").split("/")
        match parts:
            case ["api", "v2", *rest] if self.flavour == "cloud":
                return self._v2(request, rest)
            case ["rest", "api", *rest]:
                return self._v1(request, rest)
        raise _refused(404)

    def _v2(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case ["spaces"]:
                query = _query(request, "keys", "status", "limit", "cursor", "type")
                found = [one for one in self.space_list.values() if query.get("keys") in (None, one.key)]
                return self._by_cursor(request, query, [{"id": s.id, "key": s.key, "type": s.kind} for s in found])
            case ["spaces", identity, "pages"]:
                query = _query(request, "limit", "sort", "cursor", "status", "depth")
                key = self._key_of(identity)
                pages = [one for one in self.pages.values() if one.space == key and one.kind == "page"]
                pages = [one for one in pages if one.id not in self.hidden and one.status in ("current", "archived")]
                return self._by_cursor(request, query, [self._v2_page(one) for one in pages])
            case ["spaces", identity, "permissions"]:
                query = _query(request, "limit", "cursor")
                viewers = self.space_list[self._key_of(identity)].viewers
                if viewers is None:
                    raise _refused(403)
                told = [
                    {
                        "id": str(at),
                        "principal": {"type": kind, "id": f"id-of-{name}" if kind == "group" else name},
                        "operation": {"key": operation, "targetType": "space"},
                    }
                    for at, (kind, name) in enumerate(viewers)
                    for operation in ("read", "export")
                ]
                told.append(
                    {"principal": {"type": "group", "id": "x"}, "operation": {"key": "create", "targetType": "page"}}
                )
                return self._by_cursor(request, query, told)
            case ["pages", identity]:
                if _query(request, "body-format") != {"body-format": "storage"}:
                    raise _refused(400)
                page = self._page(identity, "page")
                return Reply(
                    200, {**self._v2_page(page), "body": {"storage": {"value": page.body, "representation": "storage"}}}
                )
            case ["folders", identity]:
                _query(request)
                return Reply(200, self._v2_page(self._page(identity, "folder")))
        raise _refused(404)

    def _v1(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case ["content", "search"]:
                return self._search(request)
            case ["content", identity, "restriction", "byOperation", "read"]:
                return self._restriction(request, identity)
            case ["group", "by-id"] if self.flavour == "cloud":
                name = _query(request, "id")["id"].removeprefix("id-of-")
                if name in self.hidden:
                    raise _refused(403)
                return Reply(200, {"type": "group", "name": name, "id": f"id-of-{name}"})
            case _ if self.flavour == "cloud":
                raise _refused(410)  # as Cloud's API v1 since its lists were moved to v2
            case ["space"]:
                query = _query(request, "type", "status", "limit", "start", "spaceKey")
                found = [one for one in self.space_list.values() if one.kind == query.get("type", one.kind)]
                return self._by_start(request, query, [{"id": s.id, "key": s.key, "type": s.kind} for s in found])
            case ["space", key]:
                if key not in self.space_list:
                    raise _refused(404)
                return Reply(200, {"id": self.space_list[key].id, "key": key})
            case ["space", key, "permissions"]:
                if key not in self.space_list:
                    raise _refused(404)
                viewers = self.space_list[key].viewers
                if viewers is None:
                    raise _refused(403)
                return Reply(200, [self._server_permission(kind, name) for kind, name in viewers])
            case ["user"]:
                key = _query(request, "key")["key"]
                if key in self.hidden:
                    raise _refused(404)
                return Reply(200, {"username": key.removeprefix("key-of-"), "userKey": key})
            case ["content"]:
                query = _query(request, "spaceKey", "type", "status", "expand", "limit", "start")
                if query["type"] != "page" or query["status"] != "current":
                    raise _refused(400)
                pages = [one for one in self.pages.values() if one.space == query["spaceKey"] and one.kind == "page"]
                pages = [one for one in pages if one.id not in self.hidden and one.status == "current"]
                expanded = query["expand"].split(",")
                return self._by_start(request, query, [self._v1_page(one, expanded) for one in pages])
            case ["content", identity]:
                if _query(request, "expand") != {"expand": "body.storage"}:
                    raise _refused(400)
                page = self._page(identity, "page")
                return Reply(200, {"id": identity, "body": {"storage": {"value": page.body}}})
        raise _refused(404)

    def _search(self, request: Request) -> Reply:
        query = _query(request, "cql", "expand", "limit", "cursor", "start")
        parsed = _CQL.fullmatch(query["cql"])
        if parsed is None:
            raise _refused(400)
        labels = set(re.findall(r'"([^"]*)"', parsed["labels"] or ""))
        found = [
            one
            for one in self.pages.values()
            if one.space == parsed["space"] and one.kind == "page" and one.status == "current"
            if one.id not in self.unsearchable | self.hidden and (not labels or labels & set(one.labels))
        ]
        pages = [self._v1_page(one, query.get("expand", "").split(",")) for one in found]
        return (
            self._by_cursor(request, query, pages) if self.flavour == "cloud" else self._by_start(request, query, pages)
        )

    def _restriction(self, request: Request, identity: str) -> Reply:
        query = _query(request, "expand", "start", "limit")
        if identity in self.untold or identity in self.hidden:
            raise _refused(403)
        page = self._page(identity)
        start, limit = int(query.get("start", 0)), min(int(query.get("limit", 25)), self.most)
        return Reply(200, {"operation": "read", "restrictions": self._readers(page, start, limit)})

    def _readers(self, page: FakePage, start: int, limit: int) -> dict[str, Any]:
        name = "accountId" if self.flavour == "cloud" else "username"
        users = [{"type": "known", name: one} for one in page.users][start : start + limit]
        groups = [{"type": "group", "name": one} for one in page.groups][start : start + limit]
        return {
            "user": {"results": users, "start": start, "limit": limit, "size": len(users)},
            "group": {"results": groups, "start": start, "limit": limit, "size": len(groups)},
        }

    def _v1_page(self, page: FakePage, expanded: list[str]) -> dict[str, Any]:
        raw: dict[str, Any] = {
            "id": page.id,
            "type": "page",
            "status": page.status,
            "title": page.title,
            "_links": {"webui": f"/pages/viewpage.action?pageId={page.id}"},
        }
        if "version" in expanded:
            raw["version"] = {"number": page.version, "when": page.when}
        if "ancestors" in expanded:
            line, above = [], page.parent
            while above is not None:
                line.insert(0, {"id": above, "type": "page", "title": self.pages[above].title})
                above = self.pages[above].parent
            raw["ancestors"] = line
        if all(one in expanded for one in _RESTRICTIONS) and page.id not in self.untold:
            raw["restrictions"] = {"read": {"operation": "read", "restrictions": self._readers(page, 0, self.inline)}}
        return raw

    def _v2_page(self, page: FakePage) -> dict[str, Any]:
        return {
            "id": page.id,
            "status": page.status,
            "title": page.title,
            "spaceId": self.space_list[page.space].id,
            "parentId": page.parent,
            "parentType": self.pages[page.parent].kind if page.parent else None,
            "version": {"number": page.version, "createdAt": page.when},
            "_links": {"webui": f"/spaces/{page.space}/pages/{page.id}"},
        }

    def _server_permission(self, kind: str, name: str) -> dict[str, Any]:
        subject = {"type": kind, **({"name": name} if kind == "group" else {"userKey": f"key-of-{name}"})}
        return {"operation": {"targetType": "space", "operationKey": "read"}, "subject": subject, "spaceKey": "x"}

    def _page(self, identity: str, kind: str | None = None) -> FakePage:
        page = self.pages.get(identity)
        if page is None or identity in self.hidden or (kind is not None and page.kind != kind):
            raise _refused(404)
        return page

    def _key_of(self, identity: str) -> str:
        found = [one.key for one in self.space_list.values() if one.id == identity]
        if not found:
            raise _refused(404)
        return found[0]

    def _by_cursor(self, request: Request, query: dict[str, str], found: list[Any]) -> Reply:
        same = repr((request.path, sorted((key, value) for key, value in query.items() if key != "cursor")))
        start = 0
        if "cursor" in query:
            known, start = self._cursors.get(query["cursor"], ("", 0))
            if known != same:
                raise _refused(400)
        size = self._size(query)
        links = {"base": f"https://wiki.example.com{self.context}"}
        if start + size < len(found):
            cursor = f"c{next(self._ids)}=="
            self._cursors[cursor] = (same, start + size)
            links["next"] = f"{request.path}?{urlencode({**query, 'cursor': cursor})}"
        return Reply(200, {"results": found[start : start + size], "_links": links})

    def _by_start(self, request: Request, query: dict[str, str], found: list[Any]) -> Reply:
        start, size = int(query.get("start", 0)), self._size(query)
        part = found[start : start + size]
        links = {"base": f"https://wiki.example.com{self.context}"}
        if start + size < len(found):
            links["next"] = f"/rest/api/x?{urlencode({**query, 'start': start + size})}"
        return Reply(200, {"results": part, "start": start, "limit": size, "size": len(part), "_links": links})

    def _size(self, query: dict[str, str]) -> int:
        size = int(query.get("limit", 25))
        if not 1 <= size <= 250:
            raise _refused(400)
        return min(size, self.most)


def _query(request: Request, *known: str) -> dict[str, str]:
    query = dict(request.query)
    if set(query) - set(known) or len(query) != len(request.query):
        raise _refused(400)
    return query


def _refused(status: int) -> Refused:
    return Refused(Reply(status, {"statusCode": status, "message": "refused"}))
