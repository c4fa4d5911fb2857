"""A Notion page's blocks → an HTML file with its text: headings, lists, tables and code as the HTML parser reads them.

Nothing is fetched here. What has no text (an image without a caption, a form) is counted by its type, not hidden.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

RENDERING = 1
"""Part of a page's version: raise it when the same blocks give another file."""
MAX_DEPTH = 24
"""Levels of blocks inside blocks; Notion's own editor makes no page nearly as deep."""

_TAG = re.compile("<[^>]*>")
_LISTS = {"bulleted_list_item": "ul", "to_do": "ul", "numbered_list_item": "ol"}
_LINKS = frozenset({"child_page", "child_database", "link_to_page"})
_HEADINGS = {"heading_1": 2, "heading_2": 3, "heading_3": 4, "heading_4": 5}  # <h1> is the page's title
_MEDIA = frozenset({"image", "video", "audio", "pdf", "file", "bookmark", "embed", "link_preview"})
_FRAMES = frozenset({"column_list", "column", "synced_block", "tab", "meeting_notes", "transcription"})
_WITHOUT_TEXT = frozenset({"divider", "breadcrumb", "table_of_contents"})
_INSIDE_ITEMS = frozenset({"paragraph", "quote", "callout", "toggle", "equation"}) | _LISTS.keys() | _LINKS | _MEDIA
"""Blocks that may stay inside a list item: one line of text each. Others would lose their form there."""


@dataclass(frozen=True, slots=True)
class NotionBlock:
    """`kind`: the API's `type`; `content`: the object of that name."""

    kind: str
    content: Mapping[str, Any]
    children: tuple[NotionBlock, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any], children: Sequence[NotionBlock] = ()) -> NotionBlock:
        """From the API's JSON, whatever stands in it."""
        kind = raw.get("type")
        kind = kind if isinstance(kind, str) else "unsupported"
        content = raw.get(kind)
        return cls(kind, content if isinstance(content, Mapping) else {}, tuple(children))


@dataclass(frozen=True, slots=True)
class Rendered:
    """`left_out`: how many blocks of each type gave no text although they are no mere ornament."""

    html: bytes
    left_out: Mapping[str, int]


def render(
    title: str,
    properties: Sequence[tuple[str, str]],
    blocks: Sequence[NotionBlock],
    titles: Mapping[str, str] | None = None,
) -> Rendered:
    """`properties`: name and value of a row's columns. `titles`: page id → title, for links to pages."""
    writer = _Writer(titles or {})
    if properties:
        pairs = (f"<dt>{escape(name)}</dt><dd>{_lines(value)}</dd>" for name, value in properties)
        writer.add(f"<dl>{''.join(pairs)}</dl>")
    writer.blocks(blocks, 0)
    body = "\n".join(writer.parts)
    if not _TAG.sub("", body).strip():
        body = f"<p>{escape(title)}</p>"  # a page that only holds others can be found by its name
    page = (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )
    return Rendered(page.encode("utf-8", "replace"), dict(+writer.left_out))


def plain_text(rich: object) -> str:
    """The text of a rich text array, without its styles."""
    if not isinstance(rich, list):
        return ""
    return "".join(_piece(item) for item in rich if isinstance(item, Mapping))


def _piece(item: Mapping[str, Any]) -> str:
    text = item.get("plain_text")
    if not isinstance(text, str):
        inner = item.get(str(item.get("type")))
        inner = inner if isinstance(inner, Mapping) else {}
        text = inner.get("content", inner.get("expression", ""))
    return text if isinstance(text, str) else ""


def _lines(text: str) -> str:
    """Escaped, with the line breaks that a writer made inside a block."""
    return "<br>".join(escape(line) for line in text.strip().split("\n"))


