"""Tiny random models that llama.cpp really loads: the same tensors and tokeniser as the real thing, half a megabyte.

`write_tiny_qwen2`: byte-level BPE, ChatML template. `write_tiny_gptneox`: the Polyglot-Ko / KoAlpaca layout, no template. Both can read any
text and, under greedy sampling, write only whole Korean syllables, ASCII and now and then a multi-byte syllable in parts.

`write_tiny_qwen3`, `_llama`, `_exaone`, `_gemma3` differ from Qwen2 where the architectures do: heads of another size, norms
in other places, tied output, sliding windows. Their norms are random too, so that a test sees one that was forgotten. No chat template.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오은는이을를에서의한국어휴일답변문질규정연장팀신청"
CHATML = (
    "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}"
    "{%- else %}{{- '<|im_start|>system\\nYou are a librarian.<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}{%- if message.role != 'system' or not loop.first %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
WIDTH, LAYERS, HEADS, INNER = 64, 2, 4, 128


def _byte_alphabet() -> dict[int, str]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + n) for n, byte in enumerate(others)}


class _Vocabulary:
    def __init__(self, control: list[str], user_defined: list[str]) -> None:
        alphabet = _byte_alphabet()
        self.tokens = [alphabet[byte] for byte in range(256)]
        self.merges: list[str] = []
        for syllable in dict.fromkeys(SYLLABLES):
            first, second, third = (alphabet[byte] for byte in syllable.encode())
            for left, right in ((first, second), (first + second, third)):
                if left + right not in self.tokens:
                    self.tokens.append(left + right)
                    self.merges.append(f"{left} {right}")
        self.types = [gguf.TokenType.NORMAL] * len(self.tokens)
        self.tokens += control + user_defined
        self.types += [gguf.TokenType.CONTROL] * len(control) + [gguf.TokenType.USER_DEFINED] * len(user_defined)

    def speakable(self) -> NDArray[np.float32]:
        """1 for what greedy sampling may choose: printable ASCII and whole or half syllables, never stray bytes or control."""
        mask = np.zeros((len(self.tokens), 1), np.float32)
        mask[32:127] = 1
        mask[256 : 256 + len(self.merges)] = 1
        return mask


class _Weights:
    def __init__(self, writer: gguf.GGUFWriter, seed: int) -> None:
        self._writer = writer
        self._random = np.random.default_rng(seed)

    def matrix(self, name: str, out: int, into: int) -> None:
        self._writer.add_tensor(f"{name}.weight", self._random.normal(0, 0.3, (out, into)).astype(np.float32))

    def vector(self, name: str, size: int, value: float) -> None:
        self._writer.add_tensor(name, np.full(size, value, np.float32))

    def norm(self, name: str, size: int) -> None:
        """A random one."""
        self._writer.add_tensor(f"{name}.weight", self._random.uniform(0.6, 1.4, size).astype(np.float32))

    def output(self, vocabulary: _Vocabulary) -> None:
        rows = self._random.normal(0, 1, (len(vocabulary.tokens), WIDTH)).astype(np.float32)
        self._writer.add_tensor("output.weight", rows * vocabulary.speakable())


def _common(writer: gguf.GGUFWriter, vocabulary: _Vocabulary, pre: str, context: int, layers: int = LAYERS) -> None:
    writer.add_name("tiny random model")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_tiny_qwen2(
    path: Path, *, seed: int = 7, context: int = 4096, chat_template: str | None = CHATML, loose_markers: bool = False
) -> Path:
    """A Qwen2 with a ChatML template. `loose_markers`: `<|im_start|>` is an ordinary added token, as in some fine-tunes."""
    controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    if loose_markers:
        vocabulary = _Vocabulary(["<|endoftext|>", "<|im_end|>"], ["<|im_start|>"])
    else:
        vocabulary = _Vocabulary(controls, ["<tool_call>"])
    writer = gguf.GGUFWriter(path, "qwen2")
    _common(writer, vocabulary, "qwen2", context)
    writer.add_head_count_kv(HEADS // 2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_eos_token_id(vocabulary.tokens.index("<|im_end|>"))
    writer.add_pad_token_id(vocabulary.tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    weights = _Weights(writer, seed)
    weights.matrix("token_embd", len(vocabulary.tokens), WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        weights.vector(f"{block}.attn_norm.weight", WIDTH, 1)
        for name, out in (("attn_q", WIDTH), ("attn_k", WIDTH // 2), ("attn_v", WIDTH // 2)):
            weights.matrix(f"{block}.{name}", out, WIDTH)
            weights.vector(f"{block}.{name}.bias", out, 0)
        weights.matrix(f"{block}.attn_output", WIDTH, WIDTH)
        weights.vector(f"{block}.ffn_norm.weight", WIDTH, 1)
        weights.matrix(f"{block}.ffn_gate", INNER, WIDTH)
        weights.matrix(f"{block}.ffn_up", INNER, WIDTH)
        weights.matrix(f"{block}.ffn_down", WIDTH, INNER)
    weights.vector("output_norm.weight", WIDTH, 1)
    weights.output(vocabulary)
    _finish(writer)
    return path


def write_tiny_gptneox(path: Path, *, seed: int = 11, context: int = 2048) -> Path:
    """A GPT-NeoX as Polyglot-Ko is one: parallel residual, biases, no chat template."""
    vocabulary = _Vocabulary(["<|endoftext|>", "<|sep|>"], [])
    writer = gguf.GGUFWriter(path, "gptneox")
    _common(writer, vocabulary, "gpt-2", context)
    writer.add_rope_dimension_count(WIDTH // HEADS // 2)
    writer.add_parallel_residual(True)
    writer.add_layer_norm_eps(1e-5)
    end = vocabulary.tokens.index("<|endoftext|>")
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    weights = _Weights(writer, seed)
    weights.matrix("token_embd", len(vocabulary.tokens), WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        for norm in ("attn_norm", "ffn_norm"):
            weights.vector(f"{block}.{norm}.weight", WIDTH, 1)
            weights.vector(f"{block}.{norm}.bias", WIDTH, 0)
        for name, out, into in (
            ("attn_qkv", 3 * WIDTH, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_up", INNER, WIDTH),
            ("ffn_down", WIDTH, INNER),
        ):
            weights.matrix(f"{block}.{name}", out, into)
            weights.vector(f"{block}.{name}.bias", out, 0)
    weights.vector("output_norm.weight", WIDTH, 1)
    weights.vector("output_norm.bias", WIDTH, 0)
    weights.output(vocabulary)
    _finish(writer)
    return path


@dataclass(frozen=True)
class _Plan:
    """Where an architecture of Llama's family differs from the next."""

    layers: int = LAYERS
    key_heads: int = HEADS // 2
    head_size: int = WIDTH // HEADS
    head_norms: bool = False
    post_norms: bool = False
    tied: bool = False
    rotary_factors: bool = False
    stretch: float = 1.0


