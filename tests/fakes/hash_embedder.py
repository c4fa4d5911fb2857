"""An embedder without a model: hashed character bigrams, L2-normalised. Texts that share bigrams are near."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from knowledge.embed import Vectors
from knowledge.korean import bigrams


class HashEmbedder:
    """Obeys `knowledge.embed.Embedder`; `embedded` counts the passages it was given."""

    id = "hash-embedder@1"
    dimension = 256

    def __init__(self) -> None:
        self.embedded = 0

    def passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """One row per text."""
        self.embedded += len(texts)
        return np.stack([self.query(text) for text in texts])

    def query(self, text: str) -> Vectors:
        """A question is embedded like a passage."""
        vector = np.zeros(self.dimension, dtype=np.float32)
        for pair in bigrams(text):
            vector[zlib.crc32(pair.encode()) % self.dimension] += 1
        norm = float(np.linalg.norm(vector))
        return vector / norm if norm else vector
