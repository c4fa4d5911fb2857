"""One BM25 leg over token lists (bm25s), with what the judge needs beside scores: IDF and who holds which token.

Used twice per edition: over Kiwi's morphemes and over character bigrams. Arrays are saved by numpy without pickle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bm25s import BM25

Scores = NDArray[np.float32]


class Lexicon:
    """BM25 with bm25s' defaults (k1 1.5, b 0.75, Lucene's formula), which are the ones that were measured."""

    def __init__(self, bm25: BM25) -> None:
        self._bm25 = bm25
        self.size = int(bm25.scores["num_docs"])

    @classmethod
    def build(cls, documents: Sequence[list[str]]) -> Lexicon:
        """`documents`: one token list each; an empty list is a document that is never found."""
        from bm25s import BM25

        bm25 = BM25()
        # bm25s refuses a corpus without a single token.
        bm25.index(list(documents) if any(documents) else [["\x00"]] * len(documents), show_progress=False)
        return cls(bm25)

    def save(self, folder: Path) -> None:
        """Write numpy arrays and JSON into `folder`."""
        self._bm25.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """The inverse of `save`; arrays are memory-mapped."""
        from bm25s import BM25

        return cls(BM25.load(folder, mmap=True, show_progress=False, allow_pickle=False))

    def scores(self, tokens: Iterable[str]) -> Scores:
        """(size,) BM25 of every document; all zero when no token is known."""
        known = [token for token in tokens if token in self._bm25.vocab_dict]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        scores: Scores = np.asarray(self._bm25.get_scores(known), dtype=np.float32)
        return scores

    def idf(self, token: str) -> float:
        """Lucene's ln(1 + (N - df + 0.5) / (df + 0.5)); an unknown token has df 0."""
        df = len(self.holders(token))
        return float(np.log(1 + (self.size - df + 0.5) / (df + 0.5)))

    def holders(self, token: str) -> NDArray[np.int64]:
        """Numbers of the documents that hold `token`."""
        index = self._bm25.vocab_dict.get(token)
        if index is None:
            return np.zeros(0, dtype=np.int64)
        start, stop = self._bm25.scores["indptr"][index : index + 2]
        return np.asarray(self._bm25.scores["indices"][start:stop], dtype=np.int64)
