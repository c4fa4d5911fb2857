"""The one read path: audience filter → three legs → fusion → hits, with the evidence the judge decides on.

Nothing a reader may not see is scored, and how rare words are is counted without it: what is found is what would be found if
restricted passages did not exist (only the edition's threshold was measured over all). Thread-safe for reading; the caller keeps it
off the event loop.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.closeness import Closeness
from knowledge.edition import Edition
from knowledge.embed import Embedder
from knowledge.errors import EditionMismatch
from knowledge.explained import Explained, Reckoning, Why, Word
from knowledge.fusion import Fusion, best, fuse
from knowledge.glossary import NO_WORDS, Glossary
from knowledge.hits import Evidence, Found, Hit, Understood
from knowledge.korean import Analyser, bigrams
from knowledge.ranking import best_first, best_of_each_page, outdated_below
from knowledge.readable_lexicon import Legs
from knowledge.readers import Readers, View
from knowledge.rerank import Reranker, reranked
from knowledge.signals import OFF, Signals
from knowledge.understanding import Understanding

__all__ = ["Evidence", "Found", "Hit", "SearchIndex", "SearchOptions", "Understood"]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The measured recipe's dials. `tolerant`: questions are also searched with what was mistyped put right."""

    candidates: int = 100
    fusion: Fusion = "minmax"
    weights: dict[str, float] = field(default_factory=lambda: {"morpheme": 0.4, "bigram": 0.3, "dense": 0.3})
    tolerant: bool = True
    glossary: Glossary = NO_WORDS
    signals: Signals = OFF


