"""The way of every architecture: served GGUF → weights to train on → LoRA → its GGUF. What torch computes, llama.cpp computes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bot.errors import UntunableBase
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.check import check_lora
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.writers.engine import LoraFile
from bot.writers.gguf_file import read_file_header
from bot.writers.llamacpp import LlamaCppEngine
from jobs.tuning.base import load_base, prepare_base
from jobs.tuning.dataset import Example, write_examples
from jobs.tuning.job import RunFolder, TuningJob
from jobs.tuning.lora import attach
from jobs.tuning.run import TuningProcess
from jobs.tuning.settings import TuningSettings
from tests.bot.loras.torch_twins import TOKENS, WRITE, divergence, exact_attention, llamacpp_logits
from tests.fakes import tiny_gguf

COUNT = b"llama.block_count" + bytes((4, 0, 0, 0))  # and then the number
# As in test_lora_parity.py: llama.cpp looks GELU up in a table of 16-bit numbers.
TOLERANCE = {"gemma3": 5e-5, "gptneox": 5e-5}


def exact_in_bfloat16(path: Path) -> Path:
    """The same model with numbers that bfloat16 holds exactly; biases and norms, which are constants in some, become random."""
    header = read_file_header(path)
    random = np.random.default_rng(9)
    data = np.memmap(path, np.uint8, "r+")
    for tensor in header.tensors:
        begin = header.data_begins + tensor.offset
        numbers = data[begin : begin + 4 * int(np.prod(tensor.shape))].view(np.float32)
        if tensor.name.endswith(".bias"):
            numbers[:] = random.normal(0, 0.3, numbers.shape)
        elif tensor.name.endswith("norm.weight"):
            numbers[:] = random.uniform(0.6, 1.4, numbers.shape)
        numbers.view(np.uint32)[:] &= 0xFFFF0000
    data.flush()
    return path


class Served:
    """A base in llama.cpp, and what tuning prepares from its file."""

    def __init__(self, path: Path, cache: Path) -> None:
        self.weights = BaseWeights.read(path)
        self.prepared = prepare_base(path, cache)
        self.model: Any = load_base(self.prepared).double().eval()
        with exact_attention():
            self.engine = LlamaCppEngine(path, context_tokens=256, threads=1, template="koalpaca")
        self.tolerance = TOLERANCE.get(self.weights.architecture, 1e-8)

    def torch_logits(self) -> Any:
        with torch.no_grad():
            return self.model(torch.tensor([TOKENS])).logits[0].numpy()

    def apart(self) -> float:
        return divergence(self.torch_logits(), llamacpp_logits(self.engine, TOKENS))


@pytest.fixture(params=WRITE)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    made = Served(exact_in_bfloat16(WRITE[request.param](tmp_path / "tiny.gguf")), tmp_path / "bases")
    yield made
    made.engine.close()


def test_base_and_trained_lora_compute_in_torch_what_they_will_when_served(served: Served, tmp_path: Path) -> None:
    assert served.apart() < served.tolerance
    plain = served.torch_logits()
    architecture = ARCHITECTURES[served.weights.architecture]
    loras = attach(
        served.model, lambda name: architecture.tensor_of(name) not in (None, "output.weight"), rank=4, alpha=8, seed=0
    )
    assert len(loras) == sum(architecture.may_change(name) for name in served.weights.shapes) - (
        "output.weight" in served.weights.shapes
    )
    random = torch.Generator().manual_seed(1)
    for lora in loras.values():
        lora.lora_a.data.normal_(0, 0.15, generator=random)
        lora.lora_b.data.normal_(0, 0.15, generator=random)
    pairs = {name: LoraPair(o.lora_a.detach().numpy(), o.lora_b.detach().numpy()) for name, o in loras.items()}
    write_lora(tmp_path / "lora.gguf", served.weights, LoraSettings(4, 8), pairs)
    served.model.double()
    served.engine.attach(LoraFile.of(tmp_path / "lora.gguf"))
    assert served.apart() < served.tolerance
    assert divergence(served.torch_logits(), plain) > 0.5


def without_parallel_residual(path: Path) -> Path:
    tiny_gguf.write_tiny_gptneox(path)
    at = read_file_header(path).values["gptneox.use_parallel_residual"].at
    content = bytearray(path.read_bytes())
    assert content[at] == 1
    content[at] = 0
    path.write_bytes(content)
    return path


VARIANTS: dict[str, Callable[[Path], Path]] = {
    "output tied to the embedding": partial(tiny_gguf.write_tiny_llama, tied=True),
    "rotary factors": partial(tiny_gguf.write_tiny_llama, rotary_factors=True),
    "stretched rotation": partial(tiny_gguf.write_tiny_llama, stretch=4.0),
    "rotary factors, stretched": partial(tiny_gguf.write_tiny_llama, rotary_factors=True, stretch=2.0),
    "stretched where the window does not reach": partial(tiny_gguf.write_tiny_gemma3, stretch=8.0),
    "one residual after the other": without_parallel_residual,
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_within_an_architecture_agree_too(variant: str, tmp_path: Path) -> None:
    made = Served(exact_in_bfloat16(VARIANTS[variant](tmp_path / "tiny.gguf")), tmp_path / "bases")
    apart = made.apart()
    made.engine.close()
    assert apart < made.tolerance


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"llama.attention.head_count_kv", b"llama.attention.head_count_xx", None),  # as many as heads: wrong shapes
        (b"llama.block_count", b"llama.block_xxxxx", "block_count"),
        (b"blk.1.ffn_up.weight", b"blk.1.ffn_up.xxxxxx", "up_proj"),
        (COUNT + b"\x02", COUNT + b"\x03", "damaged"),  # layers
        (b"linear", b"yarn\0\0", "yarn"),
    ],
)
def test_what_would_be_misread_is_refused(tmp_path: Path, old: bytes, new: bytes, said: str | None) -> None:
    path = tiny_gguf.write_tiny_llama(tmp_path / "tiny.gguf", stretch=2.0)
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    with pytest.raises(UntunableBase, match=said):
        prepare_base(path, tmp_path / "bases")
    assert not list((tmp_path / "bases").glob("*.json"))


def test_a_tensor_without_a_place_is_refused(tmp_path: Path) -> None:
    path = tiny_gguf.write_tiny_llama(tmp_path / "tiny.gguf", rotary_factors=True)
    path.write_bytes(path.read_bytes().replace(b"rope_freqs.weight", b"rope_xxxxx.weight"))
    with pytest.raises(UntunableBase, match="rope_xxxxx"):
        prepare_base(path, tmp_path / "bases")


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITE)
def test_the_training_process_takes_two_steps_and_leaves_a_lora_that_fits(name: str, tmp_path: Path) -> None:
    examples = [Example(f"e{n}", f"질문 {n}?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(5)]
    write_examples(tmp_path / "examples.jsonl", examples)
    gguf = WRITE[name](tmp_path / "tiny.gguf")
    settings = TuningSettings(
        rank=2,
        alpha=4,
        epochs=1,
        examples_per_step=2,
        most_tokens=4000,
        held_out_share=0.2,
        precision="fp32",
        threads=1,
    )
    template = "gguf" if name == "qwen2" else "koalpaca"
    job = TuningJob(gguf, tmp_path / "examples.jsonl", tmp_path / "bases", template=template, settings=settings)
    with TuningProcess(tmp_path / "run", job) as process:
        lines = list(process)
        result = process.outcome().result
    assert result == RunFolder(tmp_path / "run").result
    steps = [line for line in lines if line["event"] == "step"]
    assert len(steps) == 2
    base = BaseWeights.read(gguf)
    assert check_lora(result / "lora.gguf", base).rank == 2
    card = json.loads((result / "lora.json").read_text())
    assert len(card["losses"]) == 2
