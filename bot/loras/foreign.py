"""A LoRA that was made elsewhere → a folder as a finished tuning run leaves it, which the shelf takes in."""

from __future__ import annotations

import json
from pathlib import Path

from bot.errors import BrokenLora
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import write_lora
from bot.loras.peft_reader import read_peft
from bot.models.hashing import sha256_of

GGUF, CARD = "lora.gguf", "lora.json"


def write_foreign(peft: Path, base: Path, base_sha256: str, result: Path) -> None:
    """Fill the existing, empty folder `result` from a PEFT folder; `base`: the served GGUF.

    The card says that it was imported and with which settings, not what it learnt from: nobody here knows. Its prompt version is
    empty, since it was not tuned on ours. Raises a `LoraError`, or `BrokenModel` for the base.
    """
    weights = BaseWeights.read(base)
    settings, modules = read_peft(peft)
    try:
        done = write_lora(result / GGUF, weights, settings, modules)
        card = {
            "base": {"name": weights.name, "sha256": base_sha256},
            "rank": done.rank,
            "alpha": done.alpha,
            "target_modules": sorted({module.rpartition(".")[2] for module in modules}),
            "prompt": "",
            "imported": {"format": "peft"},
            "files": {GGUF: sha256_of(result / GGUF)},
        }
        (result / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise BrokenLora(name=peft.name, reason=error.strerror or str(error)) from error
