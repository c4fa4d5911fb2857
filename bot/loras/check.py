"""Is this file a LoRA for this base? Asked before the C library sees it.

llama.cpp answers some bad files with an assertion, which ends the process (a value of the wrong type), and others not at all (a LoRA on the
embedding of a base whose output is tied to it: the next question ends the process; alpha 0: another scale). So everything it relies on
is checked here, against `llama-adapter.cpp` and `gguf.cpp` of llama-cpp-python 0.3.36, and what it would silently ignore is refused.

At most `_MOST_HEADER` bytes of header and one `_CHUNK` of numbers are in memory at a time, whatever the file claims.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from bot.errors import BrokenLora, UnsupportedLora, WrongBase
from bot.loras.architectures import ARCHITECTURES, Architecture
from bot.loras.base_weights import BaseWeights
from bot.writers.gguf_file import FLOAT32, BadGguf, GgufHeader, TensorEntry, padded, read_header

ARCHITECTURE_KEY, TYPE_KEY = "general.architecture", "general.type"
LORA_TYPE_KEY, ALPHA_KEY = "adapter.type", "adapter.lora.alpha"
A_SUFFIX, B_SUFFIX = ".lora_a", ".lora_b"
MOST_RANK = 256
MOST_BYTES = 1 << 30
_INVOCATION_KEY = "adapter.alora.invocation_tokens"
_MOST_HEADER = 1 << 20
_CHUNK = 1 << 20
_F32, _F16, _Q8_0, _BF16 = 0, 1, 8, 30
_BLOCKS = {_F32: (1, 4), _F16: (1, 2), _BF16: (1, 2), _Q8_0: (32, 34)}
"""`ggml_type` → numbers and bytes in a block. What llama.cpp's converter writes; other types are refused."""


@dataclass(frozen=True, slots=True)
class CheckedLora:
    """A file that passed."""

    name: str
    """The file's name without `.gguf`."""
    rank: int
    alpha: float
    """The scale is `alpha / rank`, also for rsLoRA, whose alpha is stored multiplied by √rank."""
    tensors: tuple[str, ...]
    """The base's tensors that it changes, in the file's order."""


def check_lora(path: Path, base: BaseWeights) -> CheckedLora:
    """Read all of `path` and say what is in it.

    Raises `BrokenLora` (missing, damaged, no LoRA), `WrongBase` (another architecture, a tensor or shape that the base does not have)
    or `UnsupportedLora` (a LoRA of a kind that is not served here).
    """
    name = path.stem
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_BYTES:
                raise BrokenLora(name=name, reason=f"larger than {MOST_BYTES >> 20} MiB")
            begin = file.read(_MOST_HEADER)
            header = read_header(begin)
            return _Check(name, base, header, size).run(file)
    except BadGguf as error:
        raise BrokenLora(name=name, reason=str(error)) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise BrokenLora(name=name, reason=getattr(error, "strerror", None) or str(error)) from error


def as_stored(alpha: float) -> float:
    """What `CheckedLora.alpha` is for a file that was written with this alpha: the file holds 32 bits of it."""
    return float(np.float32(alpha))


