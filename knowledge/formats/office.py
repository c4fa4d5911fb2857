"""What PPTX, XLSX and DOCX share: the container, looked through before any library sees it."""

from __future__ import annotations

import io
import zipfile

from knowledge.errors import LockedPage, UnreadablePage
from knowledge.formats.zip_guard import SafeZip, open_zip

_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
"""In the directory of such a file, where the container is that has a password or rights management (MS-OFFCRYPTO 1.3.3)."""
_MOST_BYTES = 200 * 1024 * 1024
_MOST_MEMBERS = 20_000
_MOST_RATIO = 400.0
"""Sheets of equal rows are packed 1:100 and better by honest programs; deflate itself ends at about 1:1030."""
_MOST_TAGS = 3_000_000
"""Start and end tags of all parts that a library makes trees of; a tree takes up to 200 bytes for each."""
_MARKUP = (".xml", ".rels", ".vml")


def open_office(data: bytes) -> SafeZip:
    """The parts of an Office file. Raises UnreadablePage; LockedPage for encrypted files, which are no zip containers."""
    if data.startswith(_OLE):
        if _ENCRYPTED_PART in data:
            raise LockedPage(reason="암호화된 파일, encrypted")
        raise UnreadablePage(reason="encrypted with a password, or an old Office file under a new name")
    return open_zip(data, most_bytes=_MOST_BYTES, most_members=_MOST_MEMBERS, most_ratio=_MOST_RATIO)


def rebuilt(data: bytes) -> io.BytesIO:
    """The same container with bounded markup and without pictures, films and embedded files, which stay as empty parts.

    So the libraries, which unpack every part at once and trust what the container says, never see the original.
    Raises UnreadablePage.
    """
    archive = open_office(data)
    tags = 0
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as copy:
        for name in archive.names():
            part = archive.read(name) if name.lower().endswith(_MARKUP) else b""
            tags += part.count(b"<")
            if tags > _MOST_TAGS:
                raise UnreadablePage(reason=f"more than {_MOST_TAGS:,} marks of structure")
            copy.writestr(name, part)
    stream.seek(0)
    return stream
