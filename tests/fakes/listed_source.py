"""A source whose listing a test writes by hand: versions, identities, readers, and how it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge.errors import UnreadablePage
from knowledge.page import Audience
from knowledge.sources.base import SourceFile

EVERYONE = Audience.of(["everyone"])


@dataclass
class Listed:
    """One page of the listing. `text` None: it cannot be read."""

    text: str | None
    version: str | None = None
    identity: str | None = None
    audience: Audience | None = None


@dataclass
class ListedSource:
    """Obeys `knowledge.sources.base.Source`. `breaks_after`: so many files are listed, then `error` is raised."""

    name: str = "wiki"
    audience: Audience = EVERYONE
    pages: dict[str, Listed] = field(default_factory=dict)
    breaks_after: int | None = None
    error: Exception = field(default_factory=lambda: RuntimeError("broke"))
    read: list[str] = field(default_factory=list)
    """Paths whose bytes were asked for, in order."""

    def files(self) -> Iterator[SourceFile]:
        for number, (path, page) in enumerate(self.pages.items()):
            if number == self.breaks_after:
                raise self.error
            yield SourceFile(
                path,
                url=None,
                modified=None,
                size=0,
                read=lambda path=path, page=page: self._read(path, page),  # type: ignore[misc]
                version=page.version,
                identity=page.identity,
                audience=page.audience,
            )
        if self.breaks_after == len(self.pages):
            raise self.error

    def _read(self, path: str, page: Listed) -> bytes:
        self.read.append(path)
        if page.text is None:
            raise UnreadablePage(reason="torn")
        return page.text.encode()


def numbered(count: int, name: str = "wiki", start: int = 0) -> ListedSource:
    """`count` small pages with versions."""
    pages = {
        f"{n:03}.md": Listed(f"# 안내 {n}\n\n{n}번 창구는 {n}층에 있습니다.", version="1")
        for n in range(start, start + count)
    }
    return ListedSource(name, pages=pages)
