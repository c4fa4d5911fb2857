"""Pages and database rows of a Notion workspace, as far as they are shared with an integration (docs/sources.md).

Listing costs a call per hundred pages; what a page says is fetched only when it is read. The API does not tell who may
read a page in Notion, so the source's own audience decides.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import logging
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import (
    SourceDenied,
    SourceError,
    SourcePartNotFound,
    SourceUnreachable,
    TokenMissing,
    UnreadablePage,
)
from knowledge.sources.base import SourceFile
from knowledge.sources.kinds import Kind, SourceConfig
from knowledge.sources.notion_blocks import MAX_DEPTH, RENDERING, NotionBlock, render
from knowledge.sources.notion_listing import Entry, NotionListing, RootMissing, is_id, next_cursor
from knowledge.sources.notion_properties import shown
from knowledge.sources.paced import ApiFailure, PacedApi, checked_address
from knowledge.sources.paths import PagePaths
from knowledge.sources.patterns import Patterns

_log = logging.getLogger(__name__)

API_VERSION = "2026-03-11"
"""The newest: databases hold data sources (since 2025-09-03), `in_trash` replaces `archived`."""
_UNSETTLED = dt.timedelta(minutes=3)
"""`last_edited_time` is exact to the minute: a page edited so shortly ago may change without its time changing."""
_MOST_BLOCKS = 20_000
_MOST_CALLS = 2_000
"""Of one page; at three a second eleven minutes."""
_ID = re.compile(
    r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})(?![0-9a-f])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NotionOptions:
    """`roots`: ids or links of pages and databases, with all below them; empty: everything shared with the integration."""

    token_env: str = "NOTION_TOKEN"  # noqa: S105
    roots: tuple[str, ...] = ()
    requests_per_second: float = 3.0
    api_base_url: str = "https://api.notion.com/v1"

    def __post_init__(self) -> None:
        checked_address(self.api_base_url)
        for root in self.roots:
            root_id(root)
        if not 0 < self.requests_per_second <= 100:
            raise ValueError("requests_per_second must be above 0 and at most 100")


class NotionSource:
    """Opened anew for each run: what the server refuses three times in a row is not asked again."""

    def __init__(
        self, config: SourceConfig, options: NotionOptions, make_api: Callable[..., PacedApi] = PacedApi
    ) -> None:
        self.name = config.name
        self.audience = config.audience
        self._home = config.home
        self._include = Patterns(config.include)
        self._exclude = Patterns(config.exclude)
        self._options = options
        self._make_api = make_api

    def files(self) -> Iterator[SourceFile]:
        """By path. Raises SourceError if the listing is not complete."""
        api = self._open()
        try:
            listing = NotionListing(api, [root_id(root) for root in self._options.roots], self._remembered())
            pages = listing.pages()
            files = list(self._files(api, listing, pages))
        except ApiFailure as failure:
            raise self._error(failure) from failure
        except RootMissing as missing:
            raise SourcePartNotFound(name=self.name, part=missing.identity, key="roots") from missing
        self._remember([page.id for page in pages])
        return iter(sorted(files, key=lambda file: file.path))

    def _files(self, api: PacedApi, listing: NotionListing, pages: Sequence[Entry]) -> Iterator[SourceFile]:
        titles = {page.id: _title(page) for page in pages}
        paths = PagePaths()
        settled_before = (api.server_time or dt.datetime.now(dt.UTC)) - _UNSETTLED
        lines = {page.id: [one for one in listing.parents(page) if one.title] for page in pages}
        for page in sorted(pages, key=lambda page: len(lines[page.id])):  # parents first: their names are settled then
            path = paths.add(page.id, [(one.id, one.title) for one in reversed(lines[page.id])], _title(page))
            if self._exclude.match(path) or (self._include and not self._include.match(path)):
                continue
            columns = shown(page.properties, titles)
            edited = _time(page.edited)
            yield SourceFile(
                path=path,
                url=page.url,
                modified=day_of(page.edited),
                size=0,
                read=functools.partial(_read, api, page, columns, titles),
                version=_version(page, columns) if edited and edited < settled_before else None,
                identity=page.id,
                suffix=".html",
                title=_title(page),
            )

    def _open(self) -> PacedApi:
        token = os.environ.get(self._options.token_env, "").strip()
        if not token:
            raise TokenMissing(name=self.name, variable=self._options.token_env)
        if not token.isascii() or not token.isprintable():
            raise self._error(ApiFailure("no token has such characters", 401))
        headers = {"Authorization": f"Bearer {token}", "Notion-Version": API_VERSION}
        return self._make_api(self._options.api_base_url, headers, self._options.requests_per_second)

    def _error(self, failure: ApiFailure) -> SourceError:
        address = self._options.api_base_url
        if failure.status == 401:
            reason = f"{failure.reason}, {self._options.token_env}"
            return SourceDenied(name=self.name, address=address, reason=reason)
        if failure.status == 403:
            reason = f"{failure.reason}, {self._options.token_env}, capability 'Read content'"
            return SourceDenied(name=self.name, address=address, reason=reason)
        return SourceUnreachable(name=self.name, address=address, reason=failure.reason)

    def _remembered(self) -> frozenset[str]:
        try:
            pages = json.loads((self._home / "pages.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return frozenset()
        return frozenset(page for page in pages if isinstance(page, str)) if isinstance(pages, list) else frozenset()

    def _remember(self, pages: Sequence[str]) -> None:
        """For the next run, which looks for each of them. Losing it costs nothing but that."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            aside = Path(self._home / "pages.json.new")
            aside.write_text(json.dumps(sorted(pages)), encoding="utf-8")
            aside.replace(self._home / "pages.json")
        except OSError as error:
            _log.warning(json.dumps({"event": "notion_not_remembered", "source": self.name, "reason": error.strerror}))


