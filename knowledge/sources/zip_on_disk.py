"""A zip file on disk, read member by member: it may hold many GB, and somebody hostile may have made it.

The rules of `knowledge/formats/zip_guard.py`, where a container fits into memory, with one difference: a name that leads out
of the archive costs only its own member. Nothing is ever unpacked to a path, so that name is a label and harms nobody.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import stat
import struct
import unicodedata
import weakref
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from knowledge.errors import UnreadablePage
from knowledge.formats.outline import clean
from knowledge.formats.zip_guard import written_name

_ENTRY = b"PK\x01\x02"
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64_BYTES = 20
_LOCAL_HEADER_BYTES = 30
_MOST_COMMENT = 65535
_MOST_MEMBERS = 500_000
_MOST_DIRECTORY = 256 * 1024 * 1024
_MOST_RATIO = 200
"""Unpacked per packed byte; text packs 20 : 1 at most, deflate could do 1,000 : 1."""
_FREE_BYTES = 1024 * 1024
_CHUNK = 64 * 1024
_LONGEST_NAME = 1000
_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One file of the archive."""

    name: str
    """NFC, `/`-separated, leads nowhere outside, whatever the archive says."""
    trouble: str | None
    """Why it is not read, in a few technical words."""
    size: int
    """As declared; never more than this comes out."""
    modified: dt.date | None
    version: str
    """Differs whenever the bytes may differ."""
    archive: ZipOnDisk = field(repr=False)
    info: zipfile.ZipInfo = field(repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The unpacked bytes in pieces. Raises UnreadablePage: `trouble`, damaged, or a bomb."""
        if self.trouble is not None:
            raise UnreadablePage(reason=self.trouble)
        allowed = max(_FREE_BYTES, _MOST_RATIO * self.info.compress_size)
        count = 0
        try:
            with self.archive.zip.open(self.info) as stream:
                while chunk := stream.read(_CHUNK):
                    count += len(chunk)
                    if count > allowed:
                        raise UnreadablePage(reason=f"unpacks to more than {_MOST_RATIO} times its size")
                    yield chunk
        except (UnreadablePage, GeneratorExit):
            raise
        except Exception as error:  # zipfile, zlib and struct each have their own way of saying "damaged"
            raise UnreadablePage(reason=f"damaged in the archive ({type(error).__name__})") from error
        if count != self.size:
            raise UnreadablePage(reason="damaged in the archive (shorter than declared)")

    def read(self) -> bytes:
        """All of it. Whoever calls looks at `size` first. Raises UnreadablePage."""
        return b"".join(self.chunks())


class ZipOnDisk:
    """The members of one archive, kept open while any of them is in use."""

    def __init__(self, file: BinaryIO, stamp: str, keeps: object = None) -> None:
        """`file` is closed with this object, which holds on to `keeps`, whatever `file` needs to live.

        `stamp` tells this archive from every other, and from itself when it changes.

        Raises UnreadablePage: no zip, damaged, or a hostile directory. (The source makes it an error of its own.)
        """
        weakref.finalize(self, file.close)
        self.stamp = stamp
        self._keeps = keeps
        try:
            _check_directory(file)
            self.zip = zipfile.ZipFile(file)
            entries = self.zip.infolist()
        except UnreadablePage:
            raise
        except UnicodeDecodeError as error:
            raise UnreadablePage(reason="a name in it claims to be UTF-8 and is not") from error
        except Exception as error:  # struct.error, ValueError, OSError …: whatever zipfile meets
            raise UnreadablePage(reason=f"not a zip file, or not all of it ({type(error).__name__})") from error
        if _overlap(entries):
            raise UnreadablePage(reason="its parts overlap")
        self.encrypted = any(entry.flag_bits & _ENCRYPTED for entry in entries)
        self.members = tuple(self._member(entry) for entry in entries if not _is_folder(entry))

    def _member(self, entry: zipfile.ZipInfo) -> Member:
        name, trouble = _safe_name(entry)
        if stat.S_ISLNK(entry.external_attr >> 16):
            trouble = "a link, not a file"
        elif entry.flag_bits & _ENCRYPTED:
            trouble = "encrypted"
        elif entry.compress_type not in _METHODS:
            trouble = f"compressed with method {entry.compress_type}, which is not read here"
        version = f"{self.stamp}:{entry.header_offset}:{entry.CRC:08x}:{entry.file_size}"
        return Member(name, trouble, entry.file_size, _day(entry), version, self, entry)


def open_zip(path: Path) -> ZipOnDisk:
    """The archive at `path`. Raises OSError, UnreadablePage.

    The stamp of its members' versions is the file's own name, size and time of change: while they are the same, so are the
    bytes, and another export is read anew. A member's CRC-32 alone would not do: two texts can share it.
    """
    status = path.stat()
    return ZipOnDisk(path.open("rb"), f"{path.name}:{status.st_size}:{status.st_mtime_ns}")


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith(("/", "\\"))


def _check_directory(file: BinaryIO) -> None:
    """Bounds what zipfile will read and make objects of, before it does."""
    length = file.seek(0, 2)
    start = max(0, length - _END.size - _MOST_COMMENT - _END_64.size - _LOCATOR_64_BYTES)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + _END.size > len(tail):
        raise UnreadablePage(reason="not a zip file, or not all of it (no directory)")
    size = int(_END.unpack_from(tail, end)[5])
    end_64 = end - _LOCATOR_64_BYTES - _END_64.size
    if end_64 >= 0 and tail.startswith(b"PK\x06\x07", end - _LOCATOR_64_BYTES):
        size = max(int(_END_64.unpack_from(tail, end_64)[8]), 0 if size == 0xFFFFFFFF else size)
        end = end_64
    if size > _MOST_DIRECTORY:
        raise UnreadablePage(reason="its directory is too large")
    file.seek(max(0, start + end - size))
    if file.read(size).count(_ENTRY) > _MOST_MEMBERS:
        raise UnreadablePage(reason=f"more than {_MOST_MEMBERS} files")
    file.seek(0)


def _overlap(entries: list[zipfile.ZipInfo]) -> bool:
    """Whether two members share packed bytes, as in bombs that stay small by it."""
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
    return False


def _safe_name(entry: zipfile.ZipInfo) -> tuple[str, str | None]:
    """The name as a label, and what is wrong with it."""
    written = unicodedata.normalize("NFC", written_name(entry, entry.orig_filename).replace("\\", "/"))
    steps = [clean(step).replace("\n", " ").strip() for step in written.split("/")]
    kept = [step for step in steps if step not in ("", ".", "..")]
    name = posixpath.join(*kept)[-_LONGEST_NAME:].lstrip("/") if kept else "?"
    if "\x00" in written or ".." in steps or written.startswith("/") or _DRIVE.match(written):
        return name, "its name leads out of the archive"
    if len(written) > _LONGEST_NAME or not kept:
        return name, "its name cannot be used"
    return name, None


def _day(entry: zipfile.ZipInfo) -> dt.date | None:
    """None where the archive tells no time: many programs then write the first day that zip knows."""
    year, month, day = entry.date_time[:3]
    try:
        found = dt.date(year, month, day)
    except ValueError:
        return None
    return None if found <= dt.date(1980, 1, 1) else found
