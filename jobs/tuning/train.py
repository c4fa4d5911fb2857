"""The training loop: samples and a base with LoRAs → the best matrices by the held-out loss. Knows no files but its checkpoints'.

One step reads `examples_per_step` samples, packed (`packing.py`); its loss is the mean over all their answer tokens. What is read in which
step follows from the seed alone, so a run that was interrupted and resumed gives bit for bit what an uninterrupted one gives, on the
same machine with the same number of threads.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.nn import functional

from bot.errors import NothingToLearn, TuningDiverged, TuningOutOfMemory
from jobs.tuning.checkpoint import Checkpoint, Checkpoints, Progress, optimizer_state, put_optimizer_state
from jobs.tuning.dataset import Sample
from jobs.tuning.lora import LoraLinear, named_parameters, put_state, state_of
from jobs.tuning.packing import logits_and_labels, pack
from jobs.tuning.precision import computing, faster_precision, prepare
from jobs.tuning.settings import TuningSettings

Ending = Literal["finished", "early", "budget", "stopped"]
Sink = Callable[[dict[str, object]], None]
"""Takes one line of progress: an object with `event`."""
_RECENT = 10


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the loop needs of the world; tests put their own here."""

    tell: Sink = lambda line: None
    stop: Callable[[], bool] = lambda: False
    """Asked before every pass through the model: true saves and leaves."""
    clock: Callable[[], float] = time.monotonic
    memory_mb: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True, slots=True)
class Trained:
    """How a run ended. `stopped`: a checkpoint was saved, `lora` is where it stood; else `lora` is the best that was seen."""

    ending: Ending
    progress: Progress
    steps: int
    """That were planned."""
    lora: dict[str, torch.Tensor]


