"""Folders as a finished tuning run leaves them, around a random LoRA for a tiny model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from bot import prompts
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from tests.fakes.tiny_gguf import INNER, WIDTH


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_random_lora(path: Path, model: Path, seed: int, *, alpha: float = 8) -> Path:
    """On two layers of a tiny Qwen2; strong enough to change every answer."""
    random = np.random.default_rng(seed)
    shapes = {
        "model.layers.0.self_attn.k_proj": (WIDTH // 2, WIDTH),
        "model.layers.1.mlp.down_proj": (WIDTH, INNER),
    }
    pairs = {
        module: LoraPair(random.normal(0, 0.3, (4, into)), random.normal(0, 0.3, (out, 4)))
        for module, (out, into) in shapes.items()
    }
    write_lora(path, BaseWeights.read(model), LoraSettings(4, alpha), pairs)
    return path


def write_result(folder: Path, model: Path, seed: int = 1, *, prompt: str | None = None, alpha: float = 8) -> Path:
    """`lora.gguf` with its card `lora.json` for `model`, and a `lora.safetensors` that nobody reads here."""
    folder.mkdir(parents=True)
    gguf = write_random_lora(folder / "lora.gguf", model, seed, alpha=alpha)
    (folder / "lora.safetensors").write_bytes(b"not read")
    card = {
        "base": {"name": model.stem, "sha256": sha256(model)},
        "rank": 4,
        "alpha": alpha,
        "prompt": prompts.version() if prompt is None else prompt,
        "ending": "finished",
        "files": {"lora.gguf": sha256(gguf)},
    }
    (folder / "lora.json").write_text(json.dumps(card), encoding="utf-8")
    return folder
