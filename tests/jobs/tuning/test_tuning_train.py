"""The loop on tiny random models: it learns, leaves the base alone, stops in every way it should, and resumes exactly."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.errors import NothingToLearn, TuningDiverged, TuningOutOfMemory, UntunableBase
from jobs.tuning.checkpoint import Checkpoint, Checkpoints, Progress
from jobs.tuning.lora import attach, state_of
from jobs.tuning.precision import faster_precision
from jobs.tuning.schedule import learning_rate
from jobs.tuning.settings import TuningSettings
from jobs.tuning.surroundings import Surroundings
from jobs.tuning.train import Training
from jobs.tuning.trained import Trained
from tests.fakes.tiny_torch import TINY, samples, tiny_qwen2, with_loras

SETTINGS = TuningSettings(
    rank=4, alpha=8, learning_rate=2e-2, epochs=4, examples_per_step=4, tokens_per_pass=100, precision="fp32",
    steps_per_checkpoint=3, patience=99, replay_share=0.25,
)  # fmt: skip
LEARNT, HELD_OUT, REPLAY = samples(12), samples(4, seed=7), samples(6, seed=8)


def _training(
    folder: Path | None = None, settings: TuningSettings = SETTINGS, model: Any = None, **changed: Any
) -> Training:
    model = model or tiny_qwen2()
    given = {"held_out": HELD_OUT, "replay": REPLAY, **changed}
    checkpoints = Checkpoints(folder, "run") if folder else None
    return Training(model, with_loras(model), settings, LEARNT, checkpoints=checkpoints, **given)


@pytest.fixture(scope="module")
def whole() -> Trained:
    """An uninterrupted run."""
    trained = _training().run()
    assert trained.ending == "finished"
    return trained


def _stop_after(passes: int) -> Callable[[], bool]:
    asked = itertools.count()
    return lambda: next(asked) >= passes


def _same(one: Trained, other: Trained) -> None:
    assert one.lora.keys() == other.lora.keys()
    for name, tensor in one.lora.items():
        assert torch.equal(tensor, other.lora[name]), name
    assert one.progress.losses == other.progress.losses
    assert one.progress.held_out == other.progress.held_out


@pytest.mark.parametrize("architecture", TINY)
def test_it_learns_what_can_be_memorised_and_leaves_the_base_bit_identical(architecture: str) -> None:
    model = TINY[architecture]()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    settings = dataclasses.replace(SETTINGS, epochs=12)
    trained = _training(settings=settings, model=model, held_out=(), replay=()).run()
    assert trained.ending == "finished"
    assert trained.progress.losses[-1] < 0.5 * trained.progress.losses[0]
    after = {name.replace(".base.", "."): tensor for name, tensor in model.state_dict().items() if ".lora_" not in name}
    assert after.keys() == before.keys()
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor), name


def test_before_the_first_step_the_model_answers_as_the_base() -> None:
    model = tiny_qwen2()
    tokens = torch.tensor([LEARNT[0].tokens])
    with torch.inference_mode():
        plain = model(input_ids=tokens).logits
        with_loras(model)
        assert torch.equal(model(input_ids=tokens).logits, plain)


@pytest.mark.parametrize("passes", [0, 1, 2, 7, 15, 24])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path: Path, passes: int, whole: Trained) -> None:
    first = _training(tmp_path, around=Surroundings(stop=_stop_after(passes))).run()
    assert first.ending == "stopped"
    assert first.progress.step < whole.progress.step
    _same(_training(tmp_path).run(), whole)


def test_a_run_that_died_without_saving_goes_on_from_its_last_checkpoint(tmp_path: Path, whole: Trained) -> None:
    class Died(Exception):
        pass

    def die() -> bool:
        if next(asked) == 22:
            raise Died
        return False

    asked = itertools.count()
    with pytest.raises(Died):
        _training(tmp_path, around=Surroundings(stop=die)).run()
    begun: list[dict[str, object]] = []
    resumed = _training(tmp_path, around=Surroundings(tell=begun.append)).run()
    assert begun[0]["event"] == "training"
    assert isinstance(begun[0]["done"], int)
    assert begun[0]["done"] > 0
    _same(resumed, whole)


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    whole = _training(tmp_path).run()
    lines: list[dict[str, object]] = []
    again = _training(tmp_path, around=Surroundings(tell=lines.append)).run()
    assert [line["event"] for line in lines] == ["training"]
    _same(again, whole)


@pytest.mark.parametrize("harm", ["cut", "flip", "record", "gone"])
def test_a_broken_checkpoint_is_passed_over(tmp_path: Path, harm: str) -> None:
    whole = _training(tmp_path).run()
    newest = max(tmp_path.glob("*.safetensors"))
    older = min(tmp_path.glob("*.json"))
    if harm == "cut":
        newest.write_bytes(newest.read_bytes()[:-9])
    elif harm == "flip":
        content = bytearray(newest.read_bytes())
        content[-1] ^= 1
        newest.write_bytes(content)
    elif harm == "record":
        newest.with_suffix(".json").write_text('{"run": ')
    else:
        newest.unlink()
    lines: list[dict[str, object]] = []
    resumed = _training(tmp_path, around=Surroundings(tell=lines.append)).run()
    assert lines[0]["done"] == int(older.stem.removeprefix("step-"))
    _same(resumed, whole)


def test_checkpoints_of_another_run_are_not_read(tmp_path: Path) -> None:
    _training(tmp_path).run()
    assert Checkpoints(tmp_path, "run").latest() is not None
    assert Checkpoints(tmp_path, "another").latest() is None


def test_a_checkpoint_of_the_first_version_is_gone_on_from(tmp_path: Path, whole: Trained) -> None:
    _training(tmp_path, around=Surroundings(stop=_stop_after(15))).run()
    for record in tmp_path.glob("*.json"):
        described = json.loads(record.read_text())
        del described["progress"]["preferences"]  # came later
        record.write_text(json.dumps(described))
    lines: list[dict[str, object]] = []
    resumed = _training(tmp_path, around=Surroundings(tell=lines.append)).run()
    assert lines[0]["done"] != 0
    _same(resumed, whole)


def test_only_the_latest_two_checkpoints_are_kept_and_nothing_half_written(tmp_path: Path) -> None:
    _training(tmp_path).run()
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert sorted({path.suffix for path in tmp_path.iterdir()}) == [".json", ".safetensors"]


def test_the_checkpoints_of_another_run_go_before_those_of_this_one(tmp_path: Path) -> None:
    for run, step in (("another", 370), ("another", 380), ("run", 10), ("run", 20), ("run", 30)):
        checkpoints = Checkpoints(tmp_path, run)
        checkpoints.save(Checkpoint(Progress(step=step), {"a": torch.zeros(1)}, {}, {}))
        found = checkpoints.latest()
        assert found is not None
        assert found.progress.step == step
    assert sorted(one.stem for one in tmp_path.glob("*.json")) == ["step-00000020", "step-00000030"]


def test_no_number_ends_the_run_with_a_sentence_and_the_checkpoints_stay(tmp_path: Path) -> None:
    _training(tmp_path, around=Surroundings(stop=_stop_after(20))).run()
    kept = sorted(path.name for path in tmp_path.iterdir())
    training = _training(tmp_path)
    real = training._loss
    training._loss = lambda one: real(one) * float("nan")  # type: ignore[method-assign]
    with pytest.raises(TuningDiverged) as caught:
        training.run()
    assert "learning_rate" in caught.value.explain("ko")
    assert sorted(path.name for path in tmp_path.iterdir()) == kept


def test_it_ends_early_when_the_held_out_loss_gets_no_better_and_gives_the_best(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, epochs=30, patience=2)
    trained = _training(tmp_path, settings).run()
    assert trained.ending == "early"
    assert trained.progress.step < trained.steps
    losses = dict(trained.progress.held_out)
    assert trained.progress.best_loss == min(losses.values()) == losses[trained.progress.best_step]
    assert trained.progress.best_step < trained.progress.step
    # The matrices are those of the best step: the held-out loss comes out again.
    again = _training()
    for name, parameter in again._parameters.items():
        parameter.data.copy_(trained.lora[name])
    again._progress.precision = "fp32"
    again._evaluate()
    assert again._progress.best_loss == pytest.approx(trained.progress.best_loss, rel=1e-6)


def test_a_run_whose_best_is_where_it_began_says_that_it_changes_nothing(whole: Trained) -> None:
    # Steps so small that the held-out loss stays as it is to the last digit.
    trained = _training(settings=dataclasses.replace(SETTINGS, learning_rate=1e-30, epochs=1)).run()
    assert trained.progress.step > 0
    assert trained.progress.best_step == 0
    assert trained.changes_nothing
    assert not whole.changes_nothing
    assert not _training(settings=SETTINGS, held_out=()).run().changes_nothing


def test_the_budget_of_time_is_kept_and_something_comes_of_it() -> None:
    now = itertools.count()  # each look at the clock is a second later: a step and an evaluation last one second each
    settings = dataclasses.replace(SETTINGS, budget_seconds=9.0)
    trained = _training(settings=settings, around=Surroundings(clock=lambda: float(next(now)))).run()
    assert trained.ending == "budget"
    assert 0 < trained.progress.step < trained.steps
    assert trained.progress.seconds <= 9.0
    assert trained.progress.held_out[-1][0] == trained.progress.step


def test_above_the_limit_of_memory_it_saves_and_says_so(tmp_path: Path) -> None:
    used = iter([100.0] * 6)
    around = Surroundings(memory_mb=lambda: next(used, 900.0))
    with pytest.raises(TuningOutOfMemory) as caught:
        _training(tmp_path, dataclasses.replace(SETTINGS, memory_mb=500), around=around).run()
    assert caught.value.details == {"used_mb": 900, "limit_mb": 500}
    found = Checkpoints(tmp_path, "run").latest()
    assert found is not None
    assert found.progress.step >= 1


def test_every_epoch_reads_each_example_once_and_its_share_of_the_replay_set() -> None:
    training = _training()
    per_epoch = training.steps // SETTINGS.epochs
    read = [sample for step in range(per_epoch) for sample in training._schedule.samples(step)]
    assert sorted(s.tokens for s in read if s in LEARNT) == sorted(s.tokens for s in LEARNT)
    assert len([s for s in read if s in REPLAY]) == 4  # a quarter of sixteen
    second = [sample for step in range(per_epoch, 2 * per_epoch) for sample in training._schedule.samples(step)]
    assert [s.tokens for s in second] != [s.tokens for s in read]


def test_progress_is_told_step_by_step() -> None:
    lines: list[dict[str, object]] = []
    trained = _training(around=Surroundings(tell=lines.append)).run()
    steps = [line for line in lines if line["event"] == "step"]
    assert [line["step"] for line in steps] == list(range(1, trained.steps + 1))
    assert steps[-1]["seconds_left"] == 0
    assert {"loss", "examples_per_second", "epoch", "memory_mb"} <= steps[0].keys()
    assert [line["loss"] for line in lines if line["event"] == "held_out"]


def test_bf16_learns_too_and_keeps_its_matrices_in_float32() -> None:
    settings = dataclasses.replace(SETTINGS, precision="bf16", epochs=12)
    trained = _training(settings=settings, held_out=(), replay=()).run()
    assert trained.progress.losses[-1] < 0.6 * trained.progress.losses[0]
    assert {tensor.dtype for tensor in trained.lora.values()} == {torch.float32}


def test_the_precision_is_what_is_faster() -> None:
    lora = next(iter(with_loras(tiny_qwen2()).values()))

    def clock(times: list[float]) -> Callable[[], float]:
        ticks = iter(times)
        return lambda: next(ticks)

    slow, fast = [0, 9, 10, 14, 20, 24], [30, 39, 40, 41, 50, 51]
    assert faster_precision(lora, 8, clock=clock([*map(float, fast), *map(float, slow)])) == "bf16"
    assert faster_precision(lora, 8, clock=clock([*map(float, slow), *map(float, fast)])) == "fp32"
    assert faster_precision(lora, 8) in ("bf16", "fp32")


def test_the_learning_rate_warms_up_and_falls_to_a_tenth() -> None:
    settings = TuningSettings(learning_rate=1.0, warm_up_share=0.1)
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert max(rates) == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


def test_without_examples_or_layers_there_is_nothing_to_do() -> None:
    model = tiny_qwen2()
    with pytest.raises(UntunableBase):
        attach(model, lambda name: False, rank=4, alpha=8, seed=0)
    with pytest.raises(NothingToLearn):
        Training(model, with_loras(model), SETTINGS, [])


def test_the_same_seed_begins_alike_and_another_does_not() -> None:
    one, two, other = (state_of(with_loras(tiny_qwen2(), seed=seed)) for seed in (3, 3, 4))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
