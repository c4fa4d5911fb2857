"""위키: sources with their runs, editions and going back to one, pages that could not be read, the search tester."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import NotFoundInConsole
from bot.job_book import JobBook, ask, state_of
from bot.store import audit
from bot.store import jobs as runs
from bot.store.database import Store
from bot.store.job_rows import Run
from bot.web import job_words
from bot.web.page import Page, allow, done, form, origin, render, say, viewer
from bot.web.pages.wiki_search import SearchTester
from bot.web.viewer import Viewer
from bot.web.wiki_state import EditionFacts, KnownSource, Reading, WikiState, readings
from knowledge.errors import BrokenEdition
from knowledge.failures import UnreadPage
from knowledge.page import reader_of

if TYPE_CHECKING:
    from bot.live import Live
    from knowledge.edition import EditionShelf, HeldSource, Reopening, Shelved

T = TypeVar("T")
_FIRST_UNREAD = 10
_UNREAD_PAGE = 100


class Looking(Protocol):
    """What answers now, and its search thread; `bot.answering.flow.AnswerFlow` is the real one."""

    def live(self) -> Live:
        """What would answer a question asked now."""

    async def look(self, work: Callable[[Live], T]) -> T:
        """`work` on it, in the search thread."""


@dataclass(frozen=True, slots=True)
class WikiParts:
    """What the page reads."""

    store: Store
    book: JobBook
    flow: Looking
    state: WikiState
    shelf: EditionShelf
    made_with: Callable[[], tuple[str, str]]
    """Ids of the analyser and the embedder of the settings: as `saseo editions rollback` asks for them."""
    reopen: Callable[[], Awaitable[None]]
    """Lets the edition answer that the shelf points at."""
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source in the list."""

    source: KnownSource
    reading: Reading
    pages: int | None
    """None: the edition does not have it."""
    passages: int
    unread: int
    held_back: HeldSource | None
    """None: it was taken as it is."""


@dataclass(frozen=True, slots=True)
class EditionLine:
    """One edition in the list. `made`: seconds since the epoch."""

    shelved: Shelved
    made: float | None
    answers: bool
    """In this process, now."""
    fits: bool
    """Made with the analyser and embedder that questions meet here."""
    reopening: Reopening | None
    """What going back to it would open again. None: it is damaged, and nobody goes back to it."""


def wiki(parts: WikiParts) -> Page:
    """The page."""
    here = _Wiki(parts)
    tester = SearchTester(parts.store, parts.flow, parts.state, parts.clock)
    routes = (
        Route("/wiki", here.show, methods=["GET"]),
        Route("/wiki/progress", here.progress, methods=["GET"]),
        Route("/wiki/unread", here.unread, methods=["GET"]),
        Route("/wiki/run", here.start, methods=["POST"]),
        Route("/wiki/accept", here.accept, methods=["POST"]),
        Route("/wiki/editions/{edition}/rollback", here.roll_back, methods=["POST"]),
        *tester.routes(),
    )
    return Page("wiki", "/wiki", routes, key="w")


