"""The benchmark's proof on a tiny model: it passes where stamps are true, and would not where they are not."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from benchmarks import hot_swap
from benchmarks.hot_swap import judged, measure, table
from bot.writers.llamacpp import LlamaCppEngine
from tests.fakes.tiny_gguf import write_tiny_qwen2


def test_six_swaps_on_a_tiny_model_leave_every_answer_true(tmp_path: Path) -> None:
    report = measure(write_tiny_qwen2(tmp_path / "tiny.gguf"), tmp_path, swaps=6, people=2, tokens=12, threads=1)
    assert report["failed"] == report["wrong"] == 0
    assert report["exact"] + report["nearest"] == report["answers"] == sum(report["by"].values())
    assert all(count > 0 for count in report["by"].values())
    assert report["answers"] >= 12
    assert "| tiny |" in table(report)


def test_an_engine_that_ignores_what_is_asked_for_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stamp alone would not show it."""
    base = write_tiny_qwen2(tmp_path / "tiny.gguf")
    take = LlamaCppEngine._take
    changes = itertools.count(1)
    attached: dict[LlamaCppEngine, object] = {}

    def sometimes(engine: LlamaCppEngine, lora: object) -> None:
        # Every third change: of the requests some fixed part could, on one machine or another, all ask for what is attached anyway.
        if lora != attached.get(engine) and next(changes) % 3 == 0:
            return
        attached[engine] = lora
        take(engine, lora)  # type: ignore[arg-type]

    texts = hot_swap.fresh_texts

    def fresh(*given: object) -> list[str]:
        with pytest.MonkeyPatch.context() as honest:
            honest.setattr(LlamaCppEngine, "_take", take)
            return texts(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(LlamaCppEngine, "_take", sometimes)
    monkeypatch.setattr(hot_swap, "fresh_texts", fresh)
    report = measure(base, tmp_path, swaps=12, people=2, tokens=12, threads=1)
    assert report["wrong"] > 0


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("가나다라", "exact"), ("가나다마", "nearest"), ("가하", "wrong"), ("하하하하", "wrong"), ("", "wrong")],
)
def test_a_text_is_judged_by_which_one_it_follows_furthest(text: str, verdict: str) -> None:
    assert judged(text, "a", {"a": "가나다라", "b": "하하하하", "none": "가하하"}) == verdict
