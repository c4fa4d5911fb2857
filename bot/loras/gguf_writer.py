"""Writes a LoRA as a GGUF that llama.cpp attaches to a base: plain arrays in, one file out. Nothing of training, no torch.

    settings = LoraSettings.from_peft(json.loads(Path("adapter_config.json").read_text()))
    write_lora(Path("faq-3.gguf"), BaseWeights.read(base), settings, {"model.layers.0.self_attn.q_proj": LoraPair(a, b), …})

The file holds four values (architecture, two types, alpha) and the pairs in a fixed order, so the same LoRA is the same bytes everywhere
and no path, name or date of this machine goes with it. What the format cannot carry is refused.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
from numpy.typing import NDArray

from bot.errors import UnsupportedLora, WrongBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.check import (
    A_SUFFIX,
    ALPHA_KEY,
    B_SUFFIX,
    LORA_TYPE_KEY,
    MOST_BYTES,
    MOST_RANK,
    CheckedLora,
    check_lora,
    shown,
)

_PEFT_PREFIX = "base_model.model."
_UNDERSTOOD = {"peft_type", "r", "lora_alpha", "use_rslora", "bias", "init_lora_weights"}
# What a finished LoRA can forget: where it was trained, on what part of the model, and settings of initialisations and of Megatron.
_OF_NO_CONSEQUENCE = {
    *(
        "auto_mapping",
        "base_model_name_or_path",
        "exclude_modules",
        "inference_mode",
        "layers_pattern",
        "layers_to_transform",
    ),
    *("lora_dropout", "peft_version", "qalora_group_size", "revision", "target_modules", "task_type"),
    *("corda_config", "eva_config", "loftq_config", "megatron_config", "megatron_core"),
}
_MOST_ALPHA = 10**9
_HEAD, _ROW = 4096, 160
"""Bytes that a file's values take at most, and each tensor beside its numbers: a row of the table, and the room up to the next."""
_STARTS = (None, True, False, "gaussian", "eva", "orthogonal")
"""Initialisations that leave the base as it is; PiSSA, OLoRA, LoftQ and others take something out of its weights."""


@dataclass(frozen=True, slots=True)
class LoraPair:
    """The two factors of one module's change of weight, scale · B·A."""

    a: NDArray[np.floating[Any]]
    """rank × in."""
    b: NDArray[np.floating[Any]]
    """out × rank."""


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """What holds for all modules of a LoRA."""

    rank: int
    alpha: float
    rank_stabilised: bool = False
    """rsLoRA: the scale is alpha/√rank instead of alpha/rank."""

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= MOST_RANK:
            raise UnsupportedLora(reason=f"rank {self.rank}, must be 1 to {MOST_RANK}")
        if not 1 / _MOST_ALPHA < self.stored_alpha < _MOST_ALPHA:
            raise UnsupportedLora(reason=f"alpha {self.alpha}, must be positive")

    @property
    def scale(self) -> float:
        """What B·A is multiplied by."""
        return self.stored_alpha / self.rank

    @property
    def stored_alpha(self) -> float:
        """The alpha for llama.cpp, which always divides by the rank."""
        return float(self.alpha) * (math.sqrt(self.rank) if self.rank_stabilised else 1.0)

    @classmethod
    def from_peft(cls, config: Mapping[str, object]) -> LoraSettings:
        """From PEFT's `adapter_config.json` (0.21). Raises `UnsupportedLora` for all that changes more than W + scale · B·A."""
        if config.get("peft_type", "LORA") != "LORA":
            raise UnsupportedLora(reason=f"peft_type {shown(config['peft_type'])}")
        for key in sorted(config.keys() - _UNDERSTOOD - _OF_NO_CONSEQUENCE):
            if config[key]:  # DoRA, modules_to_save, rank_pattern, …, and whatever a later PEFT brings
                raise UnsupportedLora(reason=shown(key))
        if config.get("bias", "none") != "none":
            raise UnsupportedLora(reason=f"bias {shown(config['bias'])}")
        if config.get("init_lora_weights") not in _STARTS:
            raise UnsupportedLora(reason=f"init_lora_weights {shown(config['init_lora_weights'])}")
        rank, alpha = config.get("r"), config.get("lora_alpha")
        if not isinstance(rank, int) or not isinstance(alpha, int | float):
            raise UnsupportedLora(reason="r or lora_alpha is missing")
        if isinstance(alpha, int):
            alpha = max(-_MOST_ALPHA, min(alpha, _MOST_ALPHA))  # one of 400 digits is no float
        return cls(rank, float(alpha), rank_stabilised=bool(config.get("use_rslora")))


