"""Attention over a pack, without the pairs that nobody sees.

With one mask over the whole pack every token is compared with every other one, and most of that is thrown away: samples do not see each
other, and nobody sees what comes later. Here the shared beginning looks at itself, and each sample at the beginning and itself. The numbers
are the same but for the order of sums. Query heads that share a key head are laid one below the other, so that keys are not copied.

It is an attention function of transformers (`AttentionInterface`), called by every model that looks its attention up there. Layers whose
window is shorter than the pack, and models that do not pass `segments` on, fall back to the mask.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

_NAME = "saseo_shared"


class Segments:
    """How a pack is cut: `lengths` of the shared beginning (may be 0) and of each sample, in order."""

    def __init__(self, lengths: tuple[int, ...], positions: int) -> None:
        self.lengths = lengths
        self.positions = positions
        """The longest way from the first token of a sample to its last."""
        self._masks: dict[object, torch.Tensor] = {}

    def mask(self, own: int, groups: int, like: torch.Tensor) -> torch.Tensor:
        """0 where a sample's `own` tokens may look, −∞ elsewhere: (groups · own, shared + own), made once for all layers."""
        key = (own, groups, like.dtype, like.device)
        if key not in self._masks:
            shared = self.lengths[0]
            hidden = torch.ones(own, shared + own, dtype=torch.bool, device=like.device).triu(shared + 1)
            mask = torch.zeros(own, shared + own, dtype=like.dtype, device=like.device)
            self._masks[key] = mask.masked_fill_(hidden, float("-inf")).repeat(groups, 1)
        return self._masks[key]


def use_shared_attention(model: Any) -> None:
    """Let `model` compute so from now on, if it computes with torch's own attention."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(_NAME, attention)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    segments: Segments | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """`query` (1, heads, tokens, size), `key` and `value` (1, key heads, tokens, size) → ((1, tokens, heads, size), None).

    There may be fewer queries than keys: the beginning's are left out when it was read before.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    windowed = sliding_window is not None and segments is not None and sliding_window < segments.positions
    if segments is None or windowed:
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, sliding_window=sliding_window, **others
        )
        return found
    shared, *own = segments.lengths
    was_read = query.shape[2] < key.shape[2]  # the beginning, in a pass before this one
    queries = [*query.split([*([] if was_read else [shared]), *own], dim=2)]
    (keys, *own_keys), (values, *own_values) = (tensor.split([shared, *own], dim=2) for tensor in (key, value))
    groups = query.shape[1] // key.shape[1]
    looked = []
    if not was_read and (beginning := queries.pop(0)).shape[2]:
        key_heads, value_heads = (tensor.repeat_interleave(groups, dim=1) for tensor in (keys, values))
        looked.append(scaled_dot_product_attention(beginning, key_heads, value_heads, is_causal=True, scale=scaling))
    for asked, own_key, own_value in zip(queries, own_keys, own_values, strict=True):
        seen = scaled_dot_product_attention(
            _below(asked, groups),
            torch.cat((keys, own_key), dim=2),
            torch.cat((values, own_value), dim=2),
            attn_mask=segments.mask(asked.shape[2], groups, query),
            scale=scaling,
        )
        looked.append(seen.view(asked.shape))
    return torch.cat(looked, dim=2).transpose(1, 2).contiguous(), None


def _below(query: torch.Tensor, groups: int) -> torch.Tensor:
    """(1, key heads · groups, tokens, size) → (1, key heads, groups · tokens, size)."""
    batch, heads, tokens, size = query.shape
    return query.reshape(batch, heads // groups, groups * tokens, size)
