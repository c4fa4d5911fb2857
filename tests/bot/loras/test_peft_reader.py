"""LoRAs made elsewhere: what PEFT writes is read, what a LoRA file cannot carry is refused, and nothing of theirs is run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bot.errors import BrokenLora, LoraError, UnsupportedLora, WrongBase
from bot.loras.base_weights import BaseWeights
from bot.loras.check import check_lora
from bot.loras.foreign import write_foreign
from bot.loras.gguf_reader import read_lora
from bot.loras.peft_reader import read_peft
from bot.loras.shelf import LoraShelf
from bot.models.hashing import sha256_of
from tests.fakes.tiny_gguf import write_tiny_gemma3, write_tiny_llama

TARGETS = ["q_proj", "v_proj", "down_proj"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("base") / "tiny.gguf")


@pytest.fixture
def model(base: Path) -> Any:
    from jobs.tuning.base import load_gguf

    return load_gguf(base)


def by_peft(model: Any, folder: Path, **settings: Any) -> Path:
    """What PEFT itself saves of a LoRA with random numbers."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(**{"task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": TARGETS, **settings})
    made = get_peft_model(model, config)
    random = torch.Generator().manual_seed(2)
    for name, parameter in made.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(0, 0.1, generator=random)
    made.save_pretrained(folder)
    return folder


WARNINGS = pytest.mark.filterwarnings(  # of PEFT
    "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning",
    "ignore:Setting .save_embedding_layers.:UserWarning",
)


@WARNINGS
@pytest.mark.parametrize(
    ("settings", "scale"), [({}, 2.0), ({"use_rslora": True}, 4.0)], ids=["lora", "rank stabilised"]
)
def test_what_peft_writes_is_read(model: Any, base: Path, tmp_path: Path, settings: Any, scale: float) -> None:
    folder = by_peft(model, tmp_path / "faq", **settings)
    (tmp_path / "result").mkdir()
    write_foreign(folder, base, sha256_of(base), tmp_path / "result")
    read = read_lora(tmp_path / "result" / "lora.gguf", BaseWeights.read(base))
    assert read.settings.scale == pytest.approx(scale)
    held = load_file(folder / "adapter_model.safetensors")
    modules = read.modules(BaseWeights.read(base))
    assert len(modules) == 2 * len(TARGETS) == len(held) / 2
    for module, pair in modules.items():
        np.testing.assert_array_equal(pair.a, held[f"base_model.model.{module}.lora_A.weight"].numpy())
        np.testing.assert_array_equal(pair.b, held[f"base_model.model.{module}.lora_B.weight"].numpy())


@WARNINGS
def test_the_shelf_takes_it_in_and_its_card_names_no_place_of_theirs(model: Any, base: Path, tmp_path: Path) -> None:
    folder = by_peft(model, tmp_path / "secret-place")
    (tmp_path / "result").mkdir()
    write_foreign(folder, base, sha256_of(base), tmp_path / "result")
    shelf = LoraShelf(tmp_path / "loras", tmp_path / "none")
    taken = shelf.take_in(tmp_path / "result")
    assert shelf.get(taken.name, sha256_of(base)) == taken
    assert taken.card["imported"] == {"format": "peft"}
    assert taken.prompt == ""
    for file in taken.folder.iterdir():
        assert b"secret-place" not in file.read_bytes()


@WARNINGS
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions_are_read(model: Any, tmp_path: Path, dtype: torch.dtype) -> None:
    folder = by_peft(model, tmp_path / "faq")
    held = {name: tensor.to(dtype) for name, tensor in load_file(folder / "adapter_model.safetensors").items()}
    save_file(held, folder / "adapter_model.safetensors")
    _, modules = read_peft(folder)
    for module, pair in modules.items():
        np.testing.assert_array_equal(pair.b, held[f"base_model.model.{module}.lora_B.weight"].float().numpy())


@WARNINGS
@pytest.mark.parametrize(
    "settings",
    [
        {"use_dora": True},
        {"bias": "lora_only"},
        {"modules_to_save": ["lm_head"]},
        {"rank_pattern": {"v_proj": 2}},
        {"target_modules": ["embed_tokens"]},
    ],
    ids=str,
)
def test_what_the_file_could_not_carry_is_refused(model: Any, base: Path, tmp_path: Path, settings: Any) -> None:
    folder = by_peft(model, tmp_path / "faq", **settings)
    (tmp_path / "result").mkdir()
    with pytest.raises(UnsupportedLora):
        write_foreign(folder, base, "0" * 64, tmp_path / "result")
    assert list((tmp_path / "result").iterdir()) == []


GOOD = {"peft_type": "LORA", "r": 2, "lora_alpha": 4}
PREFIX = "base_model.model."
NAME = PREFIX + "model.layers.0.self_attn.q_proj.lora_{}.weight"
BOTH = (("A", (2, 64)), ("B", (64, 2)))


def by_hand(folder: Path, config: object = None, **arrays: torch.Tensor) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(GOOD if config is None else config))
    save_file(
        arrays or {NAME.format("A"): torch.ones(2, 64), NAME.format("B"): torch.ones(64, 2)},
        folder / "adapter_model.safetensors",
    )
    return folder


