"""A LoRA GGUF in llama.cpp answers as the same LoRA does in torch, for every architecture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.errors import UnsupportedLora
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import LoraPair, write_lora
from bot.writers.engine import LoraFile
from bot.writers.llamacpp import LlamaCppEngine
from tests.bot.loras.torch_twins import (
    TOKENS,
    WRITE,
    TinyLora,
    Twin,
    divergence,
    engine_on,
    exact_attention,
    llamacpp_logits,
)

pytestmark = pytest.mark.slow

# llama.cpp looks GELU up in a table of 16-bit numbers; SiLU it computes.
TOLERANCE = {"gemma3": 5e-5, "gptneox": 5e-5}


class Pair:
    """One architecture in torch and in llama.cpp."""

    def __init__(self, path: Path) -> None:
        self.base = BaseWeights.read(path)
        self.twin = Twin(path)
        with exact_attention():
            self.engine: LlamaCppEngine = engine_on(path)
        self.tolerance = TOLERANCE.get(self.base.architecture, 1e-8)

    def attach(self, lora: TinyLora, path: Path, **options: object) -> None:
        write_lora(path, self.base, lora.settings, self.twin.checkpoint_names(lora), **options)  # type: ignore[arg-type]
        self.engine.attach(LoraFile.of(path))

    def apart(self, lora: TinyLora | None) -> float:
        return divergence(self.twin.logits(TOKENS, lora), llamacpp_logits(self.engine, TOKENS))


@pytest.fixture(scope="module", params=WRITE)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(WRITE[request.param](tmp_path_factory.mktemp("pair") / f"{request.param}.gguf"))
    yield made
    made.engine.close()


@pytest.fixture(autouse=True)
def _plain_base_again(pair: Pair) -> Iterator[None]:
    yield
    pair.engine.attach(None)


def test_every_architecture_offered_is_tried() -> None:
    assert WRITE.keys() == ARCHITECTURES.keys()


def test_the_plain_base_agrees(pair: Pair) -> None:
    assert pair.apart(None) < pair.tolerance


@pytest.mark.parametrize("rank_stabilised", [False, True], ids=["lora", "rslora"])
def test_the_lora_agrees_and_is_far_from_the_base(pair: Pair, tmp_path: Path, rank_stabilised: bool) -> None:
    lora = pair.twin.lora(rank_stabilised=rank_stabilised)
    pair.attach(lora, tmp_path / "a.gguf")
    assert pair.apart(lora) < pair.tolerance
    assert pair.apart(None) > 0.5


def test_each_module_alone_agrees_and_changes_something(pair: Pair, tmp_path: Path) -> None:
    lora = pair.twin.lora(seed=5)
    plain = pair.twin.logits(TOKENS)
    for at, (module, factors) in enumerate(lora.modules.items()):
        if ".0." not in module:
            continue
        alone = TinyLora(lora.settings, {module: factors})
        pair.attach(alone, tmp_path / f"{at}.gguf")
        assert pair.apart(alone) < pair.tolerance, module
        assert divergence(pair.twin.logits(TOKENS, alone), plain) > 100 * pair.tolerance, module


def test_half_precision_is_near(pair: Pair, tmp_path: Path) -> None:
    lora = pair.twin.lora()
    pair.attach(lora, tmp_path / "a.gguf", numbers="f16")
    assert pair.apart(lora) < 0.01
    assert (tmp_path / "a.gguf").stat().st_size < 0.7 * sum(
        8 * (p.a.size + p.b.size) for p in lora.modules.values()
    ) / 2 + 8000


def test_the_head_agrees_where_the_base_has_its_own(pair: Pair, tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    width, words = pair.base.shapes["token_embd.weight"]
    lora = pair.twin.lora()
    factors = LoraPair(random.normal(0, 0.15, (4, width)), random.normal(0, 0.15, (words, 4)))
    lora = replace(lora, modules={**lora.modules, "lm_head": factors})
    if pair.base.architecture == "gemma3":  # tied to the embedding
        with pytest.raises(UnsupportedLora, match="output"):
            pair.attach(lora, tmp_path / "a.gguf")
        return
    pair.attach(lora, tmp_path / "a.gguf")
    assert pair.apart(lora) < pair.tolerance


def test_a_forgotten_row_order_would_be_seen(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lora = pair.twin.lora()
    known = ARCHITECTURES[pair.base.architecture]
    forgetful = {pair.base.architecture: replace(known, row_orders={})}
    monkeypatch.setattr("bot.loras.gguf_writer.ARCHITECTURES", forgetful)
    pair.attach(lora, tmp_path / "a.gguf")
    assert (pair.apart(lora) > 0.01) == bool(known.row_orders)
