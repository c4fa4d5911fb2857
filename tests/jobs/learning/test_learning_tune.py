"""What the job that tunes asks of a finished training, and what becomes of it when something goes wrong around it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import prompts
from bot.commands import job_texts
from bot.errors import BrokenLora, NotEnoughDisk, ShelfNotWritable, StoreError, TuningFailed, TuningOutOfMemory
from bot.store.database import Store
from bot.store.job_rows import Run
from jobs.learning import leftovers
from jobs.learning import tune as module
from jobs.learning.material import LearningSet
from jobs.learning.parts import ServedBase
from jobs.learning.tune import TUNE, _demand_its_scale
from jobs.registry import Registry
from jobs.runner import Runner, RunnerOptions
from jobs.tuning.dataset import Example, fingerprint, load_examples, split_by_passage, write_examples
from jobs.tuning.job import TuningJob
from jobs.tuning.preferences import Preference
from jobs.tuning.run import TuningOutcome
from jobs.tuning.settings import TuningSettings
from tests.fakes.lora_folders import sha256, write_result
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


class Workplace:
    """The real job in the real runner, over a training that is told how it ends and a shelf that is told what to raise."""

    def __init__(self, store: Store, base: Path, folder: Path) -> None:
        self.refuses: Exception | None = None
        self.stops = False
        self.learnt: list[str] = []
        """Answers of the last training."""
        self.settings: list[TuningSettings] = []
        """Of each training."""
        self.told: list[Mapping[str, Any]] = []
        self.base = base
        self.training = TuningSettings()
        self._store = store
        self._folder = folder
        releases = SimpleNamespace(store=store, take_in=self._take_in)
        learning = SimpleNamespace(
            options=SimpleNamespace(least_examples=1, replay=None),
            base=lambda: ServedBase(self.base.stem, self.base, sha256(self.base), "gguf"),
            workbench=lambda: nullcontext(None),
            file_bench=lambda: nullcontext(None),
            releases=lambda: nullcontext(releases),
            bases=folder / "bases",
        )

        def parts() -> SimpleNamespace:
            learning.options.training = self.training
            return learning

        spec = module.job(SimpleNamespace(learning=parts))  # type: ignore[arg-type]
        registry = Registry([spec])
        options = RunnerOptions("me", folder / "jobs", 60.0, language="en")
        self._runner = Runner(store, registry, registry.rules(60.0), options)

    def run(self, *files: Path) -> Run:
        """Asked for by a person, then looked after as every night. `files`: of examples."""
        given = {"examples": [str(file) for file in files]} if files else None
        found = self._runner.run(TUNE, asked_by="kim", arguments=given, tell=self.told.append)
        assert found is not None
        leftovers.tidy(self._store, self._folder / "jobs", [found])
        return found

    def train(self, folder: Path, job: TuningJob, **_: object) -> Any:
        """In place of `TuningProcess`."""
        self.settings.append(job.settings)
        self.learnt = [one.answer for one in load_examples(job.examples)]
        if self.stops:
            return nullcontext(_Silent(TuningOutcome("stopped", None)))
        shutil.rmtree(folder / "result", ignore_errors=True)
        result = write_result(folder / "result", self.base)
        card = json.loads((result / "lora.json").read_text(encoding="utf-8"))
        card["settings"] = job.settings.as_json()
        sets = zip(("learnt", "held_out"), split_by_passage(load_examples(job.examples), 0.1, 0), strict=True)
        card["examples"] = {name: {"sha256": fingerprint(some)} for name, some in (*sets, ("replay", []))}
        (result / "lora.json").write_text(json.dumps(card), encoding="utf-8")
        return nullcontext(_Silent(TuningOutcome("finished", result)))

    def _take_in(self, trained: Path, learnt: list[str], *, run: str) -> Any:
        if self.refuses is not None:
            raise self.refuses
        return SimpleNamespace(name="tiny-1", card=json.loads((trained / "lora.json").read_text(encoding="utf-8")))


class _Silent:
    """A training that says nothing until it ends."""

    def __init__(self, outcome: TuningOutcome) -> None:
        self.outcome = lambda: outcome

    def __iter__(self) -> Iterator[dict[str, object]]:
        return iter(())


@pytest.fixture
def workplace(store: Store, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    made = Workplace(store, base, tmp_path)
    examples = tuple(Example(f"e{n}", f"질문 {n}?", (f"문서 {n}",), f"{n}일 [1].") for n in range(3))
    monkeypatch.setattr(module, "of_store", lambda bench: LearningSet(examples))
    monkeypatch.setattr(module, "of_files", lambda files, bench: LearningSet(tuple(load_examples(*files))))
    monkeypatch.setattr(module, "TuningProcess", made.train)
    monkeypatch.setattr(leftovers, "any_gone", lambda connection, ids: False)
    return made


REFUSALS = {
    "the shelf's folder": ShelfNotWritable(path="/loras", reason="Permission denied"),
    "the store": StoreError(where="db", reason="the connection was closed"),
    "room for the base": NotEnoughDisk(name="tiny", needed_mb=9, free_mb=1, path="/bases"),
    "the disk": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/jobs/made.json"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_is_refused_after_the_last_step_costs_no_second_training(workplace: Workplace, what: str) -> None:
    workplace.refuses = REFUSALS[what]
    stopped = workplace.run()
    assert stopped.state == "stopped", stopped.error
    if isinstance(workplace.refuses, OSError):
        assert "/jobs/made.json (No space left on device)" in stopped.error
    workplace.refuses = None
    done = workplace.run()
    assert (done.id, done.state, done.result["loras"]) == (stopped.id, "done", ["tiny-1"])
    assert len(workplace.settings) == 1


def _other_settings(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    workplace.training = TuningSettings(alpha=12.8)


def _other_base(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    workplace.base = write_tiny_qwen2(workplace.base.with_name("other.gguf"), seed=8)


def _other_prompt(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "version", lambda: "ko-next")


def _more_time(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    workplace.training = TuningSettings(budget_seconds=60.0)


@pytest.mark.parametrize(
    ("change", "trainings"), [(_other_settings, 2), (_other_base, 2), (_other_prompt, 2), (_more_time, 1)]
)
def test_what_was_trained_with_other_settings_base_or_prompt_is_trained_anew(
    workplace: Workplace,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Workplace, pytest.MonkeyPatch], None],
    trainings: int,
) -> None:
    workplace.refuses = ShelfNotWritable(path="/loras", reason="Permission denied")
    assert workplace.run().state == "stopped"
    workplace.refuses = None
    change(workplace, monkeypatch)
    assert workplace.run().state == "done"
    assert len(workplace.settings) == trainings


@pytest.mark.parametrize(
    "error", [TuningFailed(reason="exit status -9"), TuningOutOfMemory(used_mb=9, limit_mb=8)], ids=["killed", "memory"]
)
def test_that_it_goes_on_is_said_as_long_as_it_does(workplace: Workplace, error: Exception) -> None:
    workplace.refuses = error
    ended = [workplace.run() for _ in range(4)]
    assert [one.id == ended[0].id for one in ended] == [True, True, True, False]
    said = [(job_texts.ended(one, "ko"), job_texts.ended(one, "en")) for one in ended]
    assert [("이어" in korean, "go on" in english or "goes on" in english) for korean, english in said] == [
        (True, True), (True, True), (False, False), (True, True),
    ]  # fmt: skip


def _file(path: Path, answer: str) -> Path:
    write_examples(path, [Example("e", "질문?", ("문서",), answer)])
    return path


def test_a_file_that_was_corrected_meanwhile_is_learnt_as_it_is_now_and_that_is_said(
    workplace: Workplace, tmp_path: Path
) -> None:
    own = _file(tmp_path / "own.jsonl", "3일 [1].")
    workplace.stops = True
    first = workplace.run(own)
    again = workplace.run(own)
    assert (again.id, again.state, workplace.learnt) == (first.id, "stopped", ["3일 [1]."])
    assert workplace.told == []
    workplace.stops = False
    done = workplace.run(_file(own, "5일 [1]."))
    assert (done.id, done.state, workplace.learnt) == (first.id, "done", ["5일 [1]."])
    assert workplace.told == [{"event": "examples_changed", "too_late": False}]


def test_a_file_that_is_gone_meanwhile_changes_nothing(workplace: Workplace, tmp_path: Path) -> None:
    own = _file(tmp_path / "own.jsonl", "3일 [1].")
    workplace.stops = True
    workplace.run(own)
    own.unlink()
    workplace.stops = False
    assert workplace.run(own).state == "done"
    assert (workplace.learnt, workplace.told) == (["3일 [1]."], [])


def test_a_file_that_was_corrected_after_the_training_is_said_to_wait(workplace: Workplace, tmp_path: Path) -> None:
    own = _file(tmp_path / "own.jsonl", "3일 [1].")
    workplace.refuses = ShelfNotWritable(path="/loras", reason="Permission denied")
    workplace.run(own)
    workplace.refuses = None
    done = workplace.run(_file(own, "5일 [1]."))
    assert (done.state, len(workplace.settings), workplace.learnt) == ("done", 1, ["3일 [1]."])
    assert workplace.told == [{"event": "examples_changed", "too_late": True}]
    assert sorted(one.name for one in (tmp_path / "jobs" / done.id).iterdir()) == ["log.jsonl", "made.json"]


def test_each_of_two_trainings_has_the_whole_budget_so_that_the_gate_compares_alike(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "learns_preferences", lambda job: True)
    down = Preference("e1", "질문 1?", ("문서 1",), rejected="모릅니다.")
    examples = (Example("e0", "질문 0?", ("문서 0",), "0일 [1]."),)
    monkeypatch.setattr(module, "of_store", lambda bench: LearningSet(examples, (down,)))
    workplace.training = TuningSettings(preference_share=0.2, budget_seconds=60.0)
    assert workplace.run().state == "done"
    assert [(one.preference_share, one.budget_seconds) for one in workplace.settings] == [(0.0, 60.0), (0.2, 60.0)]
