"""Gradient checkpointing: of each block only the input is kept, and the block is computed again in the backward pass.

The numbers stay the same. It is switched on where what the blocks keep would not fit, which is measured, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from jobs.tuning.dataset import Sample
from jobs.tuning.packing import logits_and_labels, pack

_PROBED_TOKENS = 128
_HEADROOM = 1.5
"""For gradients on their way, the logits, and a memory in pieces."""
_BLOCK = re.compile(r"(.+?\.\d+)\.")


def kept_bytes_per_token(model: Any, sample: Sample) -> float:
    """What a pass keeps for its backward pass, beside the weights: measured on the end of `sample`."""
    begins = max(0, len(sample.tokens) - _PROBED_TOKENS)
    part = Sample(sample.id, sample.tokens[begins:], max(1, sample.answer_begins - begins))
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def count(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    [one] = pack([part], len(part.tokens))
    with saved_tensors_hooks(count, lambda tensor: tensor):
        logits, _ = logits_and_labels(model, one)
    del logits
    return sum(kept.values()) / len(one.tokens)


def is_needed(bytes_per_token: float, tokens: int, free_mb: float) -> bool:
    """Whether a pass over `tokens` tokens would keep more than there is room for."""
    return bytes_per_token * tokens * _HEADROOM > free_mb * (1 << 20)


def recompute_blocks(model: Any, loras: Iterable[str]) -> int:
    """Switch it on for every block that holds one of these modules; how many there are. Once for each model."""
    names = sorted({found[1] for name in loras if (found := _BLOCK.match(name))})
    for name in names:
        _wrap(model.get_submodule(name))
    return len(names)


def _wrap(block: Any) -> None:
    plain = block.forward

    def forward(*args: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return plain(*args, **named)
        # Nothing in a block is random: dropout is off.
        return checkpoint(plain, *args, use_reentrant=False, preserve_rng_state=False, **named)

    block.forward = forward
