"""What stands at the head of a GGUF file: its small values and the table of its tensors. Reads untrusted files.

llama.cpp checks much itself, but a damaged header can end in an assertion, and an assertion ends the process: the whole bot. So every
file, a base or a LoRA, is read here first. Arrays and long texts are stepped over, so a vocabulary of 150 000 entries costs a tenth of
a second and no memory, and nothing is ever read beyond the buffer.
Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little endian.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

UINT32, FLOAT32, STRING, ARRAY = 4, 6, 8, 9
"""`gguf_type` of a value."""
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_MOST_ENTRIES = 1_000_000
_MOST_KIND = 255
_LONGEST_TEXT = 256
_LONGEST_KEY = 65_535
_MOST_DIMENSIONS = 4
_ALIGNMENT = "general.alignment"
_ANOTHER_KIND = "not a GGUF file"
_CUT_OFF = "the file is cut off"
_DAMAGED = "the header is damaged"


class BadGguf(ValueError):
    """Why a file is not a usable GGUF, in few words."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the header."""

    kind: int
    content: str | int | float | bool | None
    """None for arrays and for texts longer than 256 bytes."""
    at: int
    """Offset of the content in the file, in bytes."""


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One row of the table of tensors."""

    name: str
    shape: tuple[int, ...]
    """As GGUF writes it: the contiguous dimension first, so (in, out) for a linear layer."""
    kind: int
    """`ggml_type` of the numbers."""
    offset: int
    """Bytes from `GgufHeader.data_begins`."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """All of it."""

    values: Mapping[str, Value]
    tensors: tuple[TensorEntry, ...]
    alignment: int
    values_end: int
    """Where the table of tensors begins: offset in the file, in bytes."""
    data_begins: int
    """Where the first tensor may lie: offset in the file, in bytes."""

    def text(self, key: str) -> str | None:
        """The value at `key` if it is a text."""
        value = self.values.get(key)
        return value.content if value is not None and isinstance(value.content, str) else None

    def count(self, key: str) -> int | None:
        """The value at `key` if it is an unsigned number of 32 bits."""
        value = self.values.get(key)
        return value.content if value is not None and value.kind == UINT32 and isinstance(value.content, int) else None

    def number(self, key: str) -> float | None:
        """The value at `key` if it is a 32-bit float."""
        value = self.values.get(key)
        return (
            value.content if value is not None and value.kind == FLOAT32 and isinstance(value.content, float) else None
        )


def check_gguf(path: Path) -> None:
    """Raise `BadGguf` when the file is missing, unreadable, of another kind, cut off, or has an inconsistent header."""
    read_file_header(path)


def read_file_header(path: Path) -> GgufHeader:
    """The header of a file with tensors in it. Raises `BadGguf` as `check_gguf` does."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise BadGguf(_ANOTHER_KIND)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                header = read_header(data)
    except OSError as error:
        raise BadGguf(error.strerror or str(error)) from error
    if any(tensor.kind > _MOST_KIND for tensor in header.tensors):
        raise BadGguf(_DAMAGED)
    # The exact end of the last tensor depends on its quantisation; llama.cpp checks that, this catches the rest.
    if header.tensors and header.data_begins + max(tensor.offset for tensor in header.tensors) >= size:
        raise BadGguf(_CUT_OFF)
    return header


def read_header(data: bytes | mmap.mmap) -> GgufHeader:
    """The header at the start of `data`. Raises `BadGguf` whatever else the bytes are."""
    return _Reader(data).header()


class _Reader:
    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._data = data
        self._size = len(data)
        self._at = 0

    def header(self) -> GgufHeader:
        if self._data[:4] != b"GGUF":
            raise BadGguf(_ANOTHER_KIND)
        self._at = 4
        version, tensor_count, value_count = self._unpack("<IQQ")
        if version not in (2, 3):
            raise BadGguf(f"GGUF version {version} is not supported")
        if tensor_count > _MOST_ENTRIES or value_count > _MOST_ENTRIES:
            raise BadGguf(_DAMAGED)
        values: dict[str, Value] = {}
        for _ in range(value_count):
            key = self._name(_LONGEST_KEY)
            # llama.cpp compares keys up to the first zero byte: "alpha\0" of another type would hide the "alpha" checked here.
            if not key or key in values or not (key.isascii() and key.isprintable()):
                raise BadGguf(_DAMAGED)
            values[key] = self._value()
        values_end = self._at
        tensors = tuple(self._tensor() for _ in range(tensor_count))
        if len({tensor.name for tensor in tensors}) != len(tensors):
            raise BadGguf(_DAMAGED)
        alignment = self._alignment(values.get(_ALIGNMENT))
        return GgufHeader(values, tensors, alignment, values_end, padded(self._at, alignment))

    @staticmethod
    def _alignment(value: Value | None) -> int:
        if value is None:
            return 32
        size = value.content
        if value.kind != UINT32 or not isinstance(size, int) or not 8 <= size <= 65_536 or size & (size - 1):
            raise BadGguf(_DAMAGED)
        return size

    def _value(self) -> Value:
        kind, at = self._number("<I"), self._at
        if kind == STRING:
            return Value(kind, self._text(), at)
        if kind == ARRAY:
            self._step_over_array()
            return Value(kind, None, at)
        if kind not in _SCALARS:
            raise BadGguf(_DAMAGED)
        (content,) = self._unpack(_SCALARS[kind])
        return Value(kind, content, at)

    def _step_over_array(self) -> None:
        kind, count = self._unpack("<IQ")
        if kind != STRING:
            if kind not in _SCALARS:
                raise BadGguf(_DAMAGED)
            self._step(struct.calcsize(_SCALARS[kind]) * count)
            return
        if count * 8 > self._size:
            raise BadGguf(_CUT_OFF)
        length_at, data, at, last = struct.Struct("<Q").unpack_from, self._data, self._at, self._size - 8
        for _ in range(count):  # the one long loop (a vocabulary): kept tight
            if at > last:
                raise BadGguf(_CUT_OFF)
            at += 8 + length_at(data, at)[0]
        self._at = at
        self._step(0)

    def _tensor(self) -> TensorEntry:
        name = self._name(_LONGEST_KEY)
        dimensions = self._number("<I")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise BadGguf(_DAMAGED)
        *shape, kind, offset = self._unpack(f"<{dimensions}QIQ")
        if any(not 1 <= size < 1 << 40 for size in shape):
            raise BadGguf(_DAMAGED)
        return TensorEntry(name, tuple(shape), kind, offset)

    def _text(self) -> str | None:
        length = self._number("<Q")
        begin = self._at
        self._step(length)
        if length > _LONGEST_TEXT:
            return None
        return bytes(self._data[begin : self._at]).decode("utf-8", "replace")

    def _name(self, longest: int) -> str:
        length = self._number("<Q")
        if length > longest:
            raise BadGguf(_DAMAGED)
        begin = self._at
        self._step(length)
        try:
            return bytes(self._data[begin : self._at]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadGguf(_DAMAGED) from error

    def _number(self, form: str) -> int:
        return int(self._unpack(form)[0])

    def _unpack(self, form: str) -> tuple[int, ...]:
        begin = self._at
        self._step(struct.calcsize(form))
        return struct.unpack_from(form, self._data, begin)

    def _step(self, count: int) -> None:
        self._at += count
        if self._at > self._size:
            raise BadGguf(_CUT_OFF)


def padded(size: int, alignment: int) -> int:
    """`size` bytes rounded up to a multiple of `alignment`."""
    return -(-size // alignment) * alignment
