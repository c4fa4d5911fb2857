"""A LoRA → the folder that PEFT writes and vLLM, transformers and others read: `adapter_config.json` and `adapter_model.safetensors`.

It goes onto the original checkpoint, so modules are called and rows are ordered as there. PEFT itself is not needed to write it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_reader import ReadLora

_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def write_peft(folder: Path, lora: ReadLora, base: BaseWeights, base_name: str) -> None:
    """Make `folder` and fill it. `base_name`: how others know the base; no path. Raises `OSError`."""
    modules = lora.modules(base)
    reads_pictures = ARCHITECTURES[base.architecture].reads_pictures(base.blocks)
    arrays = {}
    for module, pair in modules.items():
        arrays[_PREFIX + module + _A] = np.ascontiguousarray(pair.a, np.float32)
        arrays[_PREFIX + module + _B] = np.ascontiguousarray(pair.b, np.float32)
    alpha = lora.settings.alpha
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name,
        "r": lora.settings.rank,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "use_rslora": False,  # already in alpha
        "use_dora": False,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "inference_mode": True,
        "modules_to_save": None,
        "rank_pattern": {},
        "alpha_pattern": {},
        # The last parts alone would also be found in what reads pictures.
        "target_modules": sorted(modules) if reads_pictures else _targets(modules),
    }
    folder.mkdir()
    save_file(arrays, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    text = json.dumps(settings, ensure_ascii=False, indent=2, sort_keys=True)
    (folder / "adapter_config.json").write_text(text + "\n", encoding="utf-8")


def _targets(modules: Iterable[str]) -> list[str]:
    """The last parts of the names if every block has the same ones, as vLLM wants them; else whole names, which PEFT also takes."""
    last: dict[str, int] = {}
    for module in modules:
        name = module.rpartition(".")[2]
        last[name] = last.get(name, 0) + 1
    return sorted(last) if len(set(last.values())) <= 1 else sorted(modules)
