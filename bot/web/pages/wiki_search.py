"""The search tester of 위키, and a page as it was indexed: why each passage ranks where it does, for whom it may be shown to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.answering.condense import condense
from bot.answering.judge import judge
from bot.answering.reading import LONGEST_QUESTION
from bot.errors import NotFoundInConsole
from bot.store import audit
from bot.web.page import allow, done, form_list, is_htmx, origin, render, viewer
from bot.web.viewer import Viewer
from bot.web.wiki_state import WikiState
from knowledge.explained import LEGS, Explained, Why, places_of
from knowledge.korean import normalise
from knowledge.page import EVERYONE, reader_of

if TYPE_CHECKING:
    from bot.live import Live
    from bot.store.database import Store
    from bot.web.pages.wiki import Looking
    from knowledge.page import Passage

_HITS = 10
_ALL = 1000
"""More than the legs propose together."""
_FIELDS = ("q", "before", "source", "passages", "where")
_MOST_GROUPS = 20
_PASSAGES = 50
"""On a page of a page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is tried. `groups`: without `everyone`; `source`: empty for all."""

    question: str = ""
    before: str = ""
    groups: frozenset[str] = frozenset()
    source: str = ""
    per_page: bool = True
    where: str = ""
    """Part of the title or the path of a page that should have been found."""

    def address(self) -> str:
        """Of the page that shows it."""
        fields = [("q", self.question), ("before", self.before), ("source", self.source), ("where", self.where)]
        fields += [("group", group) for group in sorted(self.groups) or [EVERYONE]]
        fields += [("passages", "all")] if not self.per_page else []
        return f"/wiki/search?{urlencode([(name, value) for name, value in fields if value])}"


@dataclass(frozen=True, slots=True)
class Shown:
    """One hit for the template. `pieces`: its text, cut where marked words begin and end: (text, marked)."""

    rank: int
    why: Why
    pieces: tuple[tuple[str, bool], ...]
    closed: bool
    """The viewer tries other groups: the page itself is not theirs to open."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A search, tried. `condensed`: the question with the one before it, as far as it leans on that."""

    told: Explained
    hits: tuple[Shown, ...]
    where: Shown | None
    """The best passage of the page that was asked for; None: it is no candidate for this reader, or none was asked for."""
    condensed: str
    threshold: float
    enough: bool
    ruler: tuple[float, float]
    """Where strength and threshold stand on a line from 0 to 100."""


def tried(live: Live, wanted: Wanted, own: frozenset[str]) -> Tried:
    """CPU work. `own`: groups of the viewer."""
    reader, index = reader_of(wanted.groups), live.index
    sources = frozenset([wanted.source] if wanted.source else [])
    turns = [wanted.before] if wanted.before else []
    searched, _ = condense(wanted.question, turns, live.analyser, idf=index.rarity(reader, sources))
    # A page that somebody misses may stand far below: then all candidates of all legs are explained.
    most = _ALL if wanted.where else _HITS
    told = index.explain(searched, reader, most, one_per_page=wanted.per_page, sources=sources)
    words = frozenset(word.text for word in told.words) | told.also

    def show(rank: int, why: Why) -> Shown:
        text, audience = why.hit.passage.text, why.hit.passage.audience
        marked = _pieces(text, places_of(text, words, live.analyser))
        return Shown(rank, why, marked, not audience.admits(reader_of(own)))

    ranked = list(enumerate(told.whys, start=1))
    looked_for = next((one for one in ranked if _is_of(one[1].hit.passage, wanted.where)), None)
    enough = judge(told.evidence, live.threshold, can_rewrite=False) == "enough"
    return Tried(
        told,
        tuple(show(*one) for one in ranked[:_HITS]),
        show(*looked_for) if looked_for else None,
        searched,
        live.threshold,
        bool(told.whys) and enough,
        _ruler(told.evidence.strength, live.threshold),
    )


def _is_of(passage: Passage, where: str) -> bool:
    wanted = normalise(where)
    return bool(wanted) and (wanted in normalise(passage.title) or wanted in normalise(passage.page))


