"""What a candidate is asked: the evaluation sets, and examples that it cannot have learnt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from bot.errors import LearntUnknown, NothingToAsk
from bot.loras.shelf import ShelvedLora
from bot.releases.lineage import seen_by
from bot.releases.releases import Releases
from jobs.gate.cases import GateCase, joined
from jobs.learning.material import ever_kept, of_files, of_store, unseen
from jobs.learning.parts import LearningParts
from jobs.tuning.dataset import Example


class Asked:
    """Of one run of the gate. Examples are read when the first candidate needs them."""

    def __init__(self, parts: LearningParts, files: Sequence[Path]) -> None:
        """`files`: of examples that are asked, too."""
        self._parts = parts
        self._files = files

    def cases(self, releases: Releases, candidate: ShelvedLora) -> Sequence[GateCase]:
        """Of a LoRA of which nobody knows what it has learnt only the sets are asked: it might recite any example.

        Raises NothingToAsk, or LearntUnknown when it is for that reason that there is nothing.
        """
        seen = seen_by(releases, candidate)
        fresh = [] if seen is None else unseen(self._examples[0], seen, self._examples[1])
        cases = joined(self._parts.options.evaluation_sets, fresh)
        if not cases:
            raise LearntUnknown(name=candidate.name) if seen is None else NothingToAsk
        return cases

    @cached_property
    def _examples(self) -> tuple[Sequence[Example], Sequence[Example]]:
        """Those of which a candidate may not have seen all; those where what it has seen is looked up."""
        with self._parts.workbench() as bench:
            own, kept = of_store(bench).examples, ever_kept(bench)
            return (*own, *of_files(self._files, bench).examples), kept
