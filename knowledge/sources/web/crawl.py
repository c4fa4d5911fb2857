"""From the first address to all pages of a site: breadth first, so that what is endless (calendars, sessions, a page that
answers under every path) comes after what is near, and the limits cut the endless."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from knowledge.sources.listing import Selection
from knowledge.sources.web.client import Answer, Unanswered, Wanted, WebClient
from knowledge.sources.web.content import in_utf8, suffix_of
from knowledge.sources.web.links import facts_of, header_facts
from knowledge.sources.web.memory import Memory, Seen
from knowledge.sources.web.robots import Robots
from knowledge.sources.web.urls import Scope, sorted_query, worth_asking

_MOST_FAILURES = 10
_WAITING = 5
"""So many times as many addresses as may be asked for wait at most: some turn out to be none of ours."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one run: `pages` (addresses), `depth` (links from the start), `until` (on the crawl's clock), `bytes` of a page,
    `total` bytes."""

    pages: int
    depth: int
    until: float
    bytes: int
    total: int


@dataclass(frozen=True, slots=True)
class Visited:
    """What came of an address. `seen`: what it holds, now or when it last answered; `problem`: why that is unknown.
    Neither: no page. `denied`: the server knows it, but not for us. `stale`: why it did not answer now, where `seen` is of
    an earlier run."""

    url: str
    seen: Seen | None = None
    problem: str | None = None
    denied: bool = False
    stale: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """What may be asked for."""

    scope: Scope
    robots: Robots
    selection: Selection

    def admits(self, url: str) -> bool:
        """Whether to ask for `url` at all."""
        return (
            self.scope.contains(url)
            and worth_asking(url)
            and not self.selection.excludes(self.scope.readable(url))
            and self.robots.allows(url)
        )


class Crawl:
    """One run. What it did not ask for because a limit was reached: `left`, addresses that were found, and `unasked`, those
    that an earlier run has seen. These stay as they were then."""

    def __init__(
        self,
        site: Site,
        client: WebClient,
        memory: Memory,
        limits: Limits,
        agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site = site
        self._client = client
        self._memory = memory
        self._limits = limits
        self._agent = agent.lower()
        self._clock = clock
        self._failures = 0
        self._received = 0
        self.left: list[str] = []
        self.unasked: list[str] = []

    def first(self, url: str) -> Visited:
        """The page where a crawl begins. Raises Unanswered if it does not answer, whatever was seen before."""
        answer = self._ask(url)
        if answer.status >= 500 or answer.status == 429:
            raise Unanswered(answer.phrase)
        return self._answered(url, answer)

    def follow(self, first: Visited) -> list[Visited]:
        """`first` and what its links lead to, and so on. Raises Unanswered when the server does not answer any more."""
        return self._all([], [first])

    def read(self, urls: Iterable[str]) -> list[Visited]:
        """These addresses; links are not followed. Raises Unanswered as `follow`."""
        return self._all(urls, [])

    def _all(self, urls: Iterable[str], done: list[Visited]) -> list[Visited]:
        queue = deque((url, self._limits.depth) for url in urls)
        known = {sorted_query(url) for url, _ in queue} | {sorted_query(one.url) for one in done}
        visited: dict[str, Visited] = {}
        for one in done:
            visited[one.url] = _without_links(one)
            self._enqueue(one, 0, queue, known)
        while queue:
            url, depth = queue.popleft()
            if url in visited:
                continue  # a redirect has led there meanwhile
            found = self._visit(url) if len(visited) < self._limits.pages else None
            if found is None:
                self.left.append(url)
            elif found.url not in visited:
                visited[found.url] = _without_links(found)
                known.add(sorted_query(found.url))
                self._enqueue(found, depth, queue, known)
        return list(visited.values())

    def _enqueue(self, one: Visited, depth: int, queue: deque[tuple[str, int]], known: set[str]) -> None:
        if one.seen is None or depth >= self._limits.depth:
            return
        canonical = [one.seen.facts.canonical] if one.seen.facts.canonical else []
        for link in (*canonical, *one.seen.facts.links):
            same = sorted_query(link)
            if same not in known and len(queue) < _WAITING * self._limits.pages:
                known.add(same)
                if self._site.admits(link):
                    queue.append((link, depth + 1))

    def _visit(self, url: str) -> Visited | None:
        """None if a limit of the run is reached and nothing is known of it."""
        if self._clock() >= self._limits.until or self._received >= self._limits.total:
            seen = self._memory.get(url)
            if seen is None:
                return None
            self.unasked.append(url)
            return Visited(url, seen)
        try:
            answer = self._ask(url)
        except Unanswered as error:
            if error.passing:
                return self._missed(url, str(error))
            return Visited(url, problem=str(error))
        return self._answered(url, answer)

    def _ask(self, url: str) -> Answer:
        wanted = Wanted(self._limits.bytes, self._site.admits, self._conditions, self._worth_reading)
        return self._client.get(url, wanted)

    def _answered(self, url: str, answer: Answer) -> Visited:
        if answer.status >= 500 or answer.status == 429:
            return self._missed(url, answer.phrase)
        self._failures = 0
        if answer.status == 304:
            seen = self._memory.get(answer.url)
            return Visited(answer.url, seen, None if seen else "304 without a copy of ours")
        if answer.body is not None:
            self._received += len(answer.body)
            return Visited(answer.url, self._remembered(answer, answer.body))
        self._memory.forget(url)
        self._memory.forget(answer.url)
        if answer.status in (401, 403):
            return Visited(answer.url, problem=answer.phrase, denied=True)
        gone = answer.status in (200, 404, 410) or answer.leads_to is not None  # 200: of a kind that is not read
        return Visited(answer.url, problem=None if gone else answer.phrase)

    def _missed(self, url: str, reason: str) -> Visited:
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            raise Unanswered(f"{self._failures} addresses in a row failed, the last one: {reason}")
        seen = self._memory.get(url)
        return Visited(url, problem=reason) if seen is None else Visited(url, seen, stale=reason)

    def _conditions(self, url: str) -> Mapping[str, str]:
        seen = self._memory.get(url)
        headers = {} if seen is None else {"If-None-Match": seen.etag, "If-Modified-Since": seen.last_modified}
        return {name: value for name, value in headers.items() if value}

    def _worth_reading(self, answer: Answer) -> bool:
        suffix = _suffix(answer)
        return suffix == ".html" or self._site.selection.wants(self._site.scope.readable(answer.url), suffix)

    def _remembered(self, answer: Answer, body: bytes) -> Seen:
        headers, suffix = answer.headers, _suffix(answer)
        body = in_utf8(body, suffix, headers.get("content-type", ""))
        rules = headers.get("x-robots-tag", "")
        facts = (
            facts_of(body, answer.url, rules, self._agent) if suffix == ".html" else header_facts(rules, self._agent)
        )
        digest = hashlib.sha256(body).hexdigest()
        before = self._memory.get(answer.url)
        modified = headers.get("last-modified", "")
        # Many servers say "just now" at every request: the day moves only when the page does.
        day = before.day if before is not None and before.digest == digest else _day(modified)
        etag = headers.get("etag", "")
        seen = Seen(answer.url, etag, modified, suffix, digest, len(body), day, facts)
        self._memory.put(seen, body)
        return seen


def pages_of(visited: Iterable[Visited], days: Mapping[str, dt.date | None]) -> list[Visited]:
    """What is to be listed, by address: without what must not be indexed and without the same page under other names.

    A canonical link counts if the page it names has the same title: templates exist that give every page the home page's
    address. The same bytes in one folder are one page; elsewhere they may be meant for other readers. `days`: of the last
    change, as a sitemap has them.
    """
    found = {one.url: one for one in visited if one.problem is not None or (one.seen and one.seen.facts.index)}
    kept: dict[tuple[str, ...], Visited] = {}
    for url in sorted(found, key=lambda url: (len(url), url)):
        seen = found[url].seen
        if seen is None:
            kept[(url,)] = found[url]
        elif not _named_otherwise(seen, found):
            folder = url.partition("?")[0].rpartition("/")[0]
            listed = replace(found[url], seen=replace(seen, day=days.get(url) or seen.day))
            kept.setdefault((folder, seen.digest, seen.suffix), listed)
    return sorted(kept.values(), key=lambda one: one.url)


def _named_otherwise(seen: Seen, found: Mapping[str, Visited]) -> bool:
    """Whether its canonical link names a page that is listed in its place."""
    named = found.get(seen.facts.canonical) if seen.facts.canonical not in (None, seen.url) else None
    if named is None or named.seen is None:
        return False
    other = named.seen.facts
    return other.title == seen.facts.title and other.canonical in (None, named.url)


def _without_links(one: Visited) -> Visited:
    """They have been looked at, and thousands of pages may have thousands of them."""
    if one.seen is None:
        return one
    return replace(one, seen=replace(one.seen, facts=replace(one.seen.facts, links=())))


def _suffix(answer: Answer) -> str:
    headers = answer.headers
    return suffix_of(headers.get("content-type", ""), answer.url, headers.get("content-disposition", ""))


def _day(http_date: str) -> dt.date | None:
    with contextlib.suppress(ValueError, TypeError):
        return email.utils.parsedate_to_datetime(http_date).date()
    return None
