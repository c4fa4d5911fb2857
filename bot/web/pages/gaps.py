"""빈틈: what people ask and the wiki does not answer: a list by weight, one gap with its draft, decisions, files."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import HiddenInConsole, NotFoundInConsole, UnknownGap
from bot.gaps import decisions, exports
from bot.gaps.detail import Detail, Sight, read, seen, shown
from bot.gaps.drafting import draft_of
from bot.gaps.exports import FORMATS, Format, write
from bot.gaps.gap import Beside, Gap, State
from bot.job_book import JobBook, ask
from bot.messages import Language
from bot.store import gap_numbers, gaps, privacy
from bot.store.database import Store
from bot.web.page import Page, allow, done, form, origin, render, say, viewer
from bot.web.page_readers import MayRead, PageName
from bot.web.viewer import Viewer

JOB = "gaps"
"""Finds them (jobs/registry.py)."""
_ROWS = 100
_MOST_IN_A_FILE = 500
_SNOOZES = (7, 30, 90)
_TYPES: Mapping[Format, str] = {"md": "text/markdown", "csv": "text/csv", "json": "application/json"}
_HEIGHT, _WIDTH = 20, 96
"""Of a trend's drawing, in its own units."""

_DECISIONS = frozenset({"close", "reopen", "snooze", "rename", "assign", "share", "unshare", "draft", "reset"})


@dataclass(frozen=True, slots=True)
class GapsParts:
    """What the page needs. `mask`: personal data → placeholders; `people`: as `[gaps] people`."""

    store: Store
    book: JobBook
    mask: Callable[[str], str]
    may_read: MayRead
    people: int


def gaps_page(parts: GapsParts) -> Page:
    """`GET /gaps`, `/gaps/ID`; forms: one per decision, find, export."""
    handlers = _Gaps(parts)
    return Page(
        "gaps",
        "/gaps",
        (
            Route("/gaps", handlers.listed, methods=["GET"]),
            Route("/gaps/find", handlers.find, methods=["POST"]),
            Route("/gaps/export", handlers.export, methods=["POST"]),
            Route("/gaps/{gap}", handlers.show, methods=["GET"]),
            Route("/gaps/{gap}/{do}", handlers.decide, methods=["POST"]),
        ),
        key="p",
    )


