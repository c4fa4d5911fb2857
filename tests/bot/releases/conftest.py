"""Releases over a store on both databases, a shelf with three small LoRAs, and a clock that is set by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot import prompts
from bot.loras.shelf import LoraShelf
from bot.releases.choosing import Choosing
from bot.releases.releases import Releases
from bot.store import loras
from bot.store.database import Store
from bot.store.loras import Evaluation
from tests.bot.store.conftest import postgres_url as postgres_url
from tests.bot.store.conftest import store as store
from tests.bot.store.conftest import url as url
from tests.fakes.lora_folders import sha256, write_result
from tests.fakes.tiny_gguf import write_tiny_qwen2


@dataclass
class Company:
    """What a decision touches."""

    store: Store
    shelf: LoraShelf
    base: Path
    names: list[str]
    now: float = 1000.0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def choosing(self, setting: str = "auto") -> Choosing:
        return Choosing(setting, self.shelf, lambda: sha256(self.base), prompts.version())

    def releases(self, setting: str = "auto") -> Releases:
        return Releases(self.store, self.shelf, self.choosing(setting), lambda: self.now)

    def evaluate(self, name: str, against: str, *, passed: bool = True, **stamp: str) -> str:
        """A verdict of the gate; its id. `stamp`: by what other than today's base, prompt and edition."""
        self.releases().recorded(name)
        number = next(self._numbers)
        made = {"base": sha256(self.base), "prompt": prompts.version(), "edition": "today"} | stamp
        told = {"answer_f1": 0.5, "candidate": {"name": name, "stamp": made}}
        verdict = Evaluation(f"v{number}", name, against, passed, told, float(number))
        self.store.run_now(loras.keep_evaluation, verdict)
        return verdict.id

    def promote(self, name: str, against: str = "none") -> None:
        """As the gate would have it."""
        self.evaluate(name, against)
        self.releases().promote(name, by="auto")


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """A tiny base and the results of three tuning runs on it."""
    folder = tmp_path_factory.mktemp("results")
    base = write_tiny_qwen2(folder / "tiny.gguf")
    return base, [write_result(folder / f"run-{seed}", base, seed) for seed in (1, 2, 3)]


@pytest.fixture
def company(store: Store, results: tuple[Path, list[Path]], tmp_path: Path) -> Company:
    base, folders = results
    shelf = LoraShelf(tmp_path / "loras", tmp_path / "shipped")
    made = Company(store, shelf, base, [])
    made.names = [made.releases().take_in(folder, [f"e{n}"], run=f"r{n}").name for n, folder in enumerate(folders)]
    return made
