"""A request says which LoRA writes: its answer is what a fresh load would give, whatever was attached before."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

from bot.errors import BrokenLora, BrokenModel, LoraError, LoraRefused, WriterFailed, WrongBase
from bot.worker import ModelWorker
from bot.writers.engine import LoraFile, StopFlag, Turn, WritingReport, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from bot.writers.loaded_loras import KEPT
from tests.fakes.lora_folders import write_random_lora
from tests.fakes.tiny_gguf import write_tiny_llama, write_tiny_qwen2

REQUEST = WritingRequest((Turn("system", "규칙입니다. " * 5), Turn("user", "연차는 며칠인가요?")), max_tokens=8)

ROUNDING = 0.005
"""A beginning that is reused was computed in another batch, and is kept in half precision."""


def random_lora(path: Path, model: Path, seed: int) -> LoraFile:
    return LoraFile.of(write_random_lora(path, model, seed))


class Models:
    """A base and some LoRAs on disk."""

    def __init__(self, folder: Path) -> None:
        self.base = write_tiny_qwen2(folder / "base.gguf")
        self.many = [random_lora(folder / f"faq-{n}.gguf", self.base, n) for n in range(1, KEPT + 3)]
        self.first, self.second, *_ = self.many

    def engine(self) -> LlamaCppEngine:
        return LlamaCppEngine(self.base, context_tokens=256, threads=1)

    def fresh(self, lora: LoraFile | None) -> np.ndarray[Any, Any]:
        """The last logits of an engine that never had another LoRA."""
        engine = self.engine()
        try:
            return answered(engine, with_lora(lora))[2]
        finally:
            engine.close()


def with_lora(lora: LoraFile | None, request: WritingRequest = REQUEST) -> WritingRequest:
    return replace(request, lora=lora)


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


def test_fifty_requests_on_one_context_are_each_written_by_the_lora_they_name(
    models: Models, engine: LlamaCppEngine
) -> None:
    """Proved by the logits of a fresh engine, not by what the engine says of itself."""
    choices = [models.first, models.second, None]
    order = [choices[at] for at in np.random.default_rng(4).integers(0, 3, 50)]
    assert {(before, after) for before, after in itertools.pairwise(order)} >= {
        (models.first, models.second),
        (models.second, models.first),
        (None, models.first),
        (models.second, None),
        (models.first, models.first),
    }
    expected = {lora: models.fresh(lora) for lora in choices}
    for one, other in itertools.combinations(choices, 2):
        assert np.abs(expected[one] - expected[other]).max() > 20 * ROUNDING
    before: LoraFile | None = None
    for n, lora in enumerate(order):
        _, report, logits = answered(engine, with_lora(lora))
        assert np.abs(logits - expected[lora]).max() < ROUNDING
        assert engine.lora == lora
        assert (report.reused_tokens == 0) == (n == 0 or lora != before)
        before = lora


def test_within_one_lora_a_shared_beginning_is_still_reused(models: Models, engine: LlamaCppEngine) -> None:
    first, again = (answered(engine, with_lora(models.first)) for _ in range(2))
    assert (first[1].reused_tokens, again[1].reused_tokens) == (0, first[1].prompt_tokens - 1)
    assert first[0] == again[0]


def test_without_clearing_the_next_answer_would_be_stale(
    models: Models, engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards the tests above: they would see a clear that was left out."""
    answered(engine)
    monkeypatch.setattr(engine, "forget", lambda: None)
    engine.attach(models.first)
    monkeypatch.undo()
    _, report, logits = answered(engine, with_lora(models.first))
    assert report.reused_tokens > 0
    assert np.abs(logits - models.fresh(models.first)).max() > 0.05


def test_clearing_only_what_python_counts_would_not_be_enough(models: Models, engine: LlamaCppEngine) -> None:
    """llama.cpp's own memory is empty after a swap, whatever the engine believes to be in it."""
    lib: Any = llama_cpp
    memory = lib.llama_get_memory(engine.context_pointer)
    for before, lora in ((None, models.first), (models.first, None)):
        answered(engine, with_lora(before))
        assert lib.llama_memory_seq_pos_max(memory, 0) > 0
        engine.attach(lora)
        assert lib.llama_memory_seq_pos_max(memory, 0) == -1


@pytest.mark.parametrize("before", ["faq-1", None])
def test_a_bad_file_fails_its_own_request_and_no_other(
    models: Models, engine: LlamaCppEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture, before: str | None
) -> None:
    good = models.first if before else None
    expected = answered(engine, with_lora(good))
    bytes_of_second = models.second.path.read_bytes()
    (tmp_path / "damaged.gguf").write_bytes(bytes_of_second[:-100])
    (tmp_path / "other-bytes.gguf").write_bytes(models.first.path.read_bytes())
    llama = write_tiny_llama(tmp_path / "llama.gguf")
    bad: dict[LoraFile, type[LoraError]] = {
        LoraFile("gone", tmp_path / "missing.gguf", ""): BrokenLora,
        LoraFile.of(tmp_path / "damaged.gguf"): BrokenLora,
        LoraFile("other-bytes", tmp_path / "other-bytes.gguf", models.second.sha256): BrokenLora,
        LoraFile.of(models.base): BrokenLora,
        random_lora(tmp_path / "other.gguf", llama, 3): WrongBase,
    }
    for lora, error in bad.items():
        with pytest.raises(error) as refused:
            engine.load_lora(lora)
        assert refused.value.details["name"] == lora.name
        caplog.clear()
        with pytest.raises(WriterFailed):
            answered(engine, with_lora(lora))
        assert "lora_refused" in caplog.text
        assert str(tmp_path) not in caplog.text
        engine.forget()
        np.testing.assert_array_equal(answered(engine, with_lora(good))[2], expected[2])


