"""Passages → BM25 legs and vectors: taken over from the serving edition where the passage is, from the cache where the text is known,
computed where neither helps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.building.report import BuildProgress
from knowledge.building.serving import Serving
from knowledge.cache import ContentCache, key_of
from knowledge.embed import Embedder, Vectors
from knowledge.korean import Analyser, bigrams
from knowledge.lexicon import Lexicon
from knowledge.term_counts import TermCounts

_AT_ONCE = 256
"""Texts that are computed and kept together: what a kill costs."""


@dataclass(frozen=True, slots=True)
class Legs:
    """What a search needs, row by row as the passages."""

    morphemes: Lexicon
    bigrams: Lexicon
    vectors: Vectors


class Computing:
    """Of one run. `serving` None: nothing is taken over."""

    def __init__(
        self,
        cache: ContentCache,
        serving: Serving | None,
        analyser: Analyser,
        embedder: Embedder,
        progress: BuildProgress,
    ) -> None:
        self._cache = cache
        self._edition = serving.edition if serving is not None and serving.manifest is not None else None
        self._analyser = analyser
        self._embedder = embedder
        self._progress = progress

    def legs(self, texts: Sequence[str], rows: NDArray[np.int64]) -> Legs:
        """`rows`: for each text its number in the serving edition, or -1."""
        old = self._edition
        same = old is not None and old.manifest.analyser == self._analyser.name
        before = old.morphemes.counts if old is not None and same else None
        morphemes = _leg(before, rows, texts, self._morphemes)
        self._cache.keep_only("morphemes", [self._token_key(text) for text in texts])
        before = old.bigrams.counts if old is not None and same else None
        pairs = _leg(before, rows, texts, lambda new: map(bigrams, new))
        return Legs(morphemes, pairs, self._all_vectors(texts, rows))

    def _token_key(self, text: str) -> str:
        return key_of(self._analyser.name, text)

    def _morphemes(self, texts: Sequence[str]) -> Iterable[list[str]]:
        """Of each text, in order; what had to be computed is kept before the first is given."""
        keys = [self._token_key(text) for text in texts]
        known = self._cache.holds("morphemes", keys) if keys else set()
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        done, total = len(known), len(set(keys))
        fresh: dict[str, bytes] = {}
        for batch in _batches(list(missing)):
            tokens = self._analyser.morphemes_of([missing[key] for key in batch])
            found = {key: json.dumps(one, ensure_ascii=False).encode() for key, one in zip(batch, tokens, strict=True)}
            self._cache.put("morphemes", found)
            fresh |= found
            done += len(found)
            self._progress("morphemes", done, total)
        return self._tokens(keys, fresh)

    def _tokens(self, keys: Sequence[str], fresh: dict[str, bytes]) -> Iterable[list[str]]:
        for batch in _batches(keys):
            kept = self._cache.get("morphemes", (key for key in batch if key not in fresh))
            for key in batch:
                yield json.loads(fresh[key] if key in fresh else kept[key])

    def _all_vectors(self, texts: Sequence[str], rows: NDArray[np.int64]) -> Vectors:
        vectors = np.empty((len(texts), self._embedder.dimension), dtype=np.float32)
        keys = [key_of(self._embedder.id, text) for text in texts]
        at = np.arange(len(texts))
        if self._edition is not None and self._edition.manifest.embedder == self._embedder.id:
            taken = rows >= 0
            vectors[taken] = self._edition.vectors.matrix()[rows[taken]]
            at = np.flatnonzero(~taken)
        self._fill(vectors, [(number, keys[number], texts[number]) for number in at.tolist()])
        self._cache.keep_only("vector", keys)
        return vectors

    def _fill(self, vectors: Vectors, wanted: Sequence[tuple[int, str, str]]) -> None:
        """Rows (number, key, text) from the cache or the embedder."""
        texts = {key: text for _, key, text in wanted}
        rows: dict[str, list[int]] = {}
        for number, key, _ in wanted:
            rows.setdefault(key, []).append(number)
        for batch in _batches(list(texts)):
            for key, kept in self._cache.get("vector", batch).items():
                # A cached vector of another length would be a damaged cache: compute it again.
                if len(kept) == 4 * self._embedder.dimension:
                    vectors[rows[key]] = np.frombuffer(kept, dtype=np.float32)
                    del texts[key]
        done, total = len(rows) - len(texts), len(rows)
        # Longest first over the whole run, so that every batch holds texts of one length.
        for batch in _batches(sorted(texts, key=lambda key: -len(texts[key]))):
            made = self._embedder.passages([texts[key] for key in batch])
            self._cache.put("vector", {key: vector.tobytes() for key, vector in zip(batch, made, strict=True)})
            for key, vector in zip(batch, made, strict=True):
                vectors[rows[key]] = vector
            done += len(batch)
            self._progress("vectors", done, total)


def _leg(
    before: TermCounts | None,
    rows: NDArray[np.int64],
    texts: Sequence[str],
    tokens_of: Callable[[Sequence[str]], Iterable[Sequence[str]]],
) -> Lexicon:
    """From the counts of before and the tokens of texts that are new; from all texts where there are none of before."""
    if before is None:
        return Lexicon.of(TermCounts.of(tokens_of(texts)))
    new = [text for text, row in zip(texts, rows.tolist(), strict=True) if row < 0]
    return Lexicon.of(before.taken_over(rows, tokens_of(new)))


def _batches(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
