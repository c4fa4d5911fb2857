"""What all samples of a step begin with, read once for all its passes.

When the samples of a step do not fit into one pass, each pass would read the shared beginning again. Here it is read first; every pass
looks at its keys and values; and what the passes would change about these is added up and goes back through the beginning once. Gradients
are exactly those of reading it each time, but for the order of sums.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from jobs.tuning.dataset import Sample
from jobs.tuning.packing import Pack, pack, shared_tokens

_WORTH_IT = 16
"""Tokens."""


class Beginning:
    """The keys and values of tokens that several packs begin with, layer by layer, each (1, key heads, tokens, size)."""

    def __init__(self, model: Any, tokens: Sequence[int]) -> None:
        from transformers import DynamicCache

        device = next(model.parameters()).device
        cache = DynamicCache()
        model(
            input_ids=torch.tensor([list(tokens)], device=device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._read = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
        self._seen = [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in self._read]

    def cache(self) -> Any:
        """As transformers' models take it; a new one for each pass, which adds to it."""
        from transformers import DynamicCache

        cache = DynamicCache()
        for layer in range(len(self._seen) // 2):
            cache.update(self._seen[2 * layer], self._seen[2 * layer + 1], layer)
        return cache

    def backward(self) -> None:
        """After the `backward` of all passes."""
        pairs = [(read, seen.grad) for read, seen in zip(self._read, self._seen, strict=True) if seen.grad is not None]
        if pairs:
            read, gradients = zip(*pairs, strict=True)
            torch.autograd.backward(read, gradients)


def passes(
    model: Any, samples: Sequence[Sample], most_tokens: int, context: Callable[[], AbstractContextManager[object]]
) -> list[Pack]:
    """As `pack`; with a beginning that was read already where more than one pass shares one. `context`: to compute in.

    All packs then have the same `beginning`, and its `backward` is to be called after theirs.
    """
    packs = pack(samples, most_tokens)
    shared = shared_tokens(samples) if len(packs) > 1 else 0
    if shared < _WORTH_IT:
        return packs
    with context():
        beginning = Beginning(model, samples[0].tokens[:shared])
    return [dataclasses.replace(one, beginning=beginning) for one in pack(samples, most_tokens, shared)]
