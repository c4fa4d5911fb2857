"""Whether a new edition may serve: asked of what was really written, opened as a service would open it.

That its files are whole (checksums, counts) was checked when it was opened; that its Korean legs work, before they were built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.building.options import Regression, RegressionLimits
from knowledge.building.serving import Serving
from knowledge.edition import Edition, Recall
from knowledge.errors import EditionMismatch, EditionRefused
from knowledge.page import Audience, reader_of
from knowledge.search import SearchIndex, SearchOptions

_CANARIES = 20
"""Removed pages that are searched for by their titles. That none of them is in the edition at all is checked for every one."""


@dataclass(frozen=True)
class Wanted:
    """What the run meant to publish. `pages`: `source/path` → its audience; `sources`: name → the audience of its settings;
    `removed`: pages that the serving edition has and this one must not."""

    pages: Mapping[str, Audience]
    sources: Mapping[str, Audience]
    removed: Sequence[str]
    titles: Mapping[str, str]
    """Of removed pages, as far as known."""


def check_passages(edition: Edition, wanted: Wanted) -> None:
    """No passage of a page that is not in it, none open to more readers than its page and its source. Raises EditionRefused."""
    if edition.pages.keys() != wanted.pages.keys():
        differing = len(edition.pages.keys() ^ wanted.pages.keys())
        raise EditionRefused(check="pages", reason=f"{differing} pages too many or too few")
    for passage in edition.passages:
        name = f"{passage.source}/{passage.page}"
        audience = wanted.pages.get(name)
        if audience is None:
            raise EditionRefused(check="removed pages", reason=name)
        settings = wanted.sources.get(passage.source)
        if settings is None or not (audience.clauses | settings.clauses) <= passage.audience.clauses:
            raise EditionRefused(check="audience", reason=name)


def check_canaries(index: SearchIndex, wanted: Wanted) -> None:
    """Search for removed pages by their titles, as somebody who may read everything. Raises EditionRefused."""
    groups = {group for audience in wanted.pages.values() for clause in audience.clauses for group in clause}
    removed = set(wanted.removed)
    for name in [name for name in wanted.removed if name in wanted.titles][:_CANARIES]:
        hits = index.search(wanted.titles[name], reader_of(groups), 10).hits
        found = {f"{hit.passage.source}/{hit.passage.page}" for hit in hits} & removed
        if found:
            raise EditionRefused(check="removed pages", reason=min(found))


def check_regression(
    index: SearchIndex, serving: Serving, options: SearchOptions, regression: Regression, limits: RegressionLimits
) -> Recall:
    """Recall of the regression questions. Raises EditionRefused when it is too low, or too far below the serving edition's."""
    pages = {passage.page for passage in index.edition.passages}
    new = regression.recall(index, pages)
    if new.asked and new.at5 < limits.floor:
        raise EditionRefused(check="regression questions", reason=f"recall@5 {new.at5:.3f} < {limits.floor:.3f}")
    old = _serving_recall(index, serving, options, regression, pages, new)
    if old is not None and old.asked and new.at5 < old.at5 - limits.fall - 1e-9:
        raise EditionRefused(
            check="regression questions", reason=f"recall@5 {old.at5:.3f} → {new.at5:.3f}, allowed −{limits.fall:.3f}"
        )
    return new


def _serving_recall(
    index: SearchIndex,
    serving: Serving,
    options: SearchOptions,
    regression: Regression,
    pages: set[str],
    new: Recall,
) -> Recall | None:
    """On the same questions, those whose pages are gone left out on both sides; None where nothing comparable serves."""
    if serving.manifest is None:
        return None
    kept = serving.manifest.recall
    if kept is not None and kept.questions == new.questions:
        return kept
    try:
        old = SearchIndex(serving.edition, index.analyser, index.embedder, options)
    except EditionMismatch:
        return None
    return regression.recall(old, pages)