def root_id(root: str) -> str:
    """The id in an id or a link, with dashes. Raises ValueError if there is none."""
    found = list(_ID.finditer(root.split("?", 1)[0]))
    if not found:
        raise ValueError(f"{root!r} holds no Notion id (32 hexadecimal digits)")
    return "-".join(found[-1].groups()).lower()


def _read(api: PacedApi, page: Entry, columns: Sequence[tuple[str, str]], titles: Mapping[str, str]) -> bytes:
    reading = _Reading(api)
    try:
        blocks = reading.children(page.id, 0)
    except ApiFailure as failure:
        gone = "it was removed, or is no longer shared" if failure.status == 404 else failure.reason
        raise UnreadablePage(reason=gone) from failure
    rendered = render(_title(page), columns, blocks, titles)
    left_out = Counter(rendered.left_out) + reading.left_out
    if left_out:
        _log.info(json.dumps({"event": "notion_blocks_left_out", "page": page.id, "blocks": dict(left_out)}))
    return rendered.html


class _Reading:
    """The blocks of one page, within bounds."""

    def __init__(self, api: PacedApi) -> None:
        self._api = api
        self._calls = 0
        self._blocks = 0
        self.left_out: Counter[str] = Counter()

    def children(self, parent: str, depth: int) -> list[NotionBlock]:
        """Of a page or block, with all below. Raises ApiFailure, UnreadablePage."""
        found: list[NotionBlock] = []
        for raw in self._raw_children(parent):
            self._blocks += 1
            if self._blocks > _MOST_BLOCKS:
                raise UnreadablePage(reason=f"more than {_MOST_BLOCKS} blocks")
            inner: list[NotionBlock] = []
            if _goes_on(raw):
                if depth >= MAX_DEPTH:
                    self.left_out["nested too deep"] += 1
                else:
                    inner = self.children(raw["id"], depth + 1)
            found.append(NotionBlock.of(raw, inner))
        return found

    def _raw_children(self, parent: str) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            self._calls += 1
            if self._calls > _MOST_CALLS:
                raise UnreadablePage(reason=f"more than {_MOST_CALLS} requests for its blocks")
            query: list[tuple[str, str | int]] = [("page_size", 100)]
            if cursor is not None:
                query.append(("start_cursor", cursor))
            answer = self._api.get(f"blocks/{parent}/children", query)
            results = answer.get("results")
            if not isinstance(results, list):
                raise ApiFailure("a list without results")
            yield from (raw for raw in results if isinstance(raw, Mapping) and raw.get("in_trash") is not True)
            cursor = next_cursor(answer, seen)
            if cursor is None:
                return


def _goes_on(raw: Mapping[str, Any]) -> bool:
    """Whether what is inside belongs to this page: child pages are pages of their own, copies stand with their original."""
    if raw.get("has_children") is not True or not is_id(raw.get("id")):
        return False
    block = NotionBlock.of(raw)
    copy = block.kind == "synced_block" and block.content.get("synced_from") is not None
    return block.kind not in ("child_page", "child_database", "unsupported") and not copy


def _title(page: Entry) -> str:
    return " ".join(unicodedata.normalize("NFC", page.title).split()) or "제목 없음"


def _version(page: Entry, columns: Sequence[tuple[str, str]]) -> str:
    """Columns may change without the row being edited: formulas, roll-ups, titles of related pages."""
    said = json.dumps([RENDERING, _title(page), columns], ensure_ascii=False)
    return f"{page.edited} {hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:16]}"


def day_of(written: str) -> dt.date | None:
    """An ISO time → the day here."""
    time = _time(written)
    try:
        return time.astimezone().date() if time else None
    except (OverflowError, OSError):  # in the year 1 or 9999
        return None


def _time(written: str) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _open(config: SourceConfig, options: NotionOptions) -> NotionSource:
    return NotionSource(config, options)


KIND = Kind(NotionOptions, _open)
