"""Numbers of a run: impossible ones are refused, and what an earlier version wrote is still understood."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bot.errors import InvalidSetting
from jobs.tuning.job import TuningJob
from jobs.tuning.settings import TuningSettings

BEFORE = {
    "rank": 8, "alpha": 16.0, "learning_rate": 2e-4, "warm_up_share": 0.05, "epochs": 2, "examples_per_step": 4,
    "tokens_per_pass": 1408, "most_tokens": 1536, "held_out_share": 0.1, "replay_share": 0.2, "evaluations_per_epoch": 2,
    "patience": 2, "steps_per_checkpoint": 10, "clip_norm": 1.0, "precision": "auto", "threads": None,
    "budget_seconds": None, "memory_mb": None, "seed": 0,
}  # fmt: skip
"""All keys of the first version."""


def test_a_checkpoint_of_the_first_version_still_belongs_to_its_run() -> None:
    free = ("budget_seconds", "memory_mb", "threads", "steps_per_checkpoint")
    then = {key: value for key, value in BEFORE.items() if key not in free}
    assert TuningSettings.from_json(BEFORE).decides_weights() == then
    assert json.dumps(TuningSettings().decides_weights()) == json.dumps(then)


def test_a_job_of_the_first_version_is_read(tmp_path: Path) -> None:
    raw = {
        "gguf": "/m/a.gguf",
        "examples": "/e.jsonl",
        "cache": "/c",
        "replay": None,
        "template": "gguf",
        "settings": BEFORE,
    }
    (tmp_path / "job.json").write_text(json.dumps(raw))
    assert TuningJob.read(tmp_path / "job.json") == TuningJob(Path("/m/a.gguf"), Path("/e.jsonl"), Path("/c"))


def test_a_job_comes_back_as_it_was_written(tmp_path: Path) -> None:
    settings = TuningSettings(preference_share=0.25, device="cpu", processes=2)
    job = TuningJob(
        tmp_path / "g", tmp_path / "e", tmp_path / "c", "chatml", tmp_path / "r", tmp_path / "p", settings=settings
    )
    job.write(tmp_path / "job.json")
    assert TuningJob.read(tmp_path / "job.json") == job


@pytest.mark.parametrize(
    "changed", [{"device": "cpu"}, {"recompute": "always"}, {"processes": 2}, {"threads": 1}, {"preference_beta": 0.5}]
)
def test_what_changes_no_weight_lets_a_run_go_on(changed: dict[str, object]) -> None:
    settings = dataclasses.replace(TuningSettings(), **changed)  # type: ignore[arg-type]
    assert settings.decides_weights() == TuningSettings().decides_weights()


@pytest.mark.parametrize(
    "changed",
    [{"rank": 4}, {"quantise": "4bit"}, {"preference_share": 0.1}, {"preference_share": 0.2, "preference_beta": 0.5}],
)
def test_what_changes_weights_does_not(changed: dict[str, object]) -> None:
    one = dataclasses.replace(TuningSettings(), **changed)  # type: ignore[arg-type]
    assert one.decides_weights() != TuningSettings().decides_weights()
    with_preferences = dataclasses.replace(TuningSettings(), preference_share=0.2)
    if "preference_beta" in changed:
        assert one.decides_weights() != with_preferences.decides_weights()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("device", "tpu"), ("quantise", "8bit"), ("recompute", "yes"), ("processes", 0), ("preference_share", 0.6),
        ("preference_share", -0.1), ("preference_beta", 0.0), ("preference_most_fall", float("inf")), ("least_preferences", 0),
        ("precision", "fp16"), ("rank", 0), ("held_out_share", 0.9),
    ],
)  # fmt: skip
def test_impossible_numbers_are_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(InvalidSetting) as caught:
        TuningSettings.from_json({key: value})
    assert caught.value.details["key"] == f"tuning.{key}"


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(InvalidSetting):
        TuningSettings.from_json({"ranks": 8})
