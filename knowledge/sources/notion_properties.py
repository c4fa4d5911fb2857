"""The columns of a row of a Notion data source → what a person sees in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.sources.notion_blocks import plain_text

_NOT_CONTENT = frozenset({"title", "created_time", "last_edited_time", "created_by", "last_edited_by", "button"})
"""The title is the page's own; who touched it when is not what it says."""


@dataclass(frozen=True, slots=True)
class Property:
    """A column of a row. `related`: ids of the pages it points to, whose titles are its text."""

    name: str
    text: str
    related: tuple[str, ...] = ()


def title_of(properties: object) -> str:
    """The value of the one property that is the title; "" if there is none."""
    for value in _values(properties):
        if value.get("type") == "title":
            return plain_text(value.get("title"))
    return ""


def properties_of(properties: object) -> tuple[Property, ...]:
    """All with a value, by name. Unknown types are left out."""
    found = []
    for name, value in properties.items() if isinstance(properties, Mapping) else ():
        if not isinstance(value, Mapping) or str(value.get("type")) in _NOT_CONTENT:
            continue
        text, related = _text(value), _related(value)
        if text.strip() or related:
            found.append(Property(str(name), text.strip(), related))
    return tuple(sorted(found, key=lambda one: one.name))


def shown(properties: Sequence[Property], titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name and text, with the titles of related pages; what points only to pages that are not shared is left out."""
    pairs = []
    for one in properties:
        names = [titles[page] for page in one.related if page in titles]
        text = ", ".join([one.text, *names] if one.text else names)
        if text:
            pairs.append((one.name, text))
    return pairs


def _values(properties: object) -> list[Mapping[str, Any]]:
    values = properties.values() if isinstance(properties, Mapping) else ()
    return [value for value in values if isinstance(value, Mapping)]


def _related(value: Mapping[str, Any], depth: int = 0) -> tuple[str, ...]:
    if value.get("type") == "rollup" and depth < 2:
        return tuple(page for one in _rolled_up(value) for page in _related(one, depth + 1))
    pages = value.get("relation") if value.get("type") == "relation" else None
    if not isinstance(pages, list):
        return ()
    return tuple(page["id"] for page in pages if isinstance(page, Mapping) and isinstance(page.get("id"), str))


def _text(value: Mapping[str, Any], depth: int = 0) -> str:
    kind = value.get("type")
    inner = value.get(kind) if isinstance(kind, str) else None
    if inner is None or depth > 2:
        return ""
    match kind:
        case "rich_text" | "title":
            return plain_text(inner)
        case "number" | "string" | "url" | "email" | "phone_number":
            return _scalar(inner)
        case "checkbox" | "boolean":
            return "☑" if inner is True else "☐"
        case "select" | "status":
            return _name(inner)
        case "multi_select" | "people" | "files":
            return ", ".join(filter(None, map(_name, inner))) if isinstance(inner, list) else ""
        case "date":
            return _date(inner)
        case "formula":
            return _text(inner, depth + 1) if isinstance(inner, Mapping) else ""
        case "rollup":
            if isinstance(inner, Mapping) and inner.get("type") != "array":
                return _text(inner, depth + 1)
            return ", ".join(filter(None, (_text(one, depth + 1) for one in _rolled_up(value))))
        case "unique_id":
            return _unique_id(inner)
        case "place":
            return _name(inner) or _scalar(inner.get("address") if isinstance(inner, Mapping) else None)
    return ""


def _rolled_up(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rollup = value.get("rollup")
    array = rollup.get("array") if isinstance(rollup, Mapping) else None
    return [one for one in array if isinstance(one, Mapping)] if isinstance(array, list) else []


def _scalar(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _name(value: object) -> str:
    return _scalar(value.get("name")) if isinstance(value, Mapping) else ""


def _date(value: object) -> str:
    if not isinstance(value, Mapping):
        return ""
    start, end = _scalar(value.get("start")), _scalar(value.get("end"))
    return f"{start} ~ {end}" if start and end else start


def _unique_id(value: object) -> str:
    if not isinstance(value, Mapping):
        return ""
    prefix, number = _scalar(value.get("prefix")), _scalar(value.get("number"))
    return f"{prefix}-{number}" if prefix and number else number
