"""A LoRA's file → its arrays, as the base's tensors have them or as a checkpoint does. The way back from `gguf_writer.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import BrokenLora
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.check import A_SUFFIX, B_SUFFIX, check_lora
from bot.loras.gguf_tensors import GgufTensors
from bot.loras.gguf_writer import LoraPair, LoraSettings
from bot.writers.gguf_file import BadGguf


@dataclass(frozen=True, slots=True)
class ReadLora:
    """One file's content."""

    name: str
    settings: LoraSettings
    """Never `rank_stabilised`: the file holds the alpha that gives the same scale without."""
    pairs: Mapping[str, LoraPair]
    """The base's tensor (`blk.0.attn_q.weight`) → float32 factors, rows as that tensor has them."""

    def modules(self, base: BaseWeights) -> dict[str, LoraPair]:
        """The original checkpoint's module (`model.layers.0.self_attn.q_proj`) → factors, rows as a checkpoint has them."""
        architecture, size = ARCHITECTURES[base.architecture], base.blocks
        return {
            architecture.module_of(tensor, size): LoraPair(
                pair.a, architecture.rows_of_checkpoint(tensor, pair.b, base)
            )
            for tensor, pair in self.pairs.items()
        }


def read_lora(path: Path, base: BaseWeights) -> ReadLora:
    """Check `path` against `base` and read it whole. Raises a `LoraError`, see `check_lora`."""
    checked = check_lora(path, base)
    try:
        with GgufTensors(path) as tensors:
            pairs = {
                tensor: LoraPair(tensors.read(tensor + A_SUFFIX).copy(), tensors.read(tensor + B_SUFFIX).copy())
                for tensor in checked.tensors
            }
    except BadGguf as error:
        raise BrokenLora(name=checked.name, reason=str(error)) from error
    return ReadLora(checked.name, LoraSettings(checked.rank, checked.alpha), pairs)
