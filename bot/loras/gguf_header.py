"""What stands at the head of a GGUF file: its small values and the table of its tensors. Reads untrusted files.

Arrays and long texts are stepped over, so a vocabulary of 150 000 entries costs no memory, and nothing is ever read beyond the buffer.
Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little endian.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from bot.writers.gguf_file import BadGguf

UINT32, FLOAT32, STRING, ARRAY = 4, 6, 8, 9
"""`gguf_type` of a value."""
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_LONGEST_TEXT = 256
_LONGEST_KEY = 65_535
_MOST_DIMENSIONS = 4
_ALIGNMENT = "general.alignment"
_CUT_OFF = "the file is cut off"
_DAMAGED = "the header is damaged"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the header."""

    kind: int
    content: str | int | float | bool | None
    """None for arrays and for texts longer than 256 bytes."""


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
    data_begins: int
    """Offset in the file, in bytes."""

    def text(self, key: str) -> str | None:
        """The value at `key` if it is a text."""
        value = self.values.get(key)
        return value.content if value is not None and isinstance(value.content, str) else None

    def count(self, key: str) -> int | None:
        """The value at `key` if it is an unsigned number of 32 bits."""
        value = self.values.get(key)
        return value.content if value is not None and value.kind == UINT32 and isinstance(value.content, int) else None


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
            raise BadGguf("not a GGUF file")
        self._at = 4
        version, tensor_count, value_count = self._unpack("<IQQ")
        if version not in (2, 3):
            raise BadGguf(f"GGUF version {version} is not supported")
        values: dict[str, Value] = {}
        for _ in range(value_count):  # a count that lies ends at the end of the buffer
            key = self._name(_LONGEST_KEY)
            # llama.cpp compares keys up to the first zero byte: "alpha\0" of another type would hide the "alpha" checked here.
            if not key or key in values or not (key.isascii() and key.isprintable()):
                raise BadGguf(_DAMAGED)
            values[key] = self._value()
        tensors = tuple(self._tensor() for _ in range(tensor_count))
        if len({tensor.name for tensor in tensors}) != len(tensors):
            raise BadGguf(_DAMAGED)
        alignment = self._alignment(values.get(_ALIGNMENT))
        return GgufHeader(values, tensors, alignment, padded(self._at, alignment))

    @staticmethod
    def _alignment(value: Value | None) -> int:
        if value is None:
            return 32
        size = value.content
        if value.kind != UINT32 or not isinstance(size, int) or not 8 <= size <= 65_536 or size & (size - 1):
            raise BadGguf(_DAMAGED)
        return size

    def _value(self) -> Value:
        kind = self._number("<I")
        if kind == STRING:
            return Value(kind, self._text())
        if kind == ARRAY:
            self._step_over_array()
            return Value(kind, None)
        if kind not in _SCALARS:
            raise BadGguf(_DAMAGED)
        (content,) = self._unpack(_SCALARS[kind])
        return Value(kind, content)

    def _step_over_array(self) -> None:
        kind, count = self._unpack("<IQ")
        if kind != STRING:
            if kind not in _SCALARS:
                raise BadGguf(_DAMAGED)
            self._step(struct.calcsize(_SCALARS[kind]) * count)
            return
        length_at, data, at, last = struct.Struct("<Q").unpack_from, self._data, self._at, self._size - 8
        for _ in range(
            count
        ):  # the one long loop (a vocabulary): kept tight; a count that lies ends at the end of the buffer
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
