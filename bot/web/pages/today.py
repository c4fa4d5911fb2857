"""오늘: does it help? Today beside the seven days before it, the last weeks as pictures, and where it is asked.

`/?place=slack:C1` is the same of one place, `days=90` of more days; where answers cost money, `plot=tokens` shows tokens instead.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.store import conversations, days
from bot.store.database import Store
from bot.store.days import Where
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
class Looked:
    """What a visitor looks at, as it stands in the address."""

    span: int = SPANS[1]
    where: Where = days.EVERYWHERE
    tokens: bool = False
    """The plot of tokens, also where there is one of cost."""

    @classmethod
    def of(cls, request: Request) -> Looked:
        """What makes no sense is left out."""
        given = request.query_params
        asked = given.get("days", "")
        span = int(asked) if asked.isascii() and asked.isdigit() and int(asked) in SPANS else SPANS[1]
        platform, colon, place = given.get("place", "").partition(":")
        # No name is longer (bot/store/schema): others could fill the memory.
        there = bool(colon) and 0 < len(platform) <= 32 and len(place) <= 64
        return cls(span, (platform, place) if there else days.EVERYWHERE, given.get("plot") == "tokens")

    @property
    def one_place(self) -> bool:
        """Not everywhere together."""
        return self.where != days.EVERYWHERE

    def url(self, path: str = "/", **changed: object) -> str:
        """Of the same with something `changed`."""
        one = replace(self, **changed)  # type: ignore[arg-type]
        fields = {"days": str(one.span)} if one.span != SPANS[1] else {}
        fields |= {"place": ":".join(one.where)} if one.one_place else {}
        fields |= {"plot": "tokens"} if one.tokens else {}
        return f"{path}?{urlencode(fields)}" if fields else path


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
        self._looked: dict[tuple[int, Where], tuple[float, Statistics]] = {}
        self._looking = asyncio.Lock()
        self._kept = days.KeptSeconds()

    async def show(self, request: Request) -> Response:
        """All of it."""
        here = Looked.of(request)
        found = await self._look(here)
        span, places = here.span, found.by_place
        whole = sum(numbers.tally.questions for _, numbers in places)
        if not whole and not await self._parts.store.run(_any_question):
            return render(request, "today/empty.html")
        first = found.today - dt.timedelta(days=span - 1)
        over = found.over(first, found.today)
        costly = any(numbers.tally.cost_krw for _, numbers in places)
        return render(
            request,
            "today/show.html",
            **self._cards(here, found),
            spans=SPANS,
            charts=self._charts(request, here, found, first) if over.tally.questions or over.up or over.down else (),
            places=places[:_MOST_PLACES],
            more_places=len(places) - _MOST_PLACES,
            conversations=_conversations,
            everywhere=days.EVERYWHERE,
            costly=costly,
            choosing=over.tally.cost_krw > 0,
            whole=whole or 1,
        )

    async def numbers(self, request: Request) -> Response:
        """The cards alone: they look after themselves."""
        here = Looked.of(request)
        return render(request, "today/cards.html", **self._cards(here, await self._look(here)))

    async def _look(self, here: Looked) -> Statistics:
        async with self._looking:  # who comes while somebody looks gets what they found
            now = self._parts.clock()
            self._looked = {key: one for key, one in self._looked.items() if 0 <= now - one[0] < _FRESH_SECONDS}
            key = (here.span, here.where)
            if key not in self._looked:
                self._looked[key] = (now, await self._count(here, now))
            return self._looked[key][1]

    async def _count(self, here: Looked, now: float) -> Statistics:
        began = time.monotonic()
        # What is over is counted once, one day at a time. After an update that may be months: then a few with each visit.
        while await self._parts.store.run(days.roll_up, self._parts.zone, now=now):
            if time.monotonic() - began > _COUNTING_SECONDS:
                break
        return await self._parts.store.run(
            statistics,
            self._parts.zone,
            now=now,
            span=here.span,
            least_days=BEFORE + 1,
            where=here.where,
            kept=self._kept,
        )

    def _cards(self, here: Looked, found: Statistics) -> dict[str, object]:
        now = found.over(found.today, found.today)
        before = found.over(found.today - dt.timedelta(days=BEFORE), found.today - dt.timedelta(days=1))
        return {
            "looked": here,
            "now": now,
            "before": before,
            "usual": before.tally.questions / BEFORE,
            "answered": Share(now.answered_share, before.answered_share),
            "thumbs": Share(now.thumbs_share, before.thumbs_share),
            "waiting": found.waiting,
            "at": self._parts.clock(),
        }

    def _charts(self, request: Request, here: Looked, found: Statistics, first: dt.date) -> Sequence[Chart]:
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
        used = {
            "read": shown.number(tally.tokens_read),
            "written": shown.number(tally.tokens_written),
            "cost": shown.number(tally.cost_krw),
        }
        if tally.cost_krw > 0 and not here.tokens:
            money = [Series(t("cost.krw"), values(lambda one: one.tally.cost_krw), "4", "won")]
            return [questions, thumbs, seconds, chart("cost", "bars", money, **used)]
        tokens = [Series(t("written"), values(lambda one: one.tally.tokens_written), "4")]
        return [questions, thumbs, seconds, chart("tokens", "bars", tokens, **used)]


def _any_question(connection: Connection) -> bool:
    return bool(conversations.page(connection, conversations.Filter(), most=1).rows)


def _conversations(where: Where) -> str:
    """Address of the list of a place's questions."""
    return "/conversations?" + urlencode({"where": ":".join(where)})