class _Gaps:
    def __init__(self, parts: GapsParts) -> None:
        self._parts = parts
        self._store = parts.store

    async def listed(self, request: Request) -> Response:
        """Those of one state."""
        state = _state(request.query_params)
        ids = await self._ranked(viewer(request), state)
        found = await self._visible(viewer(request), ids[:_ROWS])
        counts = await self._store.run(gaps.counts)
        return render(
            request,
            "gaps/list.html",
            gaps=found,
            more=max(0, len(ids) - _ROWS),
            state=state,
            states=get_args(State),
            counts=counts if viewer(request).may("admin") else {},
            spark=spark,
            few=self._few,
            people=self._parts.people,
            formats=FORMATS,
        )

    async def show(self, request: Request) -> Response:
        """One of them. Raises NotFoundInConsole, also for one that is shown to admins alone."""
        me = viewer(request)
        return await self._show(request, me, await self._detail(me, request.path_params["gap"]))

    async def _show(
        self, request: Request, me: Viewer, detail: Detail, *, status: int = 200, typed: str | None = None
    ) -> Response:
        """`typed`: what somebody wrote while the draft changed; it stays in the field."""
        others = await self._ranked(me, detail.gap.state)
        here = others.index(detail.gap.id) if detail.gap.id in others else -1
        return render(
            request,
            "gaps/show.html",
            status,
            detail=detail,
            gap=detail.gap,
            draft=draft_of(detail, me.language),
            look=_look(detail, me.language),
            changed=status != 200,
            typed=typed,
            own=bool(detail.gap.draft),
            previous=others[here - 1] if here > 0 else "",
            next=others[here + 1] if 0 <= here < len(others) - 1 else "",
            spark=spark,
            few=self._few,
            people=self._parts.people,
            snoozes=_SNOOZES,
        )

    async def decide(self, request: Request) -> Response:
        """A form of one gap: close, reopen, snooze, rename, assign, share, unshare, draft, reset.

        A draft is saved or dropped only as long as it is the one that the page showed, beside the same pages.
        """
        do, gap = request.path_params["do"], request.path_params["gap"]
        if do not in _DECISIONS:
            raise NotFoundInConsole
        me = allow(request, "admin" if do in ("share", "unshare") else "reviewer")
        detail = await self._detail(me, gap)  # whoever may not see it may not decide about it
        if detail.draft_hidden and do == "draft":
            raise HiddenInConsole
        if detail.draft_hidden and do == "reset":  # otherwise nobody could, once such a page is gone
            allow(request, "admin")
        fields = await form(request)
        if do in ("draft", "reset") and fields.get("seen") != _look(detail, me.language):
            typed = fields.get("draft", "")[: decisions.LONGEST_DRAFT] if do == "draft" else None
            return await self._show(request, me, detail, status=409, typed=typed)
        near = [Beside(one.source, one.page, one.audience) for one in detail.gap.nearest]
        beside = tuple(dict.fromkeys((*detail.beside, *near)))
        # Only what not everyone may read: else a draft would be gone for everybody as soon as any page of an answer is.
        closed = detail.rests - await self._parts.may_read((), detail.rests)
        who = {"by": me.by, "origin": origin(request), "now": time.time()}
        did = await self._store.run(decided, do, gap, fields, beside, closed, **who)
        said = say(request, f"gaps.did.{did}")
        if do == "unshare" and not self._few(replace(detail.gap, shared=False)):
            said = say(request, "gaps.still_shown", people=self._parts.people)
        return done(request, f"/gaps/{gap}", said)

    async def find(self, request: Request) -> Response:
        """Ask for the job, also where it does not run by itself. Raises JobPaused."""
        me = allow(request, "reviewer")
        await self._store.run(ask, self._parts.book, JOB, by=me.by, origin=origin(request), now=time.time())
        return done(request, "/gaps", say(request, "gaps.finding"))

    async def export(self, request: Request) -> Response:
        """A file of what this person may see of one state's gaps. It goes on record."""
        me = allow(request, "reviewer")
        fields = await form(request)
        state = _state(fields)
        if fields.get("format") not in FORMATS:
            raise NotFoundInConsole
        kind = cast(Format, fields["format"])
        chosen = (await self._ranked(me, state))[:_MOST_IN_A_FILE]
        details = [await self._detail(me, one) for one in chosen]
        text = await asyncio.to_thread(write, details, kind, me.language)
        name, content = f"gaps-{state}.{kind}", text.encode("utf-8", "replace")
        told = {"format": kind, "state": state, "gaps": len(details)}
        by, where, now = me.by, origin(request), time.time()
        path, digest = privacy.downloaded(name), hashlib.sha256(content).hexdigest()

        def note(connection: Connection) -> None:
            held = exports.held(connection, chosen)
            exports.note(connection, path, digest, held, by=by, detail=told, origin=where, now=now)

        await self._store.run(note)
        return Response(
            content,
            media_type=f"{_TYPES[kind]}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    async def _ranked(self, me: Viewer, state: State) -> list[str]:
        """Ids of those that this person may see, heaviest first."""
        people = 0 if me.may("admin") else self._parts.people
        return await self._store.run(gap_numbers.ranked, state, people=people)

    async def _visible(self, me: Viewer, ids: Sequence[str]) -> list[Gap]:
        """As this person may see them, heaviest first."""
        every = await self._store.run(gaps.every, ids=ids) if ids else []
        sight = _sight(me)
        return await self._readable(me, [seen(one, sight) for one in every])

    async def _detail(self, me: Viewer, gap: str) -> Detail:
        """Raises NotFoundInConsole."""
        try:
            material = await self._store.run(read, gap)
        except UnknownGap:
            raise NotFoundInConsole from None
        if self._few(material.gap) and not me.may("admin"):
            raise NotFoundInConsole
        allowed = await self._parts.may_read(me.groups, material.pages) if material.pages else frozenset()
        detail = await asyncio.to_thread(shown, material, _sight(me), self._parts.mask, allowed)
        (readable,) = await self._readable(me, [detail.gap])
        detail = replace(detail, gap=readable)
        named = {(page.source, page.page) for page in detail.beside}
        if readable.draft and named and not named <= set(await self._parts.may_read(me.groups, named)):
            return detail.without_draft()
        return detail

    async def _readable(self, me: Viewer, found: Sequence[Gap]) -> list[Gap]:
        """Without pages that were closed, or went, since the gaps were found, and without a page that answers where it is not for them."""
        named = {(page.source, page.page) for one in found for page in one.nearest}
        named |= {_answering(one) for one in found if one.answered_page}
        allowed: Collection[tuple[str, str]] = await self._parts.may_read(me.groups, named) if named else ()
        known = [
            replace(one, nearest=tuple(page for page in one.nearest if (page.source, page.page) in allowed))
            for one in found
        ]
        return [
            one if _answering(one) in allowed else replace(one, answered_source="", answered_page="") for one in known
        ]

    def _few(self, gap: Gap) -> bool:
        return not gap.shown_to_all(self._parts.people)


def decided(
    connection: Connection,
    /,
    do: str,
    gap: str,
    fields: Mapping[str, str],
    beside: Collection[Beside],
    rests: Collection[PageName],
    **who: Any,
) -> str:
    """One decision; what was done, as in `gaps.did.…`. `beside`, `rests`: as in `decisions.write`. `who`: by, origin, now.

    Raises UnknownGap.
    """
    match do:
        case "close":
            decisions.close(connection, gap, **who)
            return "closed"
        case "reopen":
            decisions.reopen(connection, gap, **who)
            return "reopened"
        case "snooze":
            given = fields.get("days", "")
            decisions.snooze(connection, gap, int(given) if given in map(str, _SNOOZES) else _SNOOZES[0], **who)
            return "snoozed"
        case "rename":
            decisions.rename(connection, gap, fields.get("name", ""), **who)
            return "named"
        case "assign":
            decisions.assign(connection, gap, fields.get("to", ""), **who)
            return "assigned"
        case "share" | "unshare":
            decisions.share(connection, gap, do == "share", **who)
            return f"{do}d"
        case _:
            draft = fields.get("draft", "") if do == "draft" else ""
            decisions.write(connection, gap, draft, beside=beside, rests=rests, **who)
            return "drafted"


def spark(weeks: Sequence[int]) -> str:
    """Points of an SVG polyline, oldest week first; its box is 100 by 24."""
    most, step = max(weeks, default=0) or 1, _WIDTH / max(len(weeks) - 1, 1)
    return " ".join(f"{2 + n * step:.1f},{2 + _HEIGHT * (1 - week / most):.1f}" for n, week in enumerate(weeks))


def _look(detail: Detail, language: Language) -> str:
    """Differs once the draft was saved again, shows something else, or other pages are near."""
    saved = sum(one.action == "drafted" for one in detail.history)
    pages = [(page.source, page.page) for page in detail.gap.nearest]
    return hashlib.sha256(repr((saved, pages, draft_of(detail, language))).encode()).hexdigest()


def _answering(gap: Gap) -> PageName:
    return gap.answered_source, gap.answered_page


def _sight(me: Viewer) -> Sight:
    return Sight(me.texts, me.groups)


def _state(given: Mapping[str, str]) -> State:
    wanted = given.get("state", "open")
    return cast(State, wanted) if wanted in get_args(State) else "open"
