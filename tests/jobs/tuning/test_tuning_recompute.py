"""Gradient checkpointing gives the same numbers and keeps less."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest
import torch

from jobs.tuning.process import OTHERS_MB, _room, forget_peak, peak_memory_mb
from jobs.tuning.recompute import is_needed, kept_bytes_per_token, recompute_blocks
from jobs.tuning.settings import TuningSettings
from jobs.tuning.surroundings import Surroundings
from jobs.tuning.train import Training
from jobs.tuning.trained import Trained
from tests.fakes.tiny_torch import TINY, samples, tiny_qwen2, with_loras

SETTINGS = TuningSettings(
    rank=4, alpha=8, learning_rate=2e-2, epochs=2, examples_per_step=4, tokens_per_pass=100, precision="fp32"
)


def _trained(architecture: str, settings: TuningSettings, **around: Any) -> tuple[Trained, list[dict[str, object]]]:
    model, lines = TINY[architecture](), []  # type: ignore[var-annotated]
    training = Training(
        model,
        with_loras(model),
        settings,
        samples(8),
        held_out=samples(3, seed=7),
        around=Surroundings(tell=lines.append, **around),
    )
    return training.run(), lines


@pytest.mark.parametrize("architecture", TINY)
def test_the_numbers_stay_the_same(architecture: str) -> None:
    plain, _ = _trained(architecture, SETTINGS)
    again, lines = _trained(architecture, dataclasses.replace(SETTINGS, recompute="always"))
    assert {"event": "recomputing", "blocks": 2} in lines
    assert again.progress.losses == plain.progress.losses
    assert again.progress.held_out == plain.progress.held_out
    assert all(torch.equal(tensor, plain.lora[name]) for name, tensor in again.lora.items())


def test_much_less_is_kept() -> None:
    [sample] = samples(1, own=80)
    model = tiny_qwen2()
    loras = with_loras(model)
    before = kept_bytes_per_token(model, sample)
    assert recompute_blocks(model, loras) == 2
    assert kept_bytes_per_token(model, sample) < 0.5 * before


@pytest.mark.parametrize(
    ("recompute", "free_mb", "expected"),
    [("auto", 0.001, True), ("auto", 4000.0, False), ("auto", None, False), ("never", 0.001, False)],
)
def test_it_is_switched_on_where_memory_would_not_suffice(
    recompute: Any, free_mb: float | None, expected: bool
) -> None:
    _, lines = _trained("qwen2", dataclasses.replace(SETTINGS, recompute=recompute), free_mb=lambda: free_mb)
    assert ("recomputing" in [line["event"] for line in lines]) is expected


def test_need_grows_with_the_tokens_of_a_pass() -> None:
    assert not is_needed(1 << 20, 100, 200)
    assert is_needed(1 << 20, 150, 200)


def test_others_are_left_their_memory() -> None:
    assert _room(10_000, None, on_cpu=True) == 10_000 - OTHERS_MB
    assert _room(10_000, None, on_cpu=False) == 10_000
    assert _room(None, None, on_cpu=True) is None
    assert _room(1e9, peak_memory_mb() + 100, on_cpu=True) == pytest.approx(100, abs=20)


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the peak of a process never falls here")
def test_what_was_needed_before_training_does_not_count() -> None:
    held = b"x" * (300 << 20)
    before = peak_memory_mb()
    del held
    forget_peak()
    assert peak_memory_mb() < before - 200
