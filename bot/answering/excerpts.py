"""Hits → the little text the writer is shown: the best sentences of the best passages, each under its heading line.

A small machine reads about 100 tokens a second, so every sentence that does not help costs the person waiting time.
Sentences of all passages compete for one budget (benchmarks/evidence.py measures what that keeps).
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
CONSIDERED = 6
"""Passages whose sentences compete."""
PASSAGE_SHARE = 0.6
"""Weight of the passage's own score beside the question's words that a sentence holds."""
HEADING_SHARE = 0.5
"""What a word counts that stands in the heading line but not in the sentence."""
NEIGHBOUR_SHARE = 0.4
"""What a sentence gains from the one beside it ("… 다음과 같습니다." and the line after it)."""


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
    most: int = 4,
    characters: int = 550,
) -> tuple[Excerpt, ...]:
    """At most `most` excerpts of together about `characters` characters with their heading lines, best passage first."""
    considered = _worth_showing(hits)[:CONSIDERED]
    wanted = {token: idf(token) for token in frozenset(analyser.morphemes(question))}
    parts = [sentences(hit.passage.text) for hit in considered]
    ranked = sorted(
        (-score, place, i)
        for place, hit in enumerate(considered)
        for i, score in enumerate(
            _scores(hit, parts[place], hit.score / (considered[0].score or 1.0), wanted, analyser)
        )
    )
    kept: dict[int, set[int]] = {}
    used = 0
    for _, place, i in ranked:
        new = place not in kept
        if new and len(kept) == most:
            continue
        group = {i, *_table_header(parts[place], i)} - kept.get(place, set())
        cost = sum(len(parts[place][j]) + 1 for j in group) + (len(considered[place].passage.context) if new else 0)
        if kept and used + cost > characters:
            continue
        kept.setdefault(place, set()).update(group)
        used += cost
    return tuple(
        _excerpt(considered[place].passage, tuple(parts[place][i] for i in sorted(kept[place])), analyser)
        for place in sorted(kept)
    )


def shown_whole(passage: Passage, analyser: Analyser) -> Excerpt:
    """The passage as it stands, for whoever checks an answer over it."""
    return Excerpt(
        passage, passage.text, tuple(sentences(passage.text)), _morphemes(passage.context, passage.text, analyser)
    )


def _excerpt(passage: Passage, shown: tuple[str, ...], analyser: Analyser) -> Excerpt:
    text = "\n".join(shown)
    return Excerpt(passage, text, shown, _morphemes(passage.context, text, analyser))


def _morphemes(context: str, text: str, analyser: Analyser) -> frozenset[str]:
    return frozenset(analyser.morphemes(f"{context}\n{text}"))


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


def _scores(
    hit: Hit, parts: Sequence[str], passage_score: float, wanted: dict[str, float], analyser: Analyser
) -> list[float]:
    """What each sentence of a passage is worth: the IDF-weighted share of the question it holds, alone and beside others."""
    total = sum(wanted.values()) or 1.0
    heading = set(analyser.morphemes(hit.passage.context))
    own = []
    for part in parts:
        tokens = set(analyser.morphemes(part))
        said = sum(weight for token, weight in wanted.items() if token in tokens)
        above = sum(weight for token, weight in wanted.items() if token in heading - tokens)
        own.append((said + HEADING_SHARE * above) / total)
    beside = [max(own[i - 1] if i else 0.0, own[i + 1] if i + 1 < len(own) else 0.0) for i in range(len(own))]
    return [
        PASSAGE_SHARE * passage_score + score + NEIGHBOUR_SHARE * near for score, near in zip(own, beside, strict=True)
    ]


def _table_header(parts: Sequence[str], row: int) -> list[int]:
    if " | " not in parts[row]:
        return []
    first = row
    while first > 0 and " | " in parts[first - 1]:
        first -= 1
    return [first] if first != row else []
