"""A console page of models: a shelf with three small LoRAs, verdicts of the real gate, and what a process answers with."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from bot import prompts
from bot.errors import ModelMissing
from bot.live import Live
from bot.loras.shelf import LoraShelf
from bot.releases.choosing import Choosing, released
from bot.releases.releases import Releases
from bot.store import jobs as runs
from bot.store import loras
from bot.store.database import Store
from bot.store.job_rows import Run
from bot.store.loras import Evaluation
from bot.web.page import Page
from bot.web.pages.models import Base, ModelsParts, models
from jobs.gate.shown import shown
from jobs.gate.verdict import Verdict, Who
from jobs.tuning.course import courses
from tests.fakes.lora_folders import sha256, write_result
from tests.fakes.tiny_gguf import write_tiny_qwen2
from tests.jobs.gate.sides import answers_of, judged, make_cases

CASES = make_cases(120)


def verdict(*, passed: bool) -> Verdict:
    """Of the gate, over answers of which all or half are right."""
    good, half = answers_of(CASES, [True] * 120), answers_of(CASES, [number % 2 == 0 for number in range(120)])
    return judged(CASES, good, half) if passed else judged(CASES, half, good)


@dataclass
class Company:
    """What the page shows."""

    store: Store
    shelf: LoraShelf
    base: str
    runs: Path
    names: list[str]
    setting: str = "auto"
    now: float = 1_790_000_000.0
    live: Live | None = None
    """What the process answers with; None: what is released, at once."""
    missing: bool = False
    """The base is not on this machine."""
    _numbers: list[int] = field(default_factory=lambda: [0])

    @property
    def choosing(self) -> Choosing:
        return Choosing(self.setting, self.shelf, lambda: self.base, prompts.version())

    @property
    def releases(self) -> Releases:
        return Releases(self.store, self.shelf, self.choosing, lambda: self.now)

    def evaluate(self, name: str, against: str = "none", *, passed: bool = True, raw: Any = None) -> str:
        self.releases.recorded(name)
        self._numbers[0] += 1
        number = self._numbers[0]
        made = verdict(passed=passed)
        stamp = replace(made.candidate.stamp, base=self.base, prompt=prompts.version())
        made = replace(made, candidate=Who(name, stamp), present=Who(against, made.present.stamp))
        kept = Evaluation(f"v{number}", name, against, passed, raw or made.as_json(), self.now + number)
        self.store.run_now(loras.keep_evaluation, kept)
        return kept.id

    def answers(self) -> str:
        """The LoRA that is released."""
        choice = self.choosing.choose(self.store.run_now(released, self.base))
        return choice.lora.name if choice.lora else "none"

    def page(self) -> Page:
        return models(self.parts())

    def parts(self) -> ModelsParts:
        def live() -> Live:
            if self.live is not None:
                return self.live
            choice = self.choosing.choose(self.store.run_now(released, self.base))
            return cast(Live, _Answering(choice.lora, choice.canary))

        def base() -> Base:
            if self.missing:
                raise ModelMissing(name="tiny", path=Path("tiny.gguf"))
            return Base("tiny", self.base, 986_048_768, "chatml")

        return ModelsParts(
            store=self.store,
            releases=self.releases,
            live=live,
            base=base,
            verdict=shown,
            following=lambda run: courses(self.runs / run),
            learning=("tune", "gate"),
        )

    def tune(self, lines: Sequence[dict[str, Any]], *, now: float) -> Run:
        """A training that runs and has told these lines."""
        rules = runs.Rules({"tune": ("tune", "gate")}, ("tune",), 3600.0)
        self.store.run_now(runs.ask, "tune", by="clock", now=now)
        run = self.store.run_now(runs.claim, "tune", "p", rules, now=now, lease=3600.0)
        assert run is not None
        self.store.run_now(runs.renew, run, {"done": 2, "total": 8, "message": ""}, now=now, lease=3600.0)
        folder = self.runs / run.id / "plain"
        folder.mkdir(parents=True)
        (folder / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return run


@dataclass(frozen=True)
class _Answering:
    lora: Any
    canary: Any


def seen(page: str) -> str:
    """The newest release of a page, as its form to roll back says it."""
    found = re.search(r'name="seen" value="(\d+)"', page)
    assert found is not None
    return found[1]


def make_company(store: Store, folder: Path) -> Company:
    base = write_tiny_qwen2(folder / "tiny.gguf")
    company = Company(store, LoraShelf(folder / "loras", folder / "shipped"), sha256(base), folder / "jobs", [])
    for number in (1, 2, 3):
        result = write_result(folder / f"run-{number}", base, number)
        card = json.loads((result / "lora.json").read_text(encoding="utf-8"))
        card |= {
            "losses": [2.0, 1.5, 1.0],
            "held_out_losses": [[0, 1.9], [3, 1.1]],
            "examples": {"learnt": {"count": 4}, "held_out": {"count": 2}, "replay": {"count": 0}},
            "steps": {"done": 3, "planned": 3, "best": 3},
            "seconds": 75.0,
        }
        (result / "lora.json").write_text(json.dumps(card), encoding="utf-8")
        company.names.append(company.releases.take_in(result, [f"e{n}" for n in range(number)], run=f"r{number}").name)
    return company