class _Check:
    def __init__(self, name: str, base: BaseWeights, header: GgufHeader, size: int) -> None:
        self._name = name
        self._base = base
        self._header = header
        self._size = size

    def run(self, file: BinaryIO) -> CheckedLora:
        alpha = self._values()
        pairs = self._pairs(self._architecture())
        rank = self._ranks(pairs)
        self._places()
        for tensor in self._header.tensors:
            self._finite(file, tensor)
        return CheckedLora(self._name, rank, alpha, tuple(pairs))

    def _values(self) -> float:
        """What kind of file it says it is; its alpha. llama.cpp asserts the types, so `text` (only texts) and the kind matter."""
        if self._header.text(TYPE_KEY) != "adapter" or self._header.text(LORA_TYPE_KEY) != "lora":
            raise self._broken("not a LoRA")
        if _INVOCATION_KEY in self._header.values:
            raise UnsupportedLora(reason="it wants to be switched on by invocation tokens (aLoRA)")
        alpha = self._header.values.get(ALPHA_KEY)
        if alpha is None or alpha.kind != FLOAT32 or not isinstance(alpha.content, float):
            raise self._broken(f"{ALPHA_KEY} is missing or of another type")
        if not math.isfinite(alpha.content) or alpha.content <= 0:
            raise self._broken(f"{ALPHA_KEY} is not a positive number")
        return alpha.content

    def _architecture(self) -> Architecture:
        named = self._header.text(ARCHITECTURE_KEY)
        if named != self._base.architecture:
            raise self._wrong_base(f"made for {shown(named or '?')}, the model is {self._base.architecture}")
        try:
            return ARCHITECTURES[named]
        except KeyError:
            raise UnsupportedLora(reason=f"architecture {shown(named)}") from None

    def _pairs(self, architecture: Architecture) -> dict[str, tuple[TensorEntry, TensorEntry]]:
        """The base's tensor → A and B, in the file's order of A. Nothing may be left over."""
        entries = {tensor.name: tensor for tensor in self._header.tensors}
        if not entries:
            raise self._broken("it changes nothing")
        pairs = {}
        for name, a in entries.items():
            target, suffix = name[: -len(A_SUFFIX)], name[-len(A_SUFFIX) :]
            if suffix not in (A_SUFFIX, B_SUFFIX):
                raise self._broken(f"unexpected tensor {shown(name)}")
            if target not in self._base.shapes:
                raise self._wrong_base(f"no tensor {shown(target)}")
            if not architecture.may_change(target):
                raise UnsupportedLora(reason=f"it changes {shown(target)}")
            if target + A_SUFFIX not in entries or target + B_SUFFIX not in entries:
                raise self._broken(f"half of {shown(target)} is missing")
            if suffix == A_SUFFIX:
                pairs[target] = (a, entries[target + B_SUFFIX])
        return pairs

    def _ranks(self, pairs: dict[str, tuple[TensorEntry, TensorEntry]]) -> int:
        """Shapes as llama.cpp multiplies them: A is (in, rank), B is (rank, out), contiguous dimension first. The one rank."""
        ranks = set()
        for target, (a, b) in pairs.items():
            shape = self._base.shapes[target]
            if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[1] != b.shape[0]:
                raise self._broken(f"A and B of {shown(target)} do not fit together")
            if (a.shape[0], b.shape[1]) != shape:
                raise self._wrong_base(f"{shown(target)} is {shape}, not {(a.shape[0], b.shape[1])}")
            ranks.add(a.shape[1])
        if len(ranks) > 1:
            raise UnsupportedLora(reason="several ranks")
        (rank,) = ranks
        if rank > MOST_RANK:
            raise UnsupportedLora(reason=f"rank {rank}, at most {MOST_RANK}")
        return rank

    def _places(self) -> None:
        """Each tensor where llama.cpp demands it, one after the other, and the file ends with the last."""
        expected = end = 0
        for tensor in self._header.tensors:
            if tensor.kind not in _BLOCKS:
                raise UnsupportedLora(reason=f"tensor type {tensor.kind}")
            if tensor.shape[0] % _BLOCKS[tensor.kind][0] or tensor.offset != expected:
                raise self._broken("the header is damaged")
            end = expected + _bytes(tensor)
            expected = padded(end, self._header.alignment)
        if self._size < self._header.data_begins + end:
            raise self._broken("the file is cut off")
        if self._size > self._header.data_begins + expected:
            raise self._broken("it goes on after its last tensor")

    def _finite(self, file: BinaryIO, tensor: TensorEntry) -> None:
        file.seek(self._header.data_begins + tensor.offset)
        left = _bytes(tensor)
        block = _BLOCKS[tensor.kind][1]
        while left:
            chunk = file.read(min(left, _CHUNK // block * block))
            if not chunk or len(chunk) % block:
                raise self._broken("the file is cut off")
            if not _all_finite(chunk, tensor.kind):
                raise self._broken(f"{shown(tensor.name)} has numbers that are not finite")
            left -= len(chunk)

    def _broken(self, reason: str) -> BrokenLora:
        return BrokenLora(name=self._name, reason=reason)

    def _wrong_base(self, reason: str) -> WrongBase:
        return WrongBase(name=self._name, base=self._base.name, reason=reason)


def _bytes(tensor: TensorEntry) -> int:
    numbers, size = _BLOCKS[tensor.kind]
    return math.prod(tensor.shape) // numbers * size


def _all_finite(chunk: bytes, kind: int) -> bool:
    if kind == _F32:
        return bool(np.isfinite(np.frombuffer(chunk, "<f4")).all())
    if kind == _BF16:  # the upper half of a float32: not finite when all eight bits of the exponent are set
        return bool(((np.frombuffer(chunk, "<u2") & 0x7F80) != 0x7F80).all())
    if kind == _Q8_0:  # a block is one half-precision scale and 32 bytes
        return bool(np.isfinite(np.frombuffer(chunk, [("scale", "<f2"), ("numbers", "i1", 32)])["scale"]).all())
    return bool(np.isfinite(np.frombuffer(chunk, "<f2")).all())


def shown(name: object, most: int = 60) -> str:
    """A name from an untrusted file, fit for a sentence: at most `most` characters, and none that drives a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(name)[:most])
