"""Poisoned PDFs, written by hand."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

from knowledge.errors import PageWithoutText, UnreadablePage
from tests.fakes.pdf_maker import Entry, make_pdf
from tests.fakes.poison.containers import swollen
from tests.fakes.poison.poison import STOPPED, Poison

_EMPTY = (UnreadablePage, PageWithoutText)


def poisons() -> Iterator[Poison]:
    """All of them."""
    for kind, name, make, ends in (
        ("a right beginning, then noise", "잡음", _noise, _EMPTY),
        ("cut in the middle", "잘린", _cut, (None, *_EMPTY)),
        ("a page tree that is a circle", "순환", _circular, _EMPTY),
        ("says it has a billion pages", "많은", _countless, (*_EMPTY, *STOPPED)),
        ("a page that unpacks to 1 GB", "부푼", _swelling, (*_EMPTY, *STOPPED)),
        ("arrays nested 100,000 deep", "깊은", _deep, _EMPTY),
        ("an outline of 20,000 entries below each other, the last one above the first", "차례", _winding, (None,)),
    ):
        yield Poison(kind, name + ".pdf", make, ends, slow=make is _swelling)


def _noise() -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n" + random.Random(1).randbytes(200_000)


def _cut() -> bytes:
    whole = make_pdf([["연차는 15일입니다"], ["신청은 그룹웨어에서 합니다"]])
    return whole[: len(whole) // 2]


def _objects(*objects: bytes) -> bytes:
    body, starts = bytearray(b"%PDF-1.7\n"), []
    for number, data in enumerate(objects, 1):
        starts.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % at for at in starts
    )
    size = len(objects) + 1
    return bytes(body) + table + b"trailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))


_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] /Contents 4 0 R >>"


def _circular() -> bytes:
    return _objects(
        _CATALOG,
        b"<< /Type /Pages /Count 2 /Kids [3 0 R 2 0 R] /Parent 3 0 R >>",
        b"<< /Type /Pages /Count 2 /Kids [2 0 R 3 0 R] /Parent 2 0 R >>",
    )


def _countless() -> bytes:
    return _objects(_CATALOG, b"<< /Type /Pages /Count 1000000000 /Kids [3 0 R] >>", _PAGE)


def _swelling() -> bytes:
    packed, _ = swollen(b"BT (a) Tj ET " * 80_000, 1024)
    packed = b"\x78\xda" + packed + zlib.adler32(b"").to_bytes(4, "big")
    stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)
    return _objects(_CATALOG, b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>", _PAGE, stream)


def _deep() -> bytes:
    return _objects(
        b"<< /Type /Catalog /Pages 2 0 R /X " + b"[" * 100_000 + b"]" * 100_000 + b" >>", b"<< /Type /Pages >>"
    )


def _winding() -> bytes:
    entries = [Entry("가" * 100, 0, (number + 1) % 20_000, number - 1 if number else None) for number in range(20_000)]
    return make_pdf([["연차는 15일입니다"]], bookmarks=entries)
