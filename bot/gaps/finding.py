"""One run over what was missed: questions → gaps, each with a name and the pages that come closest. Plain and synchronous."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bot.examples.pages import EditionPages
from bot.gaps.gap import Missed, NearPage
from bot.gaps.grouping import grouped
from bot.gaps.likeness import Likeness, Read
from bot.gaps.naming import Said, name_of, open_name_of
from bot.store import gaps
from bot.store.database import Store
from knowledge.closeness import strength
from knowledge.embed import Vectors
from knowledge.page import reader_of
from knowledge.search import SearchIndex

DAY = 86400.0
MOST = 4000
"""Questions compared at once, the newest: 16 million pairs, 64 MB."""
_NAMED_BY = 12
"""Most typical questions that a name is made from."""
_NEAR_BY = 3
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class FindOptions:
    """`[gaps]` as a run wants it."""

    days: float = 60.0
    likeness: float = 0.32
    people: int = 2


@dataclass(frozen=True, slots=True)
class FoundGaps:
    """What a run did."""

    questions: int
    """In gaps now."""
    joined: int
    """New among them."""
    gaps: int
    made: int
    unclear: int
    """Questions that name no topic."""


class Finder:
    """Over one store and one index. `mask`: personal data → placeholders."""

    def __init__(
        self, store: Store, index: SearchIndex, threshold: float, mask: Callable[[str], str], options: FindOptions
    ) -> None:
        """`threshold`: evidence strength from which on a question is answered."""
        self._store = store
        self._index = index
        self._threshold = threshold
        self._mask = mask
        self._options = options
        self._likeness = Likeness(index.analyser, index.embedder, index.idf)

    def run(self, *, now: float, progress: Callable[[int, int], None] = lambda done, total: None) -> FoundGaps:
        """`progress`: questions read, of all; may raise to leave. Raises StoreError."""
        self._store.run_now(gaps.withdraw, self._store.run_now(gaps.regretted))
        self._store.run_now(gaps.tidy, now=now)
        since = now - self._options.days * DAY
        every = self._store.run_now(gaps.missed, since=since, most=MOST)
        clear = [one for one in every if one.gap or self._likeness.names_a_topic(one.text)]
        if not clear:
            return FoundGaps(0, 0, 0, 0, len(every))
        read = self._read(clear, progress)
        likeness = self._likeness.between(read, read)
        groups = grouped(likeness, [one.gap or None for one in clear], self._options.likeness)
        grown = [self._grown(clear, rows, likeness, read.vectors) for rows in groups]
        self._store.run_now(gaps.keep, grown, now=now)
        return FoundGaps(
            len(clear),
            sum(len(one.added) for one in grown),
            len(grown),
            sum(not one.id for one in grown),
            len(every) - len(clear),
        )

    def _read(self, questions: Sequence[Missed], progress: Callable[[int, int], None]) -> Read:
        """Vectors that were kept are not made again."""
        vectors, words = [], []
        for number, one in enumerate(questions):
            progress(number, len(questions))
            known = one.vector is not None and one.embedder == self._likeness.embedder_id
            vectors.append(_loaded(one.vector) if known and one.vector else self._likeness.vector(one.text))
            words.append(self._likeness.words(one.text))
        return Read(np.stack(vectors), tuple(words))

    def _grown(
        self, every: Sequence[Missed], rows: Sequence[int], likeness: NDArray[np.float32], vectors: Vectors
    ) -> gaps.Grown:
        inside = likeness[np.ix_(rows, rows)].mean(axis=1)
        typical = {every[row].id: round(float(value), 4) for row, value in zip(rows, inside, strict=True)}
        order = sorted(rows, key=lambda row: (-typical[every[row].id], every[row].asked_at, every[row].id))
        open_first = sorted(order, key=lambda row: every[row].private)[:_NAMED_BY]
        said = [
            Said(self._mask(self._open_words(every[row])), every[row].person, every[row].private) for row in open_first
        ]
        return gaps.Grown(
            id=next((every[row].gap for row in rows if every[row].gap), ""),
            name=name_of([one for one in said if not one.private] or said, self._index.analyser),
            open_name=open_name_of(said, self._index.analyser, max(2, self._options.people)),
            nearest=self._nearest([every[row].text for row in order[:_NEAR_BY]]),
            added={
                every[row].id: (every[row].reason, every[row].asked_at, _kept(vectors[row]), self._likeness.embedder_id)
                for row in rows
                if not every[row].gap
            },
            typical=typical,
            read_again={
                every[row].id: (_kept(vectors[row]), self._likeness.embedder_id)
                for row in rows
                if every[row].gap and every[row].embedder != self._likeness.embedder_id
            },
        )

    def _open_words(self, question: Missed) -> str:
        """A name is read by more people than may read the pages: what was put right in a question may stand in those alone."""
        open_to_all = all(self._pages.may_read(source, page, ()) for source, page in question.pages)
        return question.text if open_to_all else question.own

    def _nearest(self, texts: Sequence[str]) -> list[NearPage]:
        """Whoever may read them: the one who looks is told only of those that they may."""
        found: dict[tuple[str, str], list[tuple[float, NearPage]]] = {}
        for text in texts:
            for hit in self._index.search(text, self._everything, _NEAREST, one_per_page=True).hits:
                passage = hit.passage
                near = strength(hit.dense, hit.coverage) / self._threshold if self._threshold > 0 else 0.0
                page = NearPage(
                    source=passage.source,
                    page=passage.page,
                    title=passage.title,
                    heading=" > ".join(passage.heading),
                    url=passage.url or "",
                    closeness=near,
                    audience=tuple(tuple(clause) for clause in passage.audience.as_lists()),
                )
                found.setdefault((passage.source, passage.page), []).append((near, page))
        pages = []
        for several in found.values():
            # A page that comes up for one question of three is less near than one that comes up for all.
            mean = sum(near for near, _ in several) / len(texts)
            best = max(several, key=lambda one: one[0])[1]
            pages.append(replace(best, closeness=round(mean, 3)))
        return sorted(pages, key=lambda one: (-one.closeness, one.source, one.page))[:_NEAREST]

    @cached_property
    def _pages(self) -> EditionPages:
        return EditionPages(self._index.edition.passages)

    @cached_property
    def _everything(self) -> frozenset[str]:
        clauses = (clause for passage in self._index.edition.passages for clause in passage.audience.clauses)
        return reader_of(group for clause in clauses for group in clause)


def _kept(vector: Vectors) -> bytes:
    return vector.astype("<f4").tobytes()


def _loaded(kept: bytes) -> Vectors:
    vector: Vectors = np.frombuffer(kept, dtype="<f4").astype(np.float32)
    return vector
