"""A zip container from a stranger, read in memory: few members, bounded bytes, no paths that lead outside.

Nothing that the container declares about its sizes is believed: the bytes that come out are counted as they come.
"""

from __future__ import annotations

import io
import posixpath
import stat
import struct
import unicodedata
import zipfile

from knowledge.errors import LockedPage, UnreadablePage

_ENTRY = b"PK\x01\x02"
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64_BYTES = 20
_MOST_COMMENT = 65535
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""The two that zipfile unpacks in bounded steps; it unpacks bzip2 and LZMA by whole chunks, however far they swell."""
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_CHUNK = 64 * 1024
_FREE_BYTES = 1024 * 1024
"""Up to here no ratio is looked at: a kilobyte of XML may well be made of a handful of bytes."""


class SafeZip:
    """The members of one container. `open_zip` makes it."""

    def __init__(self, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], most_bytes: int) -> None:
        self._archive = archive
        self._members = members
        self._left = most_bytes
        self._most_bytes = most_bytes

    def names(self) -> tuple[str, ...]:
        """Paths of the files, `/`-separated, NFC, in the order of the directory; no folders, no symbolic links."""
        return tuple(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """One member, unpacked. What all calls unpack counts towards the limit of the whole container.

        Raises UnreadablePage: no such member, damaged, or more bytes than allowed; LockedPage: encrypted.
        """
        member = self._members.get(name)
        if member is None:
            raise UnreadablePage(reason="a part of the container is missing")
        if member.flag_bits & _ENCRYPTED:
            raise LockedPage(reason="암호화된 압축, the container is encrypted")
        if member.compress_type not in _METHODS:
            raise UnreadablePage(reason=f"compressed with method {member.compress_type}, which is not read here")
        parts: list[bytes] = []
        try:
            with self._archive.open(member) as stream:
                while chunk := stream.read(_CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise UnreadablePage(reason=f"unpacks to more than {self._most_bytes / 2**20:.0f} MB")
                    parts.append(chunk)
        except UnreadablePage:
            raise
        except Exception as error:
            # zipfile, zlib and struct each have their own way of saying "damaged"
            raise UnreadablePage(reason=f"damaged container ({type(error).__name__})") from error
        return b"".join(parts)


def open_zip(data: bytes, *, most_bytes: int, most_members: int, most_ratio: float) -> SafeZip:
    """The container in `data`.

    `most_bytes`: what all reads together may unpack. `most_members`: files and folders. `most_ratio`: unpacked bytes
    per byte of `data`, beyond the first MB. A member whose path leads outside the container (`..`, absolute, a drive
    letter) makes the whole container unreadable: nobody packs such a thing by accident.

    Raises UnreadablePage.
    """
    if _entries(data) > most_members:
        raise UnreadablePage(reason=f"a container of more than {most_members} files")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:
        # struct.error, ValueError, OSError …: whatever zipfile meets before it knows that this is no zip
        raise UnreadablePage(reason=f"not a zip container ({type(error).__name__})") from error
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = _safe_name(entry)
        if not entry.is_dir() and not stat.S_ISLNK(entry.external_attr >> 16):
            members[name] = entry
    allowed = min(most_bytes, max(_FREE_BYTES, int(most_ratio * len(data))))
    return SafeZip(archive, members, allowed)


def _entries(data: bytes) -> int:
    """At most so many entries has the directory; counted before zipfile makes an object of each."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - _MOST_COMMENT))
    if end < 0 or end + _END.size > len(data):
        return data.count(_ENTRY)
    size = _END.unpack_from(data, end)[5]
    end_64 = end - _LOCATOR_64_BYTES - _END_64.size
    if end_64 >= 0 and data.startswith(b"PK\x06\x07", end - _LOCATOR_64_BYTES):
        size = max(size, _END_64.unpack_from(data, end_64)[8])
        end = end_64
    return data.count(_ENTRY, max(0, end - size), end)


def _safe_name(entry: zipfile.ZipInfo) -> str:
    name = written_name(entry, entry.filename).replace("\\", "/")
    steps = name.split("/")
    if name.startswith("/") or ".." in steps or "\x00" in name or (len(steps[0]) == 2 and steps[0][1] == ":"):
        raise UnreadablePage(reason="a path in the container leads outside of it")
    return unicodedata.normalize("NFC", posixpath.normpath(name))


def written_name(entry: zipfile.ZipInfo, name: str) -> str:
    """`name`, one of those that zipfile gives of `entry`, as it was meant: Windows writes Korean names in CP949 and says nothing;
    zipfile takes the bytes for CP437."""
    if entry.flag_bits & _UTF8_NAME:
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name
