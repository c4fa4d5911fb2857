"""HWPX (OWPML, KS X 6101): XML in a zip container → headings, lists, tables and text in reading order.

Sections have no page number: which page a paragraph falls on is known to the layout alone, and the layout that the file
remembers (line segments) is that of the last screen it was shown on. Headers and footers, master pages, memos, hidden
comments and equations are left out, and so is what a tracked change has deleted; foot- and endnotes follow the text
they belong to. Elements are told by their local name: the namespaces changed from one edition of the standard to the
next, the names did not.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from knowledge.errors import LockedPage, UnreadablePage
from knowledge.formats.hangul_body import MOST_DEPTH, Body, Box, Cell, Paragraph, Table
from knowledge.formats.hangul_looks import Head, Looks, Shape
from knowledge.formats.hangul_numbers import Level
from knowledge.formats.hwpx_xml import Element, read_xml
from knowledge.formats.outline import Outline
from knowledge.formats.zip_guard import SafeZip, open_zip
from knowledge.page import Document

_MOST_BYTES = 64 * 1024 * 1024  # of what is read; pictures are not
_MOST_MEMBERS = 20_000
_MOST_RATIO = 200.0
_PACKAGE = "Contents/content.hpf"
_SECTION_NAME = re.compile(r"(?:.*/)?section(\d{1,5})\.xml", re.IGNORECASE)
_MANIFEST = "META-INF/manifest.xml"
_HEADER = "Contents/header.xml"

_HEADS: dict[str, Head] = {"OUTLINE": "outline", "NUMBER": "number", "BULLET": "bullet"}
_KINDS = {
    name: number
    for number, name in enumerate(
        "DIGIT CIRCLED_DIGIT ROMAN_CAPITAL ROMAN_SMALL LATIN_CAPITAL LATIN_SMALL CIRCLED_LATIN_CAPITAL"
        " CIRCLED_LATIN_SMALL HANGUL_SYLLABLE CIRCLED_HANGUL_SYLLABLE HANGUL_JAMO CIRCLED_HANGUL_JAMO HANGUL_PHONETIC"
        " IDEOGRAPH CIRCLED_IDEOGRAPH".split()
    )
}
"""In the order in which HWP 5 numbers them (hangul_numbers.Level)."""
_CHARACTERS = {"tab": "\t", "lineBreak": "\n", "hyphen": "-", "nbSpace": " ", "fwSpace": " "}
_COUNTED = frozenset({"PICTURE", "TABLE", "EQUATION"})
_NOTES = frozenset({"footNote", "endNote"})
_MEMO = "fieldBegin"  # the list of paragraphs within is a memo


def parse(data: bytes) -> Document:
    """The document in an HWPX file; its title is a paragraph of a title style, else that of the package.

    Raises UnreadablePage (damaged), LockedPage (encrypted) or PageWithoutText.
    """
    archive = open_zip(data, most_bytes=_MOST_BYTES, most_members=_MOST_MEMBERS, most_ratio=_MOST_RATIO)
    if _MANIFEST in archive and _is_encrypted(read_xml(archive.read(_MANIFEST))):
        raise LockedPage(reason="암호 또는 배포용 문서, password or for distribution")
    package = read_xml(archive.read(_PACKAGE)) if _PACKAGE in archive else Element("package", {})
    sections = _sections(package, archive)
    if not sections:
        raise UnreadablePage(reason="not an HWPX file, or one without text")
    reader = _Reader(_looks(read_xml(archive.read(_HEADER))) if _HEADER in archive else Looks({}, {}, {}))
    outline = Outline()
    body = Body(outline)
    for name in sections:
        body.write(reader.paragraphs(read_xml(archive.read(name)), 0))
    title = next(package.descendants("title"), None)
    return outline.document(title=title.text() if title else "")


def _is_encrypted(manifest: Element) -> bool:
    return next(manifest.descendants("encryption-data"), None) is not None


def _sections(package: Element, archive: SafeZip) -> list[str]:
    """The parts that hold the text, in the order of the package's spine; without a spine, in that of their numbers."""
    places = {item.attributes.get("id"): item.attributes.get("href", "") for item in package.descendants("item")}
    named = [places.get(item.attributes.get("idref"), "") for item in package.descendants("itemref")]
    found: list[str] = []
    for name in named:
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(_PACKAGE), name))
        found.extend(path for path in (name, beside) if path in archive and _SECTION_NAME.fullmatch(path))
    numbered = sorted((int(match[1]), name) for name in archive.names() if (match := _SECTION_NAME.fullmatch(name)))
    return list(dict.fromkeys(found)) or [name for _, name in numbered]


