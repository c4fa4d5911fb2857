"""What a run leaves: a folder, there as a whole or not at all.

    lora.safetensors, lora.gguf     the matrices, in PEFT's names and as llama.cpp reads them
    lora.json                       the card: where they are from
    parity.json                     what torch says with them (`jobs.tuning.parity`)
    loss.json, loss.svg             {"losses": of each step, "held_out": [[step, loss], …]}, and its picture

The samples in `parity.json` are examples as tokens: whoever may not read the examples may not have it either. The rest holds no words.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from bot import prompts
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.loras.seen import KEY as SEEN
from bot.loras.seen import Seen
from bot.loras.seen import fingerprint as of_passage
from bot.models.hashing import sha256_of
from jobs.tuning import material as materials
from jobs.tuning.base import PreparedBase
from jobs.tuning.dataset import fingerprint
from jobs.tuning.loss_plot import loss_svg
from jobs.tuning.material import Material
from jobs.tuning.parity import FILE as PARITY
from jobs.tuning.settings import TuningSettings
from jobs.tuning.trained import Trained

_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def write_result(
    folder: Path,
    gguf: Path,
    base: PreparedBase,
    settings: TuningSettings,
    trained: Trained,
    material: Material,
    *,
    parity: Sequence[Mapping[str, object]],
    device: str,
) -> None:
    """Publish `folder`, in place of an earlier one. `parity`: as `jobs.tuning.parity.parity` gave it for the matrices in `trained`.

    Raises a `LoraError` when llama.cpp could not use the LoRA.
    """
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(trained.lora, fresh / "lora.safetensors")
    pairs = _pairs(trained.lora)
    write_lora(fresh / "lora.gguf", BaseWeights.read(gguf), LoraSettings(settings.rank, settings.alpha), pairs)
    course = trained.progress
    card = {
        "base": {"name": base.name, "sha256": base.sha256},
        "rank": settings.rank,
        "alpha": settings.alpha,
        "target_modules": sorted({module.rpartition(".")[2] for module in pairs}),
        "settings": settings.as_json(),
        "seed": settings.seed,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "prompt": prompts.version(),
        "examples": {n: {"count": len(many), "sha256": fingerprint(many)} for n, many in material.sets.items()},
        SEEN: _seen(material).as_json(),
        "held_out": [one.id for one in material.sets["held_out"]],
        "too_long": {one.id: one.tokens for one in material.too_long},
        "preferences": _preferences(material, trained),
        "ending": trained.ending,
        "steps": {"done": course.step, "planned": trained.steps, "best": course.best_step},
        "seconds": round(course.seconds, 1),
        "device": device.partition(":")[0],
        "precision": course.precision,
        "losses": course.losses,
        "held_out_losses": course.held_out,
        "files": {name: sha256_of(fresh / name) for name in ("lora.safetensors", "lora.gguf")},
        "versions": {"python": platform.python_version(), **{p: version(p) for p in ("torch", "transformers")}},
    }
    (fresh / "lora.json").write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    (fresh / PARITY).write_text(json.dumps(list(parity)), encoding="utf-8")
    losses = {"losses": course.losses, "held_out": course.held_out}
    (fresh / "loss.json").write_text(json.dumps(losses), encoding="utf-8")
    (fresh / "loss.svg").write_text(loss_svg(course.losses, course.held_out), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def _seen(material: Material) -> Seen:
    """Nothing of what was held out: there no passage is learnt."""
    preferred = {one.id for one in material.preferred}
    preferences = [one for one in material.preferences if one.id in preferred]
    ids = [*(one.id for one in material.sets["learnt"]), *(one.id for one in preferences)]
    read = [one.passages for one in (*material.sets["learnt"], *material.sets["replay"])]
    read += [one.passages for one in preferences]
    return Seen(frozenset(ids), frozenset(of_passage(passage) for passages in read for passage in passages))


def _preferences(material: Material, trained: Trained) -> dict[str, object] | None:
    """How many thumbs and pairs were learnt from and what came of them; none: this LoRA learnt from examples alone."""
    if not material.preferred:
        return None
    return {
        "count": dict(Counter(one.kind for one in material.preferred)),
        "sha256": materials.fingerprint(material.preferences),
        "steps": [list(one) for one in trained.progress.preferences],
    }


def _pairs(state: Mapping[str, Any]) -> dict[str, LoraPair]:
    modules = [name.removeprefix(_PREFIX).removesuffix(_A) for name in state if name.endswith(_A)]
    return {m: LoraPair(state[_PREFIX + m + _A].numpy(), state[_PREFIX + m + _B].numpy()) for m in modules}
