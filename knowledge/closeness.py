"""How near texts are to one question, on the scale of the search's evidence: is a sentence about what was asked at all?

The scale is calibrated with each edition (calibrate.py), so the same threshold that tells whether the wiki says anything
tells whether a sentence does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from knowledge.embed import Embedder
from knowledge.korean import Analyser


def strength(cosine: float, coverage: float) -> float:
    """One number to compare with the calibrated threshold; either signal alone separates worse (measured)."""
    return 10 * cosine + coverage


class Closeness:
    """Of one question. `texts` are measured like passages: heading line first. Costs an embedding per text."""

    def __init__(self, question: str, analyser: Analyser, embedder: Embedder, idf: Callable[[str], float]) -> None:
        self._vector = embedder.query(question)
        self._weights = {token: idf(token) for token in set(analyser.morphemes(question))}
        self._analyser = analyser
        self._embedder = embedder

    def of(self, texts: Sequence[str]) -> list[float]:
        """`strength` of each text; coverage is the IDF-weighted share of the question's morphemes in it."""
        if not texts:
            return []
        cosines = self._embedder.passages(texts) @ self._vector
        total = sum(self._weights.values()) or 1.0
        found = []
        for text, cosine in zip(texts, cosines.tolist(), strict=True):
            tokens = set(self._analyser.morphemes(text))
            covered = sum(weight for token, weight in self._weights.items() if token in tokens)
            found.append(strength(cosine, covered / total))
        return found
