"""Our LoRA: beside each linear layer of the base, two small matrices in float32. The base itself is never touched.

Names in the state are PEFT's (`base_model.model.<module>.lora_A.weight`), which vLLM and others read.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from bot.errors import UntunableBase

_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


class LoraLinear(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """y = W·x + alpha/rank · B·A·x, with W frozen. B starts at zero: before the first step it is the base."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float, random: torch.Generator) -> None:
        super().__init__()
        self.base = base
        self.scale = alpha / rank
        self.off = False
        a = torch.empty(rank, base.in_features)
        bound = 1 / math.sqrt(base.in_features)  # as kaiming_uniform_(a=√5), PEFT's beginning
        a.uniform_(-bound, bound, generator=random)
        device = base.weight.device
        self.lora_a = nn.Parameter(a.to(device))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank, device=device))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        if self.off:
            return self.base(x)
        small = functional.linear(x, self.lora_a) * self.scale
        return self.base(x) + functional.linear(small, self.lora_b)


def attach(
    model: Any, may_change: Callable[[str], bool], *, rank: int, alpha: float, seed: int
) -> dict[str, LoraLinear]:
    """Freeze `model` and put a LoRA on every linear layer whose module name `may_change` accepts; module name → LoRA.

    Raises `UntunableBase` when there is none.
    """
    model.requires_grad_(False)
    random = torch.Generator().manual_seed(seed)
    found = [(n, m) for n, m in model.named_modules() if isinstance(m, nn.Linear) and may_change(n)]
    attached = {}
    for name, linear in found:
        attached[name] = LoraLinear(linear, rank, alpha, random)
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, attached[name])
    if not attached:
        raise UntunableBase(name=str(model.config.model_type), reason="none of its layers takes a LoRA")
    return attached


def largest(loras: Mapping[str, LoraLinear]) -> LoraLinear:
    """The one beside the most weights."""
    return max(loras.values(), key=lambda lora: lora.base.weight.numel())


@contextlib.contextmanager
def switched_off(loras: Mapping[str, LoraLinear]) -> Iterator[None]:
    """Inside, the model is the base alone."""
    for lora in loras.values():
        lora.off = True
    try:
        yield
    finally:
        for lora in loras.values():
            lora.off = False


def state_of(loras: Mapping[str, LoraLinear]) -> dict[str, torch.Tensor]:
    """A copy of the matrices, float32 on the CPU, by PEFT's names."""
    state = {}
    for name, lora in loras.items():
        state[_PREFIX + name + _A] = lora.lora_a.detach().to("cpu", torch.float32, copy=True)
        state[_PREFIX + name + _B] = lora.lora_b.detach().to("cpu", torch.float32, copy=True)
    return state


def put_state(loras: Mapping[str, LoraLinear], state: Mapping[str, torch.Tensor]) -> None:
    """Take the matrices of `state_of`. Raises `KeyError` or `RuntimeError` when names or shapes differ."""
    with torch.no_grad():
        for name, lora in loras.items():
            lora.lora_a.copy_(state[_PREFIX + name + _A])
            lora.lora_b.copy_(state[_PREFIX + name + _B])


def named_parameters(loras: Mapping[str, LoraLinear]) -> dict[str, nn.Parameter]:
    """What is trained, by the names of `state_of`."""
    parameters = {}
    for name, lora in loras.items():
        parameters[_PREFIX + name + _A] = lora.lora_a
        parameters[_PREFIX + name + _B] = lora.lora_b
    return parameters