@dataclass(slots=True)
class _Writer:
    titles: Mapping[str, str]
    parts: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, html: str) -> None:
        self.parts.append(html)

    def paragraph(self, text: str, tag: str = "p") -> None:
        if text.strip():
            self.add(f"<{tag}>{_lines(text)}</{tag}>")

    def blocks(self, blocks: Sequence[NotionBlock], depth: int) -> None:
        at = 0
        while at < len(blocks):
            tag = _list_tag(blocks[at])
            if depth > MAX_DEPTH:
                self.left_out["nested too deep"] += 1
            elif tag is None:
                self.block(blocks[at], depth)
            else:
                end = at
                while end < len(blocks) and _list_tag(blocks[end]) == tag:
                    end += 1
                self.items(blocks[at:end], tag, depth)
                at = end
                continue
            at += 1

    def block(self, block: NotionBlock, depth: int) -> None:
        kind, content = block.kind, block.content
        if kind in _HEADINGS:
            self.paragraph(plain_text(content.get("rich_text")), f"h{_HEADINGS[kind]}")
        elif kind == "code":
            self.paragraph(plain_text(content.get("caption")))
            code = plain_text(content.get("rich_text"))
            if code.strip():
                self.add(f"<pre>{escape(code)}</pre>")
        elif kind == "table":
            self.table(block)
            return
        elif kind == "table_row":
            self.paragraph(" | ".join(_cells(block)))
        elif kind == "synced_block" and content.get("synced_from") is not None:
            # Its text is the original's, on whose page it is indexed, and does not change this page's time of editing.
            self.left_out["synced copy"] += 1
            return
        elif kind in _FRAMES:
            self.paragraph(plain_text(content.get("title")))
        elif kind in _WITHOUT_TEXT:
            return
        else:
            text = self.text(block)
            if not text.strip() and not block.children and kind not in ("paragraph", "quote", "callout", "toggle"):
                self.left_out[kind] += 1
            self.paragraph(text, "blockquote" if kind == "quote" else "p")
        self.blocks(block.children, depth + 1)

    def items(self, items: Sequence[NotionBlock], tag: str, depth: int) -> None:
        """One list. What would lose its form inside an item (a table, code) is written after it, and the list goes on."""
        number, opened = 1, False
        for item in items:
            if not opened:
                self.add(f'<ol start="{number}">' if tag == "ol" else "<ul>")
                opened = True
            if not self.text(item).strip() and item.kind == "link_to_page":
                self.left_out[item.kind] += 1
                continue
            self.add(f"<li>{_lines(self.text(item))}")
            inside = 0
            while inside < len(item.children) and _fits_in_item(item.children[inside], depth + 1):
                inside += 1
            self.blocks(item.children[:inside], depth + 1)
            self.add("</li>")
            number += 1
            if inside < len(item.children):
                self.add(f"</{tag}>")
                opened = False
                self.blocks(item.children[inside:], depth + 1)
        if opened:
            self.add(f"</{tag}>")

    def table(self, table: NotionBlock) -> None:
        rows = [_cells(row) for row in table.children if row.kind == "table_row"]
        self.left_out["in a table"] += sum(row.kind != "table_row" for row in table.children)
        if not any(cell.strip() for row in rows for cell in row):
            return
        heading = table.content.get("has_column_header") is True
        lines = []
        for at, row in enumerate(rows):
            cell = "th" if heading and at == 0 else "td"
            lines.append("<tr>" + "".join(f"<{cell}>{_lines(text)}</{cell}>" for text in row) + "</tr>")
        self.add("<table>" + "\n".join(lines) + "</table>")

    def text(self, block: NotionBlock) -> str:
        """The block's own text, its children's not among it."""
        kind, content = block.kind, block.content
        if kind in _LINKS:
            shown = content.get("title")
            if not isinstance(shown, str):
                shown = self.titles.get(str(content.get(str(content.get("type")))), "")
            return shown
        if kind == "equation":
            return _string(content.get("expression"))
        if kind in _MEDIA:
            # The address of a file that Notion keeps is signed and short-lived: it never becomes text.
            caption = plain_text(content.get("caption"))
            return caption or _string(content.get("name")) or _string(content.get("url"))
        text = plain_text(content.get("rich_text"))
        if kind == "to_do" and text.strip():
            return ("☑ " if content.get("checked") is True else "☐ ") + text
        return text


def _list_tag(block: NotionBlock) -> str | None:
    return "ul" if block.kind in _LINKS else _LISTS.get(block.kind)


def _fits_in_item(block: NotionBlock, depth: int) -> bool:
    if depth > MAX_DEPTH:
        return True  # left out there, in either place
    return block.kind in _INSIDE_ITEMS and all(_fits_in_item(child, depth + 1) for child in block.children)


def _cells(row: NotionBlock) -> list[str]:
    cells = row.content.get("cells")
    return [plain_text(cell) for cell in cells] if isinstance(cells, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
