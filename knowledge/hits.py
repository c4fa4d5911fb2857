"""What a search says: hits with their scores explained, the evidence for answering at all, and how the question was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.closeness import strength
from knowledge.page import Passage

Reading = Literal["glossary", "keys", "spacing", "spelling"]
"""Why other words were searched, too: the company's glossary, the wrong keyboard layout, spaces, a typing slip."""


@dataclass(frozen=True, slots=True)
class Understood:
    """Something of the question that was also searched in other words. `written`: as asked; `meant`: as searched."""

    reading: Reading
    written: str
    meant: str


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
    understood: tuple[Understood, ...] = ()
    """What was also searched in other words; empty: nothing."""
    text: str = ""
    """The question with what was mistyped put right: for whoever compares texts with it. Empty: nothing was searched."""
