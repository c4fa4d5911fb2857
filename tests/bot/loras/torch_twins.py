"""The tiny GGUF models as torch models of transformers, and LoRAs on them. torch and transformers are imported when first needed.

What llama.cpp keeps in another order than a checkpoint is stated here row by row, not with the code under test. That it is stated
rightly shows in the plain models: `test_lora_parity.py` compares their logits too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import pytest
from numpy.typing import NDArray

from bot.loras.gguf_writer import LoraPair, LoraSettings
from bot.writers.llamacpp import LlamaCppEngine
from tests.fakes import tiny_gguf

Logits = NDArray[np.float64]
WRITE: Mapping[str, Callable[[Path], Path]] = {
    "qwen2": tiny_gguf.write_tiny_qwen2,
    "qwen3": tiny_gguf.write_tiny_qwen3,
    "llama": tiny_gguf.write_tiny_llama,
    "gemma3": tiny_gguf.write_tiny_gemma3,
    "exaone": tiny_gguf.write_tiny_exaone,
    "gptneox": tiny_gguf.write_tiny_gptneox,
}
TOKENS = [int(token) for token in np.random.default_rng(3).integers(0, 300, 40)]
# EXAONE 3.x is not in transformers; it is Llama under other names, so its twin is a Llama.
EXAONE_NAMES = {
    "model.layers.": "transformer.h.",
    "self_attn.o_proj": "attn.attention.out_proj",
    "self_attn.": "attn.attention.",
    "mlp.gate_proj": "mlp.c_fc_0",
    "mlp.up_proj": "mlp.c_fc_1",
    "mlp.down_proj": "mlp.c_proj",
}


def engine_on(path: Path) -> LlamaCppEngine:
    """Small, one thread. None but Qwen2 has a template of its own."""
    template = "gguf" if "qwen2" in path.stem else "koalpaca"
    return LlamaCppEngine(path, context_tokens=256, threads=1, template=template)


@contextmanager
def exact_attention() -> Iterator[None]:
    """Engines made inside attend in 32 bits throughout, not in 16 as they serve: what is left between them and torch is rounding."""
    make = llama_cpp.llama_init_from_model

    def exactly(model: Any, options: Any) -> Any:
        options.type_k = options.type_v = llama_cpp.GGML_TYPE_F32
        options.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        return make(model, options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llama_cpp, "llama_init_from_model", exactly)
        yield


def llamacpp_logits(engine: LlamaCppEngine, tokens: list[int]) -> Logits:
    """Logits after each token, from an empty memory."""
    lib: Any = llama_cpp
    engine.forget()
    batch = lib.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for at, token in enumerate(tokens):
        batch.token[at], batch.pos[at], batch.n_seq_id[at], batch.seq_id[at][0], batch.logits[at] = token, at, 1, 0, 1
    assert lib.llama_decode(engine.context_pointer, batch) == 0
    size = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(lib.llama_get_model(engine.context_pointer)))
    rows = np.ctypeslib.as_array(lib.llama_get_logits(engine.context_pointer), shape=(len(tokens), size)).astype(
        np.float64
    )
    lib.llama_batch_free(batch)
    engine.forget()
    return rows


def divergence(left: Logits, right: Logits) -> float:
    """The largest Kullback-Leibler divergence of any position."""
    p, q = (rows - np.logaddexp.reduce(rows, axis=1, keepdims=True) for rows in (left, right))
    return float((np.exp(p) * (p - q)).sum(axis=1).max())


@dataclass(frozen=True)
class TinyLora:
    """Random, on every linear layer of the blocks; large enough to change every answer."""

    settings: LoraSettings
    modules: Mapping[str, LoraPair]


class Twin:
    """A transformers model with the weights of a tiny GGUF."""

    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(path)
        self.architecture = str(reader.get_field("general.architecture").contents())  # type: ignore[union-attr]
        self._tensors = {tensor.name: np.array(tensor.data, np.float32) for tensor in reader.tensors}
        self._model = self._build()

    def logits(self, tokens: list[int], lora: TinyLora | None = None) -> Logits:
        """Logits after each token, in double precision; `lora` is added to the weights as W + scale · B·A."""
        import torch

        weights = {name: value.clone() for name, value in self._model.state_dict().items()}
        changed = dict(weights)
        for module, pair in lora.modules.items() if lora is not None else ():
            delta = torch.from_numpy(pair.b.astype(np.float64) @ pair.a.astype(np.float64))
            changed[f"{module}.weight"] = weights[f"{module}.weight"] + lora.settings.scale * delta  # type: ignore[union-attr]
        self._model.load_state_dict(changed)
        try:
            with torch.no_grad():
                return np.asarray(self._model(torch.tensor([tokens])).logits[0].numpy(), np.float64)
        finally:
            self._model.load_state_dict(weights)

    def lora(self, *, rank: int = 4, alpha: float = 8.0, seed: int = 1, rank_stabilised: bool = False) -> TinyLora:
        """A random one, with the names that transformers gives to the modules."""
        import torch

        random = np.random.default_rng(seed)
        pairs = {
            name: LoraPair(
                random.normal(0, 0.15, (rank, module.in_features)).astype(np.float32),
                random.normal(0, 0.15, (module.out_features, rank)).astype(np.float32),
            )
            for name, module in self._model.named_modules()
            if isinstance(module, torch.nn.Linear) and ".layers." in name
        }
        return TinyLora(LoraSettings(rank, alpha, rank_stabilised=rank_stabilised), pairs)

    def checkpoint_names(self, lora: TinyLora) -> dict[str, LoraPair]:
        """The LoRA's modules as a checkpoint of this architecture calls them."""
        names = {module: module for module in lora.modules}
        if self.architecture == "exaone":
            for old, new in EXAONE_NAMES.items():
                names = {module: name.replace(old, new) for module, name in names.items()}
        return {names[module]: pair for module, pair in lora.modules.items()}

    def _build(self) -> Any:
        import torch
        import transformers

        vocabulary, width = self._tensors["token_embd.weight"].shape
        common = {
            "vocab_size": vocabulary,
            "hidden_size": width,
            "intermediate_size": tiny_gguf.INNER,
            "num_hidden_layers": tiny_gguf.LAYERS,
            "num_attention_heads": tiny_gguf.HEADS,
            "num_key_value_heads": tiny_gguf.HEADS // 2,
            "tie_word_embeddings": False,
            "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        }
        if self.architecture == "qwen2":
            model: Any = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**common))
        elif self.architecture == "qwen3":
            model = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**common, head_dim=32))
        elif self.architecture in ("llama", "exaone"):
            model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**common))
        elif self.architecture == "gemma3":
            model = transformers.Gemma3ForCausalLM(self._gemma3(common))
        else:
            model = transformers.GPTNeoXForCausalLM(
                transformers.GPTNeoXConfig(
                    **common | {"rope_parameters": {**common["rope_parameters"], "partial_rotary_factor": 0.5}},  # type: ignore[dict-item]
                    hidden_act="gelu_new",  # what llama.cpp computes for GPT-NeoX
                    max_position_embeddings=2048,
                )
            )
        names = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, self.architecture.upper()), 8)
        state = {}
        for name, value in model.state_dict().items():
            if self.architecture == "gemma3" and name == "lm_head.weight":
                continue  # tied
            tensor = names.get_name(name, try_suffixes=(".weight", ".bias"))
            assert tensor is not None, name
            state[name] = torch.from_numpy(self._as_in_a_checkpoint(tensor)).reshape(value.shape)
        missing = model.load_state_dict(state, strict=False).missing_keys
        assert set(missing) <= {"lm_head.weight"}
        return model.double().eval()

    @staticmethod
    def _gemma3(common: Mapping[str, Any]) -> Any:
        import transformers

        layers = 6
        return transformers.Gemma3TextConfig(
            **{
                **common,
                "num_hidden_layers": layers,
                "num_key_value_heads": 1,
                "tie_word_embeddings": True,
                "rope_parameters": {
                    "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
                    "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0},
                },
            },
            head_dim=32,
            query_pre_attn_scalar=32,
            sliding_window=8,
            layer_types=["sliding_attention"] * (layers - 1) + ["full_attention"],
        )

    def _as_in_a_checkpoint(self, tensor: str) -> NDArray[np.float32]:
        """Undo what llama.cpp's converter does to this tensor."""
        value = self._tensors[tensor]
        heads = {"attn_q": tiny_gguf.HEADS, "attn_k": tiny_gguf.HEADS // 2}
        layer = tensor.split(".")[-2]
        if self.architecture == "llama" and layer in heads:
            size = len(value) // heads[layer]
            # Checkpoint: x0 x1 … y0 y1 …; GGUF: x0 y0 x1 y1 …, in each head.
            order = [
                head * size + 2 * (row % (size // 2)) + row // (size // 2)
                for head in range(heads[layer])
                for row in range(size)
            ]
            return value[order]
        if layer == "attn_qkv":
            size = len(value) // 3 // tiny_gguf.HEADS
            order = [
                part * tiny_gguf.HEADS * size + head * size + row
                for head in range(tiny_gguf.HEADS)
                for part in range(3)
                for row in range(size)
            ]
            return value[order]
        if self.architecture == "gemma3" and tensor.endswith("norm.weight"):
            return value - 1
        return value
