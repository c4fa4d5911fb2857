"""The numbers of a GGUF, mapped from disk and dequantised a few rows at a time: a base larger than memory can be read through."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from bot.writers.gguf_file import BadGguf, GgufHeader, TensorEntry, read_file_header


class GgufTensors:
    """One file. Use as a context manager. Raises `BadGguf` when it is damaged or of a type that the `gguf` package does not know."""

    def __init__(self, path: Path) -> None:
        self.header: GgufHeader = read_file_header(path)
        self.entries: dict[str, TensorEntry] = {entry.name: entry for entry in self.header.tensors}
        self._data: Any = np.memmap(path, np.uint8, "r")
        for entry in self.header.tensors:
            if self.header.data_begins + entry.offset + size_of(entry) > len(self._data):
                raise BadGguf("the file is cut off")

    def __enter__(self) -> GgufTensors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data = None

    def rows(self, entry: TensorEntry, begin: int, end: int) -> NDArray[np.float32]:
        """Rows `begin` to `end` of the matrix (rows × `entry.shape[0]`) as 32-bit floats."""
        kind = gguf.GGMLQuantizationType(entry.kind)
        data = self._bytes(entry).reshape(count_rows(entry), -1)[begin:end]
        try:
            return np.asarray(gguf.quants.dequantize(data, kind), np.float32)
        except NotImplementedError as error:
            raise BadGguf(f"tensor type {kind.name}") from error

    def read(self, name: str) -> NDArray[np.float32]:
        """A whole tensor, (out, in) for a linear layer, or one-dimensional. Raises `KeyError`."""
        entry = self.entries[name]
        return self.rows(entry, 0, count_rows(entry)).reshape(entry.shape[::-1])

    def raw(self, entry: TensorEntry) -> bytes:
        """Its bytes as they are."""
        return bytes(self._bytes(entry))

    def _bytes(self, entry: TensorEntry) -> NDArray[np.uint8]:
        begin = self.header.data_begins + entry.offset
        found: NDArray[np.uint8] = self._data[begin : begin + size_of(entry)]
        return found


def count_rows(entry: TensorEntry) -> int:
    """How many rows of `entry.shape[0]` numbers it has."""
    return math.prod(entry.shape[1:])


def size_of(entry: TensorEntry) -> int:
    """Bytes of its numbers. Raises `BadGguf` for an unknown type, or one whose blocks do not fit."""
    try:
        block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(entry.kind)]
    except (ValueError, KeyError) as error:
        raise BadGguf(f"tensor type {entry.kind}") from error
    if entry.shape[0] % block:
        raise BadGguf("the header is damaged")
    return math.prod(entry.shape) // block * size
