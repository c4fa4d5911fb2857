"""What a job's files hold, split and encoded: learnt, held out, replayed, preferred. No torch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import prompts
from bot.errors import InvalidSetting, NothingToLearn
from jobs.tuning import dataset
from jobs.tuning.base import PreparedBase
from jobs.tuning.dataset import Example, Sample, TooLong
from jobs.tuning.job import TuningJob
from jobs.tuning.preferences import Preference, Preferred, apart_from, encode_preferences, load_preferences
from jobs.tuning.served_tokens import ServedTokens
from jobs.tuning.settings import TuningSettings

_PARITY_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Material:
    """All that one run reads."""

    sets: dict[str, list[Example]]
    """`learnt`, `held_out`, `replay`."""
    samples: dict[str, tuple[Sample, ...]]
    """The same as tokens, without what was too long."""
    too_long: tuple[TooLong, ...]
    preferences: list[Preference]
    preferred: tuple[Preferred, ...]
    """As tokens; empty when the job does not learn from them, or has too few."""

    @property
    def for_parity(self) -> tuple[Sample, ...]:
        """Up to eight to compare servers on: held-out ones, or learnt ones if there are none."""
        return (self.samples["held_out"] or self.samples["learnt"])[:_PARITY_SAMPLES]

    def counts(self) -> dict[str, int]:
        """Samples of each set, and preferences by kind if there are any."""
        counts = {name: len(samples) for name, samples in self.samples.items()}
        return counts | {f"preferred_{kind}": n for kind, n in Counter(one.kind for one in self.preferred).items()}

    def check(self, most_tokens: int) -> None:
        """Raises `NothingToLearn` when every example to learn is longer than that."""
        if not self.samples["learnt"]:
            examples = sum(len(examples) for examples in self.sets.values())
            raise NothingToLearn(
                reason=f"{len(self.too_long)} of {examples} examples are longer than {most_tokens} tokens"
            )

    def run_name(self, job: TuningJob, base: PreparedBase) -> str:
        """What a checkpoint must agree with to be gone on from."""
        parts: dict[str, object] = {
            "base": base.sha256,
            "template": job.template,
            "prompt": prompts.version(),  # it is in every sample: after an update half of them would be read in another one
            "settings": job.settings.decides_weights(),
        }
        parts |= {name: dataset.fingerprint(examples) for name, examples in self.sets.items()}
        if self.preferred:
            parts["preferences"] = fingerprint(self.preferences)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def gather(job: TuningJob) -> Material:
    """Raises `BadExamples`, `BrokenModel` or `UntunableBase`."""
    settings = job.settings
    sets = _sets(job)
    preferences = _preferences(job, sets["held_out"])
    with ServedTokens(job.gguf, template=job.template) as tokens:
        encoded = {name: dataset.encode(some, tokens, settings.most_tokens) for name, some in sets.items()}
        preferred = _enough(encode_preferences(preferences, tokens, settings.most_tokens), settings.least_preferences)
    too_long = tuple(one for _, left_out in encoded.values() for one in left_out)
    samples = {name: some for name, (some, _) in encoded.items()}
    return Material(sets, samples, too_long, preferences, preferred)


def is_of(card: Mapping[str, Any], job: TuningJob, base: str) -> bool:
    """Whether the result with this card is what `job` would give today over the base with this SHA-256, as `Material.run_name` says it of
    checkpoints. Raises `BadExamples`."""
    try:
        settings = TuningSettings.from_json(card["settings"])
        made_of = {name: card["examples"][name]["sha256"] for name in card["examples"]}
        same = (card["prompt"], card["base"]["sha256"]) == (prompts.version(), base)
    except (KeyError, TypeError, InvalidSetting):  # of another version
        return False
    if not same or settings.decides_weights() != job.settings.decides_weights():
        return False
    return made_of == {name: dataset.fingerprint(examples) for name, examples in _sets(job).items()}


def learns_preferences(job: TuningJob) -> bool:
    """Whether `gather` would find any: enough are left of those that are not too long and whose passages are not held out.

    Raises as `gather`.
    """
    preferences = _preferences(job, _split(job)[1])
    if not preferences:
        return False
    with ServedTokens(job.gguf, template=job.template) as tokens:
        found = encode_preferences(preferences, tokens, job.settings.most_tokens)
    return bool(_enough(found, job.settings.least_preferences))


def _sets(job: TuningJob) -> dict[str, list[Example]]:
    learnt, held_out = _split(job)
    return {"learnt": learnt, "held_out": held_out, "replay": apart_from(_replay(job.replay), held_out)}


def _split(job: TuningJob) -> tuple[list[Example], list[Example]]:
    examples = dataset.load_examples(job.examples)
    return dataset.split_by_passage(examples, job.settings.held_out_share, job.settings.seed)


def _preferences(job: TuningJob, held_out: Sequence[Example]) -> list[Preference]:
    if job.preferences is None or job.settings.preference_share <= 0:
        return []
    return apart_from(load_preferences(job.preferences), held_out)


def _enough(preferred: tuple[Preferred, ...], least: int) -> tuple[Preferred, ...]:
    """None of them where too few reject anything."""
    return preferred if sum(one.kind != "up" for one in preferred) >= least else ()


def fingerprint(preferences: Sequence[Preference]) -> str:
    """SHA-256 over every word, in order."""
    lines = (json.dumps(one.as_json(), ensure_ascii=False, sort_keys=True).encode() + b"\n" for one in preferences)
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _replay(path: Path | None) -> list[Example]:
    """Of a file, or of every `.jsonl` of a folder, by name."""
    if path is None:
        return []
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return [example for file in files for example in dataset.load_examples(file)]
