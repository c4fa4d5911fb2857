"""What a tuning run is asked to do. Plain data, JSON in and out; no torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.errors import InvalidSetting

Precision = Literal["auto", "bf16", "fp32"]
Device = Literal["auto", "cpu", "cuda"]
Quantise = Literal["none", "4bit"]
Recompute = Literal["auto", "always", "never"]

_FREE = (
    "budget_seconds",
    "memory_mb",
    "threads",
    "steps_per_checkpoint",
    "device",
    "recompute",
    "processes",
)
"""How long a run may last and what it may use: a run may be resumed with others (sums may then be rounded otherwise)."""
_LATER = (
    "quantise",
    "preference_share",
    "preference_weight",
    "preference_beta",
    "preference_most_fall",
    "least_preferences",
)
"""Came later. Not named while they change nothing, so that checkpoints from before are gone on from."""


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """All numbers of one run. The same settings, examples and base give the same LoRA on the same machine.

    Raises `InvalidSetting` when made of impossible numbers.
    """

    rank: int = 8
    alpha: float = 16.0
    """The change of a weight is alpha / rank · B·A."""
    learning_rate: float = 2e-4
    """At its highest, after the warm-up; then it falls along a cosine to a tenth."""
    warm_up_share: float = 0.05
    """Of all steps."""
    epochs: int = 2
    examples_per_step: int = 4
    tokens_per_pass: int = 1408
    """Examples of a step go through the model together up to this many tokens: the bound on memory. A longer example goes alone."""
    most_tokens: int = 1536
    """A longer example (prompt and answer) is left out and reported, never cut."""
    held_out_share: float = 0.1
    replay_share: float = 0.2
    """Of what is learnt in an epoch: examples of the replay set, if there is one."""
    evaluations_per_epoch: int = 2
    patience: int = 2
    """Evaluations in a row without a better held-out loss, after which the run ends."""
    steps_per_checkpoint: int = 10
    clip_norm: float = 1.0
    precision: Precision = "auto"
    """`auto`: bf16 where a short timing on this machine says that it is faster."""
    threads: int | None = None
    budget_seconds: float | None = None
    """Of one training, resumed parts included, pauses not; what is best by then is the result."""
    memory_mb: int | None = None
    """Of the training process (peak resident set; on a GPU the most of its memory); above it the run saves and ends with an error."""
    seed: int = 0
    device: Device = "auto"
    """`auto`: a GPU that CUDA knows, else the CPU."""
    quantise: Quantise = "none"
    """`4bit`: the base in NF4 by bitsandbytes (QLoRA); on a GPU only."""
    recompute: Recompute = "auto"
    """Compute the blocks again in the backward pass instead of keeping what they made (gradient checkpointing): slower, far less
    memory. `auto`: where memory would not suffice."""
    processes: int = 1
    """More than one: each takes its part of every step, on a GPU of its own where there are GPUs (`jobs.tuning.peers`)."""
    preference_share: float = 0.0
    """Of the steps that learn from preferences, too; 0: none. See `jobs.tuning.preference_loss`."""
    preference_weight: float = 1.0
    """Of the mean preference loss beside the mean loss of an answer token."""
    preference_beta: float = 0.1
    preference_most_fall: float = 10.0
    """Nats: how much less likely than by the base a rejected answer may become before it is pushed no further."""
    least_preferences: int = 20
    """With fewer rejected answers the preferences are left alone."""

    def __post_init__(self) -> None:
        self._need(1 <= self.rank <= 256, "rank", "1–256")
        for key in (
            "alpha",
            "learning_rate",
            "clip_norm",
            "preference_weight",
            "preference_beta",
            "preference_most_fall",
        ):
            number = getattr(self, key)
            self._need(math.isfinite(number) and number > 0, key, "> 0")
        for key in (
            "epochs",
            "examples_per_step",
            "tokens_per_pass",
            "evaluations_per_epoch",
            "patience",
            "steps_per_checkpoint",
            "processes",
            "least_preferences",
        ):
            self._need(getattr(self, key) >= 1, key, ">= 1")
        self._need(self.most_tokens >= 2, "most_tokens", ">= 2")
        self._need(0 <= self.warm_up_share <= 1, "warm_up_share", "0–1")
        self._need(0 <= self.held_out_share <= 0.5, "held_out_share", "0–0.5")
        self._need(0 <= self.replay_share <= 0.9, "replay_share", "0–0.9")
        self._need(0 <= self.preference_share <= 0.5, "preference_share", "0–0.5")
        for key, kind in (
            ("precision", Precision),
            ("device", Device),
            ("quantise", Quantise),
            ("recompute", Recompute),
        ):
            known = kind.__args__  # type: ignore[attr-defined]
            self._need(getattr(self, key) in known, key, ", ".join(known))
        for key in ("threads", "budget_seconds", "memory_mb"):
            number = getattr(self, key)
            self._need(number is None or number > 0, key, "> 0")

    @staticmethod
    def _need(holds: bool, key: str, wanted: str) -> None:
        if not holds:
            raise InvalidSetting(key=f"tuning.{key}", reason=wanted)

    def as_json(self) -> dict[str, object]:
        """For `job.json` and `lora.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> TuningSettings:
        """What `as_json` gave, also an earlier one. Raises `InvalidSetting` for a key that it does not know."""
        known = {field.name for field in dataclasses.fields(cls)}
        for key in raw:
            if key not in known:
                raise InvalidSetting(key=f"tuning.{key}", reason="unknown")
        return cls(**raw)  # type: ignore[arg-type]  # values are checked in __post_init__

    def decides_weights(self) -> dict[str, object]:
        """The part that a checkpoint must agree with: all but how long the run may last and what it may use."""
        unused = {field.name: field.default for field in dataclasses.fields(self) if field.name in _LATER}
        if not self.preference_share:
            unused |= {key: getattr(self, key) for key in unused if "preference" in key}
        return {
            key: value
            for key, value in self.as_json().items()
            if key not in _FREE and not (key in unused and value == unused[key])
        }
