"""A Hangul document of either kind. The first bytes tell which: many an .hwp file is an HWPX file under the old name."""

from __future__ import annotations

from knowledge.errors import OldFormat, UnreadablePage
from knowledge.formats import hwp5, hwpx
from knowledge.formats.hwp5_container import MAGIC
from knowledge.page import Document

_ZIP = b"PK\x03\x04"
_HWP_3 = b"HWP Document File V"


def parse(data: bytes) -> Document:
    """What `hwpx.parse` or `hwp5.parse` make of it. Raises OldFormat (before 2002), UnreadablePage or PageWithoutText."""
    if data.startswith(_ZIP):
        return hwpx.parse(data)
    if data.startswith(_HWP_3):
        raise OldFormat(suffix="HWP 3", new="HWPX")
    if not data.startswith(MAGIC):
        raise UnreadablePage(reason="not a Hangul file")
    return hwp5.parse(data)
