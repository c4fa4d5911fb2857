"""Which linear layers a LoRA may change, per architecture, and how llama.cpp's tensors differ from Hugging Face's.

llama.cpp names the layers its own way and, for two architectures, keeps the rows of a weight in another order than the checkpoint that
it was converted from. A weight W + B·A has the rows of B, so a LoRA follows by putting the rows of B in that order; A stays as it is.
Source: `conversion/llama.py` and `conversion/gptneox.py` of llama.cpp as shipped with llama-cpp-python 0.3.36. Adding an architecture is
one entry here and one case in `tests/bot/loras/test_lora_parity.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bot.errors import UnsupportedLora
from bot.loras.base_weights import BaseWeights

Rows = NDArray[np.float32]
Places = NDArray[np.intp]
RowOrder = tuple[Callable[[Places, int], Places], Literal["heads", "key_heads"]]
"""Places of a checkpoint's rows → in llama.cpp's order, and which of the base's numbers of heads goes with it."""
_ROWS = re.compile(r"blk\.\d+\.(?P<layer>[a-z_]+)\.(?:weight|bias)")
_BLOCK = re.compile(r"blk\.(?:0|[1-9]\d{0,3})\.(?P<layer>[a-z_]+)\.weight")


def _rotary(rows: Places, heads: int) -> Places:
    """Within each head, checkpoint order keeps the halves of the rotated pairs apart; llama.cpp's `llama` wants them side by side."""
    return rows.reshape(heads, 2, -1).swapaxes(1, 2).reshape(-1)


def _fused(rows: Places, heads: int) -> Places:
    """GPT-NeoX keeps q, k and v of one head together; llama.cpp wants all of q, then all of k, then all of v."""
    return rows.reshape(heads, 3, -1).swapaxes(0, 1).reshape(-1)


@dataclass(frozen=True, slots=True)
class Architecture:
    """One architecture: where its linear layers stand in a checkpoint and in a GGUF."""

    blocks: str
    """What stands before a layer's number in a checkpoint."""
    layers: Mapping[str, str]
    """Module inside a block → its name inside a GGUF's block."""
    heads: tuple[str, ...] = ("lm_head",)
    """Names of the module that makes logits; `output` in a GGUF, absent from it when tied to the embedding."""
    row_orders: Mapping[str, RowOrder] = field(default_factory=dict)
    trained_as: Architecture | None = None
    """Where transformers lacks this architecture: the one that computes the same, and is trained in its place."""
    blocks_beside_pictures: tuple[str, ...] = ()
    """As `blocks`, in checkpoints that also read pictures: since transformers 4.52, and before."""
    sizes_with_pictures: frozenset[int] = frozenset()
    """Numbers of blocks of those whose original checkpoint does: a GGUF holds the text's part alone and does not tell."""

    def tensor_of(self, module: str) -> str | None:
        """The base's tensor (`blk.3.attn_q.weight`) of a module (`model.layers.3.self_attn.q_proj`), if a LoRA may change it."""
        own = self._tensor_of(module)
        return self.trained_as.tensor_of(module) if own is None and self.trained_as is not None else own

    def module_of(self, tensor: str, size: int = 0) -> str:
        """The module of a tensor that a LoRA may change, as the original checkpoint of a base of `size` blocks calls it."""
        if tensor == "output.weight":
            return self.heads[-1]
        _, number, layer, _ = tensor.split(".")
        [module] = (module for module, name in self.layers.items() if name == layer)
        blocks = self.blocks_beside_pictures[0] if self.reads_pictures(size) else self.blocks
        return f"{blocks}.{number}.{module}"

    def reads_pictures(self, size: int) -> bool:
        """Whether the original checkpoint of a base of `size` blocks holds more than its text's part."""
        return size in self.sizes_with_pictures

    def _tensor_of(self, module: str) -> str | None:
        if module in self.heads:
            return "output.weight"
        blocks = "|".join(map(re.escape, (self.blocks, *self.blocks_beside_pictures)))
        found = re.fullmatch(rf"(?:{blocks})\.(0|[1-9]\d{{0,3}})\.(.+)", module)
        layer = self.layers.get(found[2]) if found else None
        return f"blk.{found[1]}.{layer}.weight" if found and layer else None

    def may_change(self, tensor: str) -> bool:
        """Whether llama.cpp applies a LoRA to this tensor by W + B·A. To norms it does not, and the embedding is a case of its own."""
        found = _BLOCK.fullmatch(tensor)
        return tensor == "output.weight" or (found is not None and found["layer"] in self.layers.values())

    def rows_in_order(self, tensor: str, rows: Rows, base: BaseWeights) -> Rows:
        """A checkpoint's rows as the base's tensor has them. Raises `UnsupportedLora` when the base's heads are unknown."""
        order = self._order(tensor, len(rows), base)
        return rows if order is None else rows[order]

    def rows_of_checkpoint(self, tensor: str, rows: Rows, base: BaseWeights) -> Rows:
        """The way back from `rows_in_order`."""
        order = self._order(tensor, len(rows), base)
        return rows if order is None else rows[np.argsort(order)]

    def _order(self, tensor: str, count: int, base: BaseWeights) -> Places | None:
        found = _ROWS.fullmatch(tensor)
        if found is None or found["layer"] not in self.row_orders:
            return None
        reorder, which = self.row_orders[found["layer"]]
        heads = base.heads if which == "heads" else base.key_heads
        try:
            return reorder(np.arange(count), heads or 0)
        except ValueError as error:
            raise UnsupportedLora(reason=f"{base.name} does not say how {tensor} is divided into heads") from error


_LAYERS: dict[str, str] = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_PLAIN: dict[str, Any] = {"blocks": "model.layers", "layers": _LAYERS}

ARCHITECTURES: Mapping[str, Architecture] = {
    "qwen2": Architecture(**_PLAIN),
    "qwen3": Architecture(**_PLAIN),
    "gemma3": Architecture(
        **_PLAIN,
        blocks_beside_pictures=("model.language_model.layers", "language_model.model.layers"),
        sizes_with_pictures=frozenset({34, 48, 62}),  # 4B, 12B, 27B; 270M and 1B read text alone
    ),
    "llama": Architecture(
        **_PLAIN,
        row_orders={"attn_q": (_rotary, "heads"), "attn_k": (_rotary, "key_heads")},
    ),
    # EXAONE 3.x computes as Llama does, under other names and with its rows as they are (rotary pairs as in GPT-NeoX).
    "exaone": Architecture(
        blocks="transformer.h",
        layers={
            "attn.attention.q_proj": "attn_q",
            "attn.attention.k_proj": "attn_k",
            "attn.attention.v_proj": "attn_v",
            "attn.attention.out_proj": "attn_output",
            "mlp.c_fc_0": "ffn_gate",
            "mlp.c_fc_1": "ffn_up",
            "mlp.c_proj": "ffn_down",
        },
        trained_as=Architecture(**_PLAIN),
    ),
    "gptneox": Architecture(
        blocks="gpt_neox.layers",
        layers={
            "attention.query_key_value": "attn_qkv",
            "attention.dense": "attn_output",
            "mlp.dense_h_to_4h": "ffn_up",
            "mlp.dense_4h_to_h": "ffn_down",
        },
        heads=("embed_out", "lm_head"),  # before and since transformers 5
        row_orders={"attn_qkv": (_fused, "heads")},
    ),
}
"""GGUF's `general.architecture` → what a LoRA for it looks like."""
