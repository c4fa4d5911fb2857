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


class Coverage:
    """Of one question: the IDF-weighted share of its morphemes that a text holds, 0 to 1."""

    def __init__(self, question: str, analyser: Analyser, idf: Callable[[str], float]) -> None:
        self._weights = {token: idf(token) for token in set(analyser.morphemes(question))}
        self._total = sum(self._weights.values()) or 1.0
        self._analyser = analyser

    def of(self, text: str) -> float:
        """Of one text."""
        tokens = set(self._analyser.morphemes(text))
        return sum(weight for token, weight in self._weights.items() if token in tokens) / self._total


class Closeness:
    """Of one question. `texts` are measured like passages: heading line first. Costs an embedding per text."""

    def __init__(self, question: str, analyser: Analyser, embedder: Embedder, idf: Callable[[str], float]) -> None:
        self._vector = embedder.query(question)
        self._coverage = Coverage(question, analyser, idf)
        self._embedder = embedder

    def of(self, texts: Sequence[str]) -> list[float]:
        """`strength` of each text; its coverage is that of `Coverage`."""
        if not texts:
            return []
        cosines = self._embedder.passages(texts) @ self._vector
        return [strength(cosine, self._coverage.of(text)) for text, cosine in zip(texts, cosines.tolist(), strict=True)]
