"""What a run leaves: a folder with `lora.safetensors`, `lora.gguf` and the card `lora.json`, there as a whole or not at all."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from bot import prompts
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.models.hashing import sha256_of
from jobs.tuning.base import PreparedBase
from jobs.tuning.dataset import Example, TooLong, fingerprint
from jobs.tuning.settings import TuningSettings
from jobs.tuning.train import Trained

_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def write_result(
    folder: Path,
    gguf: Path,
    base: PreparedBase,
    settings: TuningSettings,
    trained: Trained,
    sets: Mapping[str, Sequence[Example]],
    too_long: Sequence[TooLong],
) -> None:
    """Publish `folder`, in place of an earlier one. `sets`: name (`learnt`, `held_out`, `replay`) → examples.

    Raises a `LoraError` when llama.cpp could not use the LoRA.
    """
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(trained.lora, fresh / "lora.safetensors")
    pairs = _pairs(trained.lora)
    write_lora(fresh / "lora.gguf", BaseWeights.read(gguf), LoraSettings(settings.rank, settings.alpha), pairs)
    card = {
        "base": {"name": base.name, "sha256": base.sha256},
        "rank": settings.rank,
        "alpha": settings.alpha,
        "target_modules": sorted({module.rpartition(".")[2] for module in pairs}),
        "settings": settings.as_json(),
        "seed": settings.seed,
        "prompt": prompts.version(),
        "examples": {name: {"count": len(many), "sha256": fingerprint(many)} for name, many in sets.items()},
        "too_long": {one.id: one.tokens for one in too_long},
        "ending": trained.ending,
        "steps": {"done": trained.progress.step, "planned": trained.steps, "best": trained.progress.best_step},
        "seconds": round(trained.progress.seconds, 1),
        "precision": trained.progress.precision,
        "losses": trained.progress.losses,
        "held_out_losses": trained.progress.held_out,
        "files": {name: sha256_of(fresh / name) for name in ("lora.safetensors", "lora.gguf")},
        "versions": {"python": platform.python_version(), **{p: version(p) for p in ("torch", "transformers")}},
    }
    (fresh / "lora.json").write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def _pairs(state: Mapping[str, Any]) -> dict[str, LoraPair]:
    modules = [name.removeprefix(_PREFIX).removesuffix(_A) for name in state if name.endswith(_A)]
    return {m: LoraPair(state[_PREFIX + m + _A].numpy(), state[_PREFIX + m + _B].numpy()) for m in modules}
