"""Where to compute is chosen, or refused with a reason. No GPU is needed: CUDA's answers are put in."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

import jobs.tuning.device
from bot.errors import CannotTuneHere
from jobs.tuning.base import PreparedBase
from jobs.tuning.device import chosen_device, free_mb, in_four_bits
from jobs.tuning.settings import TuningSettings
from jobs.tuning.train import Training
from tests.fakes.tiny_torch import WORDS, samples, with_loras


def _gpus(patch: pytest.MonkeyPatch, count: int) -> None:
    patch.setattr(torch.cuda, "is_available", lambda: count > 0)
    patch.setattr(torch.cuda, "device_count", lambda: count)


def test_a_gpu_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _gpus(monkeypatch, 0)
    assert chosen_device(TuningSettings()) == "cpu"
    _gpus(monkeypatch, 2)
    assert [chosen_device(TuningSettings(), place) for place in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert chosen_device(TuningSettings(device="cpu")) == "cpu"


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _gpus(monkeypatch, 0)
    with pytest.raises(CannotTuneHere) as caught:
        chosen_device(TuningSettings(device="cuda"))
    assert caught.value.details["value"] == "cuda"


def test_four_bits_need_a_gpu_and_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = TuningSettings(quantise="4bit")
    _gpus(monkeypatch, 0)
    with pytest.raises(CannotTuneHere) as caught:
        chosen_device(settings)
    assert "GPU" in caught.value.explain("ko")
    _gpus(monkeypatch, 1)
    monkeypatch.setattr(jobs.tuning.device, "find_spec", lambda name: None)
    with pytest.raises(CannotTuneHere) as caught:
        chosen_device(settings)
    assert "bitsandbytes" in caught.value.explain("ko")
    monkeypatch.setattr(jobs.tuning.device, "find_spec", lambda name: importlib.util.find_spec("json"))
    assert chosen_device(settings) == "cuda:0"


def test_over_four_bits_it_learns_and_the_packed_weights_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bitsandbytes")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    _wide_qwen2().save_pretrained(tmp_path)
    model = in_four_bits("cpu", PreparedBase("tiny", "0" * 64, tmp_path))
    loras = with_loras(model)
    packed = {name: lora.base.weight.clone() for name, lora in loras.items()}
    assert {weight.dtype for weight in packed.values()} == {torch.uint8}
    settings = TuningSettings(rank=4, alpha=8, learning_rate=2e-2, epochs=12, tokens_per_pass=100, precision="bf16")
    trained = Training(model, loras, settings, samples(12)).run()
    assert trained.progress.losses[-1] < 0.5 * trained.progress.losses[0]
    assert all(torch.equal(lora.base.weight, packed[name]) for name, lora in loras.items())
    assert {tensor.dtype for tensor in trained.lora.values()} == {torch.float32}


def _wide_qwen2() -> Any:
    """As tiny as bitsandbytes' blocks of 64 allow."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=WORDS, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.2,
    )  # fmt: skip
    return Qwen2ForCausalLM(config).to(torch.bfloat16)


def test_what_memory_is_free_is_known_on_linux() -> None:
    free = free_mb("cpu")
    assert free is None or free > 0
