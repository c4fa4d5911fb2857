"""What llama.cpp serves is compared with what torch trained, on tiny models: the same LoRA agrees, anything wrong with it is seen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bot.errors import BadParity
from bot.loras.architectures import ARCHITECTURES
from bot.loras.base_weights import BaseWeights
from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
from bot.worker import ModelWorker
from bot.writers.engine import LoraFile, StopFlag, Turn, WritingReport, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from jobs.gate.parity import Parity, ParitySample, measure_parity, read_parity
from jobs.gate.settings import GateSettings
from jobs.tuning.dataset import Example, write_examples
from jobs.tuning.job import TuningJob
from jobs.tuning.run import TuningProcess
from jobs.tuning.settings import TuningSettings
from tests.bot.loras.torch_twins import TinyLora, Twin, engine_on, exact_attention
from tests.fakes.tiny_gguf import write_tiny_llama, write_tiny_qwen2

pytestmark = pytest.mark.slow
SETTINGS = GateSettings()
WRITERS = {"qwen2": write_tiny_qwen2, "llama": write_tiny_llama}


class Trained:
    """A base, a LoRA on it as torch has it, and what torch says about some samples."""

    def __init__(self, architecture: str, folder: Path) -> None:
        self.folder = folder
        self.model = WRITERS[architecture](folder / f"{architecture}.gguf")
        self.base = BaseWeights.read(self.model)
        self.twin = Twin(self.model)
        self.lora = self.twin.lora()
        random = np.random.default_rng(4)
        sizes = [(40, 25), (12, 3), (230, 200), (2, 1)]
        rows = [random.integers(0, 300, size).tolist() for size, _ in sizes]
        rows[1][:2], rows[2][:30] = rows[0][:2], rows[0][:30]  # as real prompts begin alike
        self.samples = [self._sample(row, begins) for row, (_, begins) in zip(rows, sizes, strict=True)]
        self.engine: LlamaCppEngine = engine_on(self.model)

    def _sample(self, tokens: list[int], begins: int) -> ParitySample:
        logits = self.twin.logits(tokens, self.lora)[begins - 1 : -1]
        logprobs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        said = [float(row[token]) for row, token in zip(logprobs, tokens[begins:], strict=True)]
        return ParitySample(tuple(tokens), begins, tuple(said), tuple(int(row.argmax()) for row in logprobs))

    def written(self, name: str, lora: TinyLora | None = None) -> LoraFile:
        path = self.folder / f"{name}.gguf"
        wanted = lora or self.lora
        write_lora(path, self.base, wanted.settings, self.twin.checkpoint_names(wanted))
        return LoraFile.of(path)

    def parity(self, lora: LoraFile) -> Parity:
        return measure_parity(self.engine, lora, self.samples)


@pytest.fixture(scope="module", params=WRITERS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    made = Trained(request.param, tmp_path_factory.mktemp("parity"))
    yield made
    made.engine.close()


def test_the_same_lora_agrees_almost_exactly(trained: Trained) -> None:
    lora = trained.written("right")
    with exact_attention():
        exact = engine_on(trained.model)
    parity = measure_parity(exact, lora, trained.samples)
    exact.close()
    assert (parity.samples, parity.tokens) == (4, 15 + 9 + 30 + 1)
    assert parity.logprob < 1e-4
    assert parity.top1 == 1.0
    assert parity.effect > 0.3
    as_served = trained.parity(lora)  # attention's keys and values in 16 bits
    assert as_served.logprob < 0.02
    assert as_served.top1 > 0.98
    assert parity.holds(SETTINGS)
    assert as_served.holds(SETTINGS)


@pytest.mark.parametrize("factor", [0.0, 0.25, 0.5, 2.0, 4.0])
def test_a_wrong_scale_is_seen(trained: Trained, factor: float) -> None:
    settings = trained.lora.settings
    if factor:
        wrong = replace(trained.lora, settings=replace(settings, alpha=settings.alpha * factor))
    else:
        zeroed = {name: replace(pair, b=np.zeros_like(pair.b)) for name, pair in trained.lora.modules.items()}
        wrong = replace(trained.lora, modules=zeroed)
    parity = trained.parity(trained.written(f"alpha-{factor}", wrong))
    assert not parity.holds(SETTINGS)


def test_rows_in_another_order_are_seen(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    known = ARCHITECTURES[trained.base.architecture]
    if known.row_orders:  # what a converter that forgets them would write
        forgetful = {trained.base.architecture: replace(known, row_orders={})}
        monkeypatch.setattr("bot.loras.gguf_writer.ARCHITECTURES", forgetful)
        wrong = trained.lora
    else:
        turned = {
            name: replace(pair, b=pair.b[::-1].copy()) if "q_proj" in name or "k_proj" in name else pair
            for name, pair in trained.lora.modules.items()
        }
        wrong = replace(trained.lora, modules=turned)
    assert not trained.parity(trained.written("rows", wrong)).holds(SETTINGS)


def test_another_lora_is_seen(trained: Trained) -> None:
    assert not trained.parity(trained.written("other", trained.twin.lora(seed=9))).holds(SETTINGS)


async def test_the_worker_measures_between_two_answers_and_nothing_of_it_stays_in_the_cache(trained: Trained) -> None:
    request = WritingRequest((Turn("user", "연차는?"),), max_tokens=6)
    *pieces, report = trained.engine.write(request, StopFlag())
    lora = trained.written("between")
    fresh = engine_on(trained.model)
    worker = ModelWorker(lambda: fresh, queue_size=2, per_person=2)
    try:
        ticket = worker.submit(request, asker="a")
        before = [piece async for piece in ticket.pieces()]
        parity = await worker.run(lambda engine: measure_parity(fresh, lora, trained.samples))
        ticket = worker.submit(request, asker="a")
        after = [piece async for piece in ticket.pieces()]
    finally:
        await worker.close(drain=False)
    assert parity.holds(SETTINGS)
    assert "".join(before) == "".join(after) == "".join(str(piece) for piece in pieces)
    assert isinstance(report, WritingReport)
    assert ticket.report is not None
    assert ticket.report.reused_tokens == 0


def test_samples_of_another_vocabulary_or_beyond_the_context_are_refused(trained: Trained) -> None:
    lora = trained.written("refused")
    for tokens in ([1, 2, 999_999], [1] * 5000):
        sample = ParitySample(tuple(tokens), len(tokens) - 1, (-1.0,), (0,))
        with pytest.raises(BadParity):
            measure_parity(trained.engine, lora, [sample])


GOOD = {"tokens": [1, 2, 3, 4], "answer_begins": 2, "label_logprobs": [-0.5, -1.5], "top1": [3, 9]}


@pytest.mark.parametrize("whole", [[GOOD], {"samples": [GOOD], "precision": "bf16"}])
def test_the_file_of_training_is_read(tmp_path: Path, whole: object) -> None:
    (tmp_path / "parity.json").write_text(json.dumps(whole))
    [sample] = read_parity(tmp_path / "parity.json")
    assert sample == ParitySample((1, 2, 3, 4), 2, (-0.5, -1.5), (3, 9))


@pytest.mark.parametrize(
    "bad",
    [
        [], {}, {"samples": []}, [7], [GOOD | {"answer_begins": 0}], [GOOD | {"answer_begins": 4}], [GOOD | {"top1": [3]}],
        [GOOD | {"label_logprobs": [-1.0]}], [GOOD | {"label_logprobs": [math.nan, 0.0]}], [GOOD | {"tokens": [1, -2, 3, 4]}],
        [{k: v for k, v in GOOD.items() if k != "tokens"}],
    ],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, bad: object) -> None:
    (tmp_path / "parity.json").write_text(json.dumps(bad))
    with pytest.raises(BadParity):
        read_parity(tmp_path / "parity.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParity):
        read_parity(tmp_path / "parity.json")


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of a real run of the trainer on a tiny model."""
    folder = tmp_path_factory.mktemp("tuned")
    examples = [Example(f"e{n}", f"질문 {n}?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(8)]
    write_examples(folder / "examples.jsonl", examples)
    settings = TuningSettings(
        rank=4, alpha=8, learning_rate=1e-3, epochs=15, examples_per_step=2, most_tokens=4000, held_out_share=0.3,
        precision="fp32", patience=99, threads=1,
    )  # fmt: skip
    job = TuningJob(
        write_tiny_qwen2(folder / "tiny.gguf"), folder / "examples.jsonl", folder / "bases", settings=settings
    )
    with TuningProcess(folder / "run", job) as process:
        list(process)
        result = process.outcome().result
    assert result is not None
    return result


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_what_the_trainer_leaves_is_what_llamacpp_serves_and_another_alpha_is_not(tuned: Path, factor: float) -> None:
    base = tuned.parents[1] / "tiny.gguf"
    samples = read_parity(tuned / "parity.json")
    lora = tuned / "lora.gguf"
    if factor != 1.0:
        state = load_file(tuned / "lora.safetensors")
        lora = tuned / "scaled.gguf"
        write_lora(lora, BaseWeights.read(base), LoraSettings(4, 8 * factor), pairs_of(state))
    with exact_attention():
        engine = LlamaCppEngine(base, context_tokens=4096, threads=1)
    parity = measure_parity(engine, LoraFile.of(lora), samples)
    engine.close()
    assert parity.tokens > 20
    assert parity.effect > 2 * SETTINGS.parity_noise
    assert parity.holds(SETTINGS) == (factor == 1.0)
    if factor == 1.0:
        assert parity.logprob < 0.01 * parity.effect  # training rounds the base to bf16


def pairs_of(state: dict[str, Any]) -> dict[str, LoraPair]:
    """PEFT's names → matrices."""
    before, a, b = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
    modules = [name.removeprefix(before).removesuffix(a) for name in state if name.endswith(a)]
    return {name: LoraPair(state[before + name + a], state[before + name + b]) for name in modules}
