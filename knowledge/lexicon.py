"""One BM25 leg over token lists (bm25s), with what the judge needs beside scores: IDF and who holds which token.

Used twice per edition: over Kiwi's morphemes and over character bigrams. Arrays are saved by numpy without pickle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.term_counts import TermCounts

if TYPE_CHECKING:
    from bm25s import BM25

Scores = NDArray[np.float32]
_COUNTS = "counts.npy"
_LENGTHS = "lengths.npy"


class Lexicon:
    """BM25 with bm25s' defaults (k1 1.5, b 0.75, Lucene's formula), which are the ones that were measured."""

    def __init__(
        self, bm25: BM25, counts: NDArray[np.uint16] | None = None, lengths: NDArray[np.int32] | None = None
    ) -> None:
        self._bm25 = bm25
        # Plain arrays over what may be memory-mapped: a slice of a memmap costs ten times a slice of an array.
        self._counts = None if counts is None else np.asarray(counts)
        self._lengths = None if lengths is None else np.asarray(lengths)
        self._scores: Scores = np.asarray(bm25.scores["data"])
        self._documents: NDArray[np.integer] = np.asarray(bm25.scores["indices"])
        self._starts = [int(start) for start in bm25.scores["indptr"]]
        # bm25s adds an empty token that no document has a list for.
        self._vocabulary = {token: i for token, i in bm25.vocab_dict.items() if i < len(self._starts) - 1}
        self.size = int(bm25.scores["num_docs"])
        self.k1, self.b = float(bm25.k1), float(bm25.b)

    @classmethod
    def build(cls, documents: Iterable[Sequence[str]]) -> Lexicon:
        """`documents`: one token list each; an empty list is a document that is never found."""
        return cls.of(TermCounts.of(documents))

    @classmethod
    def of(cls, counts: TermCounts) -> Lexicon:
        """All scores at once: bm25s' own loop over documents and tokens takes minutes and gigabytes for the same numbers."""
        from bm25s import BM25

        bm25 = BM25()
        bm25.vocab_dict = dict(counts.vocabulary)
        bm25.unique_token_ids_set = set(bm25.vocab_dict.values())
        bm25.nonoccurrence_array = None  # of other formulas than Lucene's
        bm25.scores = {
            "data": counts.scores(bm25.k1, bm25.b),
            "indices": counts.documents,
            "indptr": counts.starts,
            "num_docs": counts.size,
        }
        return cls(bm25, counts.counts, counts.lengths)

    @property
    def counts(self) -> TermCounts | None:
        """What it was made from; None where an older version did not keep it."""
        if self._counts is None or self._lengths is None:
            return None
        scores = self._bm25.scores
        return TermCounts(self._bm25.vocab_dict, scores["indptr"], scores["indices"], self._counts, self._lengths)

    def save(self, folder: Path) -> None:
        """Write numpy arrays and JSON into `folder`."""
        self._bm25.save(folder, show_progress=False)
        if self._counts is not None and self._lengths is not None:
            np.save(folder / _COUNTS, self._counts, allow_pickle=False)
            np.save(folder / _LENGTHS, self._lengths, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """The inverse of `save`; arrays are memory-mapped."""
        from bm25s import BM25

        bm25 = BM25.load(folder, mmap=True, show_progress=False, allow_pickle=False)
        kept = [folder / _COUNTS, folder / _LENGTHS]
        if not all(path.is_file() for path in kept):
            return cls(bm25)
        return cls(bm25, *(np.load(path, mmap_mode="r", allow_pickle=False) for path in kept))

    def vocabulary(self) -> Iterable[str]:
        """Every token that a document holds. Not all of them are every reader's to know."""
        return self._vocabulary.keys()

    def scores(self, tokens: Iterable[str]) -> Scores:
        """(size,) BM25 of every document; all zero when no token is known. A token that stands twice counts twice."""
        columns = [self._vocabulary[token] for token in tokens if token in self._vocabulary]
        parts = [slice(self._starts[column], self._starts[column + 1]) for column in columns]
        return added_up(self.size, [(self._documents[at], self._scores[at]) for at in parts])

    def df(self, token: str) -> int:
        """How many documents hold `token`."""
        index = self._vocabulary.get(token)
        return 0 if index is None else self._starts[index + 1] - self._starts[index]

    def idf(self, token: str) -> float:
        """How rare `token` is; an unknown token has df 0."""
        return idf(self.size, self.df(token))

    def holders(self, token: str) -> NDArray[np.integer]:
        """Numbers of the documents that hold `token`, ascending."""
        index = self._vocabulary.get(token)
        if index is None:
            return np.zeros(0, dtype=np.int64)
        return self._documents[self._starts[index] : self._starts[index + 1]]

    def times(self, token: str, counts: TermCounts) -> NDArray[np.integer]:
        """How often each of the `holders` of `token` holds it. `counts`: this lexicon's own."""
        index = self._vocabulary.get(token)
        return counts.counts[:0] if index is None else counts.counts[self._starts[index] : self._starts[index + 1]]

    def held_by(self, token: str, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of `numbers` hold `token`."""
        holders = self.holders(token)
        if not len(holders):
            return np.zeros(len(numbers), dtype=np.bool_)
        at = np.minimum(np.searchsorted(holders, numbers), len(holders) - 1)
        held: NDArray[np.bool_] = holders[at] == numbers
        return held


def idf(size: int, df: int) -> float:
    """Lucene's ln(1 + (N - df + 0.5) / (df + 0.5))."""
    return float(np.log(1 + (size - df + 0.5) / (df + 0.5)))


def added_up(size: int, lists: Sequence[tuple[NDArray[np.integer], Scores]]) -> Scores:
    """(size,) the sum of lists of (numbers, their scores), added in the order of the lists."""
    scores = np.zeros(size, dtype=np.float32)
    if lists:
        # In one go, and by numbers of the machine's own width: list by list takes longer.
        numbers = np.concatenate([numbers for numbers, _ in lists]).astype(np.intp, copy=False)
        np.add.at(scores, numbers, np.concatenate([some for _, some in lists]))
    return scores
