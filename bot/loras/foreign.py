"""A LoRA that was made elsewhere → a folder as a finished tuning run leaves it, which the shelf takes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.errors import BrokenLora
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import write_lora
from bot.loras.peft_reader import read_peft
from bot.loras.seen import KEY, Seen, texts
from bot.models.hashing import sha256_of

GGUF, CARD = "lora.gguf", "lora.json"
_MOST_CARD = 64 << 20
_TOLD = (KEY, "examples", "held_out", "prompt", "made")
"""Of a card of ours that is taken over."""


def write_foreign(peft: Path, base: Path, base_sha256: str, result: Path) -> None:
    """Fill the existing, empty folder `result` from a PEFT folder; `base`: the served GGUF.

    The card says that it was imported and with which settings. What it learnt from and the prompt version are known only where Saseo
    exported the folder: its card lies there, and is about these very weights. Else the prompt version is empty, since it was not tuned
    on ours. Raises a `LoraError`, or `BrokenModel` for the base.
    """
    weights = BaseWeights.read(base)
    settings, modules = read_peft(peft)
    try:
        done = write_lora(result / GGUF, weights, settings, modules)
        card: dict[str, Any] = {
            "base": {"name": weights.name, "sha256": base_sha256},
            "rank": done.rank,
            "alpha": done.alpha,
            "target_modules": sorted({module.rpartition(".")[2] for module in modules}),
            "prompt": "",
            "imported": {"format": "peft"},
            "files": {GGUF: sha256_of(result / GGUF)},
        }
        card |= _told(peft / CARD, card["files"][GGUF])
        (result / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise BrokenLora(name=peft.name, reason=error.strerror or str(error)) from error


def _told(path: Path, sha256: str) -> dict[str, Any]:
    """What a card of ours says beyond the weights. Nothing where there is none, it is damaged, or these are other weights by now."""
    try:
        if path.stat().st_size > _MOST_CARD:
            return {}
        card = json.loads(path.read_text(encoding="utf-8"))
        same = card["files"][GGUF] == sha256
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    told = isinstance(card, Mapping) and Seen.of_card(card) is not None and texts(card.get("held_out", []))
    if not same or not told or not isinstance(card.get("prompt"), str):
        return {}
    return {name: card[name] for name in _TOLD if name in card}
