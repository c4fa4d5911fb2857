"""A source whose settings say who may read some of its folders (`[[sources]] folders`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.page import Audience
from knowledge.sources.base import Source, SourceFile
from knowledge.sources.patterns import Patterns


@dataclass(frozen=True, slots=True)
class FolderAudience:
    """Who may read the pages whose path one of `pages` matches (patterns.py)."""

    pages: tuple[str, ...]
    audience: Audience


class NarrowedSource:
    """`source`, with each file's audience narrowed by every rule that matches it. No rule widens anything."""

    def __init__(self, source: Source, rules: Sequence[FolderAudience]) -> None:
        self._source = source
        self._rules = [(Patterns(rule.pages), rule.audience) for rule in rules]

    @property
    def name(self) -> str:
        """As in config.toml."""
        return self._source.name

    @property
    def audience(self) -> Audience:
        """Of pages that no rule matches."""
        return self._source.audience

    def audience_of(self, path: str) -> Audience:
        """Who may read a page of which only the path is known."""
        return self._narrowed(self._source.audience, path)

    def _narrowed(self, audience: Audience, path: str) -> Audience:
        for patterns, readers in self._rules:
            if patterns.match(path):
                audience = audience.narrowed(readers)
        return audience

    def files(self) -> Iterator[SourceFile]:
        """Raises what the source raises."""
        for file in self._source.files():
            audience = self._narrowed(file.audience or Audience(), file.path)
            yield file if audience == Audience() else dataclasses.replace(file, audience=audience)