def write_lora(
    path: Path,
    base: BaseWeights,
    settings: LoraSettings,
    modules: Mapping[str, LoraPair],
    *,
    numbers: Literal["f32", "f16"] = "f32",
) -> CheckedLora:
    """Write `modules` (the checkpoint's module names, with or without PEFT's prefix) to `path`, complete or not at all; what is in it.

    Raises `UnsupportedLora` (a module or architecture that is not offered), `WrongBase` (shapes) or `BrokenLora` (numbers that are not
    finite, also when they are too large for `f16`).
    """
    with np.errstate(over="ignore"):  # too large for the type becomes infinite, which the check reports
        tensors = _as_tensors(base, settings, modules, np.float16 if numbers == "f16" else np.float32)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-lora-") as folder:
        unfinished = Path(folder, path.name)
        _write(unfinished, base.architecture, settings.stored_alpha, tensors)
        checked = check_lora(unfinished, base)
        unfinished.replace(path)
    return checked


def highest_rank(base: BaseWeights, most: int = MOST_BYTES) -> int:
    """Of a LoRA in float32 on every linear layer of the blocks: with it the file is no larger than `most` bytes.

    Raises `UnsupportedLora` for an architecture that is not offered.
    """
    if base.architecture not in ARCHITECTURES:
        raise UnsupportedLora(reason=f"architecture {base.architecture}")
    may_change = ARCHITECTURES[base.architecture].may_change
    shapes = [shape for name, shape in base.shapes.items() if name != "output.weight" and may_change(name)]
    room = most - _HEAD - 2 * _ROW * len(shapes)
    return min(MOST_RANK, room // (4 * sum(map(sum, shapes)) or 1))


def _as_tensors(
    base: BaseWeights, settings: LoraSettings, modules: Mapping[str, LoraPair], dtype: type[np.floating[Any]]
) -> dict[str, NDArray[np.floating[Any]]]:
    """GGUF name → array, in the file's order."""
    try:
        architecture = ARCHITECTURES[base.architecture]
    except KeyError:
        raise UnsupportedLora(reason=f"architecture {base.architecture}") from None
    pairs: dict[str, LoraPair] = {}
    for module, pair in modules.items():
        tensor = architecture.tensor_of(module.removeprefix(_PEFT_PREFIX))
        if tensor is None or tensor in pairs:
            raise UnsupportedLora(reason=f"module {shown(module)}")
        if tensor not in base.shapes:
            raise UnsupportedLora(reason=f"module {shown(module)}: {base.name} has no {tensor} of its own")
        into, out = base.shapes[tensor]
        if pair.a.shape != (settings.rank, into) or pair.b.shape != (out, settings.rank):
            wanted = f"A {settings.rank}×{into} and B {out}×{settings.rank}"
            raise WrongBase(
                name=shown(module), base=base.name, reason=f"{wanted}, not {pair.a.shape} and {pair.b.shape}"
            )
        b = architecture.rows_in_order(tensor, np.asarray(pair.b, np.float32), base)
        pairs[tensor] = LoraPair(np.asarray(pair.a, np.float32), b)
    tensors = {}
    for tensor in sorted(pairs, key=_reading_order):
        tensors[tensor + A_SUFFIX] = np.ascontiguousarray(pairs[tensor].a, dtype)
        tensors[tensor + B_SUFFIX] = np.ascontiguousarray(pairs[tensor].b, dtype)
    return tensors


def _reading_order(tensor: str) -> tuple[int, str]:
    """Blocks by number, the output last."""
    first, number, *_ = tensor.split(".")
    return (int(number) if first == "blk" else 1 << 16, tensor)


def _write(path: Path, architecture: str, alpha: float, tensors: Mapping[str, NDArray[np.floating[Any]]]) -> None:
    writer = gguf.GGUFWriter(path, architecture)
    try:
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(LORA_TYPE_KEY, "lora")
        writer.add_float32(ALPHA_KEY, alpha)
        for name, array in tensors.items():
            writer.add_tensor(name, array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
