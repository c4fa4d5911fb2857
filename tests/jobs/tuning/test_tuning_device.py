"""Where to compute is chosen, or refused with a reason. No GPU is needed: CUDA's answers are put in."""

from __future__ import annotations

import importlib.util

import pytest
import torch

import jobs.tuning.device
from bot.errors import CannotTuneHere
from jobs.tuning.device import chosen_device, free_mb
from jobs.tuning.settings import TuningSettings


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


def test_what_memory_is_free_is_known_on_linux() -> None:
    free = free_mb("cpu")
    assert free is None or free > 0
