"""The preference part of a step: how likely the answers are now, what `preference_loss` makes of it, and its gradients.

Memory stays bounded by `tokens_per_pass`, however many preferences are read together: a first look without gradients gives the
log-ratios r and ∂loss/∂r; then each pass adds Σ ∂loss/∂r · ∂r/∂weights. That is the exact gradient of the mean, also when a pair stands in
two passes or two processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from jobs.tuning.dataset import Sample
from jobs.tuning.lora import LoraLinear, switched_off
from jobs.tuning.packing import Pack, label_logprobs, pack
from jobs.tuning.peers import Peers
from jobs.tuning.preference_loss import PreferenceLoss
from jobs.tuning.preferences import Preferred
from jobs.tuning.settings import TuningSettings

Read = Callable[[Pack], tuple[torch.Tensor, torch.Tensor]]
"""A pass through the model: (logits (labels, vocabulary), labels)."""
_UP, _DOWN, _MOVED = range(3)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one step gave. `up`, `down`: mean r of its wanted and its rejected answers; None where it had none."""

    loss: float
    up: float | None
    down: float | None


class PreferenceTerm:
    """Over a fixed list of preferences; steps name places in it."""

    def __init__(self, preferred: Sequence[Preferred], settings: TuningSettings, read: Read, peers: Peers) -> None:
        self._preferred = preferred
        self._settings = settings
        self._read = read
        self._peers = peers
        self._loss = PreferenceLoss.of(settings, [one.kind for one in preferred])
        self._moved = _mismatched(preferred)
        self._reference = torch.zeros(len(preferred), 3, dtype=torch.float64)

    def measure_reference(self, loras: Mapping[str, LoraLinear]) -> torch.Tensor:
        """log π₀ of every answer by the base alone: (preferences, 3) for the wanted, the rejected and the mismatched one. Slow; once."""
        with switched_off(loras):
            found = self._logprobs(range(len(self._preferred)))
        self.use_reference(found)
        return found

    def use_reference(self, reference: torch.Tensor) -> None:
        """What `measure_reference` gave. Raises `ValueError` if it is of another list."""
        if reference.shape != self._reference.shape:
            raise ValueError("shape")
        self._reference = reference

    def backward(self, places: Sequence[int]) -> Preferences:
        """Add this process's part of `preference_weight` times the mean loss to the gradients."""
        ratios = self._logprobs(places) - self._reference[list(places)]
        kinds = [self._preferred[place].kind for place in places]
        others = [ratios[row, _MOVED] for row, place in enumerate(places) if self._moved[place] is not None]
        moved = float(torch.stack(others).mean().clamp(min=0)) if others else 0.0
        ratios.requires_grad_()
        loss = self._loss(kinds, ratios[:, _UP], ratios[:, _DOWN], moved)
        loss.backward()
        slopes = self._settings.preference_weight * ratios.grad
        own = [
            (sample, float(slopes[row, part]))
            for row, part, sample in self._samples(places)
            if part != _MOVED and float(slopes[row, part])
        ]
        self._push(own)
        found = ratios.detach()
        ups = [float(found[row, _UP]) for row, kind in enumerate(kinds) if kind != "down"]
        downs = [float(found[row, _DOWN]) for row, kind in enumerate(kinds) if kind != "up"]
        return Preferences(float(loss.detach()), _mean(ups), _mean(downs))

    def _push(self, own: Sequence[tuple[Sample, float]]) -> None:
        for one, slopes in self._passes(own):
            logits, labels = self._read(one)
            weights = torch.tensor(slopes, dtype=torch.float32, device=logits.device)
            (label_logprobs(logits, labels) * weights).sum().backward()

    def _passes(self, own: Sequence[tuple[Sample, float]]) -> list[tuple[Pack, list[float]]]:
        """Passes, each with the slope of every label."""
        every = [slope for sample, slope in own for _ in range(_answer(sample))]
        passes, begins = [], 0
        for one in pack([sample for sample, _ in own], self._settings.tokens_per_pass):
            passes.append((one, every[begins : begins + len(one.labels)]))
            begins += len(one.labels)
        return passes

    def _logprobs(self, places: Sequence[int]) -> torch.Tensor:
        """Of whole answers, in nats, (places, 3); 0 where there is none."""
        found = torch.zeros(len(places), 3, dtype=torch.float64)
        own = list(self._samples(places))
        by_token: list[torch.Tensor] = []
        with torch.no_grad():
            for one in pack([sample for _, _, sample in own], self._settings.tokens_per_pass):
                by_token.append(label_logprobs(*self._read(one)).to("cpu", torch.float64))
        if by_token:
            parts = torch.cat(by_token).split([_answer(sample) for _, _, sample in own])
            for (row, part, _), tokens in zip(own, parts, strict=True):
                found[row, part] = tokens.sum()
        self._peers.add_up([found])
        return found

    def _samples(self, places: Sequence[int]) -> list[tuple[int, int, Sample]]:
        """(row, which answer, sample) of this process's share of `places`; answers to one prompt stand together."""
        some = []
        for row, place in list(enumerate(places))[self._peers.rank :: self._peers.count]:
            one = self._preferred[place]
            parts = ((_UP, one.up), (_DOWN, one.down), (_MOVED, self._moved[place]))
            some += [(row, part, sample) for part, sample in parts if sample is not None]
        return some


def _mismatched(preferred: Sequence[Preferred]) -> list[Sample | None]:
    """For single thumbs: their prompt with the answer of the next one. None for pairs, or if there is only one."""
    single = [place for place, one in enumerate(preferred) if one.kind != "pair"]
    found: list[Sample | None] = [None] * len(preferred)
    if len(single) > 1:
        for place, other in zip(single, [*single[1:], single[0]], strict=True):
            prompt, answer = (preferred[at].up or preferred[at].down for at in (place, other))
            if prompt is not None and answer is not None:
                tokens = (*prompt.tokens[: prompt.answer_begins], *answer.tokens[answer.answer_begins :])
                found[place] = Sample(prompt.id, tokens, prompt.answer_begins)
    return found


def _answer(sample: Sample) -> int:
    return len(sample.tokens) - sample.answer_begins


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
