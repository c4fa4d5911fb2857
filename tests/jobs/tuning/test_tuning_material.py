"""What a job reads: its sets, the starter examples against forgetting, and the name that its checkpoints carry."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

from bot import prompts
from hatch_build import CARRIED
from jobs.tuning import dataset
from jobs.tuning.base import PreparedBase
from jobs.tuning.dataset import Example, write_examples
from jobs.tuning.job import TuningJob
from jobs.tuning.material import gather, is_of, learns_preferences
from jobs.tuning.preferences import Preference, write_preferences
from jobs.tuning.replay import STARTER_EXAMPLES
from jobs.tuning.settings import TuningSettings
from tests.fakes.tiny_gguf import write_tiny_qwen2

SETTINGS = TuningSettings(most_tokens=6000, held_out_share=0.25, least_preferences=2)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TuningJob:
    folder = tmp_path_factory.mktemp("material")
    examples = [Example(f"e{n}", f"질문 {n}?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(8)]
    write_examples(folder / "examples.jsonl", examples)
    return TuningJob(
        write_tiny_qwen2(folder / "tiny.gguf"), folder / "examples.jsonl", folder / "bases", settings=SETTINGS
    )


def test_the_starter_examples_can_be_replayed_by_any_company(job: TuningJob) -> None:
    few = dataclasses.replace(job, replay=STARTER_EXAMPLES, settings=dataclasses.replace(SETTINGS, most_tokens=3000))
    material = gather(few)
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in STARTER_EXAMPLES.glob("*.jsonl"))
    assert len(material.sets["replay"]) == lines >= 400
    # A token of this tiny model is a byte or two, so that the longest are left out.
    assert len(material.samples["replay"]) > 100


def test_what_is_held_out_is_not_replayed(job: TuningJob) -> None:
    material = gather(dataclasses.replace(job, replay=job.examples))
    held_out = {example.id for example in material.sets["held_out"]}
    assert held_out
    assert {example.id for example in material.sets["replay"]} == {f"e{n}" for n in range(8)} - held_out


def test_the_wheel_carries_them() -> None:
    root = Path(__file__).parents[3]
    assert STARTER_EXAMPLES.is_relative_to(root / "examples")
    assert CARRIED["examples"] == "saseo/_rooms/examples"
    assert CARRIED["jobs"] == "saseo/_rooms/jobs"  # where replay.py looks two rooms up


def test_checkpoints_carry_a_name_that_anyone_can_compute(job: TuningJob) -> None:
    base = PreparedBase("tiny", "f" * 64, Path("/nowhere"))
    material = gather(job)
    parts: dict[str, object] = {"base": base.sha256, "template": "gguf", "settings": SETTINGS.decides_weights()}
    parts["prompt"] = prompts.version()
    parts |= {name: dataset.fingerprint(material.sets[name]) for name in ("learnt", "held_out", "replay")}
    assert material.run_name(job, base) == hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def test_checkpoints_of_another_prompt_have_another_name(job: TuningJob, monkeypatch: pytest.MonkeyPatch) -> None:
    base = PreparedBase("tiny", "f" * 64, Path("/nowhere"))
    before = gather(job).run_name(job, base)
    monkeypatch.setattr(prompts, "version", lambda: "ko-next")
    assert gather(job).run_name(job, base) != before


def test_a_result_is_of_a_job_as_long_as_a_checkpoint_would_be_gone_on_from(job: TuningJob, tmp_path: Path) -> None:
    sets = gather(job).sets
    card = {
        "base": {"sha256": "f" * 64},
        "prompt": prompts.version(),
        "settings": SETTINGS.as_json(),
        "examples": {name: {"sha256": dataset.fingerprint(many)} for name, many in sets.items()},
    }
    card = json.loads(json.dumps(card))
    assert is_of(card, job, "f" * 64)
    assert is_of(card, dataclasses.replace(job, settings=dataclasses.replace(SETTINGS, budget_seconds=1.0)), "f" * 64)
    assert not is_of(card, dataclasses.replace(job, settings=dataclasses.replace(SETTINGS, rank=4)), "f" * 64)
    assert not is_of(card, dataclasses.replace(job, replay=job.examples), "f" * 64)
    assert not is_of(card, job, "e" * 64)
    assert not is_of(card | {"prompt": "ko-0"}, job, "f" * 64)
    assert not is_of(card | {"settings": {"of_a_newer_version": 1}}, job, "f" * 64)
    fewer = tmp_path / "fewer.jsonl"
    write_examples(fewer, sets["learnt"])
    assert not is_of(card, dataclasses.replace(job, examples=fewer), "f" * 64)
    del card["settings"]
    assert not is_of(card, job, "f" * 64)


def test_preferences_are_read_when_they_are_wanted_enough_and_new(job: TuningJob, tmp_path: Path) -> None:
    held_out = gather(job).sets["held_out"][0]
    some = [
        Preference("d", "물음?", ("글",), rejected="아닙니다."),
        Preference("p", "물음?", ("글",), "맞습니다.", "틀립니다."),
        Preference("u", "물음?", ("글",), "맞습니다."),
        Preference("h", held_out.question, held_out.passages, rejected="아닙니다."),
    ]
    write_preferences(tmp_path / "p.jsonl", some)

    def kinds(**settings: float) -> list[str]:
        changed = dataclasses.replace(job.settings, **settings)  # type: ignore[arg-type]
        given = dataclasses.replace(job, preferences=tmp_path / "p.jsonl", settings=changed)
        found = [one.kind for one in gather(given).preferred]
        assert learns_preferences(given) == bool(found)
        return found

    assert kinds() == []
    assert kinds(preference_share=0.2) == ["down", "pair", "up"]  # the one about a held-out passage is not among them
    assert kinds(preference_share=0.2, most_tokens=2) == []  # all are too long
    assert kinds(preference_share=0.2, least_preferences=3) == []  # a thumb up counts for nothing here


def test_preferences_change_the_name_only_when_they_are_used(job: TuningJob, tmp_path: Path) -> None:
    base = PreparedBase("tiny", "f" * 64, Path("/nowhere"))
    write_preferences(tmp_path / "p.jsonl", [Preference(f"d{n}", "물음?", ("글",), rejected=f"{n}.") for n in range(2)])
    plain = gather(job).run_name(job, base)
    unused = dataclasses.replace(job, preferences=tmp_path / "p.jsonl")
    used = dataclasses.replace(unused, settings=dataclasses.replace(SETTINGS, preference_share=0.2))
    assert gather(unused).run_name(unused, base) == plain
    assert gather(used).run_name(used, base) != plain
