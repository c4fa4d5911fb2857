"""How a training run ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from jobs.tuning.checkpoint import Progress

Ending = Literal["finished", "early", "budget", "stopped"]


@dataclass(frozen=True, slots=True)
class Trained:
    """How a run ended. `stopped`: a checkpoint was saved, `lora` is where it stood; else `lora` is the best that was seen."""

    ending: Ending
    progress: Progress
    steps: int
    """That were planned."""
    lora: dict[str, torch.Tensor]

    @property
    def changes_nothing(self) -> bool:
        """The best was where it began, before the first step: every B is zero, and the model answers as the plain base."""
        return not any(bool(matrix.any()) for name, matrix in self.lora.items() if name.endswith(".lora_B.weight"))
