"""What tuning, judging and watching are made of, handed in by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.releases.watch import WatchRules
from jobs.gate.settings import GateSettings
from jobs.tuning.settings import TuningSettings

if TYPE_CHECKING:
    from bot.examples.workbench import Workbench
    from bot.releases.releases import Releases
    from bot.writers.llamacpp import LlamaCppEngine
    from jobs.gate.asking import Side


@dataclass(frozen=True, slots=True)
class ServedBase:
    """The model that writes, as it is served."""

    name: str
    """As it is stamped on answers."""
    gguf: Path
    sha256: str
    template: str
    """As in the model catalogue."""


@dataclass(frozen=True, slots=True)
class LearningOptions:
    """`[tuning]`, `[gate]` and `[releases]` as these jobs want them."""

    training: TuningSettings = field(default_factory=TuningSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    watch: WatchRules = field(default_factory=WatchRules)
    least_examples: int = 30
    """With fewer nothing is trained."""
    replay: Path | None = None
    """Examples mixed in against forgetting."""
    evaluation_sets: tuple[Path, ...] = ()
    promote: Literal["propose", "automatic"] = "propose"
    canary_share: float = 0.0
    """Above 0: what is promoted automatically answers only this part of the conversations, until a person promotes it to all."""


@dataclass(frozen=True, slots=True)
class LearningParts:
    """The callables make things when called."""

    options: LearningOptions
    base: Callable[[], ServedBase]
    """Raises ModelError."""
    workbench: Callable[[], AbstractContextManager[Workbench]]
    """Raises NoEdition."""
    file_bench: Callable[[], AbstractContextManager[Workbench]]
    """For files of examples: without an edition it knows no page, as on a machine that only trains."""
    releases: Callable[[], AbstractContextManager[Releases]]
    side: Callable[[str], Side]
    """Of a LoRA by its name, or of `none`, through the serving stack, all over one edition. Raises a LoraError; opening one raises
    EditionReplaced."""
    engine: Callable[[], LlamaCppEngine]
    """The served base alone, on the calling thread, which also closes it. Raises BrokenModel."""
    folder: Path
    """Where prepared bases, kept answers and verdicts lie."""

    @property
    def bases(self) -> Path:
        """Of dequantised bases: gigabytes each, made once."""
        return self.folder / "bases"

    @property
    def answers(self) -> Path:
        """Of the gate."""
        return self.folder / "answers"

    @property
    def verdicts(self) -> Path:
        """A folder for each evaluation."""
        return self.folder / "verdicts"