@pytest.mark.parametrize("blocks", ["model.layers", "model.language_model.layers", "language_model.model.layers"])
def test_a_lora_on_a_gemma_that_also_reads_pictures_is_taken_for_its_text(tmp_path: Path, blocks: str) -> None:
    gemma = write_tiny_gemma3(tmp_path / "gemma.gguf")
    into, out = BaseWeights.read(gemma).shapes["blk.5.attn_q.weight"]
    name = f"{PREFIX}{blocks}.5.self_attn.q_proj.lora_{{}}.weight"
    arrays = {name.format("A"): torch.ones(2, into), name.format("B"): torch.ones(out, 2)}
    folder = by_hand(tmp_path / "faq", **arrays)
    (tmp_path / "result").mkdir()
    write_foreign(folder, gemma, "0" * 64, tmp_path / "result")
    assert check_lora(tmp_path / "result" / "lora.gguf", BaseWeights.read(gemma)).tensors == ("blk.5.attn_q.weight",)


def test_what_a_lora_changes_of_the_part_that_reads_pictures_is_not_dropped_but_refused(tmp_path: Path) -> None:
    gemma = write_tiny_gemma3(tmp_path / "gemma.gguf")
    eyes = f"{PREFIX}model.vision_tower.encoder.layers.0.self_attn.q_proj.lora_{{}}.weight"
    folder = by_hand(tmp_path / "faq", **{eyes.format(half): torch.ones(shape) for half, shape in BOTH})
    (tmp_path / "result").mkdir()
    with pytest.raises(UnsupportedLora, match="vision_tower"):
        write_foreign(folder, gemma, "0" * 64, tmp_path / "result")


HARM: dict[str, Callable[[Path], object]] = {
    "no settings": lambda folder: (folder / "adapter_config.json").unlink(),
    "settings that are no JSON": lambda folder: (folder / "adapter_config.json").write_text("{"),
    "settings that are no object": lambda folder: (folder / "adapter_config.json").write_text("[1]"),
    "settings nested without end": lambda folder: (folder / "adapter_config.json").write_text("[" * 100_000),
    "endless settings": lambda folder: (folder / "adapter_config.json").write_text(" " * (2 << 20)),
    "no weights": lambda folder: (folder / "adapter_model.safetensors").unlink(),
    "weights cut off": lambda folder: (folder / "adapter_model.safetensors").write_bytes(
        (folder / "adapter_model.safetensors").read_bytes()[:-9]
    ),
    "weights that are none": lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"\xff" * 100),
    "half a pair": lambda folder: save_file(
        {NAME.format("A"): torch.ones(2, 64)}, folder / "adapter_model.safetensors"
    ),
    "a pair under two names": lambda folder: save_file(
        {
            prefix + NAME.format(half).removeprefix(PREFIX): torch.ones(shape)
            for prefix in ("", PREFIX)
            for half, shape in BOTH
        },
        folder / "adapter_model.safetensors",
    ),
    "whole numbers": lambda folder: save_file(
        {NAME.format("A"): torch.ones(2, 64, dtype=torch.int8)}, folder / "adapter_model.safetensors"
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_damaged_folder_gets_a_sentence(tmp_path: Path, harm: str) -> None:
    folder = by_hand(tmp_path / "faq")
    assert list(read_peft(folder)[1]) == ["model.layers.0.self_attn.q_proj"]
    HARM[harm](folder)
    with pytest.raises(BrokenLora) as caught:
        read_peft(folder)
    assert caught.value.explain("ko").isprintable()


ODD = "\x1b]0;mine\x07\u202e" + "layer" * 100
HOSTILE: dict[str, Callable[[Path], Path]] = {
    "a tensor's name": lambda folder: by_hand(folder, **{ODD: torch.ones(2, 64)}),
    "half a pair's name": lambda folder: by_hand(folder, **{f"{ODD}.lora_A.weight": torch.ones(2, 64)}),
    "a module's name": lambda folder: by_hand(
        folder, **{f"{ODD}.lora_{half}.weight": torch.ones(s) for half, s in BOTH}
    ),
    "a setting": lambda folder: by_hand(folder, GOOD | {ODD: True}),
    "a kind": lambda folder: by_hand(folder, GOOD | {"peft_type": ODD}),
    "a bias": lambda folder: by_hand(folder, GOOD | {"bias": ODD}),
    "a beginning": lambda folder: by_hand(folder, GOOD | {"init_lora_weights": ODD}),
    "an endless alpha": lambda folder: by_hand(folder, GOOD | {"lora_alpha": 10**400}),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_folder_calls_things_drives_no_terminal(base: Path, tmp_path: Path, hostile: str) -> None:
    (tmp_path / "result").mkdir()
    folder = HOSTILE[hostile](tmp_path / "faq")
    with pytest.raises(LoraError) as caught:
        write_foreign(folder, base, "0" * 64, tmp_path / "result")
    said = caught.value.explain("en")
    assert said.isprintable()
    assert len(said) < 250


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    folder = by_hand(tmp_path / "faq")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(BrokenLora, match="pickle"):
        read_peft(folder)


def test_a_lora_of_another_size_or_with_numbers_that_are_none_is_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "result").mkdir()
    wide = by_hand(tmp_path / "wide", **{NAME.format("A"): torch.ones(2, 65), NAME.format("B"): torch.ones(64, 2)})
    with pytest.raises(WrongBase):
        write_foreign(wide, base, "0" * 64, tmp_path / "result")
    nan = torch.full((64, 2), float("nan"))
    none = by_hand(tmp_path / "none", **{NAME.format("A"): torch.ones(2, 64), NAME.format("B"): nan})
    with pytest.raises(LoraError, match="finite"):
        write_foreign(none, base, "0" * 64, tmp_path / "result")
    assert list((tmp_path / "result").iterdir()) == []
