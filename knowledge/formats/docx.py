"""Word documents: paragraphs, lists and tables in the order of the document.

Works on the XML below python-docx, which itself skips content controls, tracked insertions and text boxes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from knowledge.errors import UnreadablePage
from knowledge.formats.office import rebuilt
from knowledge.formats.outline import Outline, one_line
from knowledge.page import Document

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_WRAPPERS = frozenset(_W + name for name in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml"))
_NOT_TEXT = frozenset({_W + "del", _W + "moveFrom", _W + "txbxContent", _W + "pPr", _W + "rPr", _FALLBACK})
_BREAKS = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}
_HEADING_NAME = re.compile(r"(?:heading|제목|개요)\s*([1-9])", re.IGNORECASE)
_TITLE_NAMES = frozenset({"title", "제목", "문서 제목"})
_LIST_NAME = re.compile(r"(?:list|목록|글머리)", re.IGNORECASE)
_MAX_BASES = 12
_MAX_DEPTH = 60
_BODY_TEXT = 9  # the outline level that means "not a heading"


def parse(data: bytes) -> Document:
    """Headings by style or outline level, also Korean ones ("제목 1")."""
    document = _open(data)
    outline = Outline()
    _Reader(document, outline).read(document.element.body)
    return outline.document(title=str(document.core_properties.title or ""))


def _open(data: bytes) -> Any:
    from docx import Document as open_docx

    stream = rebuilt(data)
    try:
        return open_docx(stream)
    except Exception as error:
        # Broken files raise a dozen kinds of errors, from lxml and python-docx
        raise UnreadablePage(reason=f"not a Word file ({type(error).__name__})") from error


class _Reader:
    def __init__(self, document: Any, outline: Outline) -> None:
        self._outline = outline
        self._styles = {style.style_id: style for style in document.styles}
        self._items: list[str] = []

    def read(self, parent: Any) -> None:
        """Add everything below `parent`."""
        self._blocks(parent, 0)
        self._flush()

    def _blocks(self, parent: Any, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise UnreadablePage(reason="tables or text boxes nested too deep")
        for element in _unwrapped(parent):
            if element.tag == _W + "p":
                self._paragraph(element)
                for box in _text_boxes(element):
                    self._flush()
                    self._blocks(box, depth + 1)
            elif element.tag == _W + "tbl":
                self._flush()
                self._table(element, depth)

    def _paragraph(self, paragraph: Any) -> None:
        text = _text(paragraph)
        if not text.strip():
            return
        styles = self._style_chain(paragraph)
        if any(style.name and style.name.strip().lower() in _TITLE_NAMES for style in styles[:1]):
            self._flush()
            self._outline.heading(1, text)
        elif level := self._heading_level(paragraph, styles):
            self._flush()
            self._outline.heading(level, text)
        elif (indent := self._list_level(paragraph, styles)) is not None:
            self._items.append("  " * indent + "- " + one_line(text))
        else:
            self._flush()
            self._outline.block(text)

    def _flush(self) -> None:
        self._outline.block("\n".join(self._items), "list")
        self._items = []

    def _style_chain(self, paragraph: Any) -> list[Any]:
        name = _value(paragraph, "pPr/pStyle")
        style = self._styles.get(name) if name else None
        chain: list[Any] = []
        while style is not None and len(chain) < _MAX_BASES:
            chain.append(style)
            style = style.base_style
        return chain

    def _heading_level(self, paragraph: Any, styles: list[Any]) -> int | None:
        """From the paragraph's own outline level, a style's name, or a style's outline level."""
        own = _value(paragraph, "pPr/outlineLvl")
        if own is not None:
            return int(own) + 1 if own.isdigit() and int(own) < _BODY_TEXT else None
        for style in styles:
            named = _HEADING_NAME.fullmatch((style.name or "").strip())
            if named:
                return int(named[1])
            level = _value(style.element, "pPr/outlineLvl")
            if level is not None:
                return int(level) + 1 if level.isdigit() and int(level) < _BODY_TEXT else None
        return None

    def _list_level(self, paragraph: Any, styles: list[Any]) -> int | None:
        for element in (paragraph, *(style.element for style in styles)):
            number = _value(element, "pPr/numPr/numId")
            if number is not None:
                level = _value(element, "pPr/numPr/ilvl") or "0"
                # numId 0 takes the style's numbering away
                return None if number == "0" else min(int(level) if level.isdigit() else 0, _BODY_TEXT)
        return 0 if any(_LIST_NAME.match(style.name or "") for style in styles) else None

    def _table(self, table: Any, depth: int) -> None:
        rows = [[cell for cell in _unwrapped(row) if cell.tag == _W + "tc"]
                for row in _unwrapped(table) if row.tag == _W + "tr"]  # fmt: skip
        if len(rows) == 1 and len(rows[0]) == 1:  # a call-out box
            self._blocks(rows[0][0], depth + 1)
            self._flush()
            return
        lines = [[_cell_text(cell) for cell in row] for row in rows]
        self._outline.block("\n".join(" | ".join(cells) for cells in lines if any(cells)), "table")


def _unwrapped(parent: Any) -> Iterator[Any]:
    """The children, with those of content controls and tracked insertions in their place; no table of contents."""
    waiting = list(reversed(parent))
    while waiting:
        element = waiting.pop()
        if element.tag not in _WRAPPERS:
            yield element
        elif _value(element, "sdtPr/docPartObj/docPartGallery") != "Table of Contents":
            waiting.extend(reversed(element))


def _text(element: Any) -> str:
    parts: list[str] = []
    waiting = [element]
    while waiting:
        node = waiting.pop()
        if node.tag == _W + "t":
            parts.append(node.text or "")
        elif node.tag in _BREAKS:
            parts.append(_BREAKS[node.tag])
        elif node.tag not in _NOT_TEXT:
            waiting.extend(reversed(node))
    return "".join(parts)


def _text_boxes(paragraph: Any) -> list[Any]:
    """Outermost text boxes. Word writes each twice, for new and for old readers: the second is the fallback."""
    boxes = []
    waiting = [paragraph]
    while waiting:
        node = waiting.pop()
        if node.tag == _W + "txbxContent":
            boxes.append(node)
        elif node.tag not in (_FALLBACK, _W + "del"):
            waiting.extend(reversed(node))
    return boxes


def _cell_text(cell: Any) -> str:
    """One line. The lower cells of a vertical merge are empty in the file already, and so here."""
    return one_line(" ".join(_text(paragraph) for paragraph in cell.iter(_W + "p")))


def _value(element: Any, path: str) -> str | None:
    found = element.find("/".join(_W + step for step in path.split("/")))
    value = None if found is None else found.get(_W + "val")
    return None if value is None else str(value)
