"""What a source gives, and how a file of it becomes a Page: front matter, titles, dates, and who may read it."""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from knowledge.errors import UnreadablePage
from knowledge.page import EVERYONE, Audience, Document, Page

_DATE = re.compile(r"\s*(\d{4})(?:\s*[-./년]\s*(\d{1,2})\s*[-./월]\s*(\d{1,2})|(\d{2})(\d{2})(?!\d))")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as its source lists it; the bytes are read only when needed."""

    path: str
    """NFC, `/`-separated, relative to the source: the page's name in citations, and its identity unless `identity` is given."""
    url: str | None
    modified: dt.date | None
    size: int
    """In bytes; 0 where the source does not tell before reading."""
    read: Callable[[], bytes]
    """Raises UnreadablePage."""
    version: str | None = None
    """Opaque. Same path and same version as in the run before: the same bytes, so they are not read again (a git blob's
    hash, an ETag, a last-edited time). None: the bytes themselves are compared."""
    identity: str | None = None
    """The page's name within its source that survives renaming and moving (a Notion or Confluence id). None: `path`."""
    suffix: str | None = None
    """Which parser reads the bytes (`.html`), where `path` does not end in it."""
    title: str | None = None
    """The page's title where the source knows it; the document's own front matter still wins."""
    audience: Audience | None = None
    """Who may read this page as the source tells; narrows the source's own audience, never widens it."""


class Source(Protocol):
    """A place pages come from."""

    @property
    def name(self) -> str:
        """As in config.toml."""

    @property
    def audience(self) -> Audience:
        """Who may read its pages, unless a page narrows it."""

    def files(self) -> Iterator[SourceFile]:
        """All files, in a stable order. Raises SourceError if the source cannot be read at all."""


def to_page(source_name: str, source_audience: Audience, file: SourceFile, document: Document) -> Page:
    """The page that `document`, read from `file`, is. Raises UnreadablePage if its own audience is malformed."""
    meta = document.meta
    return Page(
        source=source_name,
        path=file.path,
        title=_title(file, document),
        url=_web_address(meta.get("url")) or _web_address(file.url),
        modified=_date(meta.get("updated")) or _date(meta.get("date")) or file.modified,
        audience=_audience(source_audience if file.audience is None else source_audience.narrowed(file.audience), meta),
        sections=document.sections,
        replaced_by=_replaced_by(file.path, meta.get("replaced_by")),
    )


def _title(file: SourceFile, document: Document) -> str:
    # The name of a sheet or slide ("Sheet1") says less about the whole than the file's name does
    first_heading = next(
        (section.heading[0] for section in document.sections if section.heading and section.page_number is None), None
    )
    for candidate in (document.meta.get("title"), file.title, document.title, first_heading):
        if isinstance(candidate, str | int | float | dt.date) and not isinstance(candidate, bool):
            title = " ".join(unicodedata.normalize("NFC", str(candidate)).split())
            if title:
                return title
    return PurePosixPath(file.path).stem


def _audience(source_audience: Audience, meta: Mapping[str, object]) -> Audience:
    """The source's audience narrowed by the page's own. What cannot be understood admits nobody, and says so."""
    if "audience" not in meta:
        return source_audience
    written = meta["audience"]
    names: list[object] = list(written.split(",")) if isinstance(written, str) else _items(written)
    groups = [unicodedata.normalize("NFC", name).strip() for name in names if isinstance(name, str)]
    if not groups or len(groups) != len(names) or not all(groups):
        raise UnreadablePage(reason="its audience must be a group's name or a list of names")
    groups = [EVERYONE if group.casefold() == EVERYONE else group for group in groups]
    return source_audience.narrowed(Audience.of(groups))


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _date(value: object) -> dt.date | None:
    """Dates as people write them: 2026-01-05, 2026. 1. 5., 2026년 1월 5일, 20260105."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    found = _DATE.match(str(value)) if isinstance(value, str | int) else None
    if found is None:
        return None
    try:
        return dt.date(int(found[1]), int(found[2] or found[4]), int(found[3] or found[5]))
    except ValueError:
        return None


def _web_address(value: object) -> str | None:
    """Only http and https: the address becomes a link in people's chat."""
    if not isinstance(value, str):
        return None
    value = value.strip()
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    safe = parts.scheme in ("http", "https") and parts.netloc and not re.search(r"[\s<>\x00-\x1f\x7f]", value)
    return value if safe else None


def _replaced_by(path: str, value: object) -> str | None:
    """The path within the source. Like a link on the page: relative to the page's folder, from the root after `/`."""
    if not isinstance(value, str) or _has_scheme(value):
        return None
    target = unicodedata.normalize("NFC", value.strip().replace("\\", "/").split("#", 1)[0])
    if not target:
        return None
    resolved = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target)).lstrip("/")
    # `..` beyond the root stops at the root in normpath("/.."): such a path names no page of this source
    above = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).startswith("..")
    return None if above or resolved in ("", ".", path) else resolved


def _has_scheme(value: str) -> bool:
    """Whether `value` is an address with a scheme rather than a path."""
    return re.match(r"\s*[A-Za-z][A-Za-z0-9+.-]*://", value) is not None
