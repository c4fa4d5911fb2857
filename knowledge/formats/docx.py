"""Word documents: paragraphs, lists, tables and notes in the order of the document.

Works on the XML below python-docx, which itself skips content controls, tracked insertions and text boxes.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from knowledge.errors import UnreadablePage
from knowledge.formats.docx_table import placed_cells
from knowledge.formats.merged_cells import rows_of_cells
from knowledge.formats.office import rebuilt
from knowledge.formats.outline import Outline, one_line
from knowledge.page import Document

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_ALTERNATIVES = _MC + "AlternateContent"
_WRAPPERS = frozenset(_W + name for name in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml"))
_REMOVED = frozenset({_W + "del", _W + "moveFrom"})
_NOT_TEXT = _REMOVED | frozenset({_W + "txbxContent", _W + "pPr", _W + "rPr"})
_BREAKS = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}
_NOTE_KINDS = ("footnote", "endnote")
_REFERENCES = {f"{_W}{kind}Reference": kind for kind in _NOTE_KINDS}
_HEADING_NAME = re.compile(r"(?:heading|제목|개요)\s*([1-9])", re.IGNORECASE)
_TITLE_NAMES = frozenset({"title", "제목", "문서 제목"})
_LIST_NAME = re.compile(r"(?:list|목록|글머리)", re.IGNORECASE)
_MAX_BASES = 12
_MAX_DEPTH = 60
_BODY_TEXT = 9  # the outline level that means "not a heading"


def parse(data: bytes) -> Document:
    """Headings by style or outline level, also Korean ones ("제목 1"). Notes stand behind the paragraph that refers to them."""
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
        self._notes_left = _notes_of(document)

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
        text, notes = _text(paragraph), self._notes(paragraph)
        if not text.strip():
            if notes:
                self._flush()
                self._outline.block(notes)
            return
        styles = self._style_chain(paragraph)
        if any(style.name and style.name.strip().lower() in _TITLE_NAMES for style in styles[:1]):
            self._flush()
            self._outline.heading(1, text)
            self._outline.block(notes)
        elif level := self._heading_level(paragraph, styles):
            self._flush()
            self._outline.heading(level, text)
            self._outline.block(notes)
        elif (indent := self._list_level(paragraph, styles)) is not None:
            self._items.append("  " * indent + "- " + one_line(f"{text} {notes}"))
        else:
            self._flush()
            self._outline.block(f"{text} {notes}")

    def _notes(self, paragraph: Any) -> str:
        """The notes that the paragraph refers to, each told once: a file may refer to a long one a million times."""
        keys = ((_REFERENCES[node.tag], node.get(_W + "id")) for node in _nodes(paragraph) if node.tag in _REFERENCES)
        notes = (self._notes_left.pop(key, None) for key in keys)
        texts = (one_line(" ".join(map(_text, _paragraphs(note)))) for note in notes if note is not None)
        return " ".join(f"(주: {text})" for text in texts if text)

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
        rows = [(row, [cell for cell in _unwrapped(row) if cell.tag == _W + "tc"])
                for row in _unwrapped(table) if row.tag == _W + "tr"]  # fmt: skip
        if len(rows) == 1 and len(rows[0][1]) == 1:  # a call-out box
            self._blocks(rows[0][1][0], depth + 1)
            self._flush()
            return
        lines = rows_of_cells(placed_cells(rows, self._cell_text))
        self._outline.block("\n".join(" | ".join(cells) for cells in lines), "table")

    def _cell_text(self, cell: Any) -> str:
        """One line: its paragraphs with their notes, and those of tables and text boxes within."""
        return one_line(" ".join(f"{_text(paragraph)} {self._notes(paragraph)}" for paragraph in _paragraphs(cell)))


def _notes_of(document: Any) -> dict[tuple[str, str], Any]:
    """Foot- and endnotes by kind and id. A part that is no XML has none, since the text itself can still be read."""
    from docx.oxml import parse_xml
    from lxml.etree import XMLSyntaxError

    parts = {
        rel.reltype.rpartition("/")[2]: rel.target_part for rel in document.part.rels.values() if not rel.is_external
    }
    notes: dict[tuple[str, str], Any] = {}
    for kind in _NOTE_KINDS:
        part = parts.get(kind + "s")
        with contextlib.suppress(XMLSyntaxError):
            for note in parse_xml(part.blob).iterfind(_W + kind) if part is not None else ():
                notes[kind, note.get(_W + "id")] = note
    return notes


def _unwrapped(parent: Any) -> Iterator[Any]:
    """The children, with those of content controls and tracked insertions in their place; no table of contents."""
    waiting = list(reversed(parent))
    while waiting:
        element = waiting.pop()
        if element.tag not in _WRAPPERS:
            yield element
        elif _value(element, "sdtPr/docPartObj/docPartGallery") != "Table of Contents":
            waiting.extend(reversed(element))


def _nodes(element: Any, hidden: frozenset[str] = _NOT_TEXT) -> Iterator[Any]:
    """Everything below `element` in its order, but nothing of what is `hidden`."""
    waiting = [element]
    while waiting:
        node = waiting.pop()
        if node.tag not in hidden:
            yield node
            waiting.extend(reversed(_seen(node)))


def _seen(node: Any) -> Any:
    """Its children. Word writes text boxes and drawings twice, for new and for old readers: only the first counts."""
    return node[:1] if node.tag == _ALTERNATIVES else node


def _text(element: Any) -> str:
    parts = (node.text or "" if node.tag == _W + "t" else _BREAKS.get(node.tag, "") for node in _nodes(element))
    return "".join(parts)


def _paragraphs(element: Any) -> list[Any]:
    return [node for node in _nodes(element, _REMOVED) if node.tag == _W + "p"]


def _text_boxes(paragraph: Any) -> list[Any]:
    """The outermost ones."""
    boxes = []
    waiting = [paragraph]
    while waiting:
        node = waiting.pop()
        if node.tag == _W + "txbxContent":
            boxes.append(node)
        elif node.tag not in _REMOVED:
            waiting.extend(reversed(_seen(node)))
    return boxes


def _value(element: Any, path: str) -> str | None:
    found = element.find("/".join(_W + step for step in path.split("/")))
    value = None if found is None else found.get(_W + "val")
    return None if value is None else str(value)
