"""The records of an HWP 5 stream, as a tree, and what the few kinds that carry text hold.

본 제품은 한글과컴퓨터의 한글 문서 파일(.hwp) 공개 문서를 참고하여 개발하였습니다.
(Numbers of tables below are those of that document, "한글 문서 파일 형식 5.0, revision 1.3".)
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from knowledge.errors import UnreadablePage
from knowledge.formats.hangul_numbers import Level

# Table 13 and 57; HWPTAG_BEGIN is 16
NUMBERING = 23
PARAGRAPH_SHAPE = 25
STYLE = 26
PARAGRAPH = 66
TEXT = 67
CONTROL = 71
LIST = 72
TABLE = 77
_WANTED = frozenset({NUMBERING, PARAGRAPH_SHAPE, STYLE, PARAGRAPH, TEXT, CONTROL, LIST, TABLE})
_BETWEEN = frozenset({17, 76})
"""The header of all shapes and styles, and the component of a drawing: what is below them is as if below their parent."""

_MOST_RECORDS = 500_000
_LONG_SIZE = 0xFFF
_CHARS = {10: "\n", 24: "-", 30: " ", 31: " "}
_ONE_UNIT = frozenset({0, 10, 13, *range(24, 32)})
_POINTERS = frozenset({1, 2, 3, 11, 12, 14, 15, 16, 17, 18, 21, 22, 23})
_TAB = 9
_UNITS = 8
_NUMBERED_LEVELS = 7
_FIRST_PLAIN = 32


@dataclass(slots=True)
class Record:
    """`children`: the records below it, without those of kinds that carry no text (memos are below such a one)."""

    tag: int
    data: bytes
    children: list[Record] = field(default_factory=list)


def unpack(data: bytes, most_bytes: int) -> bytes:
    """A compressed stream (deflate without a header). Raises UnreadablePage: damaged, or too much comes out."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(data, most_bytes + 1)
    except zlib.error as error:
        raise UnreadablePage(reason="a damaged compressed stream") from error
    if len(unpacked) > most_bytes:
        raise UnreadablePage(reason=f"unpacks to more than {most_bytes / 2**20:.0f} MB")
    if not unpacker.eof:
        raise UnreadablePage(reason="a compressed stream is cut off")
    return unpacked


def read_records(stream: bytes) -> list[Record]:
    """The records of the topmost level. Raises UnreadablePage: one is cut off, or there is no end of them."""
    roots: list[Record] = []
    above: list[tuple[int, list[Record]]] = [(-1, roots)]
    count = 0
    for tag, level, data in _walk(stream):
        while above[-1][0] >= level:
            above.pop()
        if tag in _WANTED:
            count += 1
            if count > _MOST_RECORDS:
                raise UnreadablePage(reason=f"more than {_MOST_RECORDS:,} records in one stream")
            record = Record(tag, data)
            above[-1][1].append(record)
            above.append((level, record.children))
        else:
            above.append((level, above[-1][1] if tag in _BETWEEN else []))
    return roots


def _walk(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Chapter 4.1: ten bits of tag, ten of level, twelve of size; the greatest size means that four bytes follow."""
    place = 0
    while place + 4 <= len(stream):
        (head,) = struct.unpack_from("<L", stream, place)
        place += 4
        size = head >> 20
        if size == _LONG_SIZE:
            if place + 4 > len(stream):
                raise UnreadablePage(reason="a record is cut off")
            (size,) = struct.unpack_from("<L", stream, place)
            place += 4
        if place + size > len(stream):
            raise UnreadablePage(reason="a record is cut off")
        yield head & 0x3FF, head >> 10 & 0x3FF, stream[place : place + size]
        place += size


@dataclass(frozen=True, slots=True)
class Letters:
    """The text of a paragraph in pieces. `pointers[n]`: the piece before which the n-th control stands."""

    pieces: tuple[str, ...]
    pointers: tuple[int, ...]

    def text(self, written: Sequence[str]) -> str:
        """All of it. `written[n]`: what the n-th control shows in the line itself."""
        parts: list[str] = []
        start = 0
        for place, words in zip(self.pointers, written, strict=False):  # a damaged file may have more of either
            parts.extend(self.pieces[start:place])
            parts.append(words)
            start = place
        return "".join(parts) + "".join(self.pieces[start:])


def read_letters(data: bytes) -> Letters:
    """Table 6: below 32 are controls, of one UTF-16 unit or of eight; some of the latter point to a CONTROL record."""
    units = array("H", data[: len(data) // 2 * 2])
    if sys.byteorder == "big":
        units.byteswap()
    pieces: list[str] = []
    pointers: list[int] = []
    place = start = 0

    def cut(end: int, extra: str = "") -> None:
        text = data[2 * start : 2 * end].decode("utf-16-le", "replace") + extra
        if text:
            pieces.append(text)

    while place < len(units):
        unit = units[place]
        if unit >= _FIRST_PLAIN:
            place += 1
            continue
        cut(place, "\t" if unit == _TAB else _CHARS.get(unit, ""))
        if unit in _POINTERS:
            pointers.append(len(pieces))
        place += 1 if unit in _ONE_UNIT else _UNITS
        start = place
    cut(len(units))
    return Letters(tuple(pieces), tuple(pointers))


def short_text(data: bytes, place: int) -> tuple[str, int]:
    """A string after its length in UTF-16 units, and where the next field begins. Raises struct.error at the end."""
    (length,) = struct.unpack_from("<H", data, place)
    end = place + 2 + 2 * length
    if end > len(data):
        raise struct.error("string is cut off")
    return data[place + 2 : end].decode("utf-16-le", "replace"), end


def read_style_names(data: bytes) -> tuple[str, ...]:
    """Table 47: the Korean and the English name; nothing where the record is cut off."""
    try:
        korean, place = short_text(data, 0)
        return korean, short_text(data, place)[0]
    except struct.error:
        return ()


def read_numbering(data: bytes) -> tuple[Level, ...]:
    """Table 38, with the twelve bytes of table 39 before each format: as Hangul writes it, not as the table counts.

    The kind of number stands in bits 5 to 8 of the first of them. Older files end before the starts of the levels.
    """
    formats: list[tuple[str, int]] = []
    place = 0
    try:
        for _ in range(_NUMBERED_LEVELS):
            (bits,) = struct.unpack_from("<L", data, place)
            text, place = short_text(data, place + 12)
            formats.append((text, bits >> 5 & 0xF))
    except struct.error:
        return ()
    starts = [1] * len(formats)
    if len(data) >= place + 2 + 4 * len(formats):
        starts = [*struct.unpack_from(f"<{len(formats)}L", data, place + 2)]
    return tuple(Level(text, kind, start or 1) for (text, kind), start in zip(formats, starts, strict=True))
