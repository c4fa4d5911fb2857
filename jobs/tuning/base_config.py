"""What a GGUF says about its model → the configuration with which a model of transformers computes the same.

llama.cpp decides what is the same, since it serves: defaults and exceptions are those of `src/llama-model.cpp` and `src/models/*.cpp` as
shipped with llama-cpp-python 0.3.36. What is said here of each architecture is proved by logits (`tests/jobs/tuning/test_tuning_bases.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.writers.gguf_file import GgufHeader

_GEMMA3_27B_LAYERS = 62


class NoTwin(ValueError):
    """Why no model of transformers computes what this GGUF says."""


def config_of(header: GgufHeader, rotary_factors: Sequence[float] | None) -> Any:
    """A `PreTrainedConfig` for one of the six architectures. `rotary_factors`: what `rope_freqs.weight` holds, if the file has it.

    Raises `NoTwin`.
    """
    import transformers
    from huggingface_hub.errors import StrictDataclassError  # comes with transformers, whose configurations raise it

    said = _Said(header, rotary_factors)
    try:
        if said.architecture == "qwen2":
            return transformers.Qwen2Config(**said.gated(), use_sliding_window=False)
        if said.architecture == "qwen3":
            return transformers.Qwen3Config(**said.gated(), head_dim=said.head_size, use_sliding_window=False)
        if said.architecture in ("llama", "exaone"):
            # EXAONE 3.x is not in transformers: it computes as Llama does, its rotary pairs already half a head apart.
            return transformers.LlamaConfig(**said.gated(), head_dim=said.head_size)
        if said.architecture == "gemma3":
            return transformers.Gemma3TextConfig(**said.gemma3())
        if said.architecture == "gptneox":
            return transformers.GPTNeoXConfig(**said.gptneox())
    except StrictDataclassError as error:
        raise NoTwin(str(error).splitlines()[0]) from error
    raise NoTwin(f"architecture {said.architecture}")


class _Said:
    """The header's values, with llama.cpp's defaults for those that are missing."""

    def __init__(self, header: GgufHeader, rotary_factors: Sequence[float] | None) -> None:
        self._header = header
        self._factors = rotary_factors
        self.architecture = header.text("general.architecture") or "?"
        shapes = {tensor.name: tensor.shape for tensor in header.tensors}
        if "token_embd.weight" not in shapes:
            raise NoTwin("it has no embedding")
        self._width, self._words = shapes["token_embd.weight"]
        blocks = {name.split(".")[1] for name in shapes if name.startswith("blk.")}
        self._tied = "output.weight" not in shapes
        self.layers = self._count("block_count")
        self._heads = self._count("attention.head_count")
        if self._heads < 1 or self.layers != len(blocks):
            raise NoTwin("the header is damaged")
        self.head_size = self._count("attention.key_length", self._width // self._heads)
        self._rotated = self._count("rope.dimension_count", self.head_size)
        if self._count("attention.value_length", self.head_size) != self.head_size:
            raise NoTwin("its keys and values are of different lengths")

    def common(self) -> dict[str, Any]:
        """What all six have."""
        return {
            "vocab_size": self._words,
            "hidden_size": self._width,
            "intermediate_size": self._count("feed_forward_length"),
            "num_hidden_layers": self.layers,
            "num_attention_heads": self._heads,
            "max_position_embeddings": self._count("context_length"),
            "tie_word_embeddings": self._tied,
            "bos_token_id": None,  # tokens are the GGUF's own business (served_tokens.py)
            "eos_token_id": None,
            "pad_token_id": None,
        }

    def gated(self) -> dict[str, Any]:
        """Llama and its kin."""
        if self._rotated != self.head_size:
            raise NoTwin(f"it rotates {self._rotated} of {self.head_size} numbers of a head")
        return {
            **self.common(),
            "num_key_value_heads": self._count("attention.head_count_kv", self._heads),
            "rms_norm_eps": self._number("attention.layer_norm_rms_epsilon"),
            "rope_parameters": self._rotation(),
        }

    def gemma3(self) -> dict[str, Any]:
        """Most layers see a window, with a rotation of their own that is never stretched; every sixth sees all."""
        window = self._count("attention.sliding_window", 0)
        every = self._count("attention.sliding_window_pattern", 6)
        narrow = [window > 0 and (layer + 1) % every != 0 for layer in range(self.layers)]
        width_of_a_head = self._width // self._heads if self.layers == _GEMMA3_27B_LAYERS else self.head_size
        rotation = {
            "full_attention": self._rotation(),
            "sliding_attention": {"rope_type": "default", "rope_theta": self._number("rope.freq_base_swa", 10_000.0)},
        }
        return {
            **self.gated(),
            "rope_parameters": rotation,
            "head_dim": self.head_size,
            "query_pre_attn_scalar": width_of_a_head,
            "sliding_window": window or None,
            "layer_types": ["sliding_attention" if one else "full_attention" for one in narrow],
            "final_logit_softcapping": self._number("final_logit_softcapping", 0.0) or None,
        }

    def gptneox(self) -> dict[str, Any]:
        """llama.cpp computes GELU by its tanh approximation whatever the checkpoint said, and so did who tuned on what it serves."""
        parallel = self._header.values.get(f"{self.architecture}.use_parallel_residual")
        if parallel is None or not isinstance(parallel.content, bool):
            raise NoTwin("it does not say whether attention and MLP read the same residual")
        return {
            **self.common(),
            "layer_norm_eps": self._number("attention.layer_norm_epsilon"),
            "use_parallel_residual": parallel.content,
            "hidden_act": "gelu_new",
            "rope_parameters": {**self._rotation(), "partial_rotary_factor": self._rotated / self.head_size},
        }

    def _rotation(self) -> Mapping[str, Any]:
        """The rotary embedding. Factors per frequency (Llama 3.1 and later, EXAONE 3.5) are LongRoPE with one set of factors."""
        base = self._number("rope.freq_base", 10_000.0)
        kind = self._header.text(f"{self.architecture}.rope.scaling.type") or "linear"
        stretch = self._number("rope.scaling.factor", self._number("rope.scale_linear", 0.0)) or 1.0
        if kind not in ("none", "linear") or self._number("rope.scaling.attn_factor", 1.0) != 1.0:
            raise NoTwin(f"rotary scaling {kind}")
        if kind == "none":
            stretch = 1.0
        if self._factors is not None:
            factors = [factor * stretch for factor in self._factors]
            sizes = {"factor": 1.0, "original_max_position_embeddings": self._count("context_length")}
            both = {"short_factor": factors, "long_factor": factors, "attention_factor": 1.0}
            return {"rope_type": "longrope", "rope_theta": base, **sizes, **both}
        if stretch != 1.0:
            return {"rope_type": "linear", "rope_theta": base, "factor": stretch}
        return {"rope_type": "default", "rope_theta": base}

    def _count(self, key: str, otherwise: int | None = None) -> int:
        full = f"{self.architecture}.{key}"
        found = self._header.count(full)
        if found is None and (full in self._header.values or otherwise is None):
            raise NoTwin(f"{full} is missing or not one whole number")
        return found if found is not None else otherwise or 0

    def _number(self, key: str, otherwise: float | None = None) -> float:
        full = f"{self.architecture}.{key}"
        found = self._header.number(full)
        if found is None and (full in self._header.values or otherwise is None):
            raise NoTwin(f"{full} is missing or no number")
        return found if found is not None else otherwise or 0.0
