"""What was written comes back: number for number, and as a checkpoint had it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.errors import WrongBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_reader import read_lora
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from tests.fakes import tiny_gguf

WRITE = {name: getattr(tiny_gguf, f"write_tiny_{name}") for name in ARCHITECTURES}


def modules(base: BaseWeights) -> dict[str, LoraPair]:
    """Random factors on every layer of the blocks."""
    architecture, random = ARCHITECTURES[base.architecture], np.random.default_rng(4)
    return {
        architecture.module_of(tensor): LoraPair(
            random.normal(size=(3, shape[0])).astype(np.float32), random.normal(size=(shape[1], 3)).astype(np.float32)
        )
        for tensor, shape in base.shapes.items()
        if architecture.may_change(tensor)
    }


@pytest.mark.parametrize("name", WRITE)
def test_a_lora_comes_back_with_the_checkpoints_names_and_rows(name: str, tmp_path: Path) -> None:
    base = BaseWeights.read(WRITE[name](tmp_path / "base.gguf"))
    given = modules(base)
    write_lora(tmp_path / "lora.gguf", base, LoraSettings(3, 2.5), given)
    read = read_lora(tmp_path / "lora.gguf", base)
    assert (read.name, read.settings) == ("lora", LoraSettings(3, 2.5))
    back = read.modules(base)
    assert back.keys() == given.keys()
    for module, pair in given.items():
        np.testing.assert_array_equal(back[module].a, pair.a)
        np.testing.assert_array_equal(back[module].b, pair.b)
    write_lora(tmp_path / "again.gguf", base, read.settings, back)
    assert (tmp_path / "again.gguf").read_bytes() == (tmp_path / "lora.gguf").read_bytes()


def test_a_rank_stabilised_one_comes_back_with_the_same_scale(tmp_path: Path) -> None:
    base = BaseWeights.read(WRITE["qwen2"](tmp_path / "base.gguf"))
    written = LoraSettings(3, 2.0, rank_stabilised=True)
    write_lora(tmp_path / "lora.gguf", base, written, modules(base))
    assert read_lora(tmp_path / "lora.gguf", base).settings.scale == pytest.approx(written.scale, rel=1e-7)


def test_a_lora_of_another_base_is_refused(tmp_path: Path) -> None:
    base = BaseWeights.read(WRITE["qwen2"](tmp_path / "base.gguf"))
    other = BaseWeights.read(WRITE["llama"](tmp_path / "other.gguf"))
    write_lora(tmp_path / "lora.gguf", base, LoraSettings(3, 2), modules(base))
    with pytest.raises(WrongBase):
        read_lora(tmp_path / "lora.gguf", other)


def test_exaone_is_known_by_its_checkpoints_names_and_by_those_it_is_trained_under() -> None:
    exaone = ARCHITECTURES["exaone"]
    for module in ("transformer.h.1.attn.attention.out_proj", "model.layers.1.self_attn.o_proj"):
        assert exaone.tensor_of(module) == "blk.1.attn_output.weight"
    assert exaone.module_of("blk.1.attn_output.weight") == "transformer.h.1.attn.attention.out_proj"


def test_of_gemma_3_those_from_4b_on_have_their_text_beside_what_reads_pictures() -> None:
    gemma3 = ARCHITECTURES["gemma3"]
    for size in (18, 26):  # 270M, 1B
        assert gemma3.module_of("blk.3.attn_q.weight", size) == "model.layers.3.self_attn.q_proj"
    for size in (34, 48, 62):
        assert gemma3.module_of("blk.3.attn_q.weight", size) == "model.language_model.layers.3.self_attn.q_proj"