def _pieces(text: str, marks: list[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in marks:
        pieces += [(text[at:start], False), (text[start:end], True)]
        at = end
    return tuple((piece, marked) for piece, marked in [*pieces, (text[at:], False)] if piece)


def _ruler(strength: float, threshold: float) -> tuple[float, float]:
    """Cosines of one model lie close together: the line shows the part around both values."""
    low = max(min(strength, threshold) - 1.0, 0.0)
    high = max(strength, threshold) + 1.0
    return 100 * (strength - low) / (high - low), 100 * (threshold - low) / (high - low)


class SearchTester:
    """Its handlers. Whatever is searched is searched in the service's own search thread, over the edition that answers."""

    def __init__(self, store: Store, flow: Looking, state: WikiState, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._flow = flow
        self._state = state
        self._clock = clock

    def routes(self) -> list[Route]:
        """Below /wiki."""
        return [
            Route("/wiki/search", self.show, methods=["GET"]),
            Route("/wiki/search", self.search, methods=["POST"]),
            Route("/wiki/page", self.page, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The form; with `q` also what was found, as groups of one's own."""
        query, one = request.query_params, viewer(request)
        named = query.getlist("group")
        wanted = self._wanted(query, frozenset(named) & one.groups if named else one.groups)
        return await self._page(request, wanted)

    async def search(self, request: Request) -> Response:
        """Search, with the question in the body. Groups that are not one's own: admins only, and on the record."""
        one = viewer(request)
        fields = {name: (await form_list(request, name) or [""])[-1] for name in _FIELDS}
        other = (group.strip()[:100] for group in ((await form_list(request, "other")) or [""])[-1].split(","))
        groups = frozenset([*(await form_list(request, "group")), *other][:_MOST_GROUPS]) - {"", EVERYONE}
        wanted = self._wanted(fields, groups)
        if not groups <= one.groups:
            allow(request, "admin")
            await self._store.run(
                audit.record, by=one.by, action="search.as", subject=", ".join(sorted(groups)),
                detail={"others": sorted(groups - one.groups)}, origin=origin(request), now=self._clock(),
            )  # fmt: skip
            return await self._page(request, wanted)
        if not is_htmx(request):
            return done(request, wanted.address())
        response = await self._page(request, wanted)
        response.headers["HX-Push-Url"] = wanted.address()
        return response

    async def page(self, request: Request) -> Response:
        """A page of the wiki as it was indexed, if the viewer may read all of it."""
        query = request.query_params
        source, name, after = query.get("source", ""), query.get("page", ""), query.get("after", "")
        reader = reader_of(viewer(request).groups)

        edition = self._flow.live().index.edition

        def find() -> list[Passage]:
            found = [one for one in edition.passages if one.page == name and one.source == source]
            return found if all(one.audience.admits(reader) for one in found) else []

        passages = await asyncio.to_thread(find)  # not in the search thread, where questions would wait for it
        if not passages:
            raise NotFoundInConsole
        begin = int(after) + 1 if after.isdecimal() and len(after) < 9 else 0
        rest = [one for one in passages if one.number >= begin]
        shown = rest[:_PASSAGES]
        return render(
            request,
            "wiki/one_page.html",
            first=passages[0],
            passages=shown,
            count=len(passages),
            more=str(shown[-1].number) if len(rest) > _PASSAGES else "",
            clauses=passages[0].audience.as_lists(),
        )

    @staticmethod
    def _wanted(fields: Mapping[str, str], groups: frozenset[str]) -> Wanted:
        return Wanted(
            fields.get("q", "").strip()[:LONGEST_QUESTION],
            fields.get("before", "").strip()[:LONGEST_QUESTION],
            groups,
            fields.get("source", "")[:200],
            fields.get("passages", "") != "all",
            fields.get("where", "").strip()[:200],
        )

    async def _page(self, request: Request, wanted: Wanted) -> Response:
        one = viewer(request)
        found = await self._flow.look(lambda live: tried(live, wanted, one.groups)) if wanted.question else None
        facts = await self._state.facts(self._flow.live().index.edition)
        template = "wiki/results.html" if is_htmx(request) else "wiki/search.html"
        return render(request, template, **_values(one, wanted, found, self._state, facts.groups))


def _values(
    one: Viewer, wanted: Wanted, found: Tried | None, state: WikiState, known: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "wanted": wanted,
        "found": found,
        "own": sorted(one.groups),
        "others": sorted(wanted.groups - one.groups),
        "known": [group for group in known if group not in one.groups] if one.may("admin") else [],
        "sources": state.sources,
        "legs": LEGS,
        "longest": LONGEST_QUESTION,
    }
