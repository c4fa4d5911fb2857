"""오늘 over a real store: what it says to a new installation, and that its numbers are those of the store."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import Connection

from bot.conversation import Place
from bot.messages import Outcome
from bot.store import days
from bot.store.database import Store
from bot.store.statistics import Statistics, statistics
from bot.web.pages import today as today_page
from bot.web.pages.today import TodayParts, today
from tests.bot.store.told import KIM, LEE, tell
from tests.bot.web.conftest import Opening

SEOUL = ZoneInfo("Asia/Seoul")
NOON = dt.datetime(2026, 11, 26, 12, 0, tzinfo=SEOUL).timestamp()
DAY = 86400.0
DIRECT = Place("slack", "D-SECRET", "direct")


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(store: Store, clock: Clock) -> TodayParts:
    return TodayParts(store, SEOUL, clock)


def card(page: httpx.Response, name: str) -> tuple[str, str]:
    found = re.search(rf'{re.escape(name)}</span><strong>(.*?)</strong><span class="note">(.*?)</span>', page.text)
    assert found is not None, page.text
    return found[1], found[2]


def charts(page: httpx.Response) -> list[dict[str, object]]:
    found = re.findall(r'<script type="application/json" class="chart-data">(.*?)</script>', page.text)
    return [json.loads(one) for one in found]


async def test_a_new_installation_is_told_what_to_do(browse: Opening, parts: TodayParts) -> None:
    page = await browse([today(parts)]).get("/")
    assert page.status_code == 200
    assert "아직 질문이 없습니다" in page.text
    for command in ("saseo doctor", "saseo index", "enabled = true"):
        assert command in page.text
    assert not charts(page)
    english = await browse([today(parts)], language="en").get("/")
    assert "No questions yet" in english.text


async def test_today_stands_beside_the_seven_days_before(browse: Opening, parts: TodayParts, store: Store) -> None:
    for _ in range(3):
        tell(store, NOON - 60, seconds=2.0, first_token=1.0)
    tell(store, NOON - 60, Outcome.ABSTAINED, first_token=None)
    tell(store, NOON - 61, up=[KIM, LEE], voted_at=NOON - 30, cost=7.4)
    for n in range(14):
        tell(store, NOON - (1 + n % 7) * DAY, down=[KIM] if n == 0 else ())
    tell(store, NOON - 8 * DAY, Outcome.FAILED)  # not one of the seven
    tell(store, NOON - 1, None)
    page = await browse([today(parts)]).get("/")
    assert card(page, "오늘 질문") == ("6", "지난 7일 하루 평균 2.0건")
    assert card(page, "답변한 비율") == ("80%", "지난 7일 100% (-20%p)")
    assert card(page, "좋아요 비율") == ("100%", "오늘 좋아요 2 · 싫어요 0 · 지난 7일 0%")
    assert card(page, "첫 글자까지 (중앙값)")[0] == "1.0초"
    assert card(page, "답변 완료까지 (중앙값)")[0] == "2.0초"
    assert card(page, "지금 처리 중")[0] == "1"
    assert card(page, "오늘 비용") == ("7원", "토큰 읽기 500 · 쓰기 100")


async def test_plots_hold_every_day_of_the_period_and_the_same_as_a_table(
    browse: Opening, parts: TodayParts, store: Store
) -> None:
    tell(store, NOON - 60)
    tell(store, NOON - 2 * DAY, Outcome.FAILED)
    tell(store, NOON - 20 * DAY)
    browser = browse([today(parts)])
    for span in (7, 28, 90):
        page = await browser.get(f"/?days={span}")
        questions = charts(page)[0]
        assert len(questions["x"]) == span  # type: ignore[arg-type]
        values = {one["label"]: one["values"] for one in questions["series"]}  # type: ignore[attr-defined]
        assert sum(values["답변"]) == (1 if span == 7 else 2)
        assert values["실패"][-3] == 1
        assert page.text.count("2026-11-24") == len(charts(page))
    assert len(charts(await browser.get("/?days=28"))) == 4
    for odd in ("x", "-1", "13", "²", ""):
        assert len(charts(await browser.get(f"/?days={odd}"))[0]["x"]) == 28  # type: ignore[arg-type]


async def test_places_lead_to_their_conversations_and_direct_messages_name_nobody(
    browse: Opening, parts: TodayParts, store: Store
) -> None:
    tell(store, NOON - 60)
    tell(store, NOON - 60, place=DIRECT)
    page = await browse([today(parts)]).get("/")
    assert 'href="/conversations?where=slack%3AC1"' in page.text
    assert 'href="/conversations?where=slack%3A"' in page.text
    assert "D-SECRET" not in page.text


async def test_a_place_with_a_hostile_name_stays_text(browse: Opening, parts: TodayParts, store: Store) -> None:
    tell(store, NOON - 60, place=Place("slack", "<script>alert(1)</script>", "channel"))
    page = await browse([today(parts)]).get("/")
    assert "<script>alert" not in page.text
    assert 'title="Slack · &lt;script&gt;alert(1)&lt;/script&gt;의 숫자만 보기"' in page.text


async def test_one_place_alone_is_shown_and_left_again(browse: Opening, parts: TodayParts, store: Store) -> None:
    other = Place("discord", "77", "channel")
    for _ in range(3):
        tell(store, NOON - 60, seconds=2.0)
    tell(store, NOON - 60, Outcome.ABSTAINED, place=other, seconds=30.0, up=[KIM], voted_at=NOON - 30)
    browser = browse([today(parts)])
    whole = await browser.get("/?days=7")
    assert 'href="/?days=7&amp;place=discord%3A77"' in whole.text
    assert "만 보고 있습니다" not in whole.text
    page = await browser.get("/?days=7&place=discord%3A77")
    assert "Discord · 77만 보고 있습니다" in page.text
    assert 'href="/?days=7"' in page.text
    assert card(page, "오늘 질문")[0] == "1"
    assert card(page, "답변한 비율")[0] == "0%"
    assert card(page, "좋아요 비율")[0] == "100%"
    assert card(page, "답변 완료까지 (중앙값)")[0] == "29.7초"
    assert [one["label"] for one in charts(page)[0]["series"] if sum(one["values"])] == ["답 없음"]  # type: ignore[attr-defined]
    assert 'hx-get="/today/numbers?days=7&amp;place=discord%3A77"' in page.text
    assert card(await browser.get("/today/numbers?place=discord%3A77"), "오늘 질문")[0] == "1"
    assert card(await browser.get("/today/numbers"), "오늘 질문")[0] == "4"
    for nowhere in ("discord", ":", ":77", "x" * 33 + ":1", "slack:" + "C" * 65):
        assert card(await browser.get("/", params={"place": nowhere}), "오늘 질문")[0] == "4"


async def test_a_place_that_nobody_knows_has_no_questions_and_its_name_stays_text(
    browse: Opening, parts: TodayParts, store: Store
) -> None:
    tell(store, NOON - 60)
    page = await browse([today(parts)]).get("/", params={"place": "slack:<script>alert(1)</script>"})
    assert "이곳에서 들어온 질문이 없습니다" in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;만 보고 있습니다" in page.text
    assert "<script>alert" not in page.text


async def test_a_place_tells_how_long_it_took_and_what_it_used(
    browse: Opening, parts: TodayParts, store: Store
) -> None:
    tell(store, NOON - 60, seconds=4.0)
    page = await browse([today(parts)]).get("/")
    assert '<td class="n" data-label="걸린 시간">4.0초</td>' in page.text
    assert '<td class="n" data-label="쓴 토큰">20</td>' in page.text
    assert 'data-label="비용"' not in page.text  # a model of our own costs nothing by the answer


async def test_where_answers_cost_money_a_plot_shows_it_or_tokens(
    browse: Opening, parts: TodayParts, store: Store
) -> None:
    browser = browse([today(parts)])
    tell(store, NOON - 60)
    free = await browser.get("/?days=7")
    assert charts(free)[3]["series"][0]["label"] == "쓴 토큰"  # type: ignore[index]
    assert "plot=tokens" not in free.text
    tell(store, NOON - 2 * DAY, cost=12.0)
    page = await browser.get("/?place=slack:C1")
    money = charts(page)[3]["series"][0]  # type: ignore[index]
    assert (money["unit"], sum(money["values"])) == ("won", 12)
    assert '<td class="n" data-label="비용">12원</td>' in page.text
    assert 'href="/?place=slack%3AC1&amp;plot=tokens"' in page.text
    tokens = charts(await browser.get("/?place=slack:C1&plot=tokens"))[3]["series"][0]  # type: ignore[index]
    assert (tokens["label"], sum(tokens["values"])) == ("쓴 토큰", 40)


async def test_a_quiet_period_says_so(browse: Opening, parts: TodayParts, store: Store) -> None:
    tell(store, NOON - 60 * DAY)
    page = await browse([today(parts)]).get("/?days=7")
    assert "최근 7일 동안 들어온 질문이 없습니다" in page.text


async def test_the_cards_look_after_themselves_and_share_one_look(
    browse: Opening, parts: TodayParts, store: Store, clock: Clock
) -> None:
    tell(store, NOON - 60)
    browser = browse([today(parts)])
    assert card(await browser.get("/today/numbers"), "오늘 질문")[0] == "1"
    tell(store, NOON - 50)
    assert card(await browser.get("/today/numbers"), "오늘 질문")[0] == "1"
    clock.now += 6
    part = await browser.get("/today/numbers")
    assert card(part, "오늘 질문")[0] == "2"
    assert "<html" not in part.text
    assert 'hx-get="/today/numbers"' in part.text


async def test_after_an_update_the_page_does_not_wait_until_all_days_are_counted(
    browse: Opening, parts: TodayParts, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.pages.today._COUNTING_SECONDS", -1.0)
    for n in range(5):
        tell(store, NOON - n * DAY)
    page = await browse([today(parts)]).get("/?days=7")
    assert sum(charts(page)[0]["series"][0]["values"]) == 5  # type: ignore[index]
    assert store.run_now(days.roll_up, SEOUL, now=NOON)  # there was more to count


async def test_who_comes_while_somebody_looks_gets_what_they_found(
    browse: Opening, parts: TodayParts, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(store, NOON - 60)
    counted: list[float] = []

    def counting(connection: Connection, zone: dt.tzinfo, *, now: float, **more: Any) -> Statistics:
        counted.append(now)
        return statistics(connection, zone, now=now, **more)

    monkeypatch.setattr(today_page, "statistics", counting)
    browser = browse([today(parts)])
    answers = await asyncio.gather(*(browser.http.get("/today/numbers") for _ in range(2)))
    assert [card(one, "오늘 질문")[0] for one in answers] == ["1", "1"]
    assert counted == [NOON]
