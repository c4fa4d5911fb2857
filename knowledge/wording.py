"""A question as it is searched: its morphemes and bigrams, and for some of them other words that count as well. Pure.

Other words never add up with the written ones: a passage gets for each piece of the question whatever suits it best,
the written words or, at a lower weight, the others. So a page that says both is not lifted above one that says it once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.hits import Understood
from knowledge.korean import bigrams
from knowledge.lexicon import Scores
from knowledge.readable_lexicon import Rarity


@dataclass(frozen=True, slots=True)
class Words:
    """One wording of a piece of the question: its text, and the morphemes that it is found by."""

    text: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Other words for a piece of the question. `weight`: above 0, at most 1: what they count beside the written ones."""

    written: Words
    meant: tuple[Words, ...]
    weight: float
    understood: tuple[Understood, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """`text` is what is embedded. Without alternatives the search is that of `tokens` and of the text's bigrams."""

    text: str
    tokens: tuple[str, ...]
    pairs: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = ()
    understood: tuple[Understood, ...] = ()

    def morpheme_scores(self, lexicon: Rarity) -> Scores:
        """BM25 over morphemes, one per passage."""
        pieces = [(one.written.tokens, [m.tokens for m in one.meant], one.weight) for one in self.alternatives]
        return _scores(lexicon, self.tokens, pieces)

    def bigram_scores(self, lexicon: Rarity) -> Scores:
        """BM25 over character bigrams, one per passage."""
        pieces = [
            (tuple(bigrams(one.written.text)), [tuple(bigrams(m.text)) for m in one.meant], one.weight)
            for one in self.alternatives
        ]
        return _scores(lexicon, self.pairs, pieces)

    def coverages(self, lexicon: Rarity, numbers: Sequence[int], counted: Iterable[str]) -> list[float]:
        """IDF-weighted share of the `counted` morphemes that each passage of `numbers` holds; other words at their weight."""
        at = np.array(numbers, dtype=np.int64)
        own = set(counted)
        covered, total = np.zeros(len(numbers)), 0.0
        for one in self.alternatives:
            pieces = [own.intersection(one.written.tokens), *(set(m.tokens) for m in one.meant)]
            held = [_held(lexicon, piece, at) for piece in pieces]
            best = held[0][0]
            for found, _ in held[1:]:
                best = np.maximum(best, one.weight * found)
            most = max(weight for _, weight in held)
            covered += np.minimum(best, most)
            total += most
            own -= pieces[0]
        for token in own:
            weight = lexicon.idf(token)
            total += weight
            covered += weight * lexicon.held_by(token, at)
        return [float(value) for value in covered / total] if total else [0.0] * len(numbers)


def _scores(
    lexicon: Rarity, tokens: Sequence[str], pieces: list[tuple[tuple[str, ...], list[tuple[str, ...]], float]]
) -> Scores:
    if not pieces:
        return lexicon.scores(tokens)
    rest = Counter(tokens)
    for written, _, _ in pieces:
        rest -= Counter(written)
    scores = lexicon.scores(rest.elements())
    for written, meant, weight in pieces:
        best = lexicon.scores(written)
        for other in meant:
            np.maximum(best, np.float32(weight) * lexicon.scores(other), out=best)
        scores += best
    return scores


def _held(lexicon: Rarity, tokens: set[str], at: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """(IDF that each passage holds of the tokens, IDF of all of them)."""
    held, total = np.zeros(len(at)), 0.0
    for token in tokens:
        weight = lexicon.idf(token)
        total += weight
        held += weight * lexicon.held_by(token, at)
    return held, total
