"""What is read in which step, and how far each goes. Follows from the seed and the step's number alone, so a resumed run goes on alike."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence

from jobs.tuning.dataset import Sample
from jobs.tuning.settings import TuningSettings


class Schedule:
    """Steps are counted from 0. `preferences`: how many there are."""

    def __init__(
        self, settings: TuningSettings, learnt: Sequence[Sample], replay: Sequence[Sample], preferences: int = 0
    ) -> None:
        self._settings = settings
        self._learnt = learnt
        self._replay = replay
        self._preferences = preferences
        wanted = round(len(learnt) * settings.replay_share / (1 - settings.replay_share))
        self._replayed = min(wanted, len(replay))
        """Replay samples in one epoch."""
        self.per_epoch = math.ceil((len(learnt) + self._replayed) / settings.examples_per_step)
        self.steps = self.per_epoch * settings.epochs
        self._evaluate_every = max(1, self.per_epoch // settings.evaluations_per_epoch)

    @property
    def uses_preferences(self) -> bool:
        """Whether any step reads preferences."""
        return bool(self._preferences) and self._settings.preference_share > 0

    def evaluates_before(self, step: int) -> bool:
        """Whether the held-out part is looked at before this step; also before the one after the last."""
        return step % self._evaluate_every == 0 or step == self.steps

    def samples(self, step: int) -> list[Sample]:
        """What it reads: a part of its epoch's shuffle."""
        epoch, within = divmod(step, self.per_epoch)
        order = _order(f"{self._settings.seed} {epoch}")
        mixed = [*self._learnt, *order.sample(list(self._replay), self._replayed)]
        order.shuffle(mixed)
        size = self._settings.examples_per_step
        return mixed[within * size : (within + 1) * size]

    def preferences(self, step: int) -> list[int]:
        """Places of the preferences that it reads, too: none but at `preference_share` of the steps. Each once before any twice."""
        share = self._settings.preference_share
        before = math.floor(step * share)
        if not self._preferences or math.floor((step + 1) * share) == before:
            return []
        size = min(self._settings.examples_per_step, self._preferences)
        return [self._preference(number) for number in range(before * size, (before + 1) * size)]

    def learning_rate(self, step: int) -> float:
        """See `learning_rate`."""
        return learning_rate(self._settings, step, self.steps)

    def _preference(self, number: int) -> int:
        turn, within = divmod(number, self._preferences)
        places = list(range(self._preferences))
        _order(f"{self._settings.seed} preferences {turn}").shuffle(places)
        return places[within]


def learning_rate(settings: TuningSettings, step: int, steps: int) -> float:
    """Of step `step`, counted from 0: a straight warm-up, then half a cosine down to a tenth."""
    warm_up = math.ceil(settings.warm_up_share * steps)
    if step < warm_up:
        return settings.learning_rate * (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return settings.learning_rate * (0.55 + 0.45 * math.cos(math.pi * done))


def _order(name: str) -> random.Random:
    # Not for secrets: an order that anyone can repeat.
    return random.Random(hashlib.sha256(name.encode()).digest())  # noqa: S311