class SearchIndex:
    """An edition with the analyser and embedder it was made with."""

    def __init__(
        self,
        edition: Edition,
        analyser: Analyser,
        embedder: Embedder,
        options: SearchOptions | None = None,
        reranker: Reranker | None = None,
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
        self._readers = Readers(edition.passages)
        self._legs = Legs(edition.morphemes, edition.bigrams)
        self.reranker = reranker
        self._factors = self._options.signals.factors(edition.passages, _day(edition.manifest.made))
        self._outdated = np.array([p.replaced_by is not None for p in edition.passages], dtype=np.bool_)
        self._understanding = Understanding(
            analyser,
            edition.morphemes,
            edition.bigrams,
            self._options.glossary,
            tolerant=self._options.tolerant,
        )

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
        return self._ranked(question, self._readers.view(reader, sources), k, one_per_page)[0]

    def _ranked(self, question: str, view: View, k: int, one_per_page: bool) -> tuple[Found, Reckoning | None]:
        """`search`, with the numbers it came to its order by; None: nothing was searched."""
        started = time.perf_counter()
        # Nothing but white space and signs: the vector of nothing is near to something all the same.
        if not view.count or not bigrams(question):
            return Found((), Evidence(), (0.0, time.perf_counter() - started)), None
        options = self._options
        morphemes, pairs = self._legs.of(view)
        wording = self._understanding.read(question, view)
        before = time.perf_counter()
        vector = self.embedder.query(wording.text)
        embedding = time.perf_counter() - before
        raw = {"morpheme": wording.morpheme_scores(morphemes), "bigram": wording.bigram_scores(pairs)}
        legs = {
            "morpheme": self._lexical(raw["morpheme"], view),
            "bigram": self._lexical(raw["bigram"], view),
            "dense": self.edition.vectors.search(vector, options.candidates, None if view.everything else view),
        }
        fused = fuse(legs, options.weights, options.fusion)
        weighed = fused.scores if self._factors is None else fused.scores * self._factors[fused.numbers]
        scores = lowered = outdated_below(fused.numbers, weighed, self.edition.passages, self._outdated)
        places = best_first(fused.numbers, scores)
        if one_per_page:
            places = best_of_each_page(places, fused.numbers, self.edition.passages)
        read: dict[int, float] = {}
        if self.reranker is not None:
            places, scores, read = self._read_again(self.reranker, wording.text, places, fused.numbers, scores)
        places = places[: max(k, 3)]
        numbers = fused.numbers[places].tolist()
        cosines = self._cosines(vector, numbers, legs["dense"])
        coverages = wording.coverages(morphemes, numbers, self._understanding.counted(wording))
        shares = [fused.shares_of(place) for place in places]
        hits = tuple(
            Hit(
                passage=self.edition.passages[n],
                number=n,
                score=score,
                lexical=self._lexical_share(share),
                dense=cosine,
                coverage=coverage,
                shares=share,
            )
            for n, score, share, cosine, coverage in zip(
                numbers, scores[places].tolist(), shares, cosines, coverages, strict=True
            )
        )
        evidence = Evidence(
            cosine=float(legs["dense"][1][0]) if len(legs["dense"][1]) else 0.0,
            coverage=max((hit.coverage for hit in hits[:3]), default=0.0),
        )
        seconds = (embedding, time.perf_counter() - started - embedding)
        found = Found(hits[:k], evidence, seconds, wording.understood, wording.text)
        return found, Reckoning(wording, raw, legs, fused, weighed, lowered, read)

    def explain(
        self,
        question: str,
        reader: frozenset[str],
        k: int = 10,
        *,
        one_per_page: bool = False,
        sources: frozenset[str] = frozenset(),
    ) -> Explained:
        """`search`, with the reasons of its order; for whoever looks at the search itself. Arguments as there."""
        view = self._readers.view(reader, sources)
        found, reckoning = self._ranked(question, view, k, one_per_page)
        if reckoning is None:
            return Explained(self.name, found, (), (), frozenset(), "", view.count)
        wording = reckoning.wording
        morphemes, _ = self._legs.of(view)
        counted = dict.fromkeys(self._understanding.counted(wording))
        words = tuple(Word(one, morphemes.idf(one), view.held(self.edition.morphemes.holders(one))) for one in counted)
        also = frozenset(token for one in wording.alternatives for meant in one.meant for token in meant.tokens)
        whys = tuple(self._why(reckoning, hit, words) for hit in found.hits)
        return Explained(self.name, found, whys, words, also, wording.text, view.count)

    def _why(self, reckoning: Reckoning, hit: Hit, words: Sequence[Word]) -> Why:
        place = int(np.searchsorted(reckoning.fused.numbers, hit.number))
        weighed = float(reckoning.weighed[place])
        recency, authority = self._options.signals.taken_off(hit.passage, _day(self.edition.manifest.made))
        at = np.array([hit.number], dtype=np.int64)
        return Why(
            hit=hit,
            legs=reckoning.leg_scores(hit, self._options.weights),
            fused=float(reckoning.fused.scores[place]),
            recency=recency,
            authority=authority,
            outdated=float(reckoning.lowered[place]) / weighed if weighed else 1.0,
            read=reckoning.read.get(hit.number),
            words=frozenset(one.text for one in words if self.edition.morphemes.held_by(one.text, at)[0]),
        )

    def _read_again(
        self,
        reranker: Reranker,
        question: str,
        places: list[int],
        numbers: NDArray[np.int64],
        scores: NDArray[np.float64],
    ) -> tuple[list[int], NDArray[np.float64], dict[int, float]]:
        """The best places in the order of the cross-encoder and the fused score together, and its scores by passage number; as they
        are if it had no time."""
        top = places[: reranker.most]
        read = reranker.scores(question, [self.edition.passages[int(numbers[place])].indexed_text for place in top])
        if read is None or len(top) < 2:
            return places, scores, {}
        scores = scores.copy()
        scores[top] = reranked(scores[top], read)
        told = {int(numbers[place]): float(score) for place, score in zip(top, read.tolist(), strict=True)}
        return sorted(top, key=lambda place: (-scores[place], numbers[place])) + places[len(top) :], scores, told

    def closeness(self, question: str, rarity: Callable[[str], float]) -> Closeness:
        """How near other texts are to `question`, on the scale of `Evidence.strength`; `rarity` as below."""
        return Closeness(question, self.analyser, self.embedder, rarity)

    def idf(self, token: str) -> float:
        """How rare a morpheme is in the whole edition: for who may read everything, and for what everyone may read."""
        return self.edition.morphemes.idf(token)

    def rarity(self, reader: frozenset[str], sources: frozenset[str] = frozenset()) -> Callable[[str], float]:
        """How rare a morpheme is (IDF) in what `reader` may read, of `sources` (empty: of all)."""
        return self._legs.of(self._readers.view(reader, sources))[0].idf

    def readable(self, reader: frozenset[str], sources: frozenset[str] = frozenset()) -> NDArray[np.bool_]:
        """A mask over the edition's passages: those that `reader` may read, of `sources` (empty: of all)."""
        return self._readers.view(reader, sources).mask

    def _lexical(self, scores: NDArray[np.float32], view: View) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        # A score of zero is no find: bm25s would otherwise fill up with arbitrary passages.
        seen = scores if view.everything else np.where(view.mask, scores, np.float32(0))
        return best(seen, self._options.candidates, floor=0.0)

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


def _day(made: str) -> dt.date:
    """The day an edition was made; today for one that does not say."""
    return dt.datetime.fromisoformat(made).date() if made else dt.datetime.now(dt.UTC).date()
