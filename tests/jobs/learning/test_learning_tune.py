"""What the job that tunes asks of a finished training, and what becomes of it when something goes wrong around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.errors import BrokenLora
from jobs.learning.tune import _demand_its_scale
from tests.fakes.lora_folders import write_result
from tests.fakes.tiny_gguf import write_tiny_qwen2


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_tiny_qwen2(tmp_path / "tiny.gguf")


@pytest.mark.parametrize("alpha", [8, 12.8, 0.1])
def test_a_scale_that_a_file_holds_in_32_bits_is_the_one_that_was_trained_with(
    base: Path, tmp_path: Path, alpha: float
) -> None:
    trained = write_result(tmp_path / "result", base, alpha=alpha)
    _demand_its_scale(trained, base)
    card = json.loads((trained / "lora.json").read_text(encoding="utf-8"))
    (trained / "lora.json").write_text(json.dumps(card | {"alpha": alpha * 1.001}), encoding="utf-8")
    with pytest.raises(BrokenLora):
        _demand_its_scale(trained, base)
