"""Small HWP 5 files, written record by record after "한글 문서 파일 형식 5.0" (rev. 1.3); numbers of tables are its own.

본 제품은 한글과컴퓨터의 한글 문서 파일(.hwp) 공개 문서를 참고하여 개발하였습니다.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.fakes.compound_maker import compound_file

DOCUMENT, NUMBERING, SHAPE, STYLE = 16, 23, 25, 26
PARAGRAPH, TEXT, CHAR_SHAPES, LINES = 66, 67, 68, 69
CONTROL, LIST, COMPONENT, TABLE, RECTANGLE, MEMOS = 71, 72, 76, 77, 79, 93
HERE = "\ufffc"
"""In the text of a paragraph: here stands the next of its controls."""


@dataclass(frozen=True)
class Node:
    """A record and those one level below it."""

    tag: int
    data: bytes = b""
    children: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Control:
    """`code`: the control character in the text (table 6)."""

    code: int
    node: Node

    @property
    def name(self) -> bytes:
        return self.node.data[:4]


@dataclass(frozen=True)
class Cell:
    row: int
    column: int
    content: str | tuple[Node, ...]
    high: int = 1
    wide: int = 1


def paragraph(text: str, *controls: Control, shape: int = 0, style: int = 0) -> Node:
    """Tables 58 and 60. `text` may hold tabs, line ends and HERE; controls that it does not place stand at its end."""
    text += HERE * (len(controls) - text.count(HERE))
    waiting = iter(controls)
    units = bytearray()
    for letter in text:
        if letter == HERE:
            control = next(waiting)
            units += struct.pack("<H4s8xH", control.code, control.name, control.code)
        elif letter == "\t":
            units += struct.pack("<H12xH", 9, 9)
        else:
            units += letter.encode("utf-16-le")
    units += b"\r\x00"
    head = struct.pack("<2LHBB3HL", len(units) // 2, 0, shape, style, 0, 1, 0, 1, 0)
    children = (Node(TEXT, bytes(units)), Node(CHAR_SHAPES, bytes(8)), Node(LINES, bytes(36)))
    return Node(PARAGRAPH, head, children + tuple(control.node for control in controls))


def table(cells: Sequence[Cell], caption: str = "") -> Control:
    """Tables 69, 75, 79 and 80."""
    rows = max((cell.row for cell in cells), default=0) + 1
    columns = max((cell.column for cell in cells), default=0) + 1
    children: list[Node] = []
    if caption:
        children += [_list(1, bytes(14)), paragraph(caption)]
    children.append(Node(TABLE, struct.pack("<L3H8x", 6, rows, columns, 0) + bytes(2 * rows) + bytes(4)))
    for cell in cells:
        content = (paragraph(cell.content),) if isinstance(cell.content, str) else cell.content
        place = struct.pack("<4H2L8xH", cell.column, cell.row, cell.wide, cell.high, 100, 100, 1)
        children += [_list(len(content), place + bytes(4)), *content]
    return Control(11, Node(CONTROL, _name("tbl ") + bytes(40), tuple(children)))


def grid(*rows: Sequence[str]) -> Control:
    """A table of plain cells."""
    return table([Cell(y, x, text) for y, row in enumerate(rows) for x, text in enumerate(row)])


def note(*content: Node, end: bool = False) -> Control:
    """A footnote (or endnote), which begins with its own number."""
    return Control(17, Node(CONTROL, _name("en  " if end else "fn  ") + bytes(8), (_list(len(content)), *content)))


def box(*content: Node) -> Control:
    """A rectangle with text (tables 82 and 89): the list stands below the component."""
    inside = (_list(len(content), bytes(12)), *content, Node(RECTANGLE, bytes(33)))
    return Control(11, Node(CONTROL, _name("gso ") + bytes(40), (Node(COMPONENT, b"cer$cer$", inside),)))


def page_header(*content: Node) -> Control:
    return Control(16, Node(CONTROL, _name("head") + bytes(4), (_list(len(content), bytes(10)), *content)))


def hidden_comment(*content: Node) -> Control:
    return Control(15, Node(CONTROL, _name("tcmt"), (_list(len(content)), *content)))


def link(address: str) -> Control:
    """The beginning of a hyperlink (table 152); its text follows in the paragraph itself."""
    command = address.encode("utf-16-le")
    return Control(3, Node(CONTROL, _name("%hlk") + struct.pack("<LBH", 0, 0, len(address)) + command + bytes(4)))


def number(kind: int, value: int) -> Control:
    """An automatic number (table 142): kind 1 of a footnote, 3 of a picture, 4 of a table."""
    return Control(18, Node(CONTROL, _name("atno") + struct.pack("<LH6x", kind, value)))


def annotated(text: str, above: str) -> Control:
    """Letters with an annotation above (table 151)."""
    strings = b"".join(struct.pack("<H", len(part)) + part.encode("utf-16-le") for part in (text, above))
    return Control(23, Node(CONTROL, _name("tdut") + strings + bytes(20)))


def shape(head: int = 0, level: int = 0, numbering: int = 0) -> bytes:
    """Table 43. `head`: 0 none, 1 outline, 2 number, 3 bullet; `level` from 0."""
    return struct.pack("<L26xH14x", 0x80 | head << 23 | level << 25, numbering)


def numbering(*levels: tuple[str, int], starts: Sequence[int] = (1,) * 7) -> bytes:
    """Tables 38 and 39: format and kind of each level; levels left out are plain digits."""
    data = bytearray()
    for at in range(7):
        text, kind = levels[at] if at < len(levels) else (f"^{at + 1}.", 0)
        data += struct.pack("<LHHLH", 0xC | kind << 5, 0, 50, 0xFFFFFFFF, len(text)) + text.encode("utf-16-le")
    return bytes(data) + struct.pack("<H", 0) + struct.pack(f"<{len(starts)}L", *starts)


def make_hwp(
    *sections: Sequence[Node],
    shapes: Sequence[bytes] = (shape(),),
    styles: Sequence[str] = ("바탕글",),
    numberings: Sequence[bytes] = (),
    outline: int = 0,
    title: str = "",
    properties: int = 1,
    version: int = 0x05000300,
    extra: Sequence[Node] = (),
) -> bytes:
    """A file of these sections. `outline`: the numbering of the outline, from 1.

    `properties`: bit 0 is compression (table 3). `extra`: records at the very end.
    """

    def packed(nodes: Sequence[Node]) -> bytes:
        data = b"".join(records(nodes))
        return deflated(data) if properties & 1 else data

    definition = Control(2, Node(CONTROL, _name("secd") + struct.pack("<14xH12x", outline)))
    streams = {
        "FileHeader": struct.pack("<32s2L216x", b"HWP Document File", version, properties),
        "DocInfo": packed(
            [
                Node(DOCUMENT, struct.pack("<H24x", len(sections))),
                Node(17, bytes(72), tuple(Node(NUMBERING, data) for data in numberings)
                     + tuple(Node(SHAPE, data) for data in shapes)
                     + tuple(Node(STYLE, _style(name)) for name in styles)),
            ]
        ),
        "\x05HwpSummaryInformation": _summary(title),
        "PrvText": "미리 보기".encode("utf-16-le"),
        "BinData/BIN0001.png": bytes(5000),
    }  # fmt: skip
    for at, section in enumerate(sections):
        nodes = [paragraph("", definition), *section, *(extra if at == len(sections) - 1 else ())]
        streams[f"BodyText/Section{at}"] = packed(nodes)
    return compound_file(streams)


def records(nodes: Sequence[Node], level: int = 0) -> Iterator[bytes]:
    """Chapter 4.1."""
    for node in nodes:
        size = len(node.data)
        yield struct.pack("<L", node.tag | level << 10 | min(size, 0xFFF) << 20)
        if size >= 0xFFF:
            yield struct.pack("<L", size)
        yield node.data
        yield from records(node.children, level + 1)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _name(name: str) -> bytes:
    return name.encode()[::-1]


def _list(paragraphs: int, more: bytes = b"") -> Node:
    return Node(LIST, struct.pack("<2L", paragraphs, 0) + more)


def _style(name: str) -> bytes:
    local = struct.pack("<H", len(name)) + name.encode("utf-16-le")
    return local + struct.pack("<H", 0) + bytes(10)


def _summary(title: str) -> bytes:
    """A property set with one property: the title, as UTF-16."""
    text = struct.pack("<2L", 0x1F, len(title) + 1) + (title + "\x00").encode("utf-16-le")
    head = struct.pack("<2HL16sL16sL", 0xFFFE, 0, 0x20105, bytes(16), 1, bytes(16), 48)
    return head + struct.pack("<4L", 16 + len(text), 1, 2, 16) + text
