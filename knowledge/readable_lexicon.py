"""A lexicon as one reader may know it: how rare a word is and how long passages are is counted over the readable ones alone.

So neither a score nor the order of what somebody finds tells anything about pages they may not read: it is what it would be
without them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.lexicon import Lexicon, Scores, idf
from knowledge.readers import View
from knowledge.term_counts import TermCounts

MOST_VIEWS = 6
"""Views whose legs are kept, least recently used dropped first; the others are made anew, in about a millisecond."""
_MOST_SCORES = 2_000_000
"""Scores that one leg of a view keeps, 4 bytes each: those of the words that people ask with."""


class Rarity(Protocol):
    """What search needs of a lexicon; `Lexicon` itself for who may read everything."""

    def scores(self, tokens: Iterable[str]) -> Scores:
        """(size,) BM25 of every document."""

    def idf(self, token: str) -> float:
        """How rare a token is."""

    def held_by(self, token: str, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of `numbers` hold `token`."""


class ReadableLexicon:
    """Over the passages of `view` as `Lexicon` is over all; the numbers of passages stay those of the edition. Thread-safe."""

    def __init__(self, lexicon: Lexicon, counts: TermCounts, view: View) -> None:
        self._lexicon = lexicon
        self._counts = counts
        self._view = view
        lengths = counts.lengths[view.mask]
        average = float(lengths.mean()) if lengths.any() else 1.0
        norm = lexicon.k1 * ((1 - lexicon.b) + lexicon.b * counts.lengths / average)
        self._norm = np.where(view.mask, norm, np.inf)  # infinitely long: no score
        self._kept: OrderedDict[str, Scores] = OrderedDict()
        self._entries = 0
        self._lock = Lock()

    def scores(self, tokens: Iterable[str]) -> Scores:
        """See `Rarity`; 0 for what may not be read. A token that stands twice counts twice."""
        wanted = [(token, holders) for token in tokens if len(holders := self._lexicon.holders(token))]
        found = self._of(dict(wanted))
        scores = np.zeros(self._lexicon.size, dtype=np.float32)
        for token, holders in wanted:
            scores[holders] += found[token]
        return scores

    def idf(self, token: str) -> float:
        """See `Rarity`."""
        return idf(self._view.count, self._view.held(self._lexicon.holders(token)))

    def held_by(self, token: str, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """See `Rarity`."""
        return self._lexicon.held_by(token, numbers)

    def _of(self, wanted: Mapping[str, NDArray[np.integer]]) -> dict[str, Scores]:
        """Token → one score for each of its holders; what was asked before is kept."""
        with self._lock:
            found = {token: self._kept[token] for token in wanted if token in self._kept}
            for token in found:
                self._kept.move_to_end(token)
        fresh = self._computed({token: holders for token, holders in wanted.items() if token not in found})
        with self._lock:
            for token, scores in fresh.items():
                if token not in self._kept:
                    self._kept[token] = scores
                    self._entries += len(scores)
            while self._entries > _MOST_SCORES:
                self._entries -= len(self._kept.popitem(last=False)[1])
        return found | fresh

    def _computed(self, wanted: Mapping[str, NDArray[np.integer]]) -> dict[str, Scores]:
        """All tokens at once: each step costs more to begin than to do. Formula and precision: `TermCounts.scores`."""
        if not wanted:
            return {}
        holders = np.concatenate(list(wanted.values()))
        often = np.concatenate([self._lexicon.times(token, self._counts) for token in wanted]).astype(np.float64)
        sizes = [len(one) for one in wanted.values()]
        starts = np.cumsum([0, *sizes[:-1]])
        df = np.add.reduceat(self._view.mask[holders], starts, dtype=np.int64).tolist()
        weights = np.array([idf(self._view.count, held) for held in df], dtype=np.float32)
        scores = (np.repeat(weights, sizes) * (often / (self._norm[holders] + often))).astype(np.float32)
        return dict(zip(wanted, np.split(scores, starts[1:]), strict=True))


class Legs:
    """Both BM25 legs of an edition, as each view may know them. Thread-safe."""

    def __init__(self, morphemes: Lexicon, bigrams: Lexicon) -> None:
        self._whole = (morphemes, bigrams)
        # An edition of an earlier version kept no counts: it has the rarity of all its words for everybody.
        self._counts = (morphemes.counts, bigrams.counts)
        self._made: OrderedDict[View, tuple[Rarity, Rarity]] = OrderedDict()
        self._lock = Lock()

    def of(self, view: View) -> tuple[Rarity, Rarity]:
        """(morphemes, bigrams)."""
        if view.everything:
            return self._whole
        with self._lock:
            if view in self._made:
                self._made.move_to_end(view)
                return self._made[view]
        first, second = (
            lexicon if counts is None else ReadableLexicon(lexicon, counts, view)
            for lexicon, counts in zip(self._whole, self._counts, strict=True)
        )
        with self._lock:
            self._made[view] = (first, second)
            while len(self._made) > MOST_VIEWS:
                self._made.popitem(last=False)
        return first, second
