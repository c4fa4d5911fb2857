"""Reading the best passages once more together with the question (a cross-encoder): optional, slow, off by default.

The model is a sentence-transformers CrossEncoder in a local folder, safetensors only, no code of its own. Within its time
it sees all of the best passages or has no say at all: an order that depends on how busy a machine is cannot be explained.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SHARE = 0.5
"""What the cross-encoder's score counts beside the fused one, each scaled to 0..1 over the passages it read."""


class Reranker(Protocol):
    """Scores texts for a question."""

    @property
    def most(self) -> int:
        """How many passages it reads."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float64] | None:
        """One per text, higher is better; None when the time was not enough."""


class CrossEncoderReranker:
    """A CrossEncoder on the CPU."""

    def __init__(
        self, folder: Path, *, most: int = 20, seconds: float = 2.0, threads: int = 1, batch_size: int = 4
    ) -> None:
        """`seconds`: of one question; looked at after every `batch_size` passages. Raises OSError, ValueError: no such model."""
        import torch
        from sentence_transformers import CrossEncoder

        torch.set_num_threads(threads)
        self.most = most
        self._seconds = seconds
        self._batch_size = batch_size
        self._model = CrossEncoder(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float64] | None:
        """One per text; None when the time was not enough."""
        started = time.perf_counter()
        found: list[float] = []
        for start in range(0, len(texts), self._batch_size):
            if time.perf_counter() - started > self._seconds:
                return None
            pairs = [(question, text) for text in texts[start : start + self._batch_size]]
            scores = self._model.predict(pairs, batch_size=self._batch_size, show_progress_bar=False)
            found += [float(score) for score in np.asarray(scores, dtype=np.float64).reshape(len(pairs), -1)[:, -1]]
        return np.array(found)


def reranked(scores: NDArray[np.float64], read: NDArray[np.float64]) -> NDArray[np.float64]:
    """New scores for the best passages: fused and read ones, each min-max scaled, half and half, within the range of the fused ones.

    Staying within their range keeps the best passages above all that were not read. `scores`: any order, one per `read`.
    """
    low, high = float(scores.min()), float(scores.max())
    mixed = (1 - SHARE) * _scaled(scores) + SHARE * _scaled(read)
    return low + (high - low) * mixed


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.ones(len(values))
