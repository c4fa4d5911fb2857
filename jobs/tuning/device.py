"""Where a run computes: the CPU, or a GPU that CUDA knows. There the base may be held in 4 bits (QLoRA, Dettmers et al. 2023,
arXiv:2305.14314): NF4 with doubly quantised constants, computing in bfloat16.

Choosing and refusing are tested, and learning over 4 bits was run with bitsandbytes 0.50.2 on a CPU. On a GPU nothing has been run: no
machine with one was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch

from bot.errors import CannotTuneHere, GpuOutOfMemory
from jobs.tuning.base import PreparedBase, load_base, quiet
from jobs.tuning.settings import TuningSettings


def chosen_device(settings: TuningSettings, place: int = 0) -> str:
    """`cpu` or `cuda:N`; `place`: of this process among those of this machine. Raises `CannotTuneHere`."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if settings.device == "cuda" and not gpus:
        raise CannotTuneHere(key="device", value="cuda", reason="no GPU that CUDA can use")
    device = "cpu" if settings.device == "cpu" or not gpus else f"cuda:{place % gpus}"
    if settings.quantise == "4bit":
        if device == "cpu":
            raise CannotTuneHere(key="quantise", value="4bit", reason="4 bits need a GPU")
        if find_spec("bitsandbytes") is None:
            raise CannotTuneHere(key="quantise", value="4bit", reason="pip install bitsandbytes")
    return device


def load_on(device: str, base: PreparedBase, settings: TuningSettings) -> Any:
    """The base there, ready for `attach`. Raises `BrokenModel`."""
    if settings.quantise == "4bit":
        return in_four_bits(device, base)
    model = load_base(base)
    return model if device == "cpu" else model.to(device)


def free_mb(device: str) -> float | None:
    """MiB that a pass may still take; None if nobody knows."""
    if device != "cpu":
        return float(torch.cuda.mem_get_info(device)[0]) / (1 << 20)
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = {name: amount.split()[0] for name, _, amount in (line.partition(":") for line in file)}
    except OSError:  # not Linux
        return None
    return int(found["MemAvailable"]) / 1024 if "MemAvailable" in found else None


def used_mb(device: str) -> float:
    """The most of a GPU's memory that this process has held, in MiB."""
    return float(torch.cuda.max_memory_reserved(device)) / (1 << 20)


@contextmanager
def room_on(device: str) -> Iterator[None]:
    """Whatever does not fit into a GPU inside has its sentence; a CPU's process would not live to tell. Raises `GpuOutOfMemory`."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        if device == "cpu":
            raise
        used = used_mb(device)
        raise GpuOutOfMemory(used_mb=round(used), limit_mb=round(used + (free_mb(device) or 0))) from error


def in_four_bits(device: str, base: PreparedBase) -> Any:
    """The base in NF4; its output over the vocabulary and its norms stay as they are."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    quiet()
    return AutoModelForCausalLM.from_pretrained(
        base.folder,
        dtype=torch.bfloat16,
        attn_implementation="sdpa",
        local_files_only=True,
        device_map={"": device},
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16,
        ),
    )
