"""Who holds which token how often: what a BM25 leg is made from, and what makes it cheap to make anew when few passages changed.

BM25's scores depend on how many passages there are and how long they are on average, so one changed page changes them all; the counts
below them it does not. They are kept beside the scores in each edition, taken over as arrays, and only the scores are computed again.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 1_000_000
"""Scores computed in one piece: bounds the memory for double precision."""
_MOST = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class TermCounts:
    """Columns of tokens: entries `starts[c]` to `starts[c + 1]` are the documents that hold the token of column c, ascending."""

    vocabulary: Mapping[str, int]
    """Token → column."""
    starts: NDArray[np.int64]
    """(columns + 1,)"""
    documents: NDArray[np.int32]
    """(entries,)"""
    counts: NDArray[np.uint16]
    """(entries,) how often the document holds the token."""
    lengths: NDArray[np.int32]
    """(documents,) tokens of each document."""

    @property
    def size(self) -> int:
        """Documents."""
        return len(self.lengths)

    @classmethod
    def of(cls, documents: Iterable[Sequence[str]], known: Mapping[str, int] | None = None) -> TermCounts:
        """One token list each, taken one by one. `known`: columns that come first."""
        vocabulary: defaultdict[str, int] = defaultdict(None, known or {})
        vocabulary.default_factory = vocabulary.__len__
        columns, counts, held, lengths = array("i"), array("i"), array("i"), array("i")
        for tokens in documents:
            found = Counter(tokens)
            columns.extend(map(vocabulary.__getitem__, found))
            counts.extend(found.values())
            held.append(len(found))
            lengths.append(len(tokens))
        column_of = _array(columns)
        order = np.argsort(column_of, kind="stable")
        starts = np.zeros(len(vocabulary) + 1, dtype=np.int64)
        np.cumsum(np.bincount(column_of, minlength=len(vocabulary)), out=starts[1:])
        numbers = np.repeat(np.arange(len(lengths), dtype=np.int32), _array(held))
        often = np.minimum(_array(counts), _MOST).astype(np.uint16)
        return cls(dict(vocabulary), starts, numbers[order], often[order], _array(lengths))

    def taken_over(self, rows: NDArray[np.int64], fresh: Iterable[Sequence[str]]) -> TermCounts:
        """The counts of another list of documents, of which most are known here.

        `rows`: for each new document its number here, or -1 for the next one of `fresh`; no number twice. Tokens that nobody holds any
        more are gone.
        """
        known = rows >= 0
        if not known.any():
            return TermCounts.of(fresh)
        number = np.full(self.size, -1, dtype=np.int32)
        number[rows[known]] = np.flatnonzero(known)
        now = number[self.documents]
        stays = now >= 0
        added = TermCounts.of(fresh, self.vocabulary)
        before = np.zeros(len(self.documents) + 1, dtype=np.int64)
        np.cumsum(stays, out=before[1:])
        # Columns that only the fresh documents have are empty here.
        kept = np.concatenate([before[self.starts], np.repeat(before[-1:], len(added.starts) - len(self.starts))])
        starts = kept + added.starts
        documents = np.empty(int(starts[-1]), dtype=np.int32)
        counts = np.empty(int(starts[-1]), dtype=np.uint16)
        # In every column those of before come first: each is moved on by what was added to the columns before it, and the other way round.
        places = np.arange(kept[-1]) + np.repeat(added.starts[:-1], np.diff(kept))
        documents[places], counts[places] = now[stays], self.counts[stays]
        places = np.arange(added.starts[-1]) + np.repeat(kept[1:], np.diff(added.starts))
        documents[places] = np.flatnonzero(~known).astype(np.int32)[added.documents]
        counts[places] = added.counts
        _sort(documents, counts, starts, np.flatnonzero(np.diff(added.starts)) if _ascends(rows[known]) else None)
        lengths = np.empty(len(rows), dtype=np.int32)
        lengths[known], lengths[~known] = self.lengths[rows[known]], added.lengths
        return TermCounts(added.vocabulary, starts, documents, counts, lengths)._without_empty_columns()

    def _without_empty_columns(self) -> TermCounts:
        held = np.diff(self.starts) > 0
        if held.all():
            return self
        column = np.cumsum(held) - 1
        vocabulary = {token: int(column[c]) for token, c in self.vocabulary.items() if held[c]}
        starts = np.concatenate([self.starts[:1], self.starts[1:][held]])
        return TermCounts(vocabulary, starts, self.documents, self.counts, self.lengths)

    def scores(self, k1: float, b: float) -> NDArray[np.float32]:
        """(entries,) BM25 as Lucene computes it (Kamphuis et al. 2020): idf · tf / (tf + k1 (1 - b + b · length / average length)).

        idf = ln(1 + (N - df + 0.5) / (df + 0.5)).
        """
        held = np.diff(self.starts)
        idf = np.log(1 + (self.size - held + 0.5) / (held + 0.5)).astype(np.float32)
        average = float(self.lengths.mean()) if self.lengths.any() else 1.0
        norm = k1 * ((1 - b) + b * self.lengths / average)
        scores = np.repeat(idf, held)
        for part in _parts(len(scores)):
            often = self.counts[part].astype(np.float64)
            scores[part] *= often / (norm[self.documents[part]] + often)
        return scores


def _parts(size: int) -> Iterator[slice]:
    for start in range(0, size, _AT_ONCE):
        yield slice(start, start + _AT_ONCE)


def _ascends(numbers: NDArray[np.int64]) -> bool:
    return bool((np.diff(numbers) > 0).all())


def _sort(
    documents: NDArray[np.int32],
    counts: NDArray[np.uint16],
    starts: NDArray[np.int64],
    columns: NDArray[np.int64] | None,
) -> None:
    """Put `columns` (None: all) into ascending order, in place. Two runs that are sorted already cost a merge."""
    if columns is None:
        column = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        order = np.lexsort((documents, column))
        documents[:], counts[:] = documents[order], counts[order]
        return
    for start, end in zip(starts[columns].tolist(), starts[columns + 1].tolist(), strict=True):
        order = np.argsort(documents[start:end], kind="stable")
        documents[start:end], counts[start:end] = documents[start:end][order], counts[start:end][order]


def _array(values: array[Any]) -> NDArray[np.int32]:
    return np.frombuffer(values, dtype=np.int32) if len(values) else np.zeros(0, dtype=np.int32)
