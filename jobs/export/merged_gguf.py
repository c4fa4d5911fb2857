"""Base + LoRA → one GGUF for runtimes that attach no LoRA: the base's own file with its matrices rewritten.

All values (vocabulary, chat template, …) and vectors are copied byte for byte; every matrix is dequantised, gets scale · B·A where the
LoRA has it, in 32 bits, and is written as F16 or Q8_0. Rows are in the file's own order throughout, so nothing is permuted. An output
that is tied to the embedding stays tied: it has no tensor, and a LoRA on it is refused when it is read.

There is no 4-bit merge, on purpose: the change is smaller than the steps of that grid, on which the base's weights already stand, so
much of it is rounded away. Measured on the 0.5B (benchmarks/README.md): KL to base + LoRA 0.027, as near as to the plain base; with Q8_0
it is 0.001.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal

import gguf
import numpy as np
from numpy.typing import NDArray

from bot.errors import NotExported
from bot.loras.gguf_reader import ReadLora
from bot.loras.gguf_tensors import GgufTensors, count_rows, size_of
from bot.models.hashing import Progress, silent
from bot.writers.gguf_file import UINT32, TensorEntry, padded

Numbers = Literal["f16", "q8_0"]
_F16, _Q8_0 = gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.Q8_0
_FILE_TYPES = {"f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
_Q8_0_BLOCK = 32
_NUMBERS_AT_A_TIME = 1 << 22
"""16 MiB in 32 bits; a few times that is in memory."""


def merged_entries(tensors: GgufTensors, numbers: Numbers) -> tuple[TensorEntry, ...]:
    """The merged file's table of tensors. A matrix whose rows do not divide into Q8_0's blocks becomes F16, as llama.cpp does it."""
    entries, at = [], 0
    for entry in tensors.header.tensors:
        kind = entry.kind
        if len(entry.shape) > 1:
            kind = _Q8_0 if numbers == "q8_0" and entry.shape[0] % _Q8_0_BLOCK == 0 else _F16
        entries.append(moved := replace(entry, kind=int(kind), offset=at))
        at += padded(size_of(moved), tensors.header.alignment)
    return tuple(entries)


def merged_size(tensors: GgufTensors, numbers: Numbers) -> int:
    """Bytes of the merged file, to within one alignment."""
    return tensors.header.data_begins + sum(size_of(entry) for entry in merged_entries(tensors, numbers))


def write_merged(
    path: Path, base: Path, tensors: GgufTensors, lora: ReadLora, numbers: Numbers, progress: Progress = silent
) -> None:
    """Write it to `path`, which is then on the disk. `base` is the file that `tensors` reads.

    `progress` hears `merge` with bytes written of bytes in all. Raises `NotExported` when a number does not fit into F16, or `OSError`.
    """
    entries = merged_entries(tensors, numbers)
    total = merged_size(tensors, numbers)
    with path.open("wb") as file:
        file.write(_head(base, tensors, entries, numbers))
        for old, new in zip(tensors.header.tensors, entries, strict=True):
            _pad(file, tensors.header.alignment)
            try:
                for part in _parts(tensors, lora, old, new):
                    file.write(part)
                    progress("merge", min(file.tell(), total), total)
            except OverflowError as error:
                raise NotExported(name=lora.name, path=path.name, reason=f"{old.name}: {error}") from error
        _pad(file, tensors.header.alignment)
        file.flush()
        os.fsync(file.fileno())


def _head(base: Path, tensors: GgufTensors, entries: tuple[TensorEntry, ...], numbers: Numbers) -> bytes:
    """The base's head, but for the type of file that it says it is, and the table of tensors."""
    with base.open("rb") as file:
        head = bytearray(file.read(tensors.header.values_end))
    said = tensors.header.values.get("general.file_type")
    if said is not None and said.kind == UINT32:
        struct.pack_into("<I", head, said.at, _FILE_TYPES[numbers])
    for entry in entries:
        name = entry.name.encode()
        head += struct.pack("<Q", len(name)) + name
        head += struct.pack(f"<I{len(entry.shape)}QIQ", len(entry.shape), *entry.shape, entry.kind, entry.offset)
    return bytes(head)


def _pad(file: BinaryIO, alignment: int) -> None:
    file.write(bytes(padded(file.tell(), alignment) - file.tell()))


def _parts(tensors: GgufTensors, lora: ReadLora, old: TensorEntry, new: TensorEntry) -> Iterator[bytes]:
    """A tensor's bytes, some rows at a time."""
    if len(old.shape) == 1:
        yield tensors.raw(old)
        return
    step = max(1, _NUMBERS_AT_A_TIME // old.shape[0])
    for begin in range(0, count_rows(old), step):
        end = min(begin + step, count_rows(old))
        rows = tensors.rows(old, begin, end)
        pair = lora.pairs.get(old.name)
        if pair is not None:
            rows = rows + np.float32(lora.settings.scale) * np.asarray(pair.b[begin:end] @ pair.a, np.float32)
        yield _encoded(rows, new.kind)


def _encoded(rows: NDArray[np.float32], kind: int) -> bytes:
    with np.errstate(over="ignore"):  # becomes infinite, which is looked for
        half = rows.astype(np.float16)  # the scales of Q8_0 are in half precision too
    if not np.isfinite(half).all():
        raise OverflowError("numbers too large for 16 bits")
    return half.tobytes() if kind == _F16 else bytes(gguf.quants.quantize(np.ascontiguousarray(rows), _Q8_0).tobytes())
