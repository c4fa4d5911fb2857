"""The one read path: audience filter → three legs → fusion → hits, with the evidence the judge decides on.

Nothing a reader may not see is scored: the mask goes into every leg, and so no rank, score or text of a restricted
passage can come out. Thread-safe for reading; the caller keeps it off the event loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.closeness import Closeness, strength
from knowledge.edition import Edition
from knowledge.embed import Embedder
from knowledge.errors import EditionMismatch
from knowledge.fusion import Fusion, best, fuse
from knowledge.korean import Analyser, bigrams
from knowledge.page import Passage

OUTDATED = 0.5
"""Factor on the score of a page that names its replacement."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The measured recipe's dials."""

    candidates: int = 100
    fusion: Fusion = "minmax"
    weights: dict[str, float] = field(default_factory=lambda: {"morpheme": 0.4, "bigram": 0.3, "dense": 0.3})


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage. `score`: fused, 0..1; `lexical` and `shares`: each leg's 0..1 before weighting; `dense`: cosine;
    `coverage`: IDF-weighted share of the question's morphemes that the passage holds."""

    passage: Passage
    number: int
    score: float
    lexical: float
    dense: float
    coverage: float
    shares: dict[str, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure the search may be that the wiki says anything: the best cosine and the best coverage of the top hits."""

    cosine: float = 0.0
    coverage: float = 0.0

    @property
    def strength(self) -> float:
        """What is compared with the calibrated threshold."""
        return strength(self.cosine, self.coverage)


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one search. `seconds`: (embedding, everything else)."""

    hits: tuple[Hit, ...]
    evidence: Evidence
    seconds: tuple[float, float]


class SearchIndex:
    """An edition with the analyser and embedder it was made with."""

    def __init__(
        self, edition: Edition, analyser: Analyser, embedder: Embedder, options: SearchOptions | None = None
    ) -> None:
        """Raises EditionMismatch when the edition was made by another analyser or embedder."""
        name = edition.manifest.edition
        for what, stored, live in (
            ("analyser", edition.manifest.analyser, analyser.name),
            ("embedder", edition.manifest.embedder, embedder.id),
        ):
            if stored != live:
                raise EditionMismatch(edition=name, what=what, stored=stored, live=live)
        self.edition = edition
        self.analyser = analyser
        self.embedder = embedder
        self._options = options or SearchOptions()
        self._audiences = list(dict.fromkeys(passage.audience for passage in edition.passages))
        numbers = {audience: i for i, audience in enumerate(self._audiences)}
        self._audience_of = np.array([numbers[p.audience] for p in edition.passages], dtype=np.int64)
        self._source_of = np.array([p.source for p in edition.passages], dtype=np.str_)
        self._outdated = np.array([p.replaced_by is not None for p in edition.passages], dtype=np.bool_)

    @property
    def name(self) -> str:
        """The edition's name, the stamp of every answer."""
        return self.edition.manifest.edition

    def search(
        self,
        question: str,
        reader: frozenset[str],
        k: int = 10,
        *,
        one_per_page: bool = False,
        sources: frozenset[str] = frozenset(),
    ) -> Found:
        """The `k` best passages that `reader` may read; `one_per_page` keeps each page's best passage only.

        `sources`: names of the only sources to search; empty for all.
        """
        started = time.perf_counter()
        pairs = bigrams(question)
        if not pairs:  # nothing but white space and signs: the vector of nothing is near to something all the same
            return Found((), Evidence(), (0.0, time.perf_counter() - started))
        vector = self.embedder.query(question)
        embedded = time.perf_counter()
        readable = self.readable(reader, sources)
        if not readable.any():
            return Found((), Evidence(), (embedded - started, time.perf_counter() - embedded))
        options = self._options
        tokens = self.analyser.morphemes(question)
        legs = {
            "morpheme": self._lexical(self.edition.morphemes.scores(tokens), readable),
            "bigram": self._lexical(self.edition.bigrams.scores(pairs), readable),
            "dense": self.edition.vectors.search(vector, options.candidates, None if readable.all() else readable),
        }
        fused = fuse(legs, options.weights, options.fusion)
        scores = self._with_outdated_below({n: score for n, (score, _) in fused.items()})
        ranked = sorted(((scores[n], n, fused[n][1]) for n in fused), key=lambda found: (-found[0], found[1]))
        if one_per_page:
            ranked = _best_of_each_page(ranked, self.edition.passages)
        ranked = ranked[: max(k, 3)]
        numbers = [n for _, n, _ in ranked]
        cosines = self._cosines(vector, numbers, legs["dense"])
        coverages = self._coverages(tokens, numbers)
        hits = tuple(
            Hit(
                passage=self.edition.passages[n],
                number=n,
                score=score,
                lexical=self._lexical_share(shares),
                dense=cosine,
                coverage=coverage,
                shares=shares,
            )
            for (score, n, shares), cosine, coverage in zip(ranked, cosines, coverages, strict=True)
        )
        evidence = Evidence(
            cosine=float(legs["dense"][1][0]) if len(legs["dense"][1]) else 0.0,
            coverage=max((hit.coverage for hit in hits[:3]), default=0.0),
        )
        return Found(hits[:k], evidence, (embedded - started, time.perf_counter() - embedded))

    def closeness(self, question: str) -> Closeness:
        """How near other texts are to `question`, on the scale of `Evidence.strength`."""
        return Closeness(question, self.analyser, self.embedder, self.idf)

    def idf(self, token: str) -> float:
        """How rare a morpheme is in this edition."""
        return self.edition.morphemes.idf(token)

    def readable(self, reader: frozenset[str], sources: frozenset[str] = frozenset()) -> NDArray[np.bool_]:
        """A mask over the edition's passages: those that `reader` may read, of `sources` (empty: of all)."""
        admitted = np.array([audience.admits(reader) for audience in self._audiences], dtype=np.bool_)
        mask: NDArray[np.bool_] = admitted[self._audience_of]
        if sources:
            mask = mask & np.isin(self._source_of, sorted(sources))
        return mask

    def _with_outdated_below(self, scores: dict[int, float]) -> dict[int, float]:
        """A page that names its replacement loses half, and always stands below what replaces it."""
        outdated = [n for n in scores if self._outdated[n]]
        if not outdated:
            return scores
        newest: dict[tuple[str, str | None], float] = {}
        for n, score in scores.items():
            passage = self.edition.passages[n]
            newest[passage.source, passage.page] = max(score, newest.get((passage.source, passage.page), 0.0))
        for n in outdated:
            passage = self.edition.passages[n]
            ceiling = newest.get((passage.source, passage.replaced_by), 1.0)
            scores[n] = OUTDATED * min(scores[n], ceiling)
        return scores

    def _lexical(
        self, scores: NDArray[np.float32], readable: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        # A score of zero is no find: bm25s would otherwise fill up with arbitrary passages.
        return best(np.where(readable, scores, 0.0), self._options.candidates, floor=0.0)

    def _lexical_share(self, shares: dict[str, float]) -> float:
        weights = self._options.weights
        total = weights["morpheme"] + weights["bigram"]
        if not total:
            return 0.0
        return (weights["morpheme"] * shares.get("morpheme", 0) + weights["bigram"] * shares.get("bigram", 0)) / total

    def _cosines(
        self,
        vector: NDArray[np.float32],
        numbers: Sequence[int],
        dense: tuple[NDArray[np.int64], NDArray[np.float32]],
    ) -> list[float]:
        known = dict(zip(dense[0].tolist(), dense[1].tolist(), strict=True))
        return [known[n] if n in known else float(vector @ self.edition.vectors.vector(n)) for n in numbers]

    def _coverages(self, tokens: Sequence[str], numbers: Sequence[int]) -> list[float]:
        covered = np.zeros(len(numbers))
        total = 0.0
        at = np.array(numbers, dtype=np.int64)
        for token in set(tokens):
            weight = self.idf(token)
            total += weight
            covered += weight * np.isin(at, self.edition.morphemes.holders(token))
        return [float(value) for value in covered / total] if total else [0.0] * len(numbers)


def _best_of_each_page(
    ranked: list[tuple[float, int, dict[str, float]]], passages: Sequence[Passage]
) -> list[tuple[float, int, dict[str, float]]]:
    seen: set[tuple[str, str]] = set()
    kept = []
    for found in ranked:
        passage = passages[found[1]]
        if (passage.source, passage.page) not in seen:
            seen.add((passage.source, passage.page))
            kept.append(found)
    return kept