def _write_gated(writer: gguf.GGUFWriter, plan: _Plan, pre: str, context: int, seed: int) -> None:
    vocabulary = _Vocabulary(["<|endoftext|>"], [])
    _common(writer, vocabulary, pre, context, plan.layers)
    writer.add_head_count_kv(plan.key_heads)
    writer.add_key_length(plan.head_size)
    writer.add_value_length(plan.head_size)
    writer.add_rope_dimension_count(plan.head_size)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_eos_token_id(vocabulary.tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    if plan.stretch != 1:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(plan.stretch)
    if plan.rotary_factors:
        writer.add_tensor("rope_freqs.weight", np.linspace(1, 8, plan.head_size // 2, dtype=np.float32))
    weights = _Weights(writer, seed)
    weights.matrix("token_embd", len(vocabulary.tokens), WIDTH)
    queries, keys = HEADS * plan.head_size, plan.key_heads * plan.head_size
    for layer in range(plan.layers):
        block = f"blk.{layer}"
        for norm in ("attn_norm", "ffn_norm", *(("post_attention_norm", "post_ffw_norm") if plan.post_norms else ())):
            weights.norm(f"{block}.{norm}", WIDTH)
        for norm in ("attn_q_norm", "attn_k_norm") if plan.head_norms else ():
            weights.norm(f"{block}.{norm}", plan.head_size)
        for name, out, into in (
            ("attn_q", queries, WIDTH),
            ("attn_k", keys, WIDTH),
            ("attn_v", keys, WIDTH),
            ("attn_output", WIDTH, queries),
            ("ffn_gate", INNER, WIDTH),
            ("ffn_up", INNER, WIDTH),
            ("ffn_down", WIDTH, INNER),
        ):
            weights.matrix(f"{block}.{name}", out, into)
    weights.norm("output_norm", WIDTH)
    if not plan.tied:
        weights.output(vocabulary)
    _finish(writer)


def write_tiny_qwen3(path: Path, *, seed: int = 13, context: int = 2048) -> Path:
    """A Qwen3: norms on each head's queries and keys, heads wider than width / heads."""
    _write_gated(gguf.GGUFWriter(path, "qwen3"), _Plan(head_size=32, head_norms=True), "qwen2", context, seed)
    return path


def write_tiny_llama(
    path: Path,
    *,
    seed: int = 17,
    context: int = 2048,
    tied: bool = False,
    rotary_factors: bool = False,
    stretch: float = 1.0,
) -> Path:
    """A Llama 3: grouped queries, rotated pairs side by side. `rotary_factors`: as since 3.1; `stretch`: linear rotary scaling."""
    plan = _Plan(tied=tied, rotary_factors=rotary_factors, stretch=stretch)
    _write_gated(gguf.GGUFWriter(path, "llama"), plan, "llama-bpe", context, seed)
    return path


def write_tiny_exaone(path: Path, *, seed: int = 19, context: int = 2048) -> Path:
    """An EXAONE 3.5: computes as Llama does, rotated pairs half a head apart."""
    _write_gated(gguf.GGUFWriter(path, "exaone"), _Plan(), "exaone", context, seed)
    return path


def write_tiny_gemma3(path: Path, *, seed: int = 23, context: int = 2048, stretch: float = 1.0) -> Path:
    """A Gemma 3: five layers with a window of eight tokens, the sixth without; norms before and after; output tied to the embedding."""
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_sliding_window(8)
    writer.add_float32(gguf.Keys.Rope.FREQ_BASE_SWA.format(arch="gemma3"), 5000.0)
    plan = _Plan(layers=6, key_heads=1, head_size=32, head_norms=True, post_norms=True, tied=True, stretch=stretch)
    _write_gated(writer, plan, "gpt-2", context, seed)
    return path