class _Wiki:
    def __init__(self, parts: WikiParts) -> None:
        self._parts = parts
        self._sources = {source.name: source for source in parts.state.sources}
        self._reopenings: dict[tuple[str, str], Reopening] = {}

    async def show(self, request: Request) -> Response:
        """All of it."""
        found = await self._standing(request)
        editions, gone_back = await asyncio.to_thread(self._editions)
        return render(request, "wiki/page.html", editions=editions, gone_back=gone_back, **found)

    async def progress(self, request: Request) -> Response:
        """What is being read; once it has ended the lists come along."""
        found = await self._standing(request)
        was = request.query_params.get("was", "")[:16]
        ended: Run | None = None
        if was and not found["active"]:
            ended = await self._parts.store.run(runs.get, was)
        editions, gone_back = await asyncio.to_thread(self._editions) if ended else ([], None)
        return render(
            request,
            "wiki/progress.html",
            ended=ended,
            fresh=ended is not None,
            editions=editions,
            gone_back=gone_back,
            **found,
        )

    async def unread(self, request: Request) -> Response:
        """Pages that could not be read, a page of them at a time."""
        source, after = request.query_params.get("source", ""), request.query_params.get("after", "")
        facts = await self._parts.state.facts(self._parts.flow.live().index.edition)
        seen, hidden = _seen(await self._parts.state.unread(facts), viewer(request))
        rest = [one for one in seen if (not source or one.source == source) and (one.source, one.page) > _key(after)]
        shown = rest[:_UNREAD_PAGE]
        more = f"{shown[-1].source}\n{shown[-1].page}" if len(rest) > _UNREAD_PAGE else ""
        return render(
            request,
            "wiki/unread.html",
            unread=shown,
            hidden=0 if source else hidden,
            more=more,
            source=source,
            sources=self._parts.state.sources,
            is_kept=_is_kept(facts),
        )

    async def start(self, request: Request) -> Response:
        """Have a source read again, or all."""
        who, fields = allow(request, "admin"), await form(request)
        source = fields.get("source", "")
        if source and source not in self._sources:
            raise NotFoundInConsole
        job, arguments = self._parts.book.reading(source or None)
        await self._ask(request, job, arguments, who.by)
        return done(request, "/wiki", say(request, "wiki.asked" if source else "wiki.asked_all", source=source))

    async def accept(self, request: Request) -> Response:
        """Have a source that was held back read again, and taken as it is."""
        who, fields = allow(request, "admin"), await form(request)
        source = fields.get("source", "")
        if source not in self._sources:
            raise NotFoundInConsole
        job, arguments = self._parts.book.reading(source)
        await self._ask(request, job, {**arguments, "accept": [source]}, who.by)
        return done(request, "/wiki", say(request, "wiki.accepted", source=source))

    async def roll_back(self, request: Request) -> Response:
        """Let an older edition answer."""
        who, parts = allow(request, "admin"), self._parts
        seen = (await form(request)).get("reopening", "")
        wanted, before = request.path_params["edition"], parts.flow.live().index.name
        reopened: list[Reopening] = []

        def agreed(found: Reopening) -> bool:
            reopened.append(found)
            return str(found) == seen  # of what the person was asked about, and no more

        name = await asyncio.to_thread(lambda: parts.shelf.roll_back(wanted, parts.made_with(), agreed))
        detail: dict[str, object] = {"from": before}
        for found in reopened:
            detail |= {"wider": found.wider, "returned": found.returned}

        def write(connection: Connection) -> None:
            audit.record(
                connection, by=who.by, action="edition.rollback", subject=name, detail=detail,
                origin=origin(request), now=parts.clock(),
            )  # fmt: skip

        await parts.store.run(write)
        await parts.reopen()
        said = [say(request, "wiki.rolled_back", name=name)]
        said += [say(request, "wiki.reopened", wider=one.wider, returned=one.returned) for one in reopened]
        return done(request, "/wiki#editions", " ".join(said))

    async def _ask(self, request: Request, job: str, arguments: dict[str, list[str]], by: str) -> None:
        parts = self._parts
        await parts.store.run(
            ask, parts.book, job, by=by, origin=origin(request), now=parts.clock(), arguments=arguments
        )

    async def _standing(self, request: Request) -> dict[str, Any]:
        parts, now = self._parts, self._parts.clock()
        edition = parts.flow.live().index.edition
        manifest = edition.manifest
        facts = await parts.state.facts(edition)
        found = await parts.state.unread(facts)
        seen, hidden = _seen(found, viewer(request))
        read = await parts.store.run(readings, parts.book, parts.state.sources, now=now)
        unread = Counter(one.source for one in found)
        held = await asyncio.to_thread(parts.shelf.held_back)
        lines = [
            SourceLine(
                source=source,
                reading=read[source.name],
                pages=manifest.sources.get(source.name),
                passages=facts.passages[source.name],
                unread=unread[source.name],
                held_back=held.get(source.name),
            )
            for source in parts.state.sources
        ]
        running = {line.reading.active.id: line.reading.active for line in lines if line.reading.active is not None}
        texts, language = request.app.state.renderer.texts, viewer(request).language
        return {
            "lines": lines,
            "active": sorted(running.values(), key=lambda run: (run.state != "running", run.due_at)),
            "held_back": [line for line in lines if line.held_back],
            "unread": seen[:_FIRST_UNREAD],
            "unread_count": len(seen),
            "hidden": hidden,
            "is_kept": _is_kept(facts),
            "step_of": lambda run: job_words.step(str(run.progress.get("message") or ""), language),
            "state_of": lambda run: state_of(run, now),
            "error_of": lambda run: job_words.error(run, texts, language),
            "short_of": lambda run: job_words.short_result(run, texts, language),
            "title_of": lambda run: parts.book.jobs[run.job].title(language) if run.job in parts.book.jobs else run.job,
        }

    def _editions(self) -> tuple[list[EditionLine], str | None]:
        """Newest first; and the one that a person went back from. Reads the disk."""
        parts = self._parts
        index = parts.flow.live().index
        # Those of this process: asking the settings may hash a model. Going back asks them.
        made_with = (index.analyser.name, index.embedder.id)
        found = parts.shelf.shelved()
        newest = found[-1].manifest.edition if found else ""
        lines = [
            EditionLine(
                shelved,
                _moment(shelved.manifest.made),
                shelved.manifest.edition == index.name,
                (shelved.manifest.analyser, shelved.manifest.embedder) == made_with,
                self._reopening(shelved.manifest.edition, newest),
            )
            for shelved in reversed(found)
        ]
        self._reopenings = {pair: one for pair, one in self._reopenings.items() if pair[1] == newest}
        return lines, parts.shelf.gone_back_from()

    def _reopening(self, edition: str, newest: str) -> Reopening | None:
        """Kept for as long as no newer one is published, since it reads both."""
        try:
            if (edition, newest) not in self._reopenings:
                self._reopenings[edition, newest] = self._parts.shelf.reopening(edition)
            return self._reopenings[edition, newest]
        except BrokenEdition:
            return None


def _seen(unread: Sequence[UnreadPage], me: Viewer) -> tuple[list[UnreadPage], int]:
    """Those that this viewer may know of, and how many others there are."""
    reader = reader_of(me.groups)
    seen = [one for one in unread if one.audience.admits(reader)]
    return seen, len(unread) - len(seen)


def _is_kept(facts: EditionFacts) -> Callable[[UnreadPage], bool]:
    """Whether what was read of a page before still answers."""
    return lambda one: (one.source, one.page) in facts.audiences


def _key(after: str) -> tuple[str, str]:
    source, _, page = after.partition("\n")
    return source, page


def _moment(made: str) -> float | None:
    try:
        return datetime.fromisoformat(made).timestamp()
    except ValueError:
        return None
