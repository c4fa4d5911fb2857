"""`[writer] gpu_layers` reaches llama.cpp, and costs nothing where there is no GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import llama_cpp
import pytest

from bot.writers.engine import StopFlag, Turn, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from tests.fakes.tiny_gguf import write_tiny_qwen2


@pytest.mark.parametrize("layers", [0, -1, 3])
def test_as_many_layers_as_wanted_are_asked_for_and_it_writes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: int
) -> None:
    real = llama_cpp.llama_cpp.llama_model_load_from_file
    asked: list[int] = []

    def spy(path: bytes, options: Any) -> Any:
        asked.append(options.n_gpu_layers)
        return real(path, options)

    monkeypatch.setattr("bot.writers.llamacpp._lib.llama_model_load_from_file", spy)
    model = write_tiny_qwen2(tmp_path / "tiny.gguf")
    engine = LlamaCppEngine(model, context_tokens=256, threads=1, gpu_layers=layers)
    try:
        assert list(engine.write(WritingRequest((Turn("user", "안녕?"),), max_tokens=4), StopFlag()))
    finally:
        engine.close()
    assert asked == [layers]
