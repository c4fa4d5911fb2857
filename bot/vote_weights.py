"""Votes on answers → what `knowledge/learned_weights.py` learns the legs' weights from. Nothing of a text is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.store.feedback import Said
from knowledge.learned_weights import LEGS, Voted
from knowledge.page import reader_of
from knowledge.search import Hit, SearchIndex

CANDIDATES = 20
"""Passages of a question that take part."""


def voted(said: Iterable[Said], index: SearchIndex, *, person_most: int) -> list[Voted]:
    """One per answer that more people liked than not, or fewer, and whose cited passages are among what is found today.

    `person_most`: answers of which one person's vote alone may be the reason, so that nobody can tune the search.
    """
    # As somebody who may read everything: only shares of scores leave this function.
    clauses = (clause for passage in index.edition.passages for clause in passage.audience.clauses)
    reader = reader_of(group for clause in clauses for group in clause)
    counted: Counter[str] = Counter()
    found = []
    for one in said:
        people = one.up if len(one.up) > len(one.down) else one.down
        free = [person for person in people if counted[person] < person_most]
        if len(one.up) == len(one.down) or not free or not one.kept.answer.citations:
            continue
        counted.update(free)
        hits = index.search(one.kept.answer.condensed or one.kept.question, reader, CANDIDATES).hits
        shares = tuple(
            (hit.shares.get(LEGS[0], 0.0), hit.shares.get(LEGS[1], 0.0), hit.shares.get(LEGS[2], 0.0)) for hit in hits
        )
        cited = tuple(_cited(one, hit) for hit in hits)
        if any(cited) and not all(cited):
            found.append(Voted(one.kept.question_id, shares, cited, len(one.up) > len(one.down)))
    return found


def _cited(one: Said, hit: Hit) -> bool:
    """By its words, since another edition may have cut the page elsewhere."""
    return any(cite.page == hit.passage.page and cite.quote in hit.passage.text for cite in one.kept.answer.citations)
