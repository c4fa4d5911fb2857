"""Which modules of a base take a LoRA: the linear layers of the blocks, not the output over the vocabulary. No torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.errors import UntunableBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights


def targets(gguf: Path) -> Callable[[str], bool]:
    """Says so of a module's name in transformers. Raises `UntunableBase` for an architecture that we cannot write a LoRA for."""
    base = BaseWeights.read(gguf)
    if base.architecture not in ARCHITECTURES:
        raise UntunableBase(name=base.name, reason=f"architecture {base.architecture}")
    architecture = ARCHITECTURES[base.architecture]
    return lambda module: architecture.tensor_of(module) not in (None, "output.weight")
