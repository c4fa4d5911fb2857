"""The base as weights to train on: the served GGUF, dequantised once and kept in a folder named by its SHA-256.

    <cache>/<SHA-256 of the GGUF>/        as transformers saves a model, bfloat16, without a tokenizer (served_tokens.py)
    <cache>/<SHA-256 of the GGUF>.json    written last: the folder is whole

transformers reads the GGUF of qwen2, qwen3, llama and gemma3; for others it has no reader, and they are refused. It is told to
dequantise, since packed weights cannot be trained on (transformers 5.23).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from bot.errors import BrokenModel, NotEnoughDisk, UntunableBase
from bot.models.hashing import Progress, sha256_of, silent
from bot.models.stamp import Stamp
from bot.writers.gguf_file import BadGguf, check_gguf

_TIMES_LARGER = 4
"""bfloat16 takes 3.6 times what Q4_K_M does."""


@dataclass(frozen=True, slots=True)
class PreparedBase:
    """Where the weights are, and of which GGUF."""

    name: str
    sha256: str
    folder: Path


def prepare_base(
    gguf: Path, cache: Path, *, progress: Progress = silent, load: Callable[[Path], Any] | None = None
) -> PreparedBase:
    """Dequantise `gguf` unless that was done before (then: only its SHA-256). Half a minute for 1.5B, with 5.5 GiB of memory.

    `progress` hears `verify` with bytes and `convert` with 0 of 1 and 1 of 1. `load`: in place of `load_gguf`.
    Raises `BrokenModel`, `UntunableBase` or `NotEnoughDisk`; nothing half-made is left to be believed.
    """
    try:
        check_gguf(gguf)
    except BadGguf as error:
        raise BrokenModel(name=gguf.stem, reason=str(error)) from error
    base = PreparedBase(gguf.stem, sha256 := sha256_of(gguf, progress), cache / sha256)
    cache.mkdir(parents=True, exist_ok=True)
    stamp = cache / f"{sha256}.json"
    with FileLock(cache / f"{sha256}.lock"):
        known = Stamp.read(stamp)
        if known is not None and base.folder.is_dir() and known.matches(base.folder):
            return base
        _need_room(gguf, cache)
        progress("convert", 0, 1)
        fresh = cache / f"{sha256}.new"
        for remains in (base.folder, fresh):  # of a crash, or damaged
            shutil.rmtree(remains, ignore_errors=True)
        stamp.unlink(missing_ok=True)
        model = (load or load_gguf)(gguf)
        try:
            model.save_pretrained(fresh)
        except OSError as error:
            shutil.rmtree(fresh, ignore_errors=True)
            raise BrokenModel(name=gguf.stem, reason=f"{error.strerror or error}: {cache}") from error
        fresh.replace(base.folder)
        Stamp.of(base.folder, sha256, gguf.name, first_use=False).write(stamp)
        progress("convert", 1, 1)
    return base


def load_gguf(gguf: Path) -> Any:
    """The model of a GGUF in bfloat16, every weight found and finite. Raises `UntunableBase` or `BrokenModel`."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    quiet()
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
            output_loading_info=True,
        )
    except (
        ValueError,
        KeyError,
        NotImplementedError,
        RuntimeError,
    ) as error:  # no reader for it, or a shape it misread
        raise UntunableBase(name=gguf.stem, reason=str(error).splitlines()[0][:200]) from error
    # transformers fills what it does not find with random numbers, and only says so.
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    missing = sorted(set(report["missing_keys"]) - tied)
    if missing or report["mismatched_keys"]:
        raise UntunableBase(name=gguf.stem, reason=f"weights were not found: {(missing or ['shapes'])[0]}")
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise BrokenModel(name=gguf.stem, reason=f"{name} has numbers that are not finite")
    return model


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


def _need_room(gguf: Path, cache: Path) -> None:
    needed, free = gguf.stat().st_size * _TIMES_LARGER, shutil.disk_usage(cache).free
    if free < needed:
        raise NotEnoughDisk(name=gguf.stem, needed_mb=needed >> 20, free_mb=free >> 20, path=cache)
