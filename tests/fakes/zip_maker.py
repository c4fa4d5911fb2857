"""Zip files as people, Notion, Confluence and attackers make them."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

DAY = (2026, 1, 5, 9, 30, 0)


class KoreanName(zipfile.ZipInfo):
    """A member whose name is written as old Korean programs do: in CP949, without the flag that says UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp949"), self.flag_bits & ~0x800


def zip_bytes(
    members: Mapping[str, str | bytes] | Iterable[tuple[str | zipfile.ZipInfo, str | bytes]],
    day: tuple[int, int, int, int, int, int] = DAY,
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A zip in memory."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")  # two members of one name are what some tests want
        for name, data in members.items() if isinstance(members, Mapping) else members:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name, day)
            info.compress_type = method
            archive.writestr(info, data)
    return out.getvalue()


def make_zip(
    path: Path, members: Mapping[str, str | bytes] | Iterable[tuple[str | zipfile.ZipInfo, str | bytes]]
) -> Path:
    """The same as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zip_bytes(members))
    return path


def encrypted(data: bytes) -> bytes:
    """`data` with every member marked as encrypted, in both of its headers."""
    changed = bytearray(data)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = changed.find(signature)
        while place >= 0:
            (flags,) = struct.unpack_from("<H", changed, place + at)
            struct.pack_into("<H", changed, place + at, flags | 1)
            place = changed.find(signature, place + 4)
    return bytes(changed)


def overlapping(data: bytes) -> bytes:
    """`data` with every member of the directory pointing to the first one's bytes."""
    changed = bytearray(data)
    place = changed.find(b"PK\x01\x02")
    while place >= 0:
        struct.pack_into("<L", changed, place + 42, 0)
        place = changed.find(b"PK\x01\x02", place + 4)
    return bytes(changed)