class Counting:
    """Counts LoRAs loaded and freed, and can make a call fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loaded: list[int] = []
        self.freed: list[int] = []
        self.attached: int | None = None
        self.fails: str | None = None
        load, free, attach, end = (
            getattr(llama_cpp, f"llama_{name}")
            for name in ("adapter_lora_init", "adapter_lora_free", "set_adapters_lora", "free")
        )

        def address(pointer: Any) -> int:
            value = llama_cpp.ctypes.cast(pointer, llama_cpp.ctypes.c_void_p).value
            assert isinstance(value, int)
            return value

        def loading(model: Any, path: bytes) -> Any:
            pointer = load(model, b"/nowhere" if self.fails == "load" else path)
            if pointer:
                self.loaded.append(address(pointer))
            return pointer

        def freeing(pointer: Any) -> None:
            assert address(pointer) != self.attached
            self.freed.append(address(pointer))
            free(pointer)

        def attaching(context: Any, pointers: Any, count: int, scales: Any) -> int:
            if self.fails == "attach":
                return -1
            self.attached = address(pointers[0]) if count else None
            code = attach(context, pointers, count, scales)
            assert isinstance(code, int)
            return code

        def ending(context: Any) -> None:
            self.attached = None
            end(context)

        monkeypatch.setattr(llama_cpp, "llama_free", ending)
        monkeypatch.setattr(llama_cpp, "llama_adapter_lora_init", loading)
        monkeypatch.setattr(llama_cpp, "llama_adapter_lora_free", freeing)
        monkeypatch.setattr(llama_cpp, "llama_set_adapters_lora", attaching)

    @property
    def held(self) -> int:
        return len(self.loaded) - len(self.freed)


@pytest.mark.parametrize("call", ["load", "attach"])
def test_a_refusal_by_llamacpp_leaves_what_was_there(
    models: Models, engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    first, second = models.fresh(models.first), models.fresh(models.second)
    counting = Counting(monkeypatch)
    answered(engine, with_lora(models.first))
    counting.fails = call
    with pytest.raises(LoraRefused) as caught:
        engine.attach(models.second)
    assert caught.value.details["reason"]
    assert engine.lora == models.first
    np.testing.assert_array_equal(answered(engine, with_lora(models.first))[2], first)
    counting.fails = None
    np.testing.assert_array_equal(answered(engine, with_lora(models.second))[2], second)


def test_the_last_few_stay_in_memory_and_what_is_attached_is_never_freed(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = models.fresh(models.first)
    counting = Counting(monkeypatch)
    engine = models.engine()
    for _ in range(3):
        for lora in (models.first, models.second, None):
            answered(engine, with_lora(lora))
    assert len(counting.loaded) == 2
    answered(engine, with_lora(models.first))
    for lora in models.many[1:]:  # only loaded: the attached one stays whatever comes
        engine.load_lora(lora)
        assert counting.held <= KEPT
    assert len(counting.loaded) == len(models.many)
    assert np.abs(answered(engine, with_lora(models.first))[2] - expected).max() < ROUNDING
    assert len(counting.loaded) == len(models.many)
    engine.close()
    engine.close()
    assert counting.held == 0


def test_a_base_whose_file_has_gone_refuses_a_lora_and_goes_on(models: Models, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(models.base.read_bytes())
    engine = LlamaCppEngine(copy, context_tokens=256, threads=1)
    copy.unlink()
    with pytest.raises(BrokenModel):
        engine.attach(models.first)
    assert answered(engine)[0]
    engine.close()


def test_the_log_names_the_lora_and_no_path(
    models: Models, engine: LlamaCppEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answered(engine, with_lora(models.first))
        answered(engine, with_lora(None))
        answered(engine, with_lora(models.first))
    (line,) = [json.loads(record.message) for record in caplog.records if record.message.startswith("{")]
    assert line["seconds"] >= 0
    assert {key: line[key] for key in ("event", "lora", "base")} == {
        "event": "lora_loaded",
        "lora": "faq-1",
        "base": "base",
    }
    assert str(models.first.path.parent) not in caplog.text


async def test_requests_of_different_loras_in_one_queue_are_each_written_by_their_own(models: Models) -> None:
    """What was asked before a swap is written with what it was asked with, also when the swap comes first to the model."""
    long = WritingRequest(REQUEST.turns, max_tokens=40)
    expected = {}
    for lora in (None, models.first, models.second):
        engine = models.engine()
        expected[lora] = answered(engine, with_lora(lora, long))[0]
        engine.close()
    assert len(set(expected.values())) == 3
    order = [None, models.first, models.second, models.first, None, models.second]
    worker = ModelWorker(models.engine, queue_size=10, per_person=10)
    try:
        await worker.start()
        tickets = [worker.submit(with_lora(lora, long), asker="a") for lora in order]
        async with asyncio.timeout(60):
            for lora, ticket in zip(order, tickets, strict=True):
                assert "".join([piece async for piece in ticket.pieces()]) == expected[lora]
    finally:
        await worker.close(drain=False)
