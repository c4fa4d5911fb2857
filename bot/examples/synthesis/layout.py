"""A question → what serving would show the writer for it: the real search, the real excerpts, only pages that everyone may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.answering.excerpts import Excerpt, excerpts
from bot.examples.example import Evidence
from knowledge.page import Passage, reader_of
from knowledge.search import Hit, SearchIndex


@dataclass(frozen=True, slots=True)
class Layout:
    """`most` and `characters`: `[answer]` of the settings. `is_open`: whether everyone may read a page (source, path)."""

    index: SearchIndex
    is_open: Callable[[str, str], bool]
    most: int
    characters: int

    def hits(self, question: str) -> tuple[Hit, ...]:
        """As many as serving looks at, best first."""
        found = self.index.search(question, reader_of(), 2 * self.most + 4)
        return tuple(hit for hit in found.hits if self.is_open(hit.passage.source, hit.passage.page))

    def shown(self, question: str, hits: Sequence[Hit]) -> tuple[Excerpt, ...]:
        """Best passage first."""
        index = self.index
        return excerpts(question, hits, index.analyser, index.idf, most=self.most, characters=self.characters)


def evidence(shown: Sequence[Excerpt]) -> tuple[Evidence, ...]:
    """As examples keep it."""
    return tuple(of_passage(one.passage, one.text) for one in shown)


def of_passage(passage: Passage, text: str) -> Evidence:
    """`text`: the part of the passage that is shown."""
    return Evidence(passage.source, passage.page, passage.number, passage.context, text)
