"""What leaves here computes elsewhere what base + LoRA compute here."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from bot.errors import BrokenModel, LoraError, NotEnoughDisk, NotExported, WrongBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.foreign import write_foreign
from bot.loras.gguf_reader import ReadLora, read_lora
from bot.loras.gguf_tensors import GgufTensors
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.writers.engine import LoraFile
from bot.writers.gguf_file import read_file_header
from bot.writers.llamacpp import LlamaCppEngine
from jobs.export import export as export_module
from jobs.export.export import FORMATS, LoraSource, export
from jobs.export.merged_gguf import merged_size
from tests.bot.loras.torch_twins import TOKENS, WRITE, divergence, exact_attention, llamacpp_logits

FILE_TYPE = "general.file_type"
SPREAD = 0.08


def lora_for(base: BaseWeights, path: Path) -> Path:
    """Random, on every layer of the blocks, written as tuning writes it."""
    architecture, random = ARCHITECTURES[base.architecture], np.random.default_rng(6)
    modules = {
        architecture.module_of(tensor): LoraPair(
            random.normal(0, SPREAD, (4, shape[0])), random.normal(0, SPREAD, (shape[1], 4))
        )
        for tensor, shape in base.shapes.items()
        if architecture.may_change(tensor) and tensor != "output.weight"
    }
    write_lora(path, base, LoraSettings(4, 8.0), modules)
    return path


def source_of(write: Callable[[Path], Path], folder: Path) -> LoraSource:
    base = write(folder / "base.gguf")
    lora = lora_for(BaseWeights.read(base), folder / "lora.gguf")
    (folder / "lora.json").write_text('{"rank": 4}')
    return LoraSource("faq-3", lora, base, "tiny-model", folder / "lora.json")


@pytest.fixture
def source(tmp_path: Path) -> LoraSource:
    return source_of(WRITE["qwen2"], tmp_path)


def logits(model: Path, lora: Path | None = None) -> Any:
    with exact_attention():
        engine = LlamaCppEngine(model, context_tokens=256, threads=1, template="koalpaca")
    try:
        engine.attach(LoraFile.of(lora) if lora else None)
        return llamacpp_logits(engine, TOKENS)
    finally:
        engine.close()


def distance(left: Any, right: Any) -> float:
    """The mean Kullback-Leibler divergence of the positions: random models multiply any rounding at some of them."""
    p, q = (rows - np.logaddexp.reduce(rows, axis=1, keepdims=True) for rows in (left, right))
    return float((np.exp(p) * (p - q)).sum(axis=1).mean())


@pytest.mark.parametrize("name", WRITE)
def test_a_merged_file_answers_as_base_and_lora_do(name: str, tmp_path: Path) -> None:
    source = source_of(WRITE[name], tmp_path)
    together = logits(source.base, source.lora)
    far = distance(together, logits(source.base))
    assert far > 0.04
    for kind, part in (("gguf-f16", 1 / 500), ("gguf-q8_0", 1 / 20)):
        done = export(source, kind, tmp_path / f"{kind}.gguf")
        assert distance(together, logits(done.path)) < part * far, kind
        assert (done.lora, done.format, done.bytes) == ("faq-3", kind, done.path.stat().st_size)


def test_every_matrix_is_the_sum_in_32_bits_and_all_else_is_the_bases(source: LoraSource, tmp_path: Path) -> None:
    export(source, "gguf-f16", tmp_path / "merged.gguf")
    base = BaseWeights.read(source.base)
    lora = read_lora(source.lora, base)
    before, after = gguf.GGUFReader(source.base), gguf.GGUFReader(tmp_path / "merged.gguf")
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.name, old.shape.tolist()) == (new.name, new.shape.tolist())
        expected = np.array(old.data)
        if old.name in lora.pairs:
            pair = lora.pairs[old.name]
            expected = expected + np.float32(2.0) * (pair.b @ pair.a)
        if expected.ndim > 1:
            expected = expected.astype(np.float16)
        np.testing.assert_array_equal(np.array(new.data), expected, err_msg=old.name)
    assert before.fields.keys() == after.fields.keys()
    for key, field in before.fields.items():
        if not key.startswith("GGUF.") and key != FILE_TYPE:
            assert field.contents() == after.fields[key].contents(), key
    assert after.fields[FILE_TYPE].contents() == gguf.LlamaFileType.MOSTLY_F16


def test_q8_0_is_the_gguf_packages(source: LoraSource, tmp_path: Path) -> None:
    export(source, "gguf-q8_0", tmp_path / "merged.gguf")
    lora = read_lora(source.lora, BaseWeights.read(source.base))
    after = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "merged.gguf").tensors}
    with GgufTensors(source.base) as tensors:
        name, pair = next(iter(lora.pairs.items()))
        merged = tensors.read(name) + np.float32(2.0) * (pair.b @ pair.a)
        expected = gguf.quants.quantize(merged, gguf.GGMLQuantizationType.Q8_0)
    np.testing.assert_array_equal(np.array(after[name].data), expected)
    assert read_file_header(tmp_path / "merged.gguf").count(FILE_TYPE) == gguf.LlamaFileType.MOSTLY_Q8_0


def test_a_quantised_base_is_dequantised_once_and_not_quantised_again_for_f16(
    source: LoraSource, tmp_path: Path
) -> None:
    quantised = export(source, "gguf-q8_0", tmp_path / "quantised.gguf").path
    lora = lora_for(BaseWeights.read(quantised), tmp_path / "second.gguf")
    export(LoraSource("second", lora, quantised, "tiny"), "gguf-f16", tmp_path / "merged.gguf")
    with GgufTensors(quantised) as old, GgufTensors(tmp_path / "merged.gguf") as new:
        for name, pair in read_lora(lora, BaseWeights.read(quantised)).pairs.items():
            merged = old.read(name) + np.float32(2.0) * (pair.b @ pair.a)
            np.testing.assert_array_equal(new.read(name), merged.astype(np.float16).astype(np.float32))


def test_matrices_are_written_in_parts(source: LoraSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(source, "gguf-q8_0", tmp_path / "whole.gguf")
    monkeypatch.setattr("jobs.export.merged_gguf._NUMBERS_AT_A_TIME", 700)
    told: list[tuple[str, int, int | None]] = []
    export(source, "gguf-q8_0", tmp_path / "parts.gguf", lambda *one: told.append(one))
    assert (tmp_path / "parts.gguf").read_bytes() == (tmp_path / "whole.gguf").read_bytes()
    assert {stage for stage, _, _ in told} == {"merge"}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1] == told[-1][2]


def test_the_card_goes_with_it(source: LoraSource, tmp_path: Path) -> None:
    merged = export(source, "gguf-f16", tmp_path / "out" / "merged.gguf")
    assert merged.card == tmp_path / "out" / "merged.lora.json"
    folder = export(source, "peft", tmp_path / "out" / "peft")
    assert folder.card == tmp_path / "out" / "peft" / "lora.json"
    for card in (merged.card, folder.card):
        assert card.read_text() == '{"rank": 4}'
    without = export(replace(source, card=None), "peft", tmp_path / "out" / "bare")
    assert without.card is None
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"merged.gguf", "merged.lora.json", "peft", "bare"}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_stands_there_is_never_touched(source: LoraSource, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(NotExported, match="exists"):
        export(source, kind, out)
    assert out.read_text() == "mine"


def test_a_card_that_stands_beside_it_is_not_touched_either(source: LoraSource, tmp_path: Path) -> None:
    card = tmp_path / "merged.lora.json"
    card.write_text("mine")
    with pytest.raises(NotExported, match=r"merged\.lora\.json"):
        export(source, "gguf-f16", tmp_path / "merged.gguf")
    assert card.read_text() == "mine"
    assert not (tmp_path / "merged.gguf").exists()


def test_formats_that_are_not_offered_are_refused(source: LoraSource, tmp_path: Path) -> None:
    for kind in ("gguf-q4_k_m", "onnx", ""):
        with pytest.raises(NotExported, match="gguf-f16"):
            export(source, kind, tmp_path / "out")


def test_an_interruption_leaves_nothing(source: LoraSource, tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(stage: str, done: int, total: int | None) -> None:
        if total is not None and done > total / 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        export(source, "gguf-f16", tmp_path / "out" / "merged.gguf", interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_too_little_room_is_said_before_the_work(
    source: LoraSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GgufTensors(source.base) as tensors:
        needed = merged_size(tensors, "f16")
    usage = type("Usage", (), {"free": needed - 1})()
    monkeypatch.setattr(export_module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(NotEnoughDisk):
        export(source, "gguf-f16", tmp_path / "merged.gguf")
    usage.free = needed
    assert abs(export(source, "gguf-f16", tmp_path / "merged.gguf").bytes - needed) <= 32 * 64


def test_numbers_that_16_bits_cannot_hold_are_said(source: LoraSource, tmp_path: Path) -> None:
    header = read_file_header(source.base)
    embedding = next(tensor for tensor in header.tensors if tensor.name == "token_embd.weight")
    content = bytearray(source.base.read_bytes())
    struct.pack_into("<f", content, header.data_begins + embedding.offset, 70_000.0)
    source.base.write_bytes(content)
    for kind in ("gguf-f16", "gguf-q8_0"):
        with pytest.raises(NotExported, match="token_embd"):
            export(source, kind, tmp_path / "merged.gguf")


def test_a_base_or_lora_that_does_not_fit_or_is_damaged_is_refused(source: LoraSource, tmp_path: Path) -> None:
    other = WRITE["llama"](tmp_path / "llama.gguf")
    (tmp_path / "cut.gguf").write_bytes(source.base.read_bytes()[:-5])
    (tmp_path / "bad.gguf").write_bytes(source.lora.read_bytes()[:-5])
    for kind in FORMATS:
        with pytest.raises(WrongBase):
            export(replace(source, base=other), kind, tmp_path / "out")
        with pytest.raises(LoraError):
            export(replace(source, lora=tmp_path / "bad.gguf"), kind, tmp_path / "out")
    with pytest.raises(BrokenModel):
        export(replace(source, base=tmp_path / "cut.gguf"), "gguf-f16", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# -- PEFT ------------------------------------------------------------------------------------------------------------------


def test_a_peft_folder_names_no_place_of_this_machine(source: LoraSource, tmp_path: Path) -> None:
    folder = export(source, "peft", tmp_path / "faq").path
    settings = json.loads((folder / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == "tiny-model"
    assert (settings["r"], settings["lora_alpha"]) == (4, 8)
    assert settings["target_modules"] == sorted(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )
    assert LoraSettings.from_peft(settings) == LoraSettings(4, 8.0)
    for file in folder.iterdir():
        assert str(tmp_path).encode() not in file.read_bytes()


def test_a_lora_on_some_layers_names_them_whole(source: LoraSource, tmp_path: Path) -> None:
    base = BaseWeights.read(source.base)
    module = "model.layers.1.mlp.up_proj"
    one = {module: LoraPair(np.ones((2, base.shapes["blk.1.ffn_up.weight"][0])), np.ones((128, 2)))}
    other = "model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"
    two = {name: LoraPair(np.ones((2, 64)), np.ones((64, 2))) for name in other}
    write_lora(source.lora, base, LoraSettings(2, 3.5), one | two)
    folder = export(source, "peft", tmp_path / "faq").path
    settings = json.loads((folder / "adapter_config.json").read_text())
    assert settings["target_modules"] == sorted([module, *other])
    assert settings["lora_alpha"] == 3.5


def peft_logits(base: Path, folder: Path) -> Any:
    import torch
    from peft import PeftModel

    from jobs.tuning.base import load_gguf

    model = PeftModel.from_pretrained(load_gguf(base).float(), folder).double().eval()
    with torch.no_grad():
        return model(torch.tensor([TOKENS])).logits[0].numpy()


# Its warning comes from PEFT.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
# EXAONE 3.x is not in transformers; its names are those of the checkpoint (test_gguf_reader.py).
@pytest.mark.parametrize("name", sorted(WRITE.keys() - {"exaone"}))
def test_peft_itself_reads_the_folder_and_computes_the_same(name: str, tmp_path: Path) -> None:
    from tests.jobs.tuning.test_tuning_bases import exact_in_bfloat16

    source = source_of(lambda path: exact_in_bfloat16(WRITE[name](path)), tmp_path)
    folder = export(source, "peft", tmp_path / "peft").path
    tolerance = {"gemma3": 5e-5, "gptneox": 5e-5}.get(name, 1e-8)
    assert divergence(logits(source.base, source.lora), peft_logits(source.base, folder)) < tolerance


@pytest.fixture
def beside_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Gemma 3 of six blocks has an original checkpoint that reads pictures, as those of 34 and more have."""
    gemma3 = replace(ARCHITECTURES["gemma3"], sizes_with_pictures=frozenset({6}))
    monkeypatch.setitem(ARCHITECTURES, "gemma3", gemma3)


