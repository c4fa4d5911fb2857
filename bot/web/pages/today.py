"""오늘: does it help? Today beside the seven days before it, the last weeks as pictures, and where it is asked."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.store import conversations, days
from bot.store.database import Store
from bot.store.statistics import Numbers, Statistics, statistics
from bot.web import shown
from bot.web.charts import Chart, Series
from bot.web.page import Page, render, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

SPANS = (7, 28, 90)
"""Days that can be chosen."""
BEFORE = 7
_FRESH_SECONDS = 5.0
"""Many who look at once share one look into the store."""
_COUNTING_SECONDS = 1.0
_MOST_PLACES = 30


@dataclass(frozen=True, slots=True)
class TodayParts:
    """What the page reads. `zone`: of its days."""

    store: Store
    zone: dt.tzinfo
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Share:
    """A share of today beside the one of the days before; None: there was nothing to divide."""

    now: float | None
    before: float | None

    @property
    def points(self) -> int | None:
        """Percentage points up or down."""
        return None if self.now is None or self.before is None else round(100 * (self.now - self.before))


def today(parts: TodayParts) -> Page:
    """The first page."""
    one = _Today(parts)
    routes = [Route("/", one.show), Route("/today/numbers", one.numbers)]
    return Page("today", "/", routes, key="t")


class _Today:
    def __init__(self, parts: TodayParts) -> None:
        self._parts = parts
        self._looked: dict[int, tuple[float, Statistics]] = {}
        self._looking = asyncio.Lock()

    async def show(self, request: Request) -> Response:
        """All of it."""
        span = _span(request)
        found = await self._look(span)
        anything = any(numbers.tally.questions for _, numbers in found.by_day[-span:])
        if not anything and not await self._parts.store.run(_any_question):
            return render(request, "today/empty.html")
        first = found.today - dt.timedelta(days=span - 1)
        places = found.by_place
        return render(
            request,
            "today/show.html",
            **self._cards(found),
            span=span,
            spans=SPANS,
            charts=self._charts(request, found, first) if anything else (),
            places=places[:_MOST_PLACES],
            more_places=len(places) - _MOST_PLACES,
            address=_address,
            whole=sum(numbers.tally.questions for _, numbers in places) or 1,
        )

    async def numbers(self, request: Request) -> Response:
        """The cards alone: they look after themselves."""
        return render(request, "today/cards.html", **self._cards(await self._look(_span(request))))

    async def _look(self, span: int) -> Statistics:
        async with self._looking:  # who comes while somebody looks gets what they found
            now = self._parts.clock()
            looked = self._looked.get(span)
            if looked is None or not 0 <= now - looked[0] < _FRESH_SECONDS:
                looked = self._looked[span] = (now, await self._count(span, now))
            return looked[1]

    async def _count(self, span: int, now: float) -> Statistics:
        began = time.monotonic()
        # What is over is counted once, one day at a time. After an update that may be months: then a few with each visit.
        while await self._parts.store.run(days.roll_up, self._parts.zone, now=now):
            if time.monotonic() - began > _COUNTING_SECONDS:
                break
        return await self._parts.store.run(statistics, self._parts.zone, now=now, span=span, least_days=BEFORE + 1)

    def _cards(self, found: Statistics) -> dict[str, object]:
        now = found.over(found.today, found.today)
        before = found.over(found.today - dt.timedelta(days=BEFORE), found.today - dt.timedelta(days=1))
        return {
            "now": now,
            "before": before,
            "usual": before.tally.questions / BEFORE,
            "answered": Share(now.answered_share, before.answered_share),
            "thumbs": Share(now.thumbs_share, before.thumbs_share),
            "waiting": found.waiting,
            "at": self._parts.clock(),
        }

    def _charts(self, request: Request, found: Statistics, first: dt.date) -> Sequence[Chart]:
        by_day = [(day, numbers) for day, numbers in found.by_day if day >= first]
        x = [days.midnight(day, self._parts.zone) for day, _ in by_day]

        def t(key: str, **values: object) -> str:
            return say(request, f"today.{key}", **values)

        def chart(name: str, kind: str, series: Sequence[Series], **values: object) -> Chart:
            title, summary = t(f"chart.{name}"), t(f"chart.{name}.summary", days=len(by_day), **values)
            return Chart(title, summary, x, series, self._parts.zone, kind=kind)  # type: ignore[arg-type]

        def values(of: Callable[[Numbers], float | None]) -> list[float | None]:
            return [of(numbers) for _, numbers in by_day]

        def outcome(name: str) -> str:
            return say(request, f"outcome.{name}")

        whole = found.over(first, found.today)
        tally = whole.tally
        questions = chart(
            "questions",
            "stack",
            [
                Series(outcome("answered"), values(lambda one: one.tally.answered), "good"),
                Series(outcome("escalated"), values(lambda one: one.tally.escalated), "2"),
                Series(outcome("abstained"), values(lambda one: one.tally.abstained), "quiet"),
                Series(outcome("failed"), values(lambda one: one.tally.failed), "bad"),
            ],
            questions=shown.number(tally.questions),
            answered=shown.share(whole.answered_share),
        )
        thumbs = chart(
            "thumbs",
            "stack",
            [
                Series(t("up"), values(lambda one: one.up), "good"),
                Series(t("down"), values(lambda one: one.down), "bad"),
            ],
            up=whole.up,
            down=whole.down,
        )
        seconds = chart(
            "seconds",
            "line",
            [
                Series(t("first_token"), values(lambda one: one.tally.first_token.quantile(0.5)), "3", "seconds"),
                Series(t("whole"), values(lambda one: one.tally.total_seconds.quantile(0.5)), "1", "seconds"),
                Series(t("whole.slow"), values(lambda one: one.tally.total_seconds.quantile(0.95)), "2", "seconds"),
            ],
            half=shown.number(tally.total_seconds.quantile(0.5), 1),
            slow=shown.number(tally.total_seconds.quantile(0.95), 1),
        )
        tokens = chart(
            "tokens",
            "bars",
            [Series(t("written"), values(lambda one: one.tally.tokens_written), "4")],
            read=shown.number(tally.tokens_read),
            written=shown.number(tally.tokens_written),
            cost=shown.number(tally.cost_krw),
        )
        return [questions, thumbs, seconds, tokens]


def _any_question(connection: Connection) -> bool:
    return bool(conversations.page(connection, conversations.Filter(), most=1).rows)


def _span(request: Request) -> int:
    asked = request.query_params.get("days", "")
    return int(asked) if asked.isascii() and asked.isdigit() and int(asked) in SPANS else SPANS[1]


def _address(platform: str, place: str) -> str:
    """Of the list of a place's questions."""
    return "/conversations?" + urlencode({"where": f"{platform}:{place}"})
