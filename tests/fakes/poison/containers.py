"""Poisoned zip containers: one set for each container format, made from a sound file of that format."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial

import olefile

from knowledge.errors import PageWithoutText, UnreadablePage
from knowledge.formats import KNOWN_SUFFIXES
from tests.fakes import hwp_maker
from tests.fakes.compound_maker import compound_file
from tests.fakes.hwpx_maker import line, make_hwpx
from tests.fakes.poison.poison import GIGABYTE, STOPPED, Poison

_MARK = "saseo-text"  # ASCII: some writers put numbers for Hangul
_MAIN = {
    ".docx": "word/document.xml",
    ".pptx": "ppt/slides/slide1.xml",
    ".xlsx": "xl/worksheets/sheet1.xml",
    ".hwpx": "Contents/section0.xml",
}
"""Where a format keeps its text."""
_LAUGHS = '<!ENTITY l0 "하하하하하하하하하하">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
)
"""Ten to the tenth syllables, if entities are put in."""
_PEEK = '<!ENTITY peek SYSTEM "file:///etc/passwd">'
_MEGABYTE = 1 << 20


def poisons() -> Iterator[Poison]:
    """Of every container format that is registered."""
    for suffix in sorted(KNOWN_SUFFIXES & _MAIN.keys()):
        empty = (UnreadablePage, PageWithoutText)
        for kind, name, make, ends in (
            ("zip bomb: one part of 1 GB", "폭탄", _bomb, (UnreadablePage,)),
            ("zip bomb: 1 GB that says it is 100 bytes", "거짓말", _liar, (UnreadablePage,)),
            ("zip bomb: 200,000 members", "조각", _crowd, (UnreadablePage, *STOPPED)),
            ("billion laughs", "웃음", _laughing, (*empty, *STOPPED)),
            ("XML that asks for a local file", "엿보기", _peeking, (None, *empty)),
            ("XML nested 100,000 deep", "깊은", _deep, (None, *empty, *STOPPED)),
            ("paths that lead outside", "탈출", _escaping, (None, UnreadablePage)),
            ("a damaged container", "깨진", _torn, (UnreadablePage,)),
            ("a right beginning, then noise", "잡음", _noise, (UnreadablePage,)),
        ):
            yield Poison(kind, name + suffix, partial(make, suffix), ends, slow=make in (_bomb, _liar, _crowd))
    if ".hwp" in KNOWN_SUFFIXES:
        yield Poison("a right beginning, then noise", "잡음.hwp", _noise_in_compound, (UnreadablePage,))
        yield Poison("a stream that unpacks to 1 GB", "부푼.hwp", _swelling_hwp, (UnreadablePage, *STOPPED), slow=True)
        yield Poison("a damaged container", "깨진.hwp", _torn_hwp, (UnreadablePage,))


def _sound(suffix: str) -> dict[str, bytes]:
    """The parts of a sound file whose text is `_MARK`."""
    made = io.BytesIO()
    if suffix == ".docx":
        import docx

        document = docx.Document()
        document.add_paragraph(_MARK)
        document.save(made)
    elif suffix == ".pptx":
        import pptx

        show = pptx.Presentation()
        slide = show.slides.add_slide(show.slide_layouts[5])
        slide.shapes.title.text = _MARK
        show.save(made)
    elif suffix == ".xlsx":
        import openpyxl

        book = openpyxl.Workbook()
        book.active["A1"] = _MARK
        book.save(made)
    else:
        made = io.BytesIO(make_hwpx([line(_MARK)]))
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sound(suffix: str) -> bytes:
    """A file of the format that holds one line of text."""
    return _hwp() if suffix == ".hwp" else _zip(_sound(suffix))


def _zip(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return made.getvalue()


def _altered(suffix: str, entities: str, text: str) -> bytes:
    """The sound file with a document type before, and other text in, its main part."""
    parts = _sound(suffix)
    main = parts[_MAIN[suffix]].decode()
    assert _MARK in main
    head, end, body = main.partition("?>")
    declared, body = (head + end, body) if end else ("", main)
    root = body.lstrip()[1:].split(None, 1)[0].split(">")[0]
    changed = declared + (f"<!DOCTYPE {root} [{entities}]>" if entities else "") + body.lstrip().replace(_MARK, text)
    return _zip(parts | {_MAIN[suffix]: changed.encode()})


def _laughing(suffix: str) -> bytes:
    return _altered(suffix, _LAUGHS, "&l9;")


def _peeking(suffix: str) -> bytes:
    return _altered(suffix, _PEEK, _MARK + "&peek;")


def _deep(suffix: str) -> bytes:
    parts = _sound(suffix)
    body, end, root = parts[_MAIN[suffix]].rpartition(b"</")
    return _zip(parts | {_MAIN[suffix]: body + b"<a>" * 100_000 + "끝".encode() + b"</a>" * 100_000 + end + root})


def _escaping(suffix: str) -> bytes:
    return _zip(_sound(suffix) | {"../../../../tmp/saseo-escaped": b"x", "/tmp/saseo-escaped": b"x"})


def _torn(suffix: str) -> bytes:
    data = bytearray(_zip(_sound(suffix)))
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    return bytes(data[:-30])


def _noise(suffix: str) -> bytes:
    return b"PK\x03\x04\x14\0\0\0\x08\0" + random.Random(suffix).randbytes(200_000)


def _noise_in_compound() -> bytes:
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + b"\x3e\0\x03\0\xfe\xff\x09\0"
        + random.Random(1).randbytes(200_000)
    )


def _bomb(suffix: str) -> bytes:
    return _with_swollen(suffix, declared=GIGABYTE)


def _liar(suffix: str) -> bytes:
    return _with_swollen(suffix, declared=100)


def _with_swollen(suffix: str, declared: int) -> bytes:
    """The main part unpacks to 1 GB of blanks."""
    packed, crc = swollen(b" " * _MEGABYTE, GIGABYTE // _MEGABYTE)
    parts = [(name, _deflated(data), zlib.crc32(data), len(data)) for name, data in _sound(suffix).items()]
    return raw_zip([one for one in parts if one[0] != _MAIN[suffix]] + [(_MAIN[suffix], packed, crc, declared)])


def _crowd(suffix: str) -> bytes:
    parts = [(name, _deflated(data), zlib.crc32(data), len(data)) for name, data in _sound(suffix).items()]
    return raw_zip(parts + [(f"part/{number}", b"\x03\0", 0, 0) for number in range(200_000)])


def swollen(block: bytes, times: int) -> tuple[bytes, int]:
    """`block` repeated, packed with deflate without ever being there as a whole; and its CRC-32."""
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(times):
        crc = zlib.crc32(block, crc)
    return piece * times + packer.flush(zlib.Z_FINISH), crc


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def raw_zip(members: list[tuple[str, bytes, int, int]]) -> bytes:
    """Name, packed data, CRC and declared size of each: nothing is checked. With a zip64 end where there are many."""
    body, directory = bytearray(), bytearray()
    for name, data, crc, size in members:
        raw = name.encode()
        what = struct.pack("<HHHHHLLL", 20, 0x800, 8, 0, 33, crc, len(data), size)
        directory += b"PK\x01\x02\x14\0" + what + struct.pack("<HHHHHLL", len(raw), 0, 0, 0, 0, 0, len(body)) + raw
        body += b"PK\x03\x04" + what + struct.pack("<HH", len(raw), 0) + raw + data
    count, start = len(members), len(body)
    end = b""
    if count > 0xFFFF:
        end = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, count, count, len(directory), start)
        end += b"PK\x06\x07" + struct.pack("<LQL", 0, start + len(directory), 1)
    few = min(count, 0xFFFF)
    end += b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, few, few, len(directory), start, 0)
    return bytes(body + directory + end)


def _hwp() -> bytes:
    return hwp_maker.make_hwp([hwp_maker.paragraph(_MARK)])


def _torn_hwp() -> bytes:
    data = bytearray(_hwp())
    data[512:1536] = bytes(1024)
    return bytes(data[:-2000])


def _swelling_hwp() -> bytes:
    """Its section of text unpacks to 1 GB of zeros behind a sound paragraph."""
    with olefile.OleFileIO(io.BytesIO(_hwp())) as ole:
        streams = {"/".join(path): ole.openstream(path).read() for path in ole.listdir()}
    section = zlib.decompressobj(-15).decompress(streams["BodyText/Section0"])
    packer = zlib.compressobj(9, wbits=-15)
    head = packer.compress(section) + packer.flush(zlib.Z_FULL_FLUSH)
    streams["BodyText/Section0"] = head + swollen(bytes(_MEGABYTE), GIGABYTE // _MEGABYTE)[0]
    return compound_file(streams)
