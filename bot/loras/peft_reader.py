"""A LoRA that was made elsewhere: PEFT's folder → arrays for `gguf_writer.py`. Reads untrusted files; no torch, no pickle, no PEFT.

Only `adapter_config.json` and `adapter_model.safetensors` are opened. `adapter_model.bin` is a pickle, which runs whatever it says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from bot.errors import BrokenLora, UnsupportedLora
from bot.loras.check import MOST_BYTES, shown
from bot.loras.gguf_writer import LoraPair, LoraSettings

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
_MOST_CONFIG = 1 << 20
_PLAIN = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}


def read_peft(folder: Path) -> tuple[LoraSettings, dict[str, LoraPair]]:
    """Its settings, and module → float32 factors. Whether they fit a base is `write_lora`'s to say.

    Raises `BrokenLora` (missing, damaged, a pickle) or `UnsupportedLora` (DoRA, biases, whole modules, other than linear layers, …).
    """
    settings = LoraSettings.from_peft(_config(folder))
    halves: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name, array in _arrays(folder).items():
        module, suffix = name.removeprefix(_PREFIX), ""
        for suffix in (_A, _B):
            if module.endswith(suffix):
                break
        else:
            raise UnsupportedLora(reason=f"tensor {shown(name)}")
        half = halves.setdefault(module.removesuffix(suffix), {})
        if suffix in half:  # with the prefix and without
            raise BrokenLora(name=folder.name, reason=f"{shown(module)} is there twice")
        half[suffix] = array
    for module, half in halves.items():
        if len(half) != 2:
            raise BrokenLora(name=folder.name, reason=f"half of {shown(module)} is missing")
    return settings, {module: LoraPair(half[_A], half[_B]) for module, half in halves.items()}


def _config(folder: Path) -> Mapping[str, Any]:
    try:
        text = _content(folder / CONFIG, _MOST_CONFIG)
        config = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenLora(name=folder.name, reason=f"{CONFIG}: {_said(error)}") from error
    if not isinstance(config, dict):
        raise BrokenLora(name=folder.name, reason=f"{CONFIG}: no object")
    return config


def _arrays(folder: Path) -> dict[str, NDArray[np.float32]]:
    if not (folder / WEIGHTS).exists() and (folder / "adapter_model.bin").exists():
        reason = "adapter_model.bin is a pickle, which could run anything; save it as safetensors"
        raise BrokenLora(name=folder.name, reason=reason)
    try:
        found = deserialize(_content(folder / WEIGHTS, MOST_BYTES))  # type: ignore[no-untyped-call]
        return {name: _numbers(entry) for name, entry in found}
    except (OSError, ValueError, SafetensorError) as error:
        raise BrokenLora(name=folder.name, reason=f"{WEIGHTS}: {_said(error)}") from error


def _numbers(entry: Mapping[str, Any]) -> NDArray[np.float32]:
    kind, shape, data = entry["dtype"], entry["shape"], entry["data"]
    if kind == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if kind not in _PLAIN:
        raise ValueError(f"numbers of type {kind}")
    with np.errstate(over="ignore"):  # becomes infinite, which the check of the written file reports
        return np.frombuffer(data, _PLAIN[kind]).astype(np.float32).reshape(shape)


def _content(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"larger than {most >> 20} MiB")
    return content


def _said(error: Exception) -> str:
    return shown(getattr(error, "strerror", None) or error, 200)
