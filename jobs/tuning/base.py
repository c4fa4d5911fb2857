"""The base as weights to train on: the served GGUF, dequantised once and kept in a folder named by its SHA-256.

    <cache>/<SHA-256 of the GGUF>/        as transformers saves a model, bfloat16, without a tokenizer (served_tokens.py)
    <cache>/<SHA-256 of the GGUF>.json    written last: the folder is whole

Read by our own code for all six architectures: transformers 5.23 has no reader for gptneox and exaone, misreads heads of another size in
qwen3, ignores rotary factors, and fills what it does not find with random numbers.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from bot.errors import BrokenModel, NotEnoughDisk, UnsupportedLora, UntunableBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_tensors import GgufTensors
from bot.models.hashing import Progress, sha256_of, silent
from bot.models.stamp import Stamp
from bot.writers.gguf_file import BadGguf, GgufHeader, read_file_header
from jobs.tuning.base_config import NoTwin, config_of
from jobs.tuning.refused import REFUSALS, not_kept

_BYTES = 2
"""Of a number in bfloat16."""
_BESIDE = 16 << 20
"""Bytes: the head of the weights and the model's own settings, generously."""
_ROTARY_FACTORS = "rope_freqs.weight"


@dataclass(frozen=True, slots=True)
class PreparedBase:
    """Where the weights are, and of which GGUF."""

    name: str
    sha256: str
    folder: Path


def prepare_base(
    gguf: Path, cache: Path, *, progress: Progress = silent, load: Callable[[Path], Any] | None = None
) -> PreparedBase:
    """Dequantise `gguf` unless that was done before (then: only its SHA-256). The whole base is in memory meanwhile, in bfloat16.

    `progress` hears `verify` with bytes and `convert` with 0 of 1 and 1 of 1. `load`: in place of `load_gguf`.
    Raises `BrokenModel`, `UntunableBase`, `NotEnoughDisk`, or `TuningNotKept` when the disk refuses all the same; nothing half-made is left
    to be believed.
    """
    try:
        header = read_file_header(gguf)
    except BadGguf as error:
        raise BrokenModel(name=gguf.stem, reason=str(error)) from error
    base = PreparedBase(gguf.stem, sha256 := sha256_of(gguf, progress), cache / sha256)
    cache.mkdir(parents=True, exist_ok=True)
    stamp = cache / f"{sha256}.json"
    with FileLock(cache / f"{sha256}.lock"):
        known = Stamp.read(stamp)
        if known is not None and base.folder.is_dir() and known.matches(base.folder):
            return base
        fresh = cache / f"{sha256}.new"
        for remains in (base.folder, fresh):  # of a crash, or damaged; they must not count against the room
            shutil.rmtree(remains, ignore_errors=True)
        stamp.unlink(missing_ok=True)
        _need_room(gguf.stem, header, cache)
        progress("convert", 0, 1)
        model = (load or load_gguf)(gguf)
        try:
            model.save_pretrained(fresh)
        except REFUSALS as error:
            shutil.rmtree(fresh, ignore_errors=True)
            raise not_kept(error, cache) from error
        fresh.replace(base.folder)
        Stamp.of(base.folder, sha256, gguf.name, first_use=False).write(stamp)
        progress("convert", 1, 1)
    return base


def load_gguf(gguf: Path) -> Any:
    """The model of a GGUF in bfloat16: every weight found and finite, no tensor left over. Raises `UntunableBase` or `BrokenModel`."""
    import torch

    quiet()
    try:
        with GgufTensors(gguf) as tensors, torch.no_grad():
            return _filled(gguf.stem, tensors)
    except BadGguf as error:
        raise BrokenModel(name=gguf.stem, reason=str(error)) from error
    except (NoTwin, UnsupportedLora) as error:
        raise UntunableBase(name=gguf.stem, reason=str(error)[:200]) from error


def _filled(name: str, tensors: GgufTensors) -> Any:
    import gguf
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.initialization import no_init_weights

    weights = BaseWeights.of(name, tensors.header)
    factors = tensors.read(_ROTARY_FACTORS).tolist() if _ROTARY_FACTORS in tensors.entries else None
    config = config_of(tensors.header, factors)
    with no_init_weights():  # every number is overwritten below, or it is an error
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.tie_weights()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[weights.architecture.upper()], config.num_hidden_layers)
    places = {}
    for parameter_name, parameter in model.named_parameters():  # those that are tied once
        tensor = names.get_name(parameter_name, try_suffixes=(".weight", ".bias")) or ""
        if tensor not in tensors.entries or tuple(parameter.shape) != tensors.entries[tensor].shape[::-1]:
            raise NoTwin(f"weights were not found: {parameter_name}")
        places[tensor] = parameter
    if unknown := sorted(tensors.entries.keys() - places.keys() - {_ROTARY_FACTORS}):
        raise NoTwin(f"tensors without a place: {unknown[0]}")
    for tensor, parameter in places.items():
        rows = torch.from_numpy(_checkpoint_rows(tensors.read(tensor), tensor, weights).copy())
        if not bool(torch.isfinite(rows).all()):
            raise BrokenModel(name=name, reason=f"{tensor} has numbers that are not finite")
        parameter.copy_(rows)
    return model.eval()


def _checkpoint_rows(rows: Any, tensor: str, weights: BaseWeights) -> Any:
    """A tensor as a checkpoint has it: llama.cpp orders some rows anew, and adds to Gemma's norms the 1 that the model would add."""
    if weights.architecture == "gemma3" and tensor.endswith("norm.weight"):
        return rows - 1
    return ARCHITECTURES[weights.architecture].rows_of_checkpoint(tensor, rows, weights)


def load_base(base: PreparedBase) -> Any:
    """The prepared model, mapped from disk in bfloat16. Raises `BrokenModel`."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    quiet()
    try:
        return AutoModelForCausalLM.from_pretrained(
            base.folder, dtype=torch.bfloat16, attn_implementation="sdpa", local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise BrokenModel(name=base.name, reason=f"{base.folder}: {type(error).__name__}") from error


def quiet() -> None:
    """No bars and no advice of transformers' own in the training process's output."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


def _need_room(name: str, header: GgufHeader, cache: Path) -> None:
    numbers = sum(math.prod(tensor.shape) for tensor in header.tensors)
    needed, free = numbers * _BYTES + _BESIDE, shutil.disk_usage(cache).free
    if free < needed:
        raise NotEnoughDisk(name=name, needed_mb=needed >> 20, free_mb=free >> 20, path=cache)
