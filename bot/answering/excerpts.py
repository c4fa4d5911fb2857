"""Hits → the little text the writer is shown: the best passages, and of the lesser ones only their best sentences.

A small machine reads about 150 tokens a second, so every sentence that does not help costs the person waiting time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knowledge.korean import Analyser
from knowledge.page import Passage
from knowledge.search import Hit
from knowledge.sentences import sentences

FAR_BELOW = 0.35
"""A passage scoring below this share of the best one is left out: it distracts a small model more than it helps."""
SHORTEST = 80
"""Characters; less room than this is not worth another passage."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What the writer sees of one passage; its number in the prompt is its place in the list, from 1."""

    passage: Passage
    text: str
    sentences: tuple[str, ...]
    """The sentences of `text`."""
    morphemes: frozenset[str]
    """Of the text and its heading line."""

    @property
    def shown(self) -> str:
        """Heading line and text, as in the prompt."""
        return f"{self.passage.context}\n{self.text}"


def excerpts(
    question: str,
    hits: Sequence[Hit],
    analyser: Analyser,
    idf: Callable[[str], float],
    *,
    most: int = 3,
    characters: int = 900,
) -> tuple[Excerpt, ...]:
    """At most `most` excerpts of together about `characters` characters, best first."""
    chosen = _worth_showing(hits)[:most]
    wanted = frozenset(analyser.morphemes(question))
    shown: list[Excerpt] = []
    room = characters
    for left, hit in zip(range(len(chosen), 0, -1), chosen, strict=True):
        if shown and room < SHORTEST:
            break
        # The first passage may take two thirds, later ones share what is left evenly.
        limit = max(room * 2 // 3, SHORTEST) if not shown and left > 1 else room // left
        text = _best_sentences(hit.passage.text, wanted, analyser, idf, limit)
        shown.append(
            Excerpt(
                hit.passage,
                text,
                tuple(sentences(text)),
                frozenset(analyser.morphemes(f"{hit.passage.context}\n{text}")),
            )
        )
        room -= len(text)
    return tuple(shown)


def _worth_showing(hits: Sequence[Hit]) -> list[Hit]:
    if not hits:
        return []
    pages = {(hit.passage.source, hit.passage.page) for hit in hits}
    kept = [
        hit
        for hit in hits
        if hit.score >= FAR_BELOW * hits[0].score
        # An outdated page beside its replacement would only contradict it.
        and (hit.passage.replaced_by is None or (hit.passage.source, hit.passage.replaced_by) not in pages)
    ]
    return kept or list(hits[:1])


def _best_sentences(
    text: str, wanted: frozenset[str], analyser: Analyser, idf: Callable[[str], float], limit: int
) -> str:
    """The sentences that share most with the question, in their own order, with table headers above their rows."""
    if len(text) <= limit * 1.15:
        return text
    parts = sentences(text)
    scores = [sum(idf(token) for token in wanted & set(analyser.morphemes(part))) for part in parts]
    # A sentence beside a good one often carries the answer itself ("… 다음과 같습니다." and the line after it).
    near = [
        score + 0.4 * max(scores[i - 1] if i else 0.0, scores[i + 1] if i + 1 < len(parts) else 0.0)
        for i, score in enumerate(scores)
    ]
    kept: set[int] = set()
    used = 0
    for i in sorted(range(len(parts)), key=lambda i: (-near[i], i)):
        group = {i, *_table_header(parts, i)} - kept
        cost = sum(len(parts[j]) + 1 for j in group)
        if used + cost > limit and kept:
            continue
        kept |= group
        used += cost
    return "\n".join(parts[i] for i in sorted(kept))


def _table_header(parts: Sequence[str], row: int) -> list[int]:
    if " | " not in parts[row]:
        return []
    first = row
    while first > 0 and " | " in parts[first - 1]:
        first -= 1
    return [first] if first != row else []
