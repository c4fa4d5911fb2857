"""A lexicon as one reader may know it: how rare a word is and how long passages are is counted over the readable ones alone.

So neither a score nor the order of what somebody finds tells anything about pages they may not read: it is what it would be
without them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.lexicon import Lexicon, Scores, added_up, idf
from knowledge.readers import View
from knowledge.term_counts import TermCounts

MOST_VIEWS = 6
"""Views whose legs are kept, least recently used dropped first; the others are made anew, in about a millisecond."""
_MOST_SCORES = 2_000_000
"""Scores that one leg of a view keeps, 12 bytes each with the number of the passage: those of the words that people ask with."""


class Rarity(Protocol):
    """What search needs of a lexicon; `Lexicon` itself for who may read everything."""

    def scores(self, tokens: Iterable[str]) -> Scores:
        """(size,) BM25 of every document."""

    def idf(self, token: str) -> float:
        """How rare a token is."""

    def held_by(self, token: str, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of `numbers` hold `token`."""


class _Held(NamedTuple):
    """Of one token: the readable passages that hold it, ascending, their scores, and how rare it is among the readable ones."""

    numbers: NDArray[np.intp]
    scores: Scores
    idf: float


class ReadableLexicon:
    """Over the passages of `view` as `Lexicon` is over all; the numbers of passages stay those of the edition. Thread-safe."""

    def __init__(self, lexicon: Lexicon, counts: TermCounts, view: View) -> None:
        self._lexicon = lexicon
        self._counts = counts
        self._view = view
        lengths = counts.lengths[view.mask]
        average = float(lengths.mean()) if lengths.any() else 1.0
        norm = lexicon.k1 * ((1 - lexicon.b) + lexicon.b * counts.lengths / average)
        self._norm = norm
        self._kept: OrderedDict[str, _Held] = OrderedDict()
        self._entries = 0
        self._lock = Lock()

    def scores(self, tokens: Iterable[str]) -> Scores:
        """See `Rarity`; 0 for what may not be read. A token that stands twice counts twice."""
        wanted = [token for token in tokens if self._lexicon.df(token)]
        found = self._of(dict.fromkeys(wanted))
        return added_up(self._lexicon.size, [(found[token].numbers, found[token].scores) for token in wanted])

    def idf(self, token: str) -> float:
        """See `Rarity`."""
        held = self._kept.get(token)
        return idf(self._view.count, self._view.held(self._lexicon.holders(token))) if held is None else held.idf

    def held_by(self, token: str, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """See `Rarity`."""
        return self._lexicon.held_by(token, numbers)

    def _of(self, wanted: Iterable[str]) -> dict[str, _Held]:
        """Of tokens that the edition has; what was asked before is kept."""
        with self._lock:
            found = {token: self._kept[token] for token in wanted if token in self._kept}
            for token in found:
                self._kept.move_to_end(token)
        fresh = self._computed([token for token in wanted if token not in found])
        with self._lock:
            for token, held in fresh.items():
                if token not in self._kept:
                    self._kept[token] = held
                    self._entries += len(held.numbers)
            while self._entries > _MOST_SCORES:
                self._entries -= len(self._kept.popitem(last=False)[1].numbers)
        return found | fresh

    def _computed(self, wanted: Sequence[str]) -> dict[str, _Held]:
        """All tokens at once: each step costs more to begin than to do. Formula and precision: `TermCounts.scores`."""
        if not wanted:
            return {}
        holders = [self._lexicon.holders(token) for token in wanted]
        numbers = np.concatenate(holders)
        often = np.concatenate([self._lexicon.times(token, self._counts) for token in wanted])
        readable = self._view.mask[numbers]
        starts = np.cumsum([0, *map(len, holders)])
        df = np.add.reduceat(readable, starts[:-1], dtype=np.int64)
        numbers, often = numbers[readable].astype(np.intp), often[readable].astype(np.float64)
        rarity = [idf(self._view.count, held) for held in df.tolist()]
        weights = np.repeat(np.array(rarity, dtype=np.float32), df)
        scores = (weights * (often / (self._norm[numbers] + often))).astype(np.float32)
        ends = np.cumsum(df).tolist()
        return {
            # Copies: a slice would keep the arrays of all tokens alive when its own is the last one kept.
            token: _Held(numbers[end - held : end].copy(), scores[end - held : end].copy(), rare)
            for token, end, held, rare in zip(wanted, ends, df.tolist(), rarity, strict=True)
        }


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
