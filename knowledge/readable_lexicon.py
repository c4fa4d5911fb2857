"""A lexicon as one reader may know it: how rare a word is and how long passages are is counted over the readable ones alone.

So neither a score nor the order of what somebody finds tells anything about pages they may not read: it is what it would be
without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.lexicon import Lexicon, Scores, idf
from knowledge.readers import View
from knowledge.term_counts import TermCounts


class Rarity(Protocol):
    """What search needs of a lexicon; `Lexicon` itself for who may read everything."""

    def scores(self, tokens: Iterable[str]) -> Scores:
        """(size,) BM25 of every document."""

    def idf(self, token: str) -> float:
        """How rare a token is."""

    def held_by(self, token: str, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of `numbers` hold `token`."""


class ReadableLexicon:
    """Over the passages of `view` as `Lexicon` is over all; the numbers of passages stay those of the edition."""

    def __init__(self, lexicon: Lexicon, counts: TermCounts, view: View) -> None:
        self._lexicon = lexicon
        self._counts = counts
        self._view = view
        lengths = counts.lengths[view.mask]
        self._average = float(lengths.mean()) if lengths.any() else 1.0

    def scores(self, tokens: Iterable[str]) -> Scores:
        """See `Rarity`; 0 for what may not be read. The formula: `TermCounts.scores`."""
        scores = np.zeros(self._lexicon.size, dtype=np.float32)
        for token, times in Counter(tokens).items():
            holders, often = self._lexicon.held(token, self._counts)
            readable = self._view.mask[holders]
            holders, often = holders[readable], often[readable].astype(np.float64)
            if len(holders):
                lengths = self._counts.lengths[holders]
                norm = self._lexicon.k1 * ((1 - self._lexicon.b) + self._lexicon.b * lengths / self._average)
                weight = np.float32(idf(self._view.count, len(holders)))
                one = (weight * (often / (norm + often))).astype(np.float32)
                for _ in range(times):
                    scores[holders] += one
        return scores

    def idf(self, token: str) -> float:
        """See `Rarity`."""
        return idf(self._view.count, self._view.held(self._lexicon.holders(token)))

    def held_by(self, token: str, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """See `Rarity`."""
        return self._lexicon.held_by(token, numbers)


def readable(lexicon: Lexicon, view: View) -> Rarity:
    """`lexicon` for this view. An edition of an earlier version, which kept no counts, has the rarity of all its words."""
    counts = None if view.everything else lexicon.counts
    return lexicon if counts is None else ReadableLexicon(lexicon, counts, view)
