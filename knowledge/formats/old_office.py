"""Files named .doc, .xls and .ppt: read if they are something else inside, else a reason and what to do.

Korean groupware and accounting programs write HTML tables and call them .xls; those, and new files under an old name,
are read. The binary formats of before 2007 are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from knowledge.errors import OldFormat
from knowledge.formats import csv_table, docx, html, pptx, xlsx
from knowledge.formats.text import decode
from knowledge.page import Document

_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|meta|body|table|style)\b", re.IGNORECASE)
_OLE = b"\xd0\xcf\x11\xe0"
_XML_TABLE = b"urn:schemas-microsoft-com:office:spreadsheet"  # Excel 2003's own XML, which may hold HTML in comments
_LOOKED_AT = 4096

_Parser = Callable[[bytes], Document]


def parse_doc(data: bytes) -> Document:
    """Raises OldFormat for a real Word 97 file."""
    return _parser(data, ".doc", docx.parse)(data)


def parse_xls(data: bytes) -> Document:
    """Raises OldFormat for a real Excel 97 file. Text with tabs between the cells is read as a table, too."""
    return _parser(data, ".xls", xlsx.parse, csv_table.parse)(data)


def parse_ppt(data: bytes) -> Document:
    """Raises OldFormat for a real PowerPoint 97 file."""
    return _parser(data, ".ppt", pptx.parse)(data)


def _parser(data: bytes, suffix: str, new: _Parser, tabbed: _Parser | None = None) -> _Parser:
    if data.startswith(b"PK\x03\x04"):
        return new
    if not data.startswith(_OLE):
        if _looks_like_html(data):
            return html.parse
        if tabbed is not None and b"\t" in data[:_LOOKED_AT] and b"\0" not in data[:_LOOKED_AT]:
            return tabbed
    raise OldFormat(suffix=suffix, new=f"{suffix}x")


def _looks_like_html(data: bytes) -> bool:
    head = data[:_LOOKED_AT]
    if b"\0" in head:  # UTF-16
        head = decode(data)[:_LOOKED_AT].encode("utf-8", "replace")
    return _HTML.search(head) is not None and not (head.lstrip().startswith(b"<?xml") and _XML_TABLE in head)
