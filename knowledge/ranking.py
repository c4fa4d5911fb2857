"""Order among what was found: outdated pages below what replaces them, one passage per page. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.page import Passage

OUTDATED = 0.5
"""Factor on the score of a page that names its replacement."""

Ranked = tuple[float, int, dict[str, float]]
"""(score, passage number, each leg's share)"""


def outdated_below(
    scores: dict[int, float], passages: Sequence[Passage], outdated: NDArray[np.bool_]
) -> dict[int, float]:
    """A page that names its replacement loses half, and always stands below what replaces it."""
    old = [n for n in scores if outdated[n]]
    if not old:
        return scores
    scores = dict(scores)
    newest: dict[tuple[str, str | None], float] = {}
    for n, score in scores.items():
        passage = passages[n]
        newest[passage.source, passage.page] = max(score, newest.get((passage.source, passage.page), 0.0))
    for n in old:
        passage = passages[n]
        ceiling = newest.get((passage.source, passage.replaced_by), 1.0)
        scores[n] = OUTDATED * min(scores[n], ceiling)
    return scores


def best_of_each_page(ranked: Sequence[Ranked], passages: Sequence[Passage]) -> list[Ranked]:
    """Of each page its first passage only."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for found in ranked:
        passage = passages[found[1]]
        if (passage.source, passage.page) not in seen:
            seen.add((passage.source, passage.page))
            kept.append(found)
    return kept
