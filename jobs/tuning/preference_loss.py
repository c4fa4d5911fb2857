"""What learning from preferences minimises, as a function of log-ratios alone.

For a prompt x and an answer y of T tokens, in nats:

    r(x, y) = Σₜ log π(yₜ | x, y₍<t₎) − Σₜ log π₀(yₜ | x, y₍<t₎)          π: the base with the LoRA, π₀: the base alone

A single thumb (KTO, Ethayarajh et al. 2024, arXiv:2402.01306, eq. 8; σ is the logistic function):

    up:    λ_up   · (1 − σ(β · (r − z)))
    down:  λ_down · (1 − σ(β · (z − r̄)))
    z = max(0, mean of r(xᵢ, yⱼ) over prompts with answers to other questions): how far π has moved in general; no gradient flows through it

A correction y⁺ of a rejected answer y⁻ (DPO, Rafailov et al. 2023, arXiv:2305.18290, eq. 7):

    pair:  −log σ(β · (r(x, y⁺) − r̄(x, y⁻)))

Our bound: r̄ = max(r, −most_fall). Below it a rejected answer gets no gradient: unlikely is enough, and pushing on ruins the rest of
the model. KTO's losses lie between 0 and λ by themselves. λ evens out thumbs of unequal number, as the paper advises, up to 4 to 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from jobs.tuning.preferences import Kind
from jobs.tuning.settings import TuningSettings

_MOST_WEIGHT = 4.0


@dataclass(frozen=True, slots=True)
class PreferenceLoss:
    """The numbers of the formulas above."""

    beta: float
    most_fall: float
    up_weight: float = 1.0
    down_weight: float = 1.0

    @classmethod
    def of(cls, settings: TuningSettings, kinds: Sequence[Kind]) -> PreferenceLoss:
        """With the weights for this many thumbs up and down; 1 and 1 when one side has none."""
        count = Counter(kinds)
        ups, downs = count["up"], count["down"]
        up = min(_MOST_WEIGHT, max(1.0, downs / ups)) if ups else 1.0
        down = min(_MOST_WEIGHT, max(1.0, ups / downs)) if downs else 1.0
        return cls(settings.preference_beta, settings.preference_most_fall, up, down)

    def __call__(
        self, kinds: Sequence[Kind], up: torch.Tensor, down: torch.Tensor, moved: torch.Tensor | float
    ) -> torch.Tensor:
        """Mean over preferences. `up`, `down` (preferences,): r of the wanted and of the rejected answer, anything where there is none.

        `moved`: z.
        """
        bounded = down.clamp(min=-self.most_fall)
        losses = []
        for place, kind in enumerate(kinds):
            if kind == "pair":
                losses.append(-functional.logsigmoid(self.beta * (up[place] - bounded[place])))
            elif kind == "up":
                losses.append(self.up_weight * (1 - torch.sigmoid(self.beta * (up[place] - moved))))
            else:
                losses.append(self.down_weight * (1 - torch.sigmoid(self.beta * (moved - bounded[place]))))
        return torch.stack(losses).mean()