def _looks(header: Element) -> Looks:
    shapes: dict[int, Shape] = {}
    for shape in header.descendants("paraPr"):
        heading = next(shape.descendants("heading"), None)
        if heading:
            head = _HEADS.get(heading.attributes.get("type", ""))
            shapes[shape.number("id")] = Shape(head, heading.number("level"), heading.number("idRef"))
    styles = {
        style.number("id"): (style.attributes.get("name", ""), style.attributes.get("engName", ""))
        for style in header.descendants("style")
    }
    numberings = {
        numbering.number("id"): tuple(
            Level(level.text(), _KINDS.get(level.attributes.get("numFormat", ""), 0), level.number("start", 1) or 1)
            for level in numbering.elements()
            if level.name == "paraHead"
        )
        for numbering in header.descendants("numbering")
    }
    return Looks(shapes, styles, numberings)


class _Reader:
    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def paragraphs(self, parent: Element, depth: int) -> tuple[Paragraph, ...]:
        """The paragraphs directly within `parent`, a section or a list of paragraphs."""
        if depth > MOST_DEPTH:
            raise UnreadablePage(reason="tables or text boxes nested too deep")
        return tuple(self._paragraph(child, depth) for child in parent.elements() if child.name == "p")

    def _paragraph(self, paragraph: Element, depth: int) -> Paragraph:
        contents = list(_contents(paragraph))
        for element in contents:
            if element.name == "secPr":
                self._looks.outline = element.number("outlineShapeIDRef")
        look = self._looks.look(paragraph.number("paraPrIDRef"), paragraph.number("styleIDRef"))
        pieces: list[str] = []
        notes: list[tuple[Paragraph, ...]] = []
        inner: list[Table | Box] = []
        deleted = False  # a tracked deletion is taken to end with its paragraph
        for element in contents:
            if element.name == "t":
                deleted = _letters(element, pieces, deleted)
            elif deleted:
                continue
            elif element.name == "autoNum":
                pieces.append(
                    element.attributes.get("num", "") if element.attributes.get("numType") in _COUNTED else ""
                )
            elif element.name == "compose":
                pieces.append(element.attributes.get("composeText", ""))
            elif element.name == "dutmal":
                pieces.extend(main.text() for main in element.descendants("mainText"))
            elif element.name in _NOTES:
                notes.extend(self.paragraphs(own, depth + 1) for own in element.descendants("subList"))
            elif element.name == "tbl":
                inner.append(self._table(element, depth))
            elif element.name != _MEMO:
                inner.extend(Box(self.paragraphs(own, depth + 1)) for own in element.descendants("subList"))
        return Paragraph("".join(pieces), look, tuple(notes), tuple(inner))

    def _table(self, table: Element, depth: int) -> Table:
        cells: list[Cell] = []
        rows = [row for row in table.elements() if row.name == "tr"]
        for row_number, row in enumerate(rows):
            for column_number, cell in enumerate(child for child in row.elements() if child.name == "tc"):
                place = cell.find("cellAddr") or cell
                span = cell.find("cellSpan") or cell
                own = cell.find("subList")
                cells.append(
                    Cell(
                        place.number("rowAddr", row_number),
                        place.number("colAddr", column_number),
                        span.number("rowSpan", 1),
                        span.number("colSpan", 1),
                        self.paragraphs(own, depth + 1) if own else (),
                    )
                )
        caption = table.find("caption")
        lists = caption.descendants("subList") if caption else ()
        return Table(tuple(cells), tuple(paragraph for own in lists for paragraph in self.paragraphs(own, depth + 1)))


def _contents(paragraph: Element) -> Iterator[Element]:
    """What stands in the runs of a paragraph; of alternatives the last, which every reader is to understand."""
    for run in paragraph.elements():
        if run.name != "run":
            continue
        for child in run.elements():
            if child.name == "ctrl":
                yield from child.elements()
            elif child.name == "switch":
                yield from (child.find("default") or child).elements()
            else:
                yield child


def _letters(element: Element, pieces: list[str], deleted: bool) -> bool:
    """Add the text of one `t`; returns whether a tracked deletion is open at its end."""
    for child in element.children:
        if isinstance(child, str):
            if not deleted:
                pieces.append(child)
        elif child.name == "deleteBegin":
            deleted = True
        elif child.name == "deleteEnd":
            deleted = False
        elif not deleted:
            pieces.append(_CHARACTERS.get(child.name, ""))
    return deleted
