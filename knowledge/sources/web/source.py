"""A web site's pages as a source lists them."""

from __future__ import annotations

import functools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator

from knowledge.errors import AddressesLeft, AddressForbidden, ClosedPage, SourceDenied, SourceUnreachable, TokenMissing
from knowledge.page import Audience
from knowledge.sources.base import SourceFile
from knowledge.sources.kinds import SourceConfig
from knowledge.sources.listing import Selection, unreadable
from knowledge.sources.web.addresses import Resolve, resolve
from knowledge.sources.web.client import Credential, Forbidden, Unanswered, WebClient
from knowledge.sources.web.crawl import Crawl, Limits, Site, Visited, pages_of
from knowledge.sources.web.memory import Memory
from knowledge.sources.web.options import WebOptions
from knowledge.sources.web.robots import read_robots
from knowledge.sources.web.sitemap import MOST_FILES, Sitemap, read_sitemap
from knowledge.sources.web.urls import normal, origin

_SHOWN = 200
"""Characters of an address in a reason."""


class WebSource:
    """Every page of known format that a crawl or a sitemap finds below the prefix.

    A page's `path` is its address below the prefix, readable; its version is the hash of its bytes. What robots.txt, a
    robots meta tag or X-Robots-Tag asks not to read or list is not. A page that fails for now is listed as one that cannot
    be read: the run keeps of it what it serves, and says so.
    """

    def __init__(
        self,
        config: SourceConfig,
        options: WebOptions,
        *,
        resolve: Resolve = resolve,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = config.name
        self.audience: Audience = config.audience
        self._options = options
        self._home = config.home
        self._selection = Selection(config.include, config.exclude)
        self._resolve = resolve
        self._sleep = sleep
        self._clock = clock

    def files(self) -> Iterator[SourceFile]:
        """Reads the whole site, then lists it. Raises TokenMissing, AddressForbidden, SourceUnreachable or
        SourceDenied."""
        options = self._options
        credential = self._credential()
        try:
            with (
                WebClient(
                    options.user_agent,
                    options.requests_per_second,
                    secure=any(address.startswith("https:") for address in (options.start, options.sitemap)),
                    allow_private=options.allow_private,
                    credential=credential,
                    resolve=self._resolve,
                    sleep=self._sleep,
                    clock=self._clock,
                ) as client,
                Memory(self._home) as memory,
            ):
                return iter(self._read(client, memory))
        except Forbidden as error:
            raise AddressForbidden(name=self.name, address=options.url, reason=str(error)) from error
        except Unanswered as error:
            raise SourceUnreachable(name=self.name, address=options.url, reason=str(error)) from error
        except sqlite3.Error as error:
            raise OSError(f"{self._home}: {error}") from error

    def _read(self, client: WebClient, memory: Memory) -> list[SourceFile]:
        options, agent = self._options, self._options.user_agent.partition("/")[0]
        until = self._clock() + options.max_minutes * 60
        most, whole_site = options.max_file_mb * 1_000_000, options.max_total_mb * 1_000_000
        limits = Limits(options.max_pages, options.max_depth, until, most, whole_site)
        robots = read_robots(client, options.start, agent)
        client.slow_down(robots.delay)
        site = Site(options.scope, robots, self._selection)
        crawl = Crawl(site, client, memory, limits, agent, self._clock)
        if options.sitemap:
            homes = {origin(normal(options.sitemap) or options.sitemap), origin(options.scope.prefix)}
            sitemap = read_sitemap(
                client, options.sitemap, options.max_pages, site.admits, lambda address: origin(address) in homes
            )
            visited = crawl.read(sitemap.days)
        else:
            sitemap = Sitemap({}, whole=True)
            visited = crawl.follow(self._first(crawl, site))
        memory.keep_only(one.url for one in visited if one.seen is not None)
        wanted = [one for one in visited if self._wants(one)]
        return self._listed(pages_of(wanted, sitemap.days), memory, crawl, sitemap)

    def _wants(self, one: Visited) -> bool:
        path = self._options.scope.readable(one.url)
        return one.seen is None or self._selection.wants(path, one.seen.suffix)

    def _first(self, crawl: Crawl, site: Site) -> Visited:
        """The start page. Without it nothing of the site can be trusted to be gone."""
        start = self._options.start
        if not site.robots.allows(start):
            raise SourceDenied(name=self.name, address=start, reason="robots.txt")
        first = crawl.first(start)
        if first.denied:
            raise SourceDenied(name=self.name, address=start, reason=first.problem)
        if first.seen is None:
            raise Unanswered(first.problem or "no page there, or it leads out of the prefix")
        return first

    def _listed(self, pages: list[Visited], memory: Memory, crawl: Crawl, sitemap: Sitemap) -> list[SourceFile]:
        files: dict[str, SourceFile] = {}
        scope = self._options.scope
        for one in pages:
            path = _free(scope.readable(one.url), files)
            seen = one.seen
            if seen is None or one.stale is not None:
                why = one.problem or one.stale or ""
                files[path] = unreadable(path, ClosedPage(reason=why) if one.denied else why, one.url)
                continue
            read = functools.partial(memory.read, seen.digest)
            files[path] = SourceFile(path, one.url, seen.day, seen.size, read, version=seen.digest, suffix=seen.suffix)
        left = [*crawl.left, *crawl.unasked]
        if left or not sitemap.whole:
            keys = ("max_pages", "max_minutes", "max_total_mb")
            limit = ", ".join(f"{key} = {getattr(self._options, key):g}" for key in keys)
            first = left[0] if left else self._options.sitemap
            path = scope.readable(first) if left else "sitemap"
            if left and not crawl.left:
                path += "/"  # the path itself is the page's, and a page that is not wanted must not stay by it
            path = _free(path, files)
            files[path] = unreadable(path, AddressesLeft(count=len(left) or 1, limit=limit), first)
        if sitemap.skipped:
            number, first = len(sitemap.skipped), sitemap.skipped[0][:_SHOWN]
            why = f"at least {number} of its files were not read, such as {first} (only {MOST_FILES} are, and only of this site)"
            path = _free("sitemap", files)
            files[path] = unreadable(path, why, self._options.sitemap)
        return [files[path] for path in sorted(files)]

    def _credential(self) -> Credential | None:
        options = self._options
        if not options.token_env:
            return None
        token = os.environ.get(options.token_env, "").strip()
        if not token:
            raise TokenMissing(name=self.name, variable=options.token_env)
        return Credential.of(options.start, options.auth, token)


def _free(path: str, taken: dict[str, SourceFile]) -> str:
    """`/a` and `/a/` can be two pages."""
    while path in taken:
        path += "/"
    return path
