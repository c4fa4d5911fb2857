"""대화: every question, searched and filtered; and the whole way of one, as far as this account may read it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import NotFoundInConsole
from bot.messages import Outcome
from bot.store import conversations as records
from bot.store import days
from bot.store import told as told_records
from bot.store.conversations import Filter
from bot.store.cursor import Cursor
from bot.store.database import Store
from bot.store.told import Told
from bot.web.page import Page, is_htmx, render, viewer
from bot.web.page_readers import MayRead, PageName
from bot.web.pages.conversation_shown import Shown, pages_of_answer
from bot.web.viewer import Viewer

if TYPE_CHECKING:
    from sqlalchemy import Connection

OUTCOMES = (*(outcome.value for outcome in Outcome), records.OPEN)
_FIELDS = ("q", "outcome", "where", "lora", "vote", "since", "until")
_LIST = "/conversations"
_CHOICES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ConversationsParts:
    """What the page reads. `zone`: of the days that are chosen."""

    store: Store
    zone: dt.tzinfo
    may_read: MayRead


def conversations(parts: ConversationsParts) -> Page:
    """The list, and one question."""
    one = _Conversations(parts)
    routes = [Route(_LIST, one.list), Route(f"{_LIST}/{{id}}", one.show)]
    return Page("conversations", _LIST, routes, key="c")


class _Conversations:
    def __init__(self, parts: ConversationsParts) -> None:
        self._parts = parts
        self._chosen_from: tuple[float, dict[str, Any]] | None = None

    async def list(self, request: Request) -> Response:
        """A page of the list; for htmx only its rows."""
        me = viewer(request)
        asked = {name: request.query_params.get(name, "").strip() for name in _FIELDS}
        after = Cursor.read(request.query_params.get("after", ""))
        wanted = self._wanted(asked, me)
        listing = await self._parts.store.run(records.page, wanted, after=after)
        values: dict[str, Any] = {
            "rows": listing.rows,
            "more": None if listing.more is None else self._address(asked, listing.more),
            "few": listing.more is not None and len(listing.rows) < records.PAGE,
            "continued": after is not None,
            "filtered": any(asked.values()),
            "back": urlencode({name: value for name, value in asked.items() if value}),
        }
        if is_htmx(request):
            return render(request, "conversations/rows.html" if after else "conversations/found.html", **values)
        choices = await self._choices()
        return render(request, "conversations/list.html", asked=asked, outcomes=OUTCOMES, **choices, **values)

    async def show(self, request: Request) -> Response:
        """One question. Raises NotFoundInConsole."""
        me = viewer(request)
        told = await self._parts.store.run(told_records.get, request.path_params["id"])
        if told is None:
            raise NotFoundInConsole
        back = request.query_params.get("back", "")[:1000]
        asked = dict(parse_qsl(back))
        wanted = self._wanted({name: asked.get(name, "") for name in _FIELDS}, me)
        here = Cursor(told.listed.asked_at, told.listed.id)
        newer, older = await self._parts.store.run(records.beside, wanted, here)
        shown = Shown(told, me, await self._parts.may_read(me.groups, _pages(told)))
        return render(request, "conversations/show.html", shown=shown, told=told, newer=newer, older=older, back=back)

    async def _choices(self) -> dict[str, Any]:
        """Places and LoRAs; a new one may be missing for a moment."""
        now, known = time.monotonic(), self._chosen_from
        if known is None or now - known[0] > _CHOICES_SECONDS:
            known = self._chosen_from = (now, await self._parts.store.run(_choices))
        return known[1]

    def _wanted(self, asked: Mapping[str, str], me: Viewer) -> Filter:
        """What cannot be read is as if it were not there."""
        platform, colon, place = asked["where"].partition(":")
        outcome = asked["outcome"] if asked["outcome"] in OUTCOMES else ""
        until = _day(asked["until"])
        since = _day(asked["since"])
        return Filter(
            outcome=outcome,
            platform=platform,
            place=place if colon else None,
            lora=asked["lora"],
            vote="up" if asked["vote"] == "up" else "down" if asked["vote"] == "down" else "",
            since=None if since is None else days.midnight(since, self._parts.zone),
            until=None if until is None else days.midnight(until + dt.timedelta(days=1), self._parts.zone),
            text=asked["q"],
            searchable=me.texts,
        )

    @staticmethod
    def _address(asked: Mapping[str, str], more: Cursor) -> str:
        return f"{_LIST}?" + urlencode({name: value for name, value in asked.items() if value} | {"after": str(more)})


def _choices(connection: Connection) -> dict[str, Any]:
    return {"places": records.places(connection), "loras": records.loras(connection)}


def _pages(told: Told) -> set[PageName]:
    """Every page whose title or words stand in the answer or its way."""
    found = told.trace.passages if told.trace is not None else ()
    return pages_of_answer(told) | {(one.source, one.page) for one in found}


def _day(written: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(written)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9999 else None
