"""A Notion on this machine that speaks the read side of API version 2026-03-11 and is strict about what it receives."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from tests.fakes.http_api import HttpApi, Refused, Reply, Request

VERSION = "2026-03-11"
TOKEN = "ntn_secret"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EARLY = "2026-01-05T09:00:00.000Z"


def rich(text: str) -> list[dict[str, Any]]:
    """A rich text array of one run."""
    return [{"type": "text", "text": {"content": text, "link": None}, "plain_text": text, "href": None}]


def block(kind: str, text: str = "", children: Sequence[dict[str, Any]] = (), **content: Any) -> dict[str, Any]:
    """A block with its children, to be given to a page of the fake."""
    if text:
        content.setdefault("rich_text", rich(text))
    return {"type": kind, kind: content, "children": list(children)}


class FakeNotion(HttpApi):
    """`hidden`: ids that search does not find. `most_results`: of one query or search."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[str, Any]] = {}
        self.inside: dict[str, list[str]] = {}
        self.hidden: set[str] = set()
        self.unshared: set[str] = set()
        self.most_results = 10_000
        self.page_size = 100
        self._ids = itertools.count(1)
        self._cursors: dict[str, tuple[str, str, int]] = {}

    @property
    def base(self) -> str:
        return f"{self.address}/v1"

    def page(
        self,
        title: str,
        parent: dict[str, Any] | None = None,
        blocks: Sequence[dict[str, Any]] = (),
        edited: str = _EARLY,
        created: str = _EARLY,
        **properties: Any,
    ) -> str:
        """Adds a page; its id. `parent` as in the API; `properties`: of a row, without the title."""
        identity = self._id()
        name = "Name" if parent is not None and parent["type"] == "data_source_id" else "title"
        self.objects[identity] = {
            "object": "page",
            "id": identity,
            "created_time": created,
            "last_edited_time": edited,
            "in_trash": False,
            "parent": parent or {"type": "workspace", "workspace": True},
            "properties": {name: {"id": "title", "type": "title", "title": rich(title)}, **properties},
            "url": f"https://www.notion.so/{identity.replace('-', '')}",
        }
        self._add(identity, blocks)
        return identity

    def data_source(self, title: str, page: str | None = None) -> str:
        """Adds a database with one data source, on `page` or at the top; the data source's id."""
        database, identity = self._id(), self._id()
        where = {"type": "page_id", "page_id": page} if page else {"type": "workspace", "workspace": True}
        common = {
            "in_trash": False,
            "title": rich(title),
            "url": None,
            "created_time": _EARLY,
            "last_edited_time": _EARLY,
        }
        self.objects[database] = {"object": "database", "id": database, "parent": where, **common}
        self.objects[identity] = {
            "object": "data_source",
            "id": identity,
            "parent": {"type": "database_id", "database_id": database},
            "database_parent": where,
            "properties": {"Name": {"id": "title", "type": "title", "title": {}}},
            **common,
        }
        return identity

    def row(self, source: str, title: str, blocks: Sequence[dict[str, Any]] = (), **more: Any) -> str:
        """Adds a row; its id."""
        database = self.objects[source]["parent"]["database_id"]
        parent = {"type": "data_source_id", "data_source_id": source, "database_id": database}
        return self.page(title, parent, blocks, **more)

    def rewrite(self, page: str, blocks: Sequence[dict[str, Any]], edited: str) -> None:
        self.inside[page] = []
        self._add(page, blocks)
        self.objects[page]["last_edited_time"] = edited

    def _id(self) -> str:
        number = next(self._ids)
        return f"{number * 7919:08x}-0000-4000-8000-{number:012x}"

    def _add(self, parent: str, blocks: Sequence[dict[str, Any]]) -> None:
        self.inside.setdefault(parent, [])
        kind = "page_id" if self.objects[parent]["object"] == "page" else "block_id"
        for raw in blocks:
            identity = raw.get("id") or self._id()
            content = {key: value for key, value in raw.items() if key != "children"}
            has_children = bool(raw["children"]) or raw["type"] in ("child_page", "child_database")
            self.objects[identity] = {
                "object": "block",
                "has_children": has_children,
                "in_trash": False,
                "parent": {"type": kind, kind: parent},
                **content,
                "id": identity,
            }
            self.inside[parent].append(identity)
            self._add(identity, raw["children"])

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise _refused(401, "unauthorized")
        if request.headers.get("notion-version") != VERSION:
            raise _refused(400, "missing_version")
        parts = request.path.removeprefix("/v1/").split("/")
        match request.method, parts:
            case "POST", ["search"]:
                return self._search(request)
            case "POST", ["data_sources", identity, "query"]:
                return self._query(request, identity)
            case "GET", ["blocks", identity, "children"]:
                self._object(identity, ("block", "page"))
                children = [self.objects[one] for one in self.inside.get(identity, [])]
                return self._list(request, dict(request.query), children, {"page_size", "start_cursor"})
            case "GET", [("pages" | "blocks" | "data_sources" | "databases") as kind, identity]:
                if request.query:
                    raise _refused(400, "validation_error")
                return Reply(200, self._object(identity, (kind[:-1],)))
        raise _refused(400, "invalid_request_url")

    def _search(self, request: Request) -> Reply:
        body = self._body(request, {"filter", "sort", "query", "page_size", "start_cursor"})
        wanted = body.get("filter", {})
        if wanted.get("property") != "object" or wanted.get("value") not in ("page", "data_source"):
            raise _refused(400, "validation_error")
        found = [one for one in self._shared(wanted["value"]) if one["id"] not in self.hidden]
        sort = body.get("sort", {})
        if sort.get("timestamp") != "last_edited_time":
            raise _refused(400, "validation_error")
        found.sort(key=lambda one: str(one["last_edited_time"]), reverse=sort.get("direction") == "descending")
        return self._list(request, body, found, None)

    def _query(self, request: Request, identity: str) -> Reply:
        self._object(identity, ("data_source",))
        body = self._body(request, {"filter", "sorts", "page_size", "start_cursor", "result_type"})
        rows = [one for one in self._shared("page") if one["parent"].get("data_source_id") == identity]
        if body.get("sorts") != [{"timestamp": "created_time", "direction": "ascending"}]:
            raise _refused(400, "validation_error")
        rows.sort(key=lambda one: str(one["created_time"]))
        if "filter" in body:
            if set(body["filter"]) != {"timestamp", "created_time"} or body["filter"]["timestamp"] != "created_time":
                raise _refused(400, "validation_error")
            since = body["filter"]["created_time"]["on_or_after"]
            rows = [one for one in rows if one["created_time"] >= since]
        return self._list(request, body, rows, None)

    def _shared(self, kind: str) -> list[dict[str, Any]]:
        return [
            one
            for one in self.objects.values()
            if one["object"] == kind and one["id"] not in self.unshared and not one["in_trash"]
        ]

    def _object(self, identity: str, kinds: tuple[str, ...]) -> dict[str, Any]:
        if not _UUID.fullmatch(identity):
            raise _refused(400, "validation_error")
        found = self.objects.get(identity)
        if found is None or identity in self.unshared or found["object"] not in kinds:
            raise _refused(404, "object_not_found")
        return found

    def _body(self, request: Request, keys: set[str]) -> dict[str, Any]:
        if request.headers.get("content-type") != "application/json" or request.query:
            raise _refused(400, "invalid_json")
        body = request.json()
        if not isinstance(body, dict) or set(body) - keys:
            raise _refused(400, "validation_error")
        return body

    def _list(self, request: Request, given: dict[str, Any], found: list[Any], keys: set[str] | None) -> Reply:
        if keys is not None and set(given) - keys:
            raise _refused(400, "validation_error")
        size = int(given.get("page_size", 100))
        if not 1 <= size <= 100:
            raise _refused(400, "validation_error")
        same = repr(sorted((key, value) for key, value in given.items() if key != "start_cursor"))
        start = 0
        if "start_cursor" in given:
            path, query, start = self._cursors.get(given["start_cursor"], ("", "", 0))
            if (path, query) != (request.path, same):
                raise _refused(400, "validation_error")
        found = found[: self.most_results + 1]
        capped = len(found) > self.most_results
        found = found[: self.most_results]
        page = found[start : start + min(size, self.page_size)]
        more = start + len(page) < len(found)
        cursor = self._id() if more else None
        if cursor is not None:
            self._cursors[cursor] = (request.path, same, start + len(page))
        answer: dict[str, Any] = {"object": "list", "results": page, "next_cursor": cursor, "has_more": more}
        if capped and not more:
            answer["request_status"] = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
        return Reply(200, answer)


def _refused(status: int, code: str) -> Refused:
    return Refused(Reply(status, {"object": "error", "status": status, "code": code, "message": code}))
