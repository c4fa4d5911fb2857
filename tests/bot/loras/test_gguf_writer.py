"""What is written, what is refused, and that nothing of this machine goes with it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
import pytest

from bot.errors import BrokenLora, BrokenModel, LoraError, UnsupportedLora, WrongBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.check import check_lora
from bot.loras.gguf_writer import LoraPair, LoraSettings, highest_rank, write_lora
from tests.fakes.tiny_gguf import INNER, WIDTH, write_tiny_gemma3, write_tiny_llama, write_tiny_qwen2

Q, DOWN = "model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj"
PEFT = {  # adapter_config.json of PEFT 0.21, shortened
    "peft_type": "LORA",
    "base_model_name_or_path": "/home/somebody/base",
    "bias": "none",
    "fan_in_fan_out": False,
    "inference_mode": True,
    "init_lora_weights": True,
    "loftq_config": {},
    "lora_alpha": 16,
    "lora_dropout": 0.05,
    "megatron_core": "megatron.core",
    "modules_to_save": None,
    "qalora_group_size": 16,
    "r": 8,
    "rank_pattern": {},
    "alpha_pattern": {},
    "target_modules": ["q_proj"],
    "use_dora": False,
    "use_rslora": False,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseWeights:
    return BaseWeights.read(write_tiny_qwen2(tmp_path_factory.mktemp("base") / "tiny.gguf"))


def pair(out: int = WIDTH, into: int = WIDTH, rank: int = 2, seed: int = 0) -> LoraPair:
    random = np.random.default_rng(seed)
    return LoraPair(random.normal(size=(rank, into)), random.normal(size=(out, rank)))


def modules() -> dict[str, LoraPair]:
    return {DOWN: pair(into=INNER, seed=1), Q: pair(seed=2)}


def test_the_file_holds_the_arrays_and_four_values_and_nothing_else(base: BaseWeights, tmp_path: Path) -> None:
    given = modules()
    done = write_lora(tmp_path / "a.gguf", base, LoraSettings(2, 6.0), given)
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    values = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert values == {
        "general.architecture": "qwen2",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 6.0,
    }
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    assert list(tensors) == [
        f"{name}.weight.lora_{part}" for name in ("blk.0.attn_q", "blk.1.ffn_down") for part in "ab"
    ]
    for name, module in (("blk.0.attn_q", Q), ("blk.1.ffn_down", DOWN)):
        np.testing.assert_array_equal(tensors[f"{name}.weight.lora_a"], given[module].a.astype(np.float32))
        np.testing.assert_array_equal(tensors[f"{name}.weight.lora_b"], given[module].b.astype(np.float32))
    assert (done.name, done.rank, done.alpha) == ("a", 2, 6.0)
    assert done.tensors == ("blk.0.attn_q.weight", "blk.1.ffn_down.weight")
    assert done == check_lora(tmp_path / "a.gguf", base)


@pytest.mark.parametrize("most", [60_000, 100_000, 250_000])
def test_the_highest_rank_fills_a_file_and_no_more(base: BaseWeights, tmp_path: Path, most: int) -> None:
    architecture = ARCHITECTURES["qwen2"]
    layers = {name: shape for name, shape in base.shapes.items() if name.startswith("blk.") and len(shape) == 2}
    assert len(layers) == 2 * 7

    def size(rank: int) -> int:
        full = {architecture.module_of(name): pair(out, into, rank) for name, (into, out) in layers.items()}
        write_lora(tmp_path / "full.gguf", base, LoraSettings(rank, 8), full)
        return (tmp_path / "full.gguf").stat().st_size

    rank = highest_rank(base, most)
    assert size(rank) <= most < size(rank + 2)
    assert highest_rank(base) == 256  # no base is too small for what is offered


def test_the_same_lora_is_the_same_bytes_wherever_and_in_whatever_order(base: BaseWeights, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    given = modules()
    files = tmp_path / "a.gguf", tmp_path / "elsewhere" / "secret-name.gguf"
    write_lora(files[0], base, LoraSettings(2, 6.0), given)
    write_lora(files[1], base, LoraSettings(2, 6.0), {f"base_model.model.{m}": given[m] for m in reversed(given)})
    assert files[0].read_bytes() == files[1].read_bytes()
    for secret in (str(tmp_path), "secret-name", "tiny", "pytest"):
        assert secret.encode() not in files[1].read_bytes()


def test_rank_stabilised_scale_is_in_alpha() -> None:
    plain, stabilised = LoraSettings(16, 8.0), LoraSettings(16, 8.0, rank_stabilised=True)
    assert (plain.stored_alpha, plain.scale) == (8.0, 0.5)
    assert (stabilised.stored_alpha, stabilised.scale) == (32.0, 2.0)


@pytest.mark.parametrize(("rank", "alpha"), [(0, 1), (-1, 1), (257, 1), (8, 0), (8, -1), (8, float("nan")), (8, 1e300)])
def test_impossible_settings_are_refused(rank: int, alpha: float) -> None:
    with pytest.raises(UnsupportedLora):
        LoraSettings(rank, alpha)


def test_pefts_configuration_is_understood() -> None:
    assert LoraSettings.from_peft(PEFT) == LoraSettings(8, 16.0)
    assert LoraSettings.from_peft(PEFT | {"use_rslora": True}) == LoraSettings(8, 16.0, rank_stabilised=True)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"bias": "lora_only"}, "bias"),
        ({"lora_bias": True}, "lora_bias"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        ({"alpha_pattern": {"q_proj": 4}}, "alpha_pattern"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"target_parameters": ["experts"]}, "target_parameters"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices"),
        ({"layer_replication": [[0, 1]]}, "layer_replication"),
        ({"alora_invocation_tokens": [1]}, "alora_invocation_tokens"),
        ({"something_new": {"x": 1}}, "something_new"),
        ({"init_lora_weights": "pissa_niter_4"}, "pissa"),
        ({"init_lora_weights": "olora"}, "olora"),
        ({"init_lora_weights": "loftq"}, "loftq"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"r": None}, "r or lora_alpha"),
        ({"lora_alpha": "16"}, "r or lora_alpha"),
    ],
)
def test_what_a_lora_file_cannot_carry_is_refused_by_name(change: Mapping[str, object], named: str) -> None:
    with pytest.raises(UnsupportedLora, match=named):
        LoraSettings.from_peft(PEFT | change)


@pytest.mark.parametrize(
    "module",
    [
        "model.embed_tokens",
        "model.norm",
        "model.layers.0.input_layernorm",
        "model.layers.9.self_attn.q_proj",
        "q_proj",
        "",
    ],
)
def test_an_unknown_module_is_refused_by_name(base: BaseWeights, tmp_path: Path, module: str) -> None:
    with pytest.raises(UnsupportedLora, match=f"module {module}"):
        write_lora(tmp_path / "a.gguf", base, LoraSettings(2, 6.0), modules() | {module: pair()})
    assert list(tmp_path.iterdir()) == []


def test_a_module_given_twice_is_refused(base: BaseWeights, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLora):
        write_lora(tmp_path / "a.gguf", base, LoraSettings(2, 6.0), {Q: pair(), f"base_model.model.{Q}": pair()})


def test_an_output_tied_to_the_embedding_is_refused(tmp_path: Path) -> None:
    tied = BaseWeights.read(write_tiny_gemma3(tmp_path / "tied.gguf"))
    with pytest.raises(UnsupportedLora, match="tied has no output"):
        write_lora(tmp_path / "a.gguf", tied, LoraSettings(2, 6.0), {"lm_head": pair(len(tied.shapes))})


@pytest.mark.parametrize(
    "wrong",
    [
        pair(rank=3),
        pair(into=WIDTH + 1),
        pair(out=WIDTH - 1),
        LoraPair(pair().b, pair().a),
        LoraPair(np.zeros(4), np.zeros((WIDTH, 2))),
        LoraPair(np.zeros((2, WIDTH, 1)), np.zeros((WIDTH, 2))),
    ],
)
def test_a_wrong_shape_is_refused(base: BaseWeights, tmp_path: Path, wrong: LoraPair) -> None:
    with pytest.raises(WrongBase, match="q_proj"):
        write_lora(tmp_path / "a.gguf", base, LoraSettings(2, 6.0), {Q: wrong})


def test_numbers_that_are_not_finite_are_refused_and_leave_nothing(base: BaseWeights, tmp_path: Path) -> None:
    for bad, numbers in ((np.nan, "f32"), (np.inf, "f32"), (1e39, "f32"), (70_000.0, "f16")):
        broken = pair()
        broken.b[3, 1] = bad
        with pytest.raises(BrokenLora, match="finite"):
            write_lora(tmp_path / "a.gguf", base, LoraSettings(2, 6.0), {Q: broken}, numbers=numbers)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_file_that_was_there(base: BaseWeights, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_lora(path, base, LoraSettings(2, 6.0), modules())
    before = path.read_bytes()
    with pytest.raises(LoraError):
        write_lora(path, base, LoraSettings(2, 6.0), {Q: LoraPair(pair().a * np.nan, pair().b)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_modules_are_no_lora(base: BaseWeights, tmp_path: Path) -> None:
    with pytest.raises(BrokenLora, match="nothing"):
        write_lora(tmp_path / "a.gguf", base, LoraSettings(2, 6.0), {})


def test_an_architecture_that_is_not_offered_is_refused(base: BaseWeights, tmp_path: Path) -> None:
    other = BaseWeights("other", "mamba", base.shapes, base.heads, base.key_heads)
    with pytest.raises(UnsupportedLora, match="mamba"):
        write_lora(tmp_path / "a.gguf", other, LoraSettings(2, 6.0), modules())


@pytest.mark.parametrize("heads", [None, 0, 3, 64])
def test_rows_are_not_put_in_a_guessed_order(tmp_path: Path, heads: int | None) -> None:
    base = BaseWeights.read(write_tiny_llama(tmp_path / "base.gguf"))
    unclear = BaseWeights(base.name, base.architecture, base.shapes, heads, base.key_heads)
    with pytest.raises(UnsupportedLora, match="heads"):
        write_lora(tmp_path / "a.gguf", unclear, LoraSettings(2, 6.0), {Q: pair()})


def test_the_base_is_read_as_it_is(tmp_path: Path) -> None:
    base = BaseWeights.read(write_tiny_llama(tmp_path / "tiny.gguf"))
    assert (base.name, base.architecture, base.heads, base.key_heads) == ("tiny", "llama", 4, 2)
    reader = gguf.GGUFReader(tmp_path / "tiny.gguf")
    assert base.shapes == {tensor.name: tuple(tensor.shape) for tensor in reader.tensors}


@pytest.mark.parametrize("content", [b"", b"GGUF", "모델이 아닙니다".encode(), b"GGUF" + b"\xff" * 100])
def test_a_base_that_is_no_model_is_a_broken_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "base.gguf"
    path.write_bytes(content)
    with pytest.raises(BrokenModel):
        BaseWeights.read(path)
    with pytest.raises(BrokenModel):
        BaseWeights.read(tmp_path / "missing.gguf")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_names_are_those_of_the_gguf_package(name: str) -> None:
    architecture = ARCHITECTURES[name]
    official = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, name.upper()), 3)
    for module in itertools.chain(architecture.heads, (f"{architecture.blocks}.2.{m}" for m in architecture.layers)):
        tensor = architecture.tensor_of(module)
        assert tensor is not None
        assert tensor == official.get_name(f"{module}.weight", try_suffixes=(".weight",))
        assert architecture.may_change(tensor)


def test_only_the_table_says_which_layers_may_change() -> None:
    plain = ARCHITECTURES["qwen2"]
    for module in ("model.layers.01.mlp.up_proj", "model.layers.x.mlp.up_proj", "lm_head.x", "model.layers.1.mlp"):
        assert plain.tensor_of(module) is None
    for tensor in ("token_embd.weight", "blk.0.attn_norm.weight", "blk.0.attn_q.bias", "output_norm.weight"):
        assert not plain.may_change(tensor)
