"""오늘 and 대화 as a person meets them: plots, filters without a reload, keys, a phone, no barriers."""

from __future__ import annotations

import time
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from bot.conversation import Place
from bot.store.database import Store
from bot.web.page import Page
from bot.web.pages.conversations import ConversationsParts, conversations
from bot.web.pages.today import TodayParts, today
from tests.bot.store.told import KIM, LEE, tell
from tests.bot.web.browser.conftest import PHONE, Serving, Visiting, barriers
from tests.bot.web.test_conversations import ANSWER, TRACE, Wiki

pytestmark = pytest.mark.slow
SEOUL = ZoneInfo("Asia/Seoul")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def pages(store: Store) -> list[Page]:
    return [today(TodayParts(store, SEOUL)), conversations(ConversationsParts(store, SEOUL, Wiki()))]


async def test_today_draws_its_plots_and_has_no_barriers(serve: Serving, visit: Visiting, store: Store) -> None:
    for n in range(20):
        tell(store, time.time() - 60 - n * 40_000, up=[KIM] if n % 2 else (), down=() if n % 2 else [LEE])
    address = await serve(pages(store))
    tab = await visit(address, "/")
    await tab.wait_for_selector("figure.chart canvas")
    assert await tab.locator("figure.chart canvas").count() == 4
    assert await barriers(tab) == []
    await tab.get_by_role("link", name="7일").click()
    await tab.wait_for_url("**/?days=7")
    assert await tab.locator("h2").first.inner_text() == "최근 7일"
    for phone in (await visit(address, "/", viewport=PHONE), await visit(address, "/", dark=True)):
        await phone.wait_for_selector("figure.chart canvas")
        assert await barriers(phone) == []
        assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_one_place_is_chosen_by_its_name_and_left_again_without_barriers(
    serve: Serving, visit: Visiting, store: Store
) -> None:
    for n in range(9):
        tell(store, time.time() - 60 - n * 90_000, cost=3.0, place=Place("slack", f"C{n % 3}", "channel"))
    address = await serve(pages(store))
    for viewport, dark in ((None, False), (PHONE, True)):
        tab = await visit(address, "/?days=90", viewport=viewport, dark=dark)
        await tab.get_by_role("link", name="Slack · C1", exact=True).click()
        await tab.get_by_text("Slack · C1만 보고 있습니다.").wait_for()
        await tab.wait_for_selector("figure.chart canvas")
        assert await barriers(tab) == []
        assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await tab.get_by_role("link", name="토큰", exact=True).click()
        await tab.locator("figcaption", has_text="쓴 토큰").wait_for()
        assert await tab.get_by_text("Slack · C1만 보고 있습니다.").count() == 1
        await tab.get_by_role("link", name="모든 장소 보기").click()
        await tab.wait_for_url("**/?days=90&plot=tokens")
        assert await tab.get_by_text("만 보고 있습니다").count() == 0


async def test_an_empty_installation_has_no_barriers(serve: Serving, visit: Visiting, store: Store) -> None:
    address = await serve(pages(store))
    for path in ("/", "/conversations"):
        assert await barriers(await visit(address, path)) == []


async def test_filters_and_keys_lead_to_a_question_and_back(serve: Serving, visit: Visiting, store: Store) -> None:
    for n in range(60):
        tell(store, 1000.0 + n, text=f"질문 {n} {HOSTILE}", given=ANSWER, trace=TRACE, down=[KIM] if n == 30 else ())
    tab = await visit(await serve(pages(store)), "/conversations")
    links = tab.locator("a.question")
    assert await links.count() == 50
    await tab.get_by_role("link", name="더 보기").click()
    await expect(links).to_have_count(60)
    await expect(links.nth(50)).to_be_focused()  # keys go on where the new ones begin
    await expect(tab.locator(".htmx-settling, .htmx-added")).to_have_count(
        0
    )  # htmx focuses once more when it has settled
    await tab.keyboard.press("/")
    await tab.keyboard.type("질문 4")
    await expect(links).to_have_count(11)  # 4, 40 to 49
    assert "q=" in tab.url
    # Leaving the field asks once more; keys before that answer would stand in rows that it replaces.
    await links.first.evaluate("one => { one.dataset.before = '' }")
    await tab.locator("h1").click()
    await expect(tab.locator("[data-before]")).to_have_count(0)
    await tab.keyboard.press("j")
    await tab.keyboard.press("j")
    await tab.keyboard.press("k")
    await tab.keyboard.press("j")
    assert await links.nth(1).evaluate("one => one === document.activeElement")
    # With the Korean input method on, the same two keys give these letters.
    for korean, code, at in (("ㅓ", "KeyJ", 2), ("ㅏ", "KeyK", 1)):
        await tab.locator("body").dispatch_event("keydown", {"key": korean, "code": code, "bubbles": True})
        assert await links.nth(at).evaluate("one => one === document.activeElement")
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**/conversations/*")
    assert (await tab.locator("h1").inner_text()).startswith("질문 48")
    assert HOSTILE in await tab.locator("h1").inner_text()
    assert await barriers(tab) == []
    await tab.keyboard.press("j")
    await expect(tab.locator("h1")).to_contain_text("질문 47")
    await tab.go_back()
    await tab.keyboard.press("u")
    await tab.wait_for_url("**/conversations?q=*")
    assert await tab.get_by_label("질문에서 찾기").input_value() == "질문 4"
    await tab.get_by_label("질문에서 찾기").fill("")
    await tab.get_by_label("평가").select_option("down")
    await expect(links).to_have_count(1)
    assert await barriers(tab) == []
    await tab.go_back()
    await tab.wait_for_selector("header.top")  # a whole page, not the part that htmx would have got


async def test_one_question_folds_on_a_phone(serve: Serving, visit: Visiting, store: Store) -> None:
    long = replace(ANSWER, text="연차는 3일 전에 신청합니다. " * 40)
    question = tell(store, time.time(), given=long, trace=TRACE, up=[KIM])
    address = await serve(pages(store))
    for tab in (
        await visit(address, f"/conversations/{question}", viewport=PHONE),
        await visit(address, f"/conversations/{question}", dark=True),
        await visit(address, "/conversations", viewport=PHONE),
    ):
        for text in await tab.get_by_text("읽은 내용").all():
            await text.click()
        assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await barriers(tab) == []
