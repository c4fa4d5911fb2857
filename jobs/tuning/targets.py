"""Which modules of a base take a LoRA: the linear layers of the blocks, not the output over the vocabulary; and of which rank. No torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.errors import InvalidSetting, UntunableBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.check import MOST_BYTES
from bot.loras.gguf_writer import highest_rank


def targets(gguf: Path) -> Callable[[str], bool]:
    """Says so of a module's name in transformers. Raises `UntunableBase` for an architecture that we cannot write a LoRA for."""
    architecture = ARCHITECTURES[_known(gguf).architecture]
    return lambda module: architecture.tensor_of(module) not in (None, "output.weight")


def demand_servable(gguf: Path, rank: int) -> None:
    """A LoRA of this rank on all targets may be served. Raises `InvalidSetting` when its file would be too large, `UntunableBase`."""
    base = _known(gguf)
    if rank > (most := highest_rank(base, MOST_BYTES)):
        raise InvalidSetting(
            key="tuning.training.rank", reason=f"{base.name}: 1–{most} (LoRA ≤ {MOST_BYTES >> 20} MiB)"
        )


def _known(gguf: Path) -> BaseWeights:
    base = BaseWeights.read(gguf)
    if base.architecture not in ARCHITECTURES:
        raise UntunableBase(name=base.name, reason=f"architecture {base.architecture}")
    return base
