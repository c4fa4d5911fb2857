"""Swapping the LoRA of a live context: the next answer is what a fresh load would give, and a bad file changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

from bot.errors import BrokenLora, BrokenModel, LoraError, LoraRefused, WrongBase
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.worker import ModelWorker
from bot.writers.engine import StopFlag, Turn, WritingReport, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from tests.fakes.tiny_gguf import INNER, WIDTH, write_tiny_llama, write_tiny_qwen2

REQUEST = WritingRequest((Turn("system", "규칙입니다. " * 5), Turn("user", "연차는 며칠인가요?")), max_tokens=8)


def write_random_lora(path: Path, model: Path, seed: int, *, architecture_of: Path | None = None) -> Path:
    """On two layers of `model`; strong enough to change every answer."""
    random = np.random.default_rng(seed)
    shapes = {
        "model.layers.0.self_attn.k_proj": (WIDTH // 2, WIDTH),
        "model.layers.1.mlp.down_proj": (WIDTH, INNER),
    }
    pairs = {
        module: LoraPair(random.normal(0, 0.3, (4, into)), random.normal(0, 0.3, (out, 4)))
        for module, (out, into) in shapes.items()
    }
    write_lora(path, BaseWeights.read(architecture_of or model), LoraSettings(4, 8), pairs)
    return path


class Models:
    """A base and two LoRAs on disk."""

    def __init__(self, folder: Path) -> None:
        self.base = write_tiny_qwen2(folder / "base.gguf")
        self.first = write_random_lora(folder / "faq-1.gguf", self.base, 1)
        self.second = write_random_lora(folder / "faq-2.gguf", self.base, 2)

    def engine(self, lora: Path | None = None) -> LlamaCppEngine:
        engine = LlamaCppEngine(self.base, context_tokens=256, threads=1)
        if lora is not None:
            engine.use_lora(lora)
        return engine

    def fresh(self, lora: Path | None) -> np.ndarray[Any, Any]:
        engine = self.engine(lora)
        try:
            return answered(engine)[2]
        finally:
            engine.close()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("loras"))


@pytest.fixture
def engine(models: Models) -> Iterator[LlamaCppEngine]:
    made = models.engine()
    yield made
    made.close()


def answered(
    engine: LlamaCppEngine, request: WritingRequest = REQUEST
) -> tuple[str, WritingReport, np.ndarray[Any, Any]]:
    """An answer's text, report and last logits."""
    lib: Any = llama_cpp
    *pieces, report = engine.write(request, StopFlag())
    assert isinstance(report, WritingReport)
    size = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(lib.llama_get_model(engine.context_pointer)))
    logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(engine.context_pointer, -1), shape=(size,)).copy()
    return "".join(map(str, pieces)), report, logits


def test_fifty_swaps_on_one_live_context_each_answer_as_a_fresh_load(models: Models, engine: LlamaCppEngine) -> None:
    choices = [models.first, models.second, None]
    order = [choices[at] for at in np.random.default_rng(4).integers(0, 3, 50)]
    assert {(before, after) for before, after in itertools.pairwise(order)} >= {
        (models.first, models.second),
        (models.second, models.first),
        (None, models.first),
        (models.second, None),
        (models.first, models.first),
    }
    plain = models.fresh(None)
    for lora in order:
        engine.use_lora(lora)
        assert engine.lora == (lora.stem if lora else None)
        _, report, logits = answered(engine)
        assert report.reused_tokens == 0
        np.testing.assert_array_equal(logits, models.fresh(lora))
        assert np.array_equal(logits, plain) == (lora is None)


def test_within_one_lora_a_shared_beginning_is_still_reused(models: Models, engine: LlamaCppEngine) -> None:
    engine.use_lora(models.first)
    first, again = answered(engine), answered(engine)
    assert (first[1].reused_tokens, again[1].reused_tokens) == (0, first[1].prompt_tokens - 1)
    assert first[0] == again[0]


