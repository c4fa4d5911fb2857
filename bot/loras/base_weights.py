"""What a LoRA must fit: the base's architecture, the shapes of its weights, its heads. Read from the head of its GGUF.

A tenth of a second for a vocabulary of 150 000 entries, and no weights are read: read it once and keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import BrokenModel
from bot.writers.gguf_file import GgufHeader, read_file_header


@dataclass(frozen=True, slots=True)
class BaseWeights:
    """One base, without its numbers."""

    name: str
    """The file's name without `.gguf`."""
    architecture: str
    shapes: Mapping[str, tuple[int, ...]]
    """Tensor → its dimensions as GGUF writes them: (in, out) for a linear layer."""
    heads: int | None
    """Attention heads of the queries; None when the base has another number in each layer."""
    key_heads: int | None
    """Attention heads of keys and values; the same as `heads` without grouped queries."""

    @property
    def blocks(self) -> int:
        """How many there are."""
        return len({name.split(".")[1] for name in self.shapes if name.startswith("blk.")})

    @classmethod
    def read(cls, path: Path) -> BaseWeights:
        """From a GGUF on disk. Raises `BrokenModel`."""
        try:
            header = read_file_header(path)
        except ValueError as error:  # `BadGguf`, or a path with a zero byte
            raise BrokenModel(name=path.stem, reason=str(error)) from error
        return cls.of(path.stem, header)

    @classmethod
    def of(cls, name: str, header: GgufHeader) -> BaseWeights:
        """From a header that was read before."""
        architecture = header.text("general.architecture") or ""
        heads = header.count(f"{architecture}.attention.head_count")
        key_heads = f"{architecture}.attention.head_count_kv"
        return cls(
            name=name,
            architecture=architecture,
            shapes={tensor.name: tensor.shape for tensor in header.tensors},
            heads=heads,
            key_heads=header.count(key_heads) if key_heads in header.values else heads,
        )
