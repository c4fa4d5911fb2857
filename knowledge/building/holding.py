"""Which source is not taken as it is. A mount that is away looks like an empty folder, and a lost token like a wiki of three pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from knowledge.building.serving import EditionPage, Serving
from knowledge.errors import SourceShrank
from knowledge.page import Audience
from knowledge.sources.base import Source

LEAST = 10
"""Pages: with fewer, some coming and going is nothing unusual. None at all is."""


@runtime_checkable
class KnowsFolders(Protocol):
    """A source that knows who may read a page from its path alone."""

    def audience_of(self, path: str) -> Audience:
        """Who may read the page, as far as the settings say."""


def check_size(source: str, before: int, now: int, share: float) -> None:
    """Raises SourceShrank."""
    if (now == 0 and before > 0) or (before >= LEAST and now < share * before):
        raise SourceShrank(name=source, before=before, now=now)


def carried_over(source: Source, serving: Serving, told: Mapping[str, Audience] | None = None) -> list[EditionPage]:
    """All pages of a source as they serve now, closed to whom the present settings do not admit.

    `told`: what this run has heard of their readers all the same, by path; it closes pages, too.
    """
    told = told or {}
    return [
        serving.carried(source.name, path, settings_audience(source, path).narrowed(told.get(path, Audience())))
        for path in serving.paths(source.name)
    ]


def settings_audience(source: Source, path: str) -> Audience:
    """Who may read a page of which only the path is known."""
    return source.audience_of(path) if isinstance(source, KnowsFolders) else source.audience
