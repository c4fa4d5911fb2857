"""HWP 5 (Hangul 2002 and later): records in a compound file → headings, lists, tables and text in reading order.

본 제품은 한글과컴퓨터의 한글 문서 파일(.hwp) 공개 문서를 참고하여 개발하였습니다.

Sections have no page number: which page a paragraph falls on is known to the layout alone, and the layout that the file
remembers (line segments) is that of the last screen it was shown on. Headers and footers, master pages, memos, hidden
comments and equations are left out; foot- and endnotes follow the text they belong to.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

from knowledge.errors import LockedPage, UnreadablePage
from knowledge.formats.hangul_body import MOST_DEPTH, Body, Box, Cell, Paragraph, Table
from knowledge.formats.hangul_looks import PLAIN, Head, Looks, Shape
from knowledge.formats.hangul_numbers import Level
from knowledge.formats.hwp5_container import Container
from knowledge.formats.hwp5_records import (
    CONTROL,
    LIST,
    NUMBERING,
    PARAGRAPH,
    PARAGRAPH_SHAPE,
    STYLE,
    TABLE,
    TEXT,
    Record,
    read_letters,
    read_numbering,
    read_records,
    read_style_names,
    short_text,
    unpack,
)
from knowledge.formats.outline import Outline
from knowledge.page import Document

_SIGNATURE = b"HWP Document File"
_VERSION = 5
_COMPRESSED = 1
# Table 3, the bits of the first set of properties
_CLOSED = {
    1: "암호, password",
    2: "배포용 문서, for distribution",
    4: "DRM",
    8: "인증서, certificate",
    10: "인증서 DRM, certificate",
}
_SECTION = re.compile(r"BodyText/Section(\d{1,5})")
_MOST_BYTES = 64 * 1024 * 1024  # unpacked, of the whole document; pictures are never unpacked
_MOST_RATIO = 200
_FREE_BYTES = 1024 * 1024  # up to here a stream may be packed as well as it likes

_HEADS: dict[int, Head] = {1: "outline", 2: "number", 3: "bullet"}
_SECTION_DEFINITION = b"secd"
_LEFT_OUT = frozenset({b"head", b"foot", b"tcmt", _SECTION_DEFINITION, b"eqed", b"%%me"})
_NOTES = frozenset({b"fn  ", b"en  "})
_COUNTED = frozenset({3, 4, 5})  # kinds of automatic numbers: pictures, tables, equations


def parse(data: bytes) -> Document:
    """The document in an HWP 5 file; its title is a paragraph of a title style, else that of the file's summary.

    Raises UnreadablePage (damaged), LockedPage (encrypted, for distribution) or PageWithoutText.
    """
    container = Container(data)
    names = set(container.names())
    if "FileHeader" not in names:
        raise UnreadablePage(reason="a compound file, but not of Hangul")
    compressed = _check(container.read("FileHeader"))
    left = _MOST_BYTES

    def stream(name: str) -> bytes:
        nonlocal left
        raw = container.read(name)
        unpacked = unpack(raw, min(left, max(_FREE_BYTES, _MOST_RATIO * len(raw)))) if compressed else raw
        left -= len(unpacked)
        return unpacked

    sections = sorted((int(match[1]), name) for name in names if (match := _SECTION.fullmatch(name)))
    if not sections or "DocInfo" not in names:
        raise UnreadablePage(reason="no text in the container")
    reader = _Reader(_looks(stream("DocInfo")))
    outline = Outline()
    body = Body(outline)
    for _, name in sections:
        body.write(reader.paragraphs(read_records(stream(name)), 0))
    return outline.document(title=container.title())


def _check(header: bytes) -> bool:
    """Whether the streams are compressed."""
    if len(header) < 40 or not header.startswith(_SIGNATURE):
        raise UnreadablePage(reason="a compound file, but not of Hangul")
    version, properties = struct.unpack_from("<2L", header, 32)
    if version >> 24 != _VERSION:
        raise UnreadablePage(reason=f"version {version >> 24} of HWP, which is not read here")
    for bit, reason in _CLOSED.items():
        if properties >> bit & 1:
            raise LockedPage(reason=reason)
    return bool(properties & _COMPRESSED)


def _looks(doc_info: bytes) -> Looks:
    """Tables 38, 43 and 47: each shape, style and numbering has the number of its place among its kind."""
    shapes: list[Shape] = []
    styles: list[tuple[str, ...]] = []
    numberings: list[tuple[Level, ...]] = []
    waiting = read_records(doc_info)[::-1]
    while waiting:
        record = waiting.pop()
        waiting.extend(reversed(record.children))
        if record.tag == PARAGRAPH_SHAPE:
            (bits,) = struct.unpack_from("<L", record.data.ljust(4, b"\x00"))
            (numbering,) = struct.unpack_from("<30xH", record.data.ljust(32, b"\x00"))
            shapes.append(Shape(_HEADS.get(bits >> 23 & 3), bits >> 25 & 7, numbering))
        elif record.tag == STYLE:
            styles.append(read_style_names(record.data))
        elif record.tag == NUMBERING:
            numberings.append(read_numbering(record.data))
    return Looks(dict(enumerate(shapes)), dict(enumerate(styles)), dict(enumerate(numberings, 1)))


class _Reader:
    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def paragraphs(self, records: Sequence[Record], depth: int) -> tuple[Paragraph, ...]:
        """The paragraphs among `records`."""
        if depth > MOST_DEPTH:
            raise UnreadablePage(reason="tables or text boxes nested too deep")
        return tuple(self._paragraph(record, depth) for record in records if record.tag == PARAGRAPH)

    def _paragraph(self, record: Record, depth: int) -> Paragraph:
        controls = [child for child in record.children if child.tag == CONTROL]
        for control in controls:
            if control.data[:4][::-1] == _SECTION_DEFINITION and len(control.data) >= 20:
                (self._looks.outline,) = struct.unpack_from("<H", control.data, 18)  # table 129
        look = PLAIN
        if len(record.data) >= 11:
            look = self._looks.look(*struct.unpack_from("<HB", record.data, 8))
        letters = read_letters(b"".join(child.data for child in record.children if child.tag == TEXT))
        notes: list[tuple[Paragraph, ...]] = []
        inner: list[Table | Box] = []
        for control in controls:
            kind = control.data[:4][::-1]
            if kind in _LEFT_OUT:
                continue
            if kind == b"tbl ":
                inner.append(self._table(control, depth))
            elif lists := [self.paragraphs(own, depth + 1) for _, own in _lists(control.children)]:
                if kind in _NOTES:
                    notes.extend(lists)
                else:
                    inner.extend(map(Box, lists))
        return Paragraph(letters.text([_written(control) for control in controls]), look, tuple(notes), tuple(inner))

    def _table(self, control: Record, depth: int) -> Table:
        """The lists before the TABLE record are the caption, those after it the cells (tables 71 and 79)."""
        tags = [child.tag for child in control.children]
        start = tags.index(TABLE) if TABLE in tags else 0
        caption = [self.paragraphs(own, depth + 1) for _, own in _lists(control.children[:start])]
        cells: list[Cell] = []
        for head, own in _lists(control.children[start:]):
            if len(head.data) < 16:
                raise UnreadablePage(reason="a cell without its place in the table")
            column, row, wide, high = struct.unpack_from("<4H", head.data, 8)
            cells.append(Cell(row, column, high, wide, self.paragraphs(own, depth + 1)))
        return Table(tuple(cells), tuple(paragraph for paragraphs in caption for paragraph in paragraphs))


def _lists(records: Sequence[Record]) -> Iterator[tuple[Record, list[Record]]]:
    """Lists of paragraphs: each begins with a LIST record, its paragraphs follow beside it (or below it)."""
    head: Record | None = None
    own: list[Record] = []
    for record in records:
        if record.tag == LIST:
            if head is not None:
                yield head, own
            head, own = record, list(record.children)
        elif head is not None:
            own.append(record)
    if head is not None:
        yield head, own


def _written(control: Record) -> str:
    """What a control shows in the line itself: the number of a picture or table, letters with an annotation."""
    kind, data = control.data[:4][::-1], control.data
    try:
        if kind == b"atno":
            bits, number = struct.unpack_from("<LH", data, 4)
            return str(number) if bits & 0xF in _COUNTED else ""
        if kind in (b"tdut", b"tcps"):
            return short_text(data, 4)[0]
    except struct.error:
        pass
    return ""