def test_without_clearing_the_next_answer_would_be_stale(
    models: Models, engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards the tests above: they would see a clear that was left out."""
    answered(engine)
    monkeypatch.setattr(engine, "forget", lambda: None)
    engine.use_lora(models.first)
    monkeypatch.undo()
    _, report, logits = answered(engine)
    assert report.reused_tokens > 0
    assert np.abs(logits - models.fresh(models.first)).max() > 0.05


def test_clearing_only_what_python_counts_would_not_be_enough(models: Models, engine: LlamaCppEngine) -> None:
    """llama.cpp's own memory is empty after a swap, whatever the engine believes to be in it."""
    lib: Any = llama_cpp
    memory = lib.llama_get_memory(engine.context_pointer)
    for lora in (models.first, None):
        answered(engine)
        assert lib.llama_memory_seq_pos_max(memory, 0) > 0
        engine.use_lora(lora)
        assert lib.llama_memory_seq_pos_max(memory, 0) == -1


@pytest.mark.parametrize("before", ["faq-1", None])
def test_a_bad_file_leaves_what_was_there(
    models: Models, engine: LlamaCppEngine, tmp_path: Path, before: str | None
) -> None:
    engine.use_lora(models.first if before else None)
    expected = answered(engine)
    (tmp_path / "damaged.gguf").write_bytes(models.second.read_bytes()[:-100])
    llama = write_tiny_llama(tmp_path / "llama.gguf")
    other = write_random_lora(tmp_path / "other.gguf", models.base, 3, architecture_of=llama)
    bad: dict[Path, type[LoraError]] = {
        tmp_path / "missing.gguf": BrokenLora,
        tmp_path / "damaged.gguf": BrokenLora,
        models.base: BrokenLora,
        other: WrongBase,
    }
    for path, error in bad.items():
        with pytest.raises(error):
            engine.use_lora(path)
        assert engine.lora == before
        engine.forget()
        np.testing.assert_array_equal(answered(engine)[2], expected[2])


class Counting:
    """Counts LoRAs loaded and freed, and can make a call fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loaded: list[int] = []
        self.freed: list[int] = []
        self.fails: str | None = None
        load, free, attach = (
            getattr(llama_cpp, f"llama_{name}")
            for name in ("adapter_lora_init", "adapter_lora_free", "set_adapters_lora")
        )

        def loading(model: Any, path: bytes) -> Any:
            pointer = load(model, b"/nowhere" if self.fails == "load" else path)
            if pointer:
                self.loaded.append(llama_cpp.ctypes.cast(pointer, llama_cpp.ctypes.c_void_p).value)
            return pointer

        def freeing(pointer: Any) -> None:
            self.freed.append(llama_cpp.ctypes.cast(pointer, llama_cpp.ctypes.c_void_p).value)
            free(pointer)

        monkeypatch.setattr(llama_cpp, "llama_adapter_lora_init", loading)
        monkeypatch.setattr(llama_cpp, "llama_adapter_lora_free", freeing)
        monkeypatch.setattr(
            llama_cpp, "llama_set_adapters_lora", lambda *given: -1 if self.fails == "attach" else attach(*given)
        )


@pytest.mark.parametrize("call", ["load", "attach"])
def test_a_refusal_by_llamacpp_leaves_what_was_there(
    models: Models, engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    first, second = models.fresh(models.first), models.fresh(models.second)
    counting = Counting(monkeypatch)
    engine.use_lora(models.first)
    counting.fails = call
    with pytest.raises(LoraRefused) as caught:
        engine.use_lora(models.second)
    assert caught.value.details["reason"]
    assert engine.lora == "faq-1"
    np.testing.assert_array_equal(answered(engine)[2], first)
    counting.fails = None
    engine.use_lora(models.second)
    np.testing.assert_array_equal(answered(engine)[2], second)
    assert len(counting.loaded) - len(counting.freed) == 1


def test_every_lora_is_freed_once(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    engine = models.engine()
    for lora in (models.first, models.second, None, models.first, models.first):
        engine.use_lora(lora)
        assert len(counting.loaded) - len(counting.freed) == (lora is not None)
    engine.close()
    engine.close()
    assert counting.freed == counting.loaded
    assert len(counting.loaded) == 4


def test_a_base_whose_file_has_gone_refuses_a_lora_and_goes_on(models: Models, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(models.base.read_bytes())
    engine = LlamaCppEngine(copy, context_tokens=256, threads=1)
    copy.unlink()
    with pytest.raises(BrokenModel):
        engine.use_lora(models.first)
    assert answered(engine)[0]
    engine.close()


def test_the_log_names_the_lora_and_no_path(
    models: Models, engine: LlamaCppEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="bot.writers.llamacpp"):
        engine.use_lora(models.first)
    (line,) = [json.loads(record.message) for record in caplog.records if record.message.startswith("{")]
    assert line["seconds"] >= 0
    assert {key: line[key] for key in ("event", "lora", "base")} == {
        "event": "lora_attached",
        "lora": "faq-1",
        "base": "base",
    }
    assert str(models.first.parent) not in caplog.text


async def test_a_swap_waits_for_the_answer_that_is_being_written(models: Models) -> None:
    long = WritingRequest(REQUEST.turns, max_tokens=60)
    expected = {}
    for lora in (None, models.first):
        engine = models.engine(lora)
        expected[lora] = answered(engine, long)[0]
        engine.close()
    assert expected[None] != expected[models.first]

    def swap(engine: Any) -> None:
        assert isinstance(engine, LlamaCppEngine)
        engine.use_lora(models.first)

    worker = ModelWorker(models.engine, queue_size=4, per_person=4)
    try:
        await worker.start()
        ticket = worker.submit(long, asker="a")
        pieces = ticket.pieces()
        begun = await anext(pieces)
        swapped = asyncio.ensure_future(worker.run(swap))
        after = worker.submit(long, asker="b")
        assert begun + "".join([piece async for piece in pieces]) == expected[None]
        async with asyncio.timeout(30):
            await swapped
            assert "".join([piece async for piece in after.pieces()]) == expected[models.first]
    finally:
        await worker.close(drain=False)
