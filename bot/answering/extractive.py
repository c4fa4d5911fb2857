"""An answer without a model: the sentences of the passages that are nearest to the question, word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.answering.excerpts import Excerpt
from knowledge.closeness import Closeness

NEARLY = 0.5
"""How far below the best quote the next one may be, on the scale of evidence strength."""


_BULLET = re.compile(r"^\s*[-*•·]\s+")


def unmarked(sentence: str) -> str:
    """Without the mark of the list that it stood in: a quote is a list item of ours already."""
    return _BULLET.sub("", sentence)


def best_quotes(
    closeness: Closeness, shown: Sequence[Excerpt], most: int = 2, floor: float = float("-inf")
) -> list[tuple[str, int]]:
    """(sentence, place in the excerpts), nearest first: at most `most`, none below `floor`, later ones nearly as good."""
    places = [
        (sentence, place)
        for place, excerpt in enumerate(shown)
        for sentence in excerpt.sentences
        if not sentence.endswith("?")  # a FAQ's question is nearest of all and answers nothing
    ]
    strengths = closeness.of([f"{shown[place].passage.context}\n{sentence}" for sentence, place in places])
    ranked = sorted(zip(strengths, places, strict=True), key=lambda found: -found[0])
    return [quote for strength, quote in ranked[:most] if strength >= max(floor, ranked[0][0] - NEARLY)]
