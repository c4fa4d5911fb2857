"""Why a passage stands where it does: each leg's score, what it counts, what signals took off. For whoever looks at the search itself.

Made from the very numbers that the search ranked by (`knowledge/search.py`), not from a second calculation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.fusion import Fused, Numbers, Scores
from knowledge.hits import Evidence, Found, Hit
from knowledge.korean import is_content, normalise

if TYPE_CHECKING:
    from knowledge.korean import Analyser
    from knowledge.wording import Wording

Leg = Literal["morpheme", "bigram", "dense"]
LEGS: tuple[Leg, ...] = ("morpheme", "bigram", "dense")


@dataclass(frozen=True, slots=True)
class LegScore:
    """What one leg says of one passage."""

    raw: float
    """BM25, or the cosine."""
    rank: int | None
    """Among the leg's candidates, from 1; None: it is not one of them, and counts nothing."""
    share: float
    """0..1: scaled over the leg's candidates."""
    weight: float
    """Of all weights: those of the legs add up to 1."""

    @property
    def part(self) -> float:
        """Of the fused score."""
        return self.weight * self.share


@dataclass(frozen=True, slots=True)
class Word:
    """A morpheme that the question is searched by. `rarity`: IDF among what the reader may read; `passages`: how many of those hold it."""

    text: str
    rarity: float
    passages: int


@dataclass(frozen=True, slots=True)
class Why:
    """One hit, explained. `hit.score` = `fused` × (1 - recency - authority) × `outdated`, unless it was read again."""

    hit: Hit
    legs: Mapping[Leg, LegScore]
    fused: float
    recency: float
    """What its age took off, as a share of the score."""
    authority: float
    """What its depth in the source took off."""
    outdated: float
    """Factor because it names its replacement; 1: it names none."""
    read: float | None
    """Score of the cross-encoder; None: it did not read this passage."""
    words: frozenset[str]
    """Of the question's words: those that the passage holds."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A search, explained. `searched`: with what was mistyped put right; `readable`: passages that the reader may read."""

    edition: str
    found: Found
    whys: tuple[Why, ...]
    words: tuple[Word, ...]
    also: frozenset[str]
    """Morphemes of the other words that were searched as well."""
    searched: str
    readable: int

    @property
    def evidence(self) -> Evidence:
        """What is compared with the threshold."""
        return self.found.evidence


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What a search came to its order by. Arrays are over the edition's passages (`raw`) or the fused candidates (the others)."""

    wording: Wording
    raw: Mapping[str, Scores]
    """BM25 of every passage, by lexical leg."""
    legs: Mapping[str, tuple[Numbers, Scores]]
    fused: Fused
    weighed: NDArray[np.float64]
    """Fused, times the signals' factors."""
    lowered: NDArray[np.float64]
    """The same, with outdated pages below what replaces them."""
    read: Mapping[int, float]
    """Passage number → score of the cross-encoder."""

    def leg_scores(self, hit: Hit, weights: Mapping[str, float]) -> dict[Leg, LegScore]:
        """Of one hit, by leg."""
        total = sum(weights[leg] for leg in LEGS) or 1.0
        scores: dict[Leg, LegScore] = {}
        for leg in LEGS:
            at = np.flatnonzero(self.legs[leg][0] == hit.number)
            raw = hit.dense if leg == "dense" else float(self.raw[leg][hit.number])
            rank = int(at[0]) + 1 if len(at) else None
            scores[leg] = LegScore(raw, rank, hit.shares.get(leg, 0.0), weights[leg] / total)
        return scores


def places_of(text: str, wanted: Collection[str], analyser: Analyser) -> list[tuple[int, int]]:
    """Where `text` holds one of the morphemes `wanted`: (start, end) in it, in order, without overlaps."""
    same = len(normalise(text)) == len(text)  # else places in the normalised text mean nothing in this one
    found = analyser.analysed(text) if same else analyser.parsed(text)
    spans: list[tuple[int, int]] = []
    for one in sorted(found, key=lambda one: (one.start, one.end)):
        if one.end <= one.start or not is_content(one.tag) or normalise(one.form) not in wanted:
            continue
        if spans and one.start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], one.end))
        else:
            spans.append((one.start, one.end))
    return spans
