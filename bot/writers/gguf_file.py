"""Is this file a whole GGUF? Asked before the C library sees it.

llama.cpp checks much itself, but a damaged header can end in an assertion, and an assertion ends the process: the whole bot. This
reads only the header (a fraction of a second, also with 150 000 vocabulary entries) and compares it with the file's size.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_SCALAR_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_MOST_ENTRIES = 1_000_000
_ALIGNMENT = "general.alignment"


class BadGguf(ValueError):
    """Why a file is not a usable GGUF, in few words."""


def check_gguf(path: Path) -> None:
    """Raise `BadGguf` when the file is missing, unreadable, of another kind, cut off, or has an inconsistent header."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise BadGguf("not a GGUF file")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                _Header(data, size).check()
    except OSError as error:
        raise BadGguf(error.strerror or str(error)) from error
    except (struct.error, IndexError) as error:
        raise BadGguf("the file is cut off") from error


class _Header:
    def __init__(self, data: mmap.mmap, size: int) -> None:
        self._data = data
        self._size = size
        self._at = 4
        self._alignment = 32

    def check(self) -> None:
        version, tensors, entries = self._unpack("<IQQ")
        if version not in (2, 3):
            raise BadGguf(f"GGUF version {version} is not supported")
        if tensors > _MOST_ENTRIES or entries > _MOST_ENTRIES:
            raise BadGguf("the header is damaged")
        for _ in range(entries):
            self._entry()
        last_offset = 0
        for _ in range(tensors):
            self._skip_string()
            (dimensions,) = self._unpack("<I")
            if not 1 <= dimensions <= 4:
                raise BadGguf("the header is damaged")
            *_, kind, offset = self._unpack(f"<{dimensions}QIQ")
            if kind > 255:
                raise BadGguf("the header is damaged")
            last_offset = max(last_offset, offset)
        data_begins = -(-self._at // self._alignment) * self._alignment
        # The exact end of the last tensor depends on its quantisation; llama.cpp checks that, this catches the rest.
        if tensors and data_begins + last_offset >= self._size:
            raise BadGguf("the file is cut off")

    def _entry(self) -> None:
        key = self._string()
        (kind,) = self._unpack("<I")
        if key == _ALIGNMENT.encode() and kind == 4:
            (alignment,) = self._unpack("<I")
            if not 8 <= alignment <= 65536 or alignment & (alignment - 1):
                raise BadGguf("the header is damaged")
            self._alignment = alignment
        elif kind == _ARRAY:
            inner, count = self._unpack("<IQ")
            self._skip(inner, count)
        else:
            self._skip(kind, 1)

    def _skip(self, kind: int, count: int) -> None:
        if kind == _STRING:
            self._skip_strings(count)
            return
        if kind not in _SCALAR_BYTES:
            raise BadGguf("the header is damaged")
        self._at += _SCALAR_BYTES[kind] * count
        self._inside()

    def _skip_strings(self, count: int) -> None:
        if count * 8 > self._size:
            raise BadGguf("the file is cut off")
        read, data, at = struct.Struct("<Q").unpack_from, self._data, self._at
        for _ in range(count):
            at += 8 + read(data, at)[0]
        self._at = at
        self._inside()

    def _skip_string(self) -> None:
        self._skip_strings(1)

    def _string(self) -> bytes:
        begin = self._at
        self._skip_string()
        return self._data[begin + 8 : self._at]

    def _inside(self) -> None:
        if self._at > self._size:
            raise BadGguf("the file is cut off")

    def _unpack(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return values
