"""The edition that serves while the next one is made: what it has of each source, and passages that can be taken over from it."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from knowledge.cache import key_of
from knowledge.edition import Edition, EditionShelf, Manifest
from knowledge.errors import BrokenEdition, NoEdition
from knowledge.page import Audience, Passage


@dataclasses.dataclass(frozen=True, slots=True)
class EditionPage:
    """One page of the edition to be made. `passages` None: those of the serving edition as they are."""

    source: str
    path: str
    digest: str
    audience: Audience
    passages: tuple[Passage, ...] | None
    taken_over: bool
    """Its passages stand in the serving edition, in the same order and with the same text."""

    @property
    def name(self) -> str:
        """As in the edition's list of pages."""
        return f"{self.source}/{self.path}"


class Serving:
    """What serves now, opened only as far as it is needed. Without an edition everything is empty."""

    def __init__(self, shelf: EditionShelf, manifest: Manifest | None, sources: Iterable[str] = ()) -> None:
        """`manifest` of an edition whose checksums were verified; `sources`: names of the configured ones."""
        self._shelf = shelf
        self.manifest = manifest
        self.digests = shelf.pages(manifest.edition) if manifest else {}
        known = {*sources, *(manifest.sources if manifest else ())}
        self.sources = sorted(known, key=len, reverse=True)
        """Names, longest first."""

    @classmethod
    def of(cls, shelf: EditionShelf, sources: Iterable[str]) -> Serving:
        """The current edition; one that is damaged is as good as none."""
        try:
            return cls(shelf, shelf.verified(shelf.current()), sources)
        except (NoEdition, BrokenEdition):
            return cls(shelf, None)

    @property
    def name(self) -> str | None:
        """Of the edition."""
        return self.manifest.edition if self.manifest else None

    @cached_property
    def edition(self) -> Edition:
        """All of it. Raises BrokenEdition; not to be asked where there is none."""
        if self.manifest is None:
            raise NoEdition(folder=self._shelf.root)
        return self._shelf.load(self.manifest)

    @cached_property
    def rows(self) -> dict[tuple[str, str], range]:
        """(source, path) → numbers of the page's passages."""
        found: dict[tuple[str, str], range] = {}
        start = 0
        passages: Sequence[Passage] = self.edition.passages if self.manifest else ()
        for number, passage in enumerate(passages):
            after = passages[number + 1] if number + 1 < len(passages) else None
            if after is None or (after.source, after.page) != (passage.source, passage.page):
                found[passage.source, passage.page] = range(start, number + 1)
                start = number + 1
        return found

    @cached_property
    def _paths(self) -> dict[str, list[str]]:
        """Source → paths of its pages."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in self.digests:
            # A source's name may hold a slash, so the longest name that fits is its source.
            source = next((one for one in self.sources if name.startswith(f"{one}/")), name.split("/", 1)[0])
            found[source].append(name[len(source) + 1 :])
        return dict(found)

    def paths(self, source: str) -> list[str]:
        """Of the pages it has of a source."""
        return self._paths.get(source, [])

    def digests_of(self, sources: Iterable[str]) -> dict[str, str]:
        """`source/path` → digest of the pages of some sources."""
        names = (f"{source}/{path}" for source in sources for path in self.paths(source))
        return {name: self.digests[name] for name in names}

    def passages(self, source: str, path: str) -> tuple[Passage, ...]:
        """A page's passages in order."""
        return tuple(self.edition.passages[number] for number in self.rows.get((source, path), ()))

    def title(self, name: str) -> str | None:
        """Of the page `source/path`; None: it has no passages."""
        return self._titles.get(name)

    @cached_property
    def _titles(self) -> dict[str, str]:
        return {f"{source}/{path}": self.edition.passages[rows[0]].title for (source, path), rows in self.rows.items()}

    def carried(self, source: str, path: str, audience: Audience) -> EditionPage:
        """A page as it serves now, read by nobody whom `audience` does not admit."""
        passages = self.passages(source, path)
        digest = self.digests[f"{source}/{path}"]
        if all(audience.clauses <= passage.audience.clauses for passage in passages):
            own = passages[0].audience if passages else audience
            return EditionPage(source, path, digest, own, None, taken_over=True)
        narrowed = tuple(
            dataclasses.replace(passage, audience=passage.audience.narrowed(audience)) for passage in passages
        )
        own = narrowed[0].audience
        # Another digest, so that it counts as a change and as another edition.
        digest = key_of(digest, "narrowed", json.dumps(own.as_lists(), ensure_ascii=False))
        return EditionPage(source, path, digest, own, narrowed, taken_over=True)

    def assembled(self, pages: Iterable[EditionPage]) -> Iterator[tuple[Passage, int]]:
        """Each passage of the next edition with its number in this one, or -1."""
        for page in pages:
            rows = self.rows.get((page.source, page.path), range(0)) if page.taken_over else None
            passages = page.passages if page.passages is not None else self.passages(page.source, page.path)
            for number, passage in enumerate(passages):
                yield passage, rows[number] if rows is not None else -1
