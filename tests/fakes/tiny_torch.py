"""Tiny random transformers models and made-up samples, for tests of training: milliseconds, no files."""

from __future__ import annotations

import random
from typing import Any

import torch

from jobs.tuning.dataset import Sample
from jobs.tuning.lora import LoraLinear, attach

WORDS = 128


def tiny_qwen2(seed: int = 0) -> Any:
    """Two layers, grouped queries, float32."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, attn_implementation="sdpa", initializer_range=0.2,
    )  # fmt: skip
    return Qwen2ForCausalLM(config).eval()


def tiny_gemma3(seed: int = 0) -> Any:
    """Layers that see eight positions back and layers that see all."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(seed)
    config = Gemma3TextConfig(
        vocab_size=WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, head_dim=8,
        num_key_value_heads=1, max_position_embeddings=512, sliding_window=8, attn_implementation="sdpa", initializer_range=0.2,
        layer_types=["sliding_attention", "full_attention"],
    )  # fmt: skip
    return Gemma3ForCausalLM(config).eval()


def tiny_llama(seed: int = 0) -> Any:
    """As Llama 3: grouped queries, no biases."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, attn_implementation="sdpa", initializer_range=0.2,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


TINY = {"qwen2": tiny_qwen2, "gemma3": tiny_gemma3, "llama": tiny_llama}


def with_loras(model: Any, *, rank: int = 4, alpha: float = 8.0, seed: int = 0) -> dict[str, LoraLinear]:
    """LoRAs on all linear layers of the blocks."""
    return attach(model, lambda name: name.endswith("_proj"), rank=rank, alpha=alpha, seed=seed)


def samples(count: int, *, seed: int = 1, shared: int = 20, own: int = 8, answer: int = 5) -> list[Sample]:
    """Samples that begin alike, as prompts do, and then differ."""
    draw = random.Random(seed)
    beginning = [draw.randrange(3, WORDS) for _ in range(shared)]
    made = []
    for number in range(count):
        prompt = [*beginning, *(draw.randrange(3, WORDS) for _ in range(own + number % 3))]
        wanted = [draw.randrange(3, WORDS) for _ in range(answer + number % 2)]
        made.append(Sample(str(number), (*prompt, *wanted, 2), len(prompt)))
    return made
