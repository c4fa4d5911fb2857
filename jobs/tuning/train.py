"""The training loop: samples and a base with LoRAs → the best matrices by the held-out loss. Knows no files but its checkpoints'.

One step reads `examples_per_step` samples, packed (`packing.py`); its loss is the mean over all their answer tokens. Some steps add the
loss of preferences (`preference_loss.py`). What is read in which step follows from the seed alone, so a run that was interrupted and
resumed gives bit for bit what an uninterrupted one gives, on the same machine with the same number of threads and processes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.nn import functional

from bot.errors import NothingToLearn, TuningDiverged, TuningOutOfMemory
from jobs.tuning import recompute
from jobs.tuning.beginning import passes
from jobs.tuning.checkpoint import Checkpoint, Checkpoints, Progress, optimizer_state, put_optimizer_state
from jobs.tuning.dataset import Sample
from jobs.tuning.lora import LoraLinear, largest, named_parameters, put_state, state_of
from jobs.tuning.packing import Pack, logits_and_labels, pack
from jobs.tuning.peers import Alone, Peers
from jobs.tuning.precision import computing, faster_precision, prepare
from jobs.tuning.preference_term import PreferenceTerm
from jobs.tuning.preferences import Preferred
from jobs.tuning.reference import keep_reference, kept_reference
from jobs.tuning.schedule import Schedule
from jobs.tuning.settings import TuningSettings
from jobs.tuning.shared_attention import use_shared_attention
from jobs.tuning.surroundings import Surroundings
from jobs.tuning.trained import Ending, Trained

_RECENT = 10


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
        preferred: Sequence[Preferred] = (),
        checkpoints: Checkpoints | None = None,
        around: Surroundings | None = None,
        peers: Peers | None = None,
    ) -> None:
        if not learnt:
            raise NothingToLearn(reason="no examples are left")
        self._model = model
        self._loras = loras
        self._settings = settings
        self._learnt = learnt
        self._held_out = held_out
        self._checkpoints = checkpoints
        self._around = around or Surroundings()
        self._peers = peers or Alone()
        self._preferences = PreferenceTerm(preferred, settings, self._read, self._peers)
        self._schedule = Schedule(settings, learnt, replay, len(preferred))
        self.steps = self._schedule.steps
        self._parameters = named_parameters(loras)
        self._optimizer = torch.optim.AdamW(self._parameters.values(), lr=0.0, weight_decay=0.0)
        self._progress = Progress()
        self._best: dict[str, torch.Tensor] = {}
        self._step_seconds: list[float] = []
        self._held_out_seconds = 0.0
        self._waited = 0.0
        self._recomputes = False

    def run(self) -> Trained:
        """Go on from the latest checkpoint, or begin. Raises `TuningDiverged` or `TuningOutOfMemory`; checkpoints stay."""
        self._resume()
        use_shared_attention(self._model)
        self._model.eval()  # no dropout: the same everywhere, and frozen layers need none
        self._spare_memory()
        try:
            self._know_reference()
            return self._trained(self._loop())
        except _Stop:
            self._optimizer.zero_grad()  # half a step is not kept: the state is that of the last whole one
            self._save()
            return self._trained("stopped")

    def _loop(self) -> Ending:
        while True:
            at = self._progress.step
            if self._peers.count > 1 and self._peers.agreed(self._around.stop()):
                raise _Stop
            if self._schedule.evaluates_before(at):
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
        began, self._waited = self._around.clock(), 0.0
        at = self._progress.step
        samples = self._schedule.samples(at)
        total = self._peers.total(self._backward(samples))
        self._prefer(at)
        if self._peers.count > 1:
            self._add_up_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._settings.clip_norm)
        if not math.isfinite(total) or not math.isfinite(float(norm)):
            raise TuningDiverged(step=at + 1)
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.learning_rate(at)
        self._optimizer.step()
        self._optimizer.zero_grad()
        seconds = self._around.clock() - began - self._waited
        self._progress.step += 1
        self._progress.seconds += seconds
        self._progress.losses.append(total)
        self._step_seconds = [*self._step_seconds[1 - _RECENT :], seconds]
        self._tell_step(len(samples), total, seconds)

    def _backward(self, samples: Sequence[Sample]) -> float:
        """Gradients of this process's part of the mean over all answer tokens, and that part."""
        answer_tokens = sum(len(sample.tokens) - sample.answer_begins for sample in samples)
        total = 0.0
        packs = self._passes(samples)
        for one in packs:
            loss = self._loss(one) / answer_tokens
            loss.backward()
            total += float(loss.detach())
        if packs and packs[0].beginning is not None:
            packs[0].beginning.backward()
        return total

    def _passes(self, samples: Sequence[Sample]) -> list[Pack]:
        """Of this process's part."""
        own, most = samples[self._peers.rank :: self._peers.count], self._settings.tokens_per_pass
        # A block that is computed twice would add its keys twice.
        return pack(own, most) if self._recomputes else passes(self._model, own, most, self._turn)

    def _prefer(self, step: int) -> None:
        places = self._schedule.preferences(step)
        if not places:
            return
        found = self._preferences.backward(places)
        self._progress.preferences.append((step + 1, found.loss, found.up, found.down))
        self._around.tell(
            {"event": "preferences", "step": step + 1, "loss": found.loss, "up": found.up, "down": found.down}
        )

    def _add_up_gradients(self) -> None:
        for parameter in self._parameters.values():
            if parameter.grad is None:  # it had nothing to read
                parameter.grad = torch.zeros_like(parameter)
        self._peers.add_up([parameter.grad for parameter in self._parameters.values()])

    def _tell_step(self, examples: int, loss: float, seconds: float) -> None:
        at = self._progress.step
        mean = sum(self._step_seconds) / len(self._step_seconds)
        self._around.tell(
            {
                "event": "step",
                "step": at,
                "steps": self.steps,
                "epoch": (at - 1) // self._schedule.per_epoch + 1,
                "loss": round(loss, 6),
                "examples_per_second": round(examples / seconds, 3) if seconds > 0 else None,
                "seconds_left": round(mean * (self.steps - at), 1),
                "memory_mb": round(self._around.memory_mb()),
            }
        )

    def _read(self, one: Pack) -> tuple[torch.Tensor, torch.Tensor]:
        """One pass: (logits (labels, vocabulary), labels)."""
        with self._turn():
            return logits_and_labels(self._model, one)

    def _turn(self) -> AbstractContextManager[object]:
        """To compute a pass in, once nobody is waiting for an answer and unless somebody wants to stop."""
        self._waited += self._around.make_way()
        if self._peers.count == 1 and self._around.stop():  # several agree about it between two steps
            raise _Stop
        context: AbstractContextManager[object] = computing(self._model, self._progress.precision)
        return context

    def _loss(self, one: Pack) -> torch.Tensor:
        """Sum over the answer tokens of one pass."""
        logits, labels = self._read(one)
        return functional.cross_entropy(logits.float(), labels, reduction="sum")

    def _evaluate(self) -> None:
        """Loss per answer token of the held-out part, once at each step; keep the matrices if they are the best so far."""
        if not self._held_out or (self._progress.held_out and self._progress.held_out[-1][0] == self._progress.step):
            return
        began, self._waited = self._around.clock(), 0.0
        total, tokens = 0.0, sum(len(sample.tokens) - sample.answer_begins for sample in self._held_out)
        with torch.inference_mode():
            for one in self._passes(self._held_out):
                total += float(self._loss(one))
        loss = self._peers.total(total) / tokens
        if not math.isfinite(loss):
            raise TuningDiverged(step=self._progress.step)
        self._held_out_seconds = self._around.clock() - began - self._waited
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
        return self._peers.agreed(self._progress.seconds + needed > self._settings.budget_seconds)

    def _check_memory(self) -> None:
        limit, used = self._settings.memory_mb, self._around.memory_mb()
        if limit is not None and self._peers.total(float(used > limit)):
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
        fastest = faster_precision(largest(self._loras), min(self._longest(), self._settings.tokens_per_pass))
        return "bf16" if self._peers.agreed(fastest == "bf16") else "fp32"

    def _longest(self) -> int:
        return max(len(sample.tokens) for sample in self._learnt)

    def _spare_memory(self) -> None:
        """Switch recomputing on where it is wanted or needed."""
        self._recomputes = self._settings.recompute == "always"
        if self._settings.recompute == "auto" and (free := self._around.free_mb()) is not None:
            with computing(self._model, self._progress.precision):
                each = recompute.kept_bytes_per_token(self._model, self._learnt[0])
            self._recomputes = recompute.is_needed(each, max(self._longest(), self._settings.tokens_per_pass), free)
        if self._recomputes:
            self._around.tell({"event": "recomputing", "blocks": recompute.recompute_blocks(self._model, self._loras)})

    def _know_reference(self) -> None:
        """What the base alone thinks of the preferences: from beside the checkpoints, else measured and kept there."""
        if self.steps == self._progress.step or not self._schedule.uses_preferences:
            return
        kept = self._checkpoints and kept_reference(self._checkpoints.folder, self._checkpoints.run)
        if kept is not None:
            self._preferences.use_reference(kept)
            return
        began, self._waited = self._around.clock(), 0.0
        measured = self._preferences.measure_reference(self._loras)
        self._progress.seconds += self._around.clock() - began - self._waited
        if self._checkpoints is not None and self._peers.rank == 0:
            keep_reference(self._checkpoints.folder, self._checkpoints.run, measured)

    def _save(self) -> None:
        if self._checkpoints is not None and self._peers.rank == 0:
            moments = optimizer_state(self._optimizer, self._parameters)
            self._checkpoints.save(Checkpoint(self._progress, state_of(self._loras), self._best, moments))

    def _trained(self, ending: Ending) -> Trained:
        # Without a held-out part nothing says that earlier matrices were better than the last.
        best = self._best if self._best and ending != "stopped" else state_of(self._loras)
        return Trained(ending, self._progress, self.steps, best)


class _Stop(Exception):
    """Somebody asked to stop."""
