"""Where a run stands, on disk: matrices, optimizer and counters. Written aside, renamed, and believed only with its SHA-256.

`step-00000120.safetensors` is complete before `step-00000120.json` names it, so a crash at any moment leaves the one before.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bot.models.hashing import sha256_of
from knowledge.editions.files import write_whole

_log = logging.getLogger(__name__)
_KEPT = 2


@dataclass
class Progress:
    """The counters of a run."""

    step: int = 0
    """Steps of the optimizer that are done."""
    seconds: float = 0.0
    """Of training, over all its parts."""
    precision: str = ""
    losses: list[float] = field(default_factory=list)
    """Of each step, per answer token."""
    held_out: list[tuple[int, float]] = field(default_factory=list)
    """(step, loss per answer token)."""
    best_step: int = 0
    best_loss: float | None = None
    without_better: int = 0
    preferences: list[tuple[int, float, float | None, float | None]] = field(default_factory=list)
    """(step, loss, mean log-ratio of wanted and of rejected answers); see `jobs.tuning.preference_term.Preferences`."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that is needed to go on as if nothing had happened."""

    progress: Progress
    lora: dict[str, torch.Tensor]
    best: dict[str, torch.Tensor]
    """The matrices at `best_step`; empty while there is no best."""
    optimizer: dict[str, torch.Tensor]
    """`<parameter>.<key>` → tensor."""


class Checkpoints:
    """The checkpoints of one run in one folder. `run`: fingerprint of base, examples and settings; others' are not read."""

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder
        self._run = run

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder

    @property
    def run(self) -> str:
        """See the class."""
        return self._run

    def save(self, checkpoint: Checkpoint) -> None:
        """Publish it, then drop all but the latest two, others' first."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"step-{checkpoint.progress.step:08}"
        path = self._folder / f"{name}.safetensors"
        fresh = self._folder / f"{name}.safetensors.new"
        parts = {"lora": checkpoint.lora, "best": checkpoint.best, "optimizer": checkpoint.optimizer}
        save_file(
            {f"{part}/{key}": tensor for part, tensors in parts.items() for key, tensor in tensors.items()}, fresh
        )
        _flush(fresh)
        sha256 = sha256_of(fresh)
        fresh.replace(path)
        described = {"run": self._run, "sha256": sha256, "progress": asdict(checkpoint.progress)}
        write_whole(self._folder / f"{name}.json", json.dumps(described))
        self._drop_old()

    def latest(self) -> Checkpoint | None:
        """The newest that is whole; none if there is none. A broken one is logged and passed over."""
        for record in sorted(self._folder.glob("step-*.json"), reverse=True):
            try:
                found = self._read(record)
            except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
                told = {"event": "checkpoint_ignored", "file": record.name, "reason": type(error).__name__}
                _log.warning(json.dumps(told))
                continue
            if found is not None:
                return found
        return None

    def _read(self, record: Path) -> Checkpoint | None:
        described = json.loads(record.read_text(encoding="utf-8"))
        if described["run"] != self._run:
            return None
        path = record.with_suffix(".safetensors")
        if sha256_of(path) != described["sha256"]:
            raise ValueError("SHA-256")
        progress = Progress(**described["progress"])
        progress.held_out = [(int(step), float(loss)) for step, loss in progress.held_out]
        progress.preferences = [(one[0], one[1], one[2], one[3]) for one in progress.preferences]
        parts: dict[str, dict[str, torch.Tensor]] = {"lora": {}, "best": {}, "optimizer": {}}
        for name, tensor in load_file(path).items():
            part, _, key = name.partition("/")
            parts[part][key] = tensor
        return Checkpoint(progress, parts["lora"], parts["best"], parts["optimizer"])

    def _drop_old(self) -> None:
        # A run that begins anew in the folder of another one has lower steps for long.
        records = sorted(self._folder.glob("step-*.json"), key=lambda one: (self._is_own(one), one.name), reverse=True)
        for record in records[_KEPT:]:
            for path in (record, record.with_suffix(".safetensors")):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _is_own(self, record: Path) -> bool:
        try:
            return bool(json.loads(record.read_text(encoding="utf-8"))["run"] == self._run)
        except (OSError, ValueError, KeyError, TypeError):
            return False


def optimizer_state(optimizer: Any, parameters: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """AdamW's moments and step counts by the parameters' names."""
    return {
        f"{name}.{key}": value.detach().to("cpu", copy=True)
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def put_optimizer_state(optimizer: Any, parameters: Mapping[str, Any], state: Mapping[str, torch.Tensor]) -> None:
    """The reverse."""
    for name, parameter in parameters.items():
        for key in ("step", "exp_avg", "exp_avg_sq"):
            if (value := state.get(f"{name}.{key}")) is not None:
                kept = value.clone() if key == "step" else value.to(parameter.device, copy=True)
                optimizer.state[parameter][key] = kept


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
