"""Small hand-written PDFs with a real text layer, Korean included.

The font is of type 3 (every letter a box) with a map to Unicode: no font file is needed. PDFium needs letters with a
size: without one it takes equal lines for one line printed twice, and drops one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_MOST_LETTERS = 255  # a simple font has one-byte codes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an outline. `target`: a page from 0 (one that does not exist is written as a number), or what stands there as PDF.

    `first` and `after`: the entries that come first below it and behind it, as numbers from 0.
    """

    title: str
    target: int | bytes | None = None
    first: int | None = None
    after: int | None = None


def tree(*entries: tuple[int, str, int | bytes | None]) -> list[Entry]:
    """(level, title, target) in their order → an outline as honest programs write it."""
    linked = []
    for number, (level, title, target) in enumerate(entries):
        below = number + 1 if number + 1 < len(entries) and entries[number + 1][0] > level else None
        end = next((n for n in range(number + 1, len(entries)) if entries[n][0] <= level), len(entries))
        after = end if end < len(entries) and entries[end][0] == level else None
        linked.append(Entry(title, target, below, after))
    return linked


def make_pdf(
    pages: Sequence[Sequence[str]],
    title: str | None = None,
    *,
    encrypted: bool = False,
    bookmarks: Sequence[Entry] = (),
) -> bytes:
    """One PDF page per list of lines, top to bottom. `encrypted`: with a password that nobody knows.

    `bookmarks`: its outline, which begins with the first of them.
    """
    letters = sorted({letter for lines in pages for line in lines for letter in line})
    assert len(letters) <= _MOST_LETTERS, "too many different letters for one test PDF"
    codes = {letter: code for code, letter in enumerate(letters, 1)}
    objects = [b"", b"", _font(len(letters)), _stream(b"1000 0 0 -200 1000 800 d1 0 0 900 700 re f"), _map(codes)]
    objects.append(b"<< /Title <%s> >>" % _utf16("\ufeff" + title) if title else b"<< >>")
    kids: list[bytes] = []
    for lines in pages:
        objects.append(_stream(_content(lines, codes)))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    outlines = len(objects) + 1
    if bookmarks:
        objects.append(b"<< /Type /Outlines /First %d 0 R >>" % (outlines + 1))
        objects += [_entry(entry, outlines + 1, kids) for entry in bookmarks]
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R%s >>" % (b" /Outlines %d 0 R" % outlines if bookmarks else b"")
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    return _file(objects, encrypted)


def _font(letters: int) -> bytes:
    names = b" ".join(b"/c%d" % code for code in range(1, letters + 1))
    glyphs = b" ".join(b"/c%d 4 0 R" % code for code in range(1, letters + 1))
    return (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 -200 1000 800] /FontMatrix [0.001 0 0 0.001 0 0] /Resources << >>"
        b" /FirstChar 1 /LastChar %d /Widths [%s] /Encoding << /Type /Encoding /Differences [1 %s] >>"
        b" /CharProcs << %s >> /ToUnicode 5 0 R >>"
    ) % (letters, b"1000 " * letters, names, glyphs)


def _map(codes: Mapping[str, int]) -> bytes:
    entries = [b"<%02x> <%s>" % (code, _utf16(letter)) for letter, code in codes.items()]
    blocks = [entries[start : start + 100] for start in range(0, len(entries), 100)]
    return _stream(
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Fake def /CMapType 2 def\n"
        b"1 begincodespacerange <00> <FF> endcodespacerange\n"
        + b"".join(b"%d beginbfchar\n%s\nendbfchar\n" % (len(block), b"\n".join(block)) for block in blocks)
        + b"endcmap end end"
    )


def _content(lines: Sequence[str], codes: Mapping[str, int]) -> bytes:
    shown = [
        b"1 0 0 1 40 %d Tm <%s> Tj" % (800 - 18 * row, bytes(codes[letter] for letter in line).hex().encode())
        for row, line in enumerate(lines)
    ]
    return b"BT /F1 10 Tf\n" + b"\n".join(shown) + b"\nET"


def _entry(entry: Entry, start: int, kids: Sequence[bytes]) -> bytes:
    target = entry.target
    if isinstance(target, int):
        target = b"/Dest [%s /Fit]" % (kids[target] if 0 <= target < len(kids) else b"%d" % target)
    links = b"".join(
        b" /%s %d 0 R" % (name, start + number)
        for name, number in ((b"First", entry.first), (b"Next", entry.after))
        if number is not None
    )
    return b"<< /Title <feff%s>%s %s >>" % (_utf16(entry.title), links, target or b"")


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass").hex().encode()


def _file(objects: Sequence[bytes], encrypted: bool) -> bytes:
    data = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    extra = b""
    if encrypted:
        keys = (b"11" * 32, b"22" * 32)
        extra = b" /ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % keys
    trailer = (len(objects) + 1, extra, start)
    return bytes(data) + b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % trailer
