"""Order among what was found: outdated pages below what replaces them, one passage per page. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.page import Passage

OUTDATED = 0.5
"""Factor on the score of a page that names its replacement."""


def outdated_below(
    numbers: NDArray[np.int64],
    scores: NDArray[np.float64],
    passages: Sequence[Passage],
    outdated: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """A page that names its replacement loses half, and always stands below what replaces it."""
    old = np.flatnonzero(outdated[numbers])
    if not len(old):
        return scores
    newest: dict[tuple[str, str | None], float] = {}
    for n, score in zip(numbers.tolist(), scores.tolist(), strict=True):
        passage = passages[n]
        newest[passage.source, passage.page] = max(score, newest.get((passage.source, passage.page), 0.0))
    lowered = scores.copy()
    for at in old.tolist():
        passage = passages[int(numbers[at])]
        ceiling = newest.get((passage.source, passage.replaced_by), 1.0)
        lowered[at] = OUTDATED * min(float(scores[at]), ceiling)
    return lowered


def best_first(numbers: NDArray[np.int64], scores: NDArray[np.float64]) -> list[int]:
    """Places in `numbers`, best score first; of equal ones the lower number."""
    places: list[int] = np.lexsort((numbers, -scores)).tolist()
    return places


def best_of_each_page(places: Sequence[int], numbers: NDArray[np.int64], passages: Sequence[Passage]) -> list[int]:
    """Of each page the first place only."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for place in places:
        passage = passages[int(numbers[place])]
        if (passage.source, passage.page) not in seen:
            seen.add((passage.source, passage.page))
            kept.append(place)
    return kept
