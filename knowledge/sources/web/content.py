"""What an answer holds: which parser reads it, and its text in UTF-8."""

from __future__ import annotations

import codecs
import re
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/x-pdf": ".pdf",
    "message/rfc822": ".eml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/x-ipynb+json": ".ipynb",
    "application/hwp": ".hwp",
    "application/x-hwp": ".hwp",
    "application/haansofthwp": ".hwp",
    "application/vnd.hancom.hwp": ".hwp",
    "application/hwp+zip": ".hwpx",
    "application/haansofthwpx": ".hwpx",
    "application/vnd.hancom.hwpx": ".hwpx",
}
# Said of anything: the file's own name tells more.
_VAGUE = frozenset(
    "text/plain application/octet-stream application/x-download application/force-download application/zip "
    "application/x-zip-compressed application/download binary/octet-stream".split()
)
_TEXTS = frozenset({".html", ".txt", ".md", ".csv"})
_WESTERN = frozenset({"iso8859-1", "iso8859-15", "cp1252", "ascii"})
_KOREAN = frozenset({"euc-kr", "euckr", "ks_c_5601-1987", "ksc5601", "windows-949", "x-windows-949", "ms949"})


def suffix_of(content_type: str, url: str, disposition: str = "") -> str:
    """`.html`, `.pdf` …; empty for what is none of the formats. `disposition`: the Content-Disposition header."""
    media = content_type.partition(";")[0].strip().lower()
    if not media or media in _VAGUE:
        name = _file_name(disposition) or unquote(urlsplit(url).path)
        suffix = PurePosixPath(name).suffix.lower()
        if re.fullmatch(r"\.[a-z0-9]{1,10}", suffix) and suffix not in (".php", ".jsp", ".do", ".aspx", ".cgi"):
            return {".htm": ".html", ".xhtml": ".html", ".markdown": ".md"}.get(suffix, suffix)
    return _SUFFIXES.get(media, "")


def _file_name(disposition: str) -> str:
    message = Message()
    message["Content-Disposition"] = re.sub(r"[\r\n]", " ", disposition)
    return message.get_filename() or ""


def in_utf8(data: bytes, suffix: str, content_type: str) -> bytes:
    """Text that names its charset only in the header → the same in UTF-8 with a byte order mark, which parsers go by.

    A header that does not fit the bytes is ignored, and so are the Western charsets: servers add them unasked to Korean
    pages, and every byte fits them.
    """
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    if (
        charset is None
        or suffix not in _TEXTS
        or data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    ):
        return data
    name = charset[1].lower()
    try:
        name = codecs.lookup("cp949" if name in _KOREAN else name).name
        return data if name in _WESTERN else codecs.BOM_UTF8 + data.decode(name).encode()
    except (LookupError, ValueError):
        return data
