"""What the gate demands. Plain numbers; the composition root fills them from `[gate]`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from bot.errors import InvalidSetting

MainMeasure = Literal["answer_span_f1", "answer_f1", "character_f1", "contains", "exact_match"]


@dataclass(frozen=True, slots=True)
class Margins:
    """How much worse a candidate may be on what is guarded; `jobs.gate.measures` says what each counts.

    In points of a share (0.05 = 5 of 100 questions); `slower`: as a part of what serves now (1.0 = twice the time).
    """

    contains: float = 0.05
    number_precision: float = 0.10
    """Wide: a whole sentence of a page often says one true number more than was asked for, which halves it for that question."""
    citation_precision: float = 0.05
    citation_recall: float = 0.05
    abstention_recall: float = 0.05
    wrongly_declined: float = 0.05
    wrong_language: float = 0.03
    failed: float = 0.03
    left_out: float = 0.10
    too_long: float = 0.10
    slower: float = 1.0

    def of(self, measure: str) -> float | None:
        """None for a measure that is not guarded."""
        value = getattr(self, "slower" if measure == "seconds" else measure, None)
        return None if value is None else float(value)


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Raises `InvalidSetting` when made of impossible numbers."""

    main: MainMeasure = "answer_span_f1"
    least_gain: float = 0.0
    """The main measure must be better by more than this, at the lower end of its interval."""
    confidence: float = 0.95
    """Of the main measure's two-sided interval: of candidates that are no better, at most (1 - confidence) / 2 pass."""
    guard_confidence: float = 0.80
    """Of the guards' two-sided intervals. Lower than the other, because here a wide interval stops a candidate: with 0.95 a margin of 0.05
    would need about three times as many questions, and a guard that nobody can pass is switched off in the end."""
    least_clusters: int = 30
    """Pages (or groups of questions that hang together): with fewer a bootstrap over them says too little, whatever it finds."""
    resamples: int = 10_000
    seed: int = 0
    timed_questions: int = 24
    """So many per side are timed within one run of the gate: seconds of another day or load prove nothing."""
    parity_logprob: float = 0.20
    """Largest mean |difference| of answer tokens' log-probabilities between torch and llama.cpp. Measured (KL, nats): the same LoRA
    through Q4_K_M 0.001 (0.5B) to 0.008 (270M), a missing one 0.08 to 0.9; a difference of √(2·KL) is then 0.05 to 0.13."""
    parity_share: float = 0.40
    """And the largest part of the LoRA's own effect (same tokens, plain base) that this may be, unless it is below `parity_noise`. The
    worst seen of a sound LoRA was √(0.008 / 0.078) = 0.32 (270M). Held-out answers that any scale of the LoRA gets right, with
    certainty, show nothing of a wrong one: seen with a 0.5B after three steps on easy examples, even at eight times alpha."""
    parity_noise: float = 0.05
    """Differences up to this are rounding: bf16 in torch, quantised matrices in llama.cpp."""
    parity_top1: float = 0.90
    """Least share of answer tokens on which both would have written the same next. Measured: 100 % (0.5B), 94 % (270M)."""
    margins: Margins = field(default_factory=Margins)

    def __post_init__(self) -> None:
        self._need(self.main in get_args(MainMeasure), "main", "a share of 0–1")
        self._need(0 <= self.least_gain < 1, "least_gain", "0–1")
        for key in ("confidence", "guard_confidence"):
            self._need(0.5 <= getattr(self, key) < 1, key, "0.5–1")
        self._need(self.least_clusters >= 10, "least_clusters", ">= 10")
        self._need(self.resamples >= 1000, "resamples", ">= 1000")
        self._need(self.timed_questions >= 0, "timed_questions", ">= 0")
        for key in ("parity_logprob", "parity_share", "parity_noise", "parity_top1"):
            self._need(0 <= getattr(self, key) < math.inf, key, ">= 0")
        for one in dataclasses.fields(self.margins):
            self._need(0 < getattr(self.margins, one.name) < math.inf, f"margins.{one.name}", "> 0")

    @staticmethod
    def _need(holds: bool, key: str, wanted: str) -> None:
        if not holds:
            raise InvalidSetting(key=f"gate.{key}", reason=wanted)

    def as_json(self) -> dict[str, object]:
        """For the verdict."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> GateSettings:
        """What `as_json` gave, or a `[gate]` table as a dictionary."""
        return cls(**{**raw, "margins": Margins(**raw["margins"])})
