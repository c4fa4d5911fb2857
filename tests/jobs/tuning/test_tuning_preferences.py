"""Thumbs and corrections: what is learnt from them, how far it may go, and that it can be stopped and resumed like the rest."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from jobs.tuning.checkpoint import Checkpoints
from jobs.tuning.dataset import Sample
from jobs.tuning.lora import put_state
from jobs.tuning.packing import Pack, logits_and_labels
from jobs.tuning.peers import Alone
from jobs.tuning.preference_loss import PreferenceLoss
from jobs.tuning.preference_term import PreferenceTerm
from jobs.tuning.preferences import Kind, Preferred
from jobs.tuning.reference import keep_reference, kept_reference
from jobs.tuning.schedule import Schedule
from jobs.tuning.settings import TuningSettings
from jobs.tuning.surroundings import Surroundings
from jobs.tuning.train import Training
from jobs.tuning.trained import Trained
from tests.fakes.tiny_torch import samples, tiny_qwen2, with_loras

SETTINGS = TuningSettings(
    rank=4, alpha=8, learning_rate=1e-2, epochs=6, examples_per_step=4, tokens_per_pass=100, precision="fp32",
    steps_per_checkpoint=3, patience=99, preference_share=0.5, least_preferences=1,
)  # fmt: skip
LEARNT, HELD_OUT = samples(12), samples(4, seed=7)


def _preferred(kinds: Sequence[Kind]) -> list[Preferred]:
    """Prompts of their own, each with two answers to choose from."""
    wanted, others = samples(len(kinds), seed=20), samples(len(kinds), seed=21)
    found = []
    for number, (kind, up, other) in enumerate(zip(kinds, wanted, others, strict=True)):
        tokens = (*up.tokens[: up.answer_begins], *other.tokens[other.answer_begins :])
        down = Sample(up.id, tokens, up.answer_begins)
        found.append(Preferred(str(number), None if kind == "down" else up, None if kind == "up" else down))
    return found


MIXED = _preferred(["pair", "up", "down", "pair", "down", "up"])


def _training(
    settings: TuningSettings = SETTINGS,
    preferred: Sequence[Preferred] = MIXED,
    folder: Path | None = None,
    **changed: Any,
) -> Training:
    model = tiny_qwen2()
    checkpoints = Checkpoints(folder, "run") if folder else None
    given = {"held_out": HELD_OUT, **changed}
    return Training(model, with_loras(model), settings, LEARNT, preferred=preferred, checkpoints=checkpoints, **given)


def _reader(model: Any) -> Callable[[Pack], tuple[torch.Tensor, torch.Tensor]]:
    return lambda one: logits_and_labels(model, one)


def _ratios(trained: Trained, preferred: Sequence[Preferred]) -> torch.Tensor:
    """r of every answer under the trained matrices, (preferences, 3)."""
    model = tiny_qwen2()
    loras = with_loras(model)
    term = PreferenceTerm(preferred, SETTINGS, _reader(model), Alone())
    term.measure_reference(loras)
    put_state(loras, trained.lora)
    places = range(len(preferred))
    return term._logprobs(places) - term._reference


def _margin(trained: Trained, preferred: Sequence[Preferred]) -> float:
    """Mean r of wanted answers minus mean r of rejected ones."""
    ratios = _ratios(trained, preferred)
    ups = [float(ratios[place, 0]) for place, one in enumerate(preferred) if one.up]
    downs = [float(ratios[place, 1]) for place, one in enumerate(preferred) if one.down]
    return sum(ups) / len(ups) - sum(downs) / len(downs)


# What the formulas say


def test_at_the_start_a_thumb_costs_a_half_and_a_pair_log_two() -> None:
    loss = PreferenceLoss(beta=0.1, most_fall=10.0)
    zero = torch.zeros(1, dtype=torch.float64)
    assert float(loss(["up"], zero, zero, 0.0)) == pytest.approx(0.5)
    assert float(loss(["down"], zero, zero, 0.0)) == pytest.approx(0.5)
    assert float(loss(["pair"], zero, zero, 0.0)) == pytest.approx(math.log(2))


@pytest.mark.parametrize("kind", ["up", "down"])
@pytest.mark.parametrize("ratio", [-1e6, -30.0, 0.0, 30.0, 1e6])
def test_a_thumbs_loss_never_leaves_zero_to_one(kind: Kind, ratio: float) -> None:
    given = torch.full((1,), ratio, dtype=torch.float64)
    assert 0 <= float(PreferenceLoss(beta=0.1, most_fall=10.0)([kind], given, given, 3.0)) <= 1


@pytest.mark.parametrize("kind", ["down", "pair"])
def test_a_rejected_answer_that_fell_far_enough_is_pushed_no_further(kind: Kind) -> None:
    loss = PreferenceLoss(beta=0.1, most_fall=10.0)
    for ratio, pushed in ((-9.9, True), (-10.1, False), (-500.0, False)):
        up, down = torch.zeros(1, requires_grad=True), torch.tensor([ratio], requires_grad=True)
        loss([kind], up, down, 0.0).backward()
        assert down.grad is not None
        assert (float(down.grad) > 0) is pushed


def test_the_side_with_fewer_thumbs_weighs_more_within_bounds() -> None:
    def weights(ups: int, downs: int) -> tuple[float, float]:
        kinds: list[Kind] = [*["up"] * ups, *["down"] * downs]  # type: ignore[list-item]
        loss = PreferenceLoss.of(SETTINGS, kinds)
        return loss.up_weight, loss.down_weight

    assert weights(10, 10) == (1.0, 1.0)
    assert weights(20, 10) == (1.0, 2.0)
    assert weights(10, 30) == (3.0, 1.0)
    assert weights(100, 1) == (1.0, 4.0)
    assert weights(0, 5) == (1.0, 1.0)


# The gradients


@pytest.mark.parametrize("tokens_per_pass", [1, 60, 1000])
def test_gradients_are_those_of_the_whole_loss_at_once_however_it_is_cut_into_passes(tokens_per_pass: int) -> None:
    settings = dataclasses.replace(SETTINGS, tokens_per_pass=tokens_per_pass, preference_weight=0.7)
    model = tiny_qwen2()
    loras = with_loras(model)
    for lora in loras.values():
        torch.nn.init.normal_(lora.lora_b, std=0.05)
    term = PreferenceTerm(MIXED, settings, _reader(model), Alone())
    term.measure_reference(loras)
    places = [0, 1, 2, 4]
    parameters = [parameter for lora in loras.values() for parameter in (lora.lora_a, lora.lora_b)]
    told = term.backward(places)
    found = [parameter.grad.clone() for parameter in parameters]

    def ratio(sample: Sample | None, reference: torch.Tensor) -> torch.Tensor:
        if sample is None:
            return torch.zeros((), dtype=torch.float64)
        logits = model(input_ids=torch.tensor([sample.tokens])).logits[0].log_softmax(-1)
        begins = sample.answer_begins
        chosen = [logits[place - 1, sample.tokens[place]] for place in range(begins, len(sample.tokens))]
        return torch.stack(chosen).double().sum() - reference

    for parameter in parameters:
        parameter.grad = None
    some = [(MIXED[place], term._moved[place], term._reference[place]) for place in places]
    ups, downs = (
        torch.stack([ratio(getattr(one, side), ref[at]) for one, _, ref in some])
        for at, side in enumerate(("up", "down"))
    )
    moved = (
        torch.stack([ratio(other, ref[2]) for _, other, ref in some if other is not None]).mean().clamp(min=0).detach()
    )
    kinds = [one.kind for one, _, _ in some]
    loss = PreferenceLoss.of(settings, [one.kind for one in MIXED])(kinds, ups, downs, moved)
    (0.7 * loss).backward()
    assert told.loss == pytest.approx(float(loss.detach()), rel=1e-5)
    for parameter, gradient in zip(parameters, found, strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=2e-3, atol=1e-6)


def test_the_reference_is_the_base_alone_whatever_the_matrices_are() -> None:
    model = tiny_qwen2()
    loras = with_loras(model)
    term = PreferenceTerm(MIXED, SETTINGS, _reader(model), Alone())
    before = term.measure_reference(loras)
    for lora in loras.values():
        torch.nn.init.normal_(lora.lora_b, std=0.5)
    assert torch.equal(term.measure_reference(loras), before)
    assert not torch.equal(term._logprobs(range(len(MIXED))), before)


# What comes of a run


@pytest.mark.parametrize("kinds", [["pair"] * 4, ["up", "down"] * 3], ids=["corrections", "thumbs"])
def test_wanted_answers_become_likelier_than_rejected_ones_and_examples_are_still_learnt(kinds: list[Kind]) -> None:
    preferred = _preferred(kinds)
    trained = _training(preferred=preferred, held_out=()).run()
    plain = _training(preferred=(), held_out=()).run()
    assert _margin(trained, preferred) > _margin(plain, preferred) + 1.0
    assert trained.progress.losses[-1] < 0.7 * trained.progress.losses[0]
    assert [step for step, *_ in trained.progress.preferences] == list(range(2, trained.steps + 1, 2))


def test_after_very_many_epochs_rejected_answers_lie_near_the_bound_and_the_held_out_loss_has_not_exploded() -> None:
    settings = dataclasses.replace(SETTINGS, epochs=40, preference_most_fall=5.0)
    preferred = _preferred(["pair", "down", "pair", "down", "up"])
    trained = _training(settings, preferred).run()
    plain = _training(settings, ()).run()
    last = [one for one in trained.progress.preferences if one[3] is not None][-5:]
    assert all(down is not None and down > -15.0 for *_, down in last), last
    assert trained.progress.held_out[-1][1] < 1.3 * plain.progress.held_out[-1][1]


def test_a_larger_fall_goes_further() -> None:
    def last(most_fall: float) -> float:
        settings = dataclasses.replace(SETTINGS, epochs=15, preference_most_fall=most_fall)
        trained = _training(settings, _preferred(["down"] * 4)).run()
        return min(down for *_, down in trained.progress.preferences[-6:] if down is not None)

    assert last(30.0) < last(2.0) - 5.0


def _stop_after(passes: int) -> Callable[[], bool]:
    asked = itertools.count()
    return lambda: next(asked) >= passes


@pytest.fixture(scope="module")
def whole() -> Trained:
    """An uninterrupted run."""
    return _training().run()


@pytest.mark.parametrize("passes", [2, 12, 40, 60])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path: Path, passes: int, whole: Trained) -> None:
    assert _training(folder=tmp_path, around=Surroundings(stop=_stop_after(passes))).run().ending == "stopped"
    if passes == 40:  # a reference that was lost is measured again, over matrices that are no longer those of the base
        (tmp_path / "reference.safetensors").unlink()
    resumed = _training(folder=tmp_path).run()
    assert resumed.progress.losses == whole.progress.losses
    assert resumed.progress.held_out == whole.progress.held_out
    assert resumed.progress.preferences == whole.progress.preferences
    assert all(torch.equal(tensor, whole.lora[name]) for name, tensor in resumed.lora.items())


def test_without_a_share_preferences_change_nothing_and_nothing_is_measured(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, preference_share=0.0)
    one, other = _training(settings, folder=tmp_path).run(), _training(settings, ()).run()
    assert one.progress.losses == other.progress.losses
    assert one.progress.preferences == []
    assert not (tmp_path / "reference.safetensors").exists()


# Which are read when


def test_the_share_of_steps_is_kept_and_each_preference_is_read_before_any_is_twice() -> None:
    settings = dataclasses.replace(SETTINGS, preference_share=0.25)
    schedule = Schedule(settings, samples(400), (), preferences=10)
    read = [schedule.preferences(step) for step in range(400)]
    assert sum(map(bool, read)) == 100
    assert [step for step, places in enumerate(read) if places][:3] == [3, 7, 11]
    every = [place for places in read for place in places]
    assert all(sorted(every[at : at + 10]) == list(range(10)) for at in range(0, len(every), 10))
    assert every[:10] != every[10:20]


def test_with_fewer_preferences_than_a_step_takes_none_stands_twice_in_it() -> None:
    schedule = Schedule(SETTINGS, samples(40), (), preferences=3)
    assert all(len(set(places)) == len(places) for step in range(40) if (places := schedule.preferences(step)))


# The kept reference


def test_the_reference_is_believed_only_whole_and_of_this_run(tmp_path: Path) -> None:
    kept = torch.rand(4, 3, dtype=torch.float64)
    assert kept_reference(tmp_path, "run") is None
    keep_reference(tmp_path, "run", kept)
    found = kept_reference(tmp_path, "run")
    assert found is not None
    assert torch.equal(found, kept)
    assert kept_reference(tmp_path, "another") is None
    file = tmp_path / "reference.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert kept_reference(tmp_path, "run") is None
    file.write_bytes(content[:20])
    assert kept_reference(tmp_path, "run") is None
