"""Suggestions while a person types a question: titles and headings of pages that may be read in that place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.page import Passage

_LONGEST = 100
"""Characters of a suggestion; Discord's limit for a choice."""


class Completion:
    """The suggestions of one edition. Made off the event loop; a lookup scans every title once."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        found: dict[str, list[int]] = {}
        for number, passage in enumerate(passages):
            if passage.replaced_by is None:
                for text in (passage.title, " ".join((passage.title, *passage.heading[-1:]))):
                    found.setdefault(text[:_LONGEST].strip(), []).append(number)
        self._texts = [(text, _bare(text), np.array(numbers)) for text, numbers in found.items() if text]

    def matching(self, typed: str, readable: NDArray[np.bool_], most: int) -> tuple[str, ...]:
        """Those that hold what was typed and stand on a readable page; beginnings first, short ones first."""
        wanted = _bare(typed)
        ranked = [
            (not bare.startswith(wanted), len(text), text)
            for text, bare, numbers in self._texts
            if wanted in bare and readable[numbers].any()
        ]
        return tuple(text for _, _, text in sorted(ranked)[:most])


def _bare(text: str) -> str:
    """Without spaces, case and composition, so that half-typed Hangul (연ㅊ → 연차 not yet) and spacing do not matter."""
    return unicodedata.normalize("NFC", "".join(text.split())).casefold()
