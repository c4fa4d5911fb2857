"""Does llama.cpp serve what torch trained? The same tokens through the quantised base with the LoRA, against what training wrote down.

Training leaves `parity.json` beside the LoRA: for some held-out samples `{"tokens", "answer_begins", "label_logprobs", "top1"}`, with the
log-probability of each token from `answer_begins` on, given those before it, and the likeliest token in its place.

A wrong scale, a forgotten order of rows or another base give a LoRA that loads and writes Korean, only not the Korean that was learnt.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import BadParity
from jobs.gate.settings import GateSettings

if TYPE_CHECKING:
    from bot.writers.engine import LoraFile
    from bot.writers.llamacpp import LlamaCppEngine

_BATCH = 256
"""Tokens decoded at once; at most the context's own batch."""


@dataclass(frozen=True, slots=True)
class ParitySample:
    """One sample as torch saw it."""

    tokens: tuple[int, ...]
    answer_begins: int
    label_logprobs: tuple[float, ...]
    """Natural logarithms, one for each token from `answer_begins` on."""
    top1: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parity:
    """How near llama.cpp is to torch, over all answer tokens of all samples."""

    samples: int
    tokens: int
    logprob: float
    """Mean |difference| of the answer tokens' log-probabilities, in nats."""
    top1: float
    """Share of answer tokens in whose place both would have written the same."""
    effect: float
    """Mean |difference| between torch with the LoRA and llama.cpp without it: what a LoRA that does nothing would show."""

    def holds(self, settings: GateSettings) -> bool:
        """Within the thresholds of `GateSettings`, whose reasons stand there."""
        near = self.logprob <= max(settings.parity_noise, settings.parity_share * self.effect)
        return near and self.logprob <= settings.parity_logprob and self.top1 >= settings.parity_top1

    def as_json(self) -> dict[str, object]:
        """Its fields."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Parity:
        """What `as_json` gave."""
        return cls(**raw)


def read_parity(path: Path) -> tuple[ParitySample, ...]:
    """A list of samples, or `{"samples": [...]}`. Raises `BadParity`."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        many = raw["samples"] if isinstance(raw, dict) else raw
        samples = tuple(_sample(one) for one in many)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadParity(name=path.name, reason=f"{type(error).__name__}: {error}") from error
    if not samples:
        raise BadParity(name=path.name, reason="no samples")
    return samples


def measure_parity(engine: LlamaCppEngine, lora: LoraFile, samples: Sequence[ParitySample]) -> Parity:
    """Run on the engine's own thread (`ModelWorker.run`). Afterwards the cache is empty.

    Raises a `LoraError` if the LoRA does not fit, `BadParity` if the samples are not this vocabulary's or exceed the context.
    """
    plain, _ = _read_all(engine, None, samples)
    tuned, best = _read_all(engine, lora, samples)
    wanted = np.concatenate([sample.label_logprobs for sample in samples])
    return Parity(
        samples=len(samples),
        tokens=len(wanted),
        logprob=float(np.abs(tuned - wanted).mean()),
        top1=float((best == np.concatenate([sample.top1 for sample in samples])).mean()),
        effect=float(np.abs(plain - wanted).mean()),
    )


def _sample(raw: Mapping[str, Any]) -> ParitySample:
    sample = ParitySample(
        tokens=tuple(int(token) for token in raw["tokens"]),
        answer_begins=int(raw["answer_begins"]),
        label_logprobs=tuple(float(value) for value in raw["label_logprobs"]),
        top1=tuple(int(token) for token in raw["top1"]),
    )
    answer = len(sample.tokens) - sample.answer_begins
    if not 1 <= sample.answer_begins < len(sample.tokens) or min(sample.tokens) < 0:
        raise ValueError("tokens and answer_begins do not fit together")
    if len(sample.label_logprobs) != answer or len(sample.top1) != answer:
        raise ValueError("label_logprobs and top1 need one entry for each token of the answer")
    if not all(math.isfinite(value) for value in sample.label_logprobs):
        raise ValueError("label_logprobs must be numbers")
    return sample


def _read_all(
    engine: LlamaCppEngine, lora: LoraFile | None, samples: Sequence[ParitySample]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(log-probability, likeliest token) in the place of every answer token, sample after sample."""
    engine.attach(lora)
    engine.forget()
    held: list[int] = []  # tokens in the cache: what samples begin with in common, the rules, is read once
    try:
        read = [_logprobs(engine, sample, held) for sample in samples]
    finally:
        engine.forget()  # the engine's own record knows nothing of what was computed here
    return np.concatenate([said for said, _ in read]), np.concatenate([best for _, best in read])


def _logprobs(
    engine: LlamaCppEngine, sample: ParitySample, held: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Of one sample. `held` is brought up to date."""
    import llama_cpp

    lib: Any = llama_cpp
    context = engine.context_pointer
    words = int(lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(lib.llama_get_model(context))))
    if max(sample.tokens) >= words or len(sample.tokens) > engine.context_tokens:
        raise BadParity(name=engine.name, reason="the samples are of another model, or too long for the context")
    size = min(_BATCH, int(lib.llama_n_batch(context)))
    first = sample.answer_begins - 1  # after this token the first one of the answer is foretold
    shared = 0
    while shared < min(len(held), first) and held[shared] == sample.tokens[shared]:
        shared += 1
    if not lib.llama_memory_seq_rm(lib.llama_get_memory(context), 0, shared, -1):
        engine.forget()  # a recurrent model, which cannot be cut back
        shared = 0
    held[:] = sample.tokens[:-1]
    said, best = [], []
    batch = lib.llama_batch_init(size, 0, 1)
    try:
        for begin in range(shared, len(sample.tokens) - 1, size):
            part = sample.tokens[begin : min(begin + size, len(sample.tokens) - 1)]
            batch.n_tokens = len(part)
            for at, token in enumerate(part):
                batch.token[at], batch.pos[at] = token, begin + at
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
                batch.logits[at] = begin + at >= first
            if lib.llama_decode(context, batch) != 0:
                raise BadParity(name=engine.name, reason="llama_decode failed")
            for at in range(max(first - begin, 0), len(part)):
                row = np.ctypeslib.as_array(lib.llama_get_logits_ith(context, at), shape=(words,)).astype(np.float64)
                best.append(int(row.argmax()))
                said.append(float(row[sample.tokens[begin + at + 1]] - np.logaddexp.reduce(row)))
    finally:
        lib.llama_batch_free(batch)
    return np.asarray(said), np.asarray(best)