class Training:
    """One run over one model. Raises `NothingToLearn` without samples."""

    def __init__(
        self,
        model: Any,
        loras: Mapping[str, LoraLinear],
        settings: TuningSettings,
        learnt: Sequence[Sample],
        *,
        held_out: Sequence[Sample] = (),
        replay: Sequence[Sample] = (),
        checkpoints: Checkpoints | None = None,
        around: Surroundings | None = None,
    ) -> None:
        if not learnt:
            raise NothingToLearn(reason="no examples are left")
        self._model = model
        self._loras = loras
        self._settings = settings
        self._learnt = learnt
        self._held_out = held_out
        self._replay = replay
        self._checkpoints = checkpoints
        self._around = around or Surroundings()
        wanted = round(len(learnt) * settings.replay_share / (1 - settings.replay_share))
        self._replayed = min(wanted, len(replay))
        """Replay samples in one epoch."""
        self._per_epoch = math.ceil((len(learnt) + self._replayed) / settings.examples_per_step)
        self.steps = self._per_epoch * settings.epochs
        self._evaluate_every = max(1, self._per_epoch // settings.evaluations_per_epoch)
        self._parameters = named_parameters(loras)
        self._optimizer = torch.optim.AdamW(self._parameters.values(), lr=0.0, weight_decay=0.0)
        self._progress = Progress()
        self._best: dict[str, torch.Tensor] = {}
        self._step_seconds: list[float] = []
        self._held_out_seconds = 0.0

    def run(self) -> Trained:
        """Go on from the latest checkpoint, or begin. Raises `TuningDiverged` or `TuningOutOfMemory`; checkpoints stay."""
        self._resume()
        self._model.eval()  # no dropout: the same everywhere, and frozen layers need none
        try:
            return self._trained(self._loop())
        except _Stop:
            self._optimizer.zero_grad()  # half a step is not kept: the state is that of the last whole one
            self._save()
            return self._trained("stopped")

    def _loop(self) -> Ending:
        while True:
            at = self._progress.step
            if at % self._evaluate_every == 0 or at == self.steps:
                self._evaluate()
            if self._held_out and self._progress.without_better >= self._settings.patience:
                return self._conclude("early")
            if at == self.steps:
                return self._conclude("finished")
            if self._over_budget():
                return self._conclude("budget")
            self._step()
            if self._progress.step % self._settings.steps_per_checkpoint == 0:
                self._save()
            self._check_memory()

    def _conclude(self, ending: Ending) -> Ending:
        self._evaluate()
        self._save()
        return ending

    def _step(self) -> None:
        began = self._around.clock()
        samples = self._samples(self._progress.step)
        packs = pack(samples, self._settings.tokens_per_pass)
        answer_tokens = sum(len(one.labels) for one in packs)
        total = 0.0
        for one in packs:
            loss = self._loss(one) / answer_tokens
            loss.backward()
            total += float(loss.detach())
        norm = torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._settings.clip_norm)
        if not math.isfinite(total) or not math.isfinite(float(norm)):
            raise TuningDiverged(step=self._progress.step + 1)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._settings, self._progress.step, self.steps)
        self._optimizer.step()
        self._optimizer.zero_grad()
        seconds = self._around.clock() - began
        self._progress.step += 1
        self._progress.seconds += seconds
        self._progress.losses.append(total)
        self._step_seconds = [*self._step_seconds[1 - _RECENT :], seconds]
        self._tell_step(len(samples), total, seconds)

    def _tell_step(self, examples: int, loss: float, seconds: float) -> None:
        at = self._progress.step
        mean = sum(self._step_seconds) / len(self._step_seconds)
        self._around.tell(
            {
                "event": "step",
                "step": at,
                "steps": self.steps,
                "epoch": (at - 1) // self._per_epoch + 1,
                "loss": round(loss, 6),
                "examples_per_second": round(examples / seconds, 3) if seconds > 0 else None,
                "seconds_left": round(mean * (self.steps - at), 1),
                "memory_mb": round(self._around.memory_mb()),
            }
        )

    def _loss(self, one: Any) -> torch.Tensor:
        """Sum over the answer tokens of one pass."""
        if self._around.stop():
            raise _Stop
        with computing(self._model, self._progress.precision):
            logits, labels = logits_and_labels(self._model, one)
        return functional.cross_entropy(logits.float(), labels, reduction="sum")

    def _samples(self, step: int) -> list[Sample]:
        """What step `step`, counted from 0, reads. A shuffle for each epoch, from the seed and the epoch's number alone."""
        epoch, within = divmod(step, self._per_epoch)
        # Not for secrets: an order that anyone can repeat.
        order = random.Random(hashlib.sha256(f"{self._settings.seed} {epoch}".encode()).digest())  # noqa: S311
        mixed = [*self._learnt, *order.sample(list(self._replay), self._replayed)]
        order.shuffle(mixed)
        size = self._settings.examples_per_step
        return mixed[within * size : (within + 1) * size]

    def _evaluate(self) -> None:
        """Loss per answer token of the held-out part, once at each step; keep the matrices if they are the best so far."""
        if not self._held_out or (self._progress.held_out and self._progress.held_out[-1][0] == self._progress.step):
            return
        began = self._around.clock()
        total, tokens = 0.0, 0
        with torch.inference_mode():
            for one in pack(self._held_out, self._settings.tokens_per_pass):
                total += float(self._loss(one))
                tokens += len(one.labels)
        loss = total / tokens
        if not math.isfinite(loss):
            raise TuningDiverged(step=self._progress.step)
        self._held_out_seconds = self._around.clock() - began
        self._progress.seconds += self._held_out_seconds
        self._progress.held_out.append((self._progress.step, loss))
        if self._progress.best_loss is None or loss < self._progress.best_loss:
            self._progress.best_loss, self._progress.best_step = loss, self._progress.step
            self._progress.without_better = 0
            self._best = state_of(self._loras)
        else:
            self._progress.without_better += 1
        self._around.tell({"event": "held_out", "step": self._progress.step, "loss": round(loss, 6)})

    def _over_budget(self) -> bool:
        """Whether another step and a last look at the held-out part would go beyond the budget."""
        if self._settings.budget_seconds is None:
            return False
        needed = max(self._step_seconds, default=0.0) + self._held_out_seconds
        return self._progress.seconds + needed > self._settings.budget_seconds

    def _check_memory(self) -> None:
        limit, used = self._settings.memory_mb, self._around.memory_mb()
        if limit is not None and used > limit:
            self._save()
            raise TuningOutOfMemory(used_mb=round(used), limit_mb=limit)

    def _resume(self) -> None:
        found = self._checkpoints.latest() if self._checkpoints is not None else None
        if found is None:
            self._progress.precision = self._precision()
        else:
            put_state(self._loras, found.lora)
            put_optimizer_state(self._optimizer, self._parameters, found.optimizer)
            self._progress, self._best = found.progress, found.best
        prepare(self._model, self._progress.precision)
        told = {"event": "training", "steps": self.steps, "done": self._progress.step}
        self._around.tell({**told, "precision": self._progress.precision})

    def _precision(self) -> str:
        if self._settings.precision != "auto":
            return self._settings.precision
        largest = max(self._loras.values(), key=lambda lora: lora.base.weight.numel())
        longest = max(len(sample.tokens) for sample in self._learnt)
        return faster_precision(largest, min(longest, self._settings.tokens_per_pass))

    def _save(self) -> None:
        if self._checkpoints is not None:
            moments = optimizer_state(self._optimizer, self._parameters)
            self._checkpoints.save(Checkpoint(self._progress, state_of(self._loras), self._best, moments))

    def _trained(self, ending: Ending) -> Trained:
        # Without a held-out part nothing says that earlier matrices were better than the last.
        best = self._best if self._best and ending != "stopped" else state_of(self._loras)
        return Trained(ending, self._progress, self.steps, best)


class _Stop(Exception):
    """Somebody asked to stop."""


def learning_rate(settings: TuningSettings, step: int, steps: int) -> float:
    """Of step `step`, counted from 0: a straight warm-up, then half a cosine down to a tenth."""
    warm_up = math.ceil(settings.warm_up_share * steps)
    if step < warm_up:
        return settings.learning_rate * (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return settings.learning_rate * (0.55 + 0.45 * math.cos(math.pi * done))