def _with_eyes(text: Any) -> Any:
    """The checkpoint that a text model was taken from: the same one beside a small part that reads pictures."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma3Config(
        text_config=text.config,
        vision_config={**vision, "image_size": 28, "patch_size": 14},
        mm_tokens_per_image=4,
        image_token_index=0,
    )
    whole = Gemma3ForConditionalGeneration(config)
    whole.model.language_model.load_state_dict(text.model.state_dict())
    whole.tie_weights()
    return whole


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_on_a_checkpoint_that_also_reads_pictures_the_folder_changes_its_text_and_nothing_else(
    tmp_path: Path, beside_pictures: None
) -> None:
    import torch
    from peft import PeftModel

    from jobs.tuning.base import load_gguf
    from tests.jobs.tuning.test_tuning_bases import exact_in_bfloat16

    source = source_of(lambda path: exact_in_bfloat16(WRITE["gemma3"](path)), tmp_path)
    folder = export(source, "peft", tmp_path / "peft").path
    whole = _with_eyes(load_gguf(source.base).float())
    model = PeftModel.from_pretrained(whole, folder).double().eval()
    with torch.no_grad():
        said = model(input_ids=torch.tensor([TOKENS])).logits[0].numpy()
    assert divergence(logits(source.base, source.lora), said) < 5e-5
    changed = {name for name, _ in model.named_modules() if name.endswith(".lora_A")}
    assert changed
    assert all(name.startswith("base_model.model.model.language_model.layers.") for name in changed)


def test_what_was_exported_for_such_a_checkpoint_comes_back_as_it_was(tmp_path: Path, beside_pictures: None) -> None:
    source = source_of(WRITE["gemma3"], tmp_path)
    folder = export(source, "peft", tmp_path / "peft").path
    (tmp_path / "result").mkdir()
    write_foreign(folder, source.base, "0" * 64, tmp_path / "result")
    assert (tmp_path / "result" / "lora.gguf").read_bytes() == source.lora.read_bytes()


def test_what_was_read_is_what_the_folder_holds_in_the_checkpoints_names(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    source = source_of(WRITE["exaone"], tmp_path)
    folder = export(source, "peft", tmp_path / "peft").path
    base = BaseWeights.read(source.base)
    lora: ReadLora = read_lora(source.lora, base)
    held = load_file(folder / "adapter_model.safetensors")
    modules = lora.modules(base)
    assert len(held) == 2 * len(modules)
    for module, pair in modules.items():
        assert module.startswith("transformer.h.")
        np.testing.assert_array_equal(held[f"base_model.model.{module}.lora_A.weight"], pair.a)
        np.testing.assert_array_equal(held[f"base_model.model.{module}.lora_B.weight"], pair.b)
