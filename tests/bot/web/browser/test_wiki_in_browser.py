"""위키 as a person meets it: the search tester, hostile pages, going back to an edition."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.store import audit, jobs
from bot.store.database import Store
from tests.bot.web.browser.conftest import DESK, PHONE, Serving, Visiting, barriers
from tests.bot.web.conftest import PASSWORD, add_account
from tests.bot.web.wiki_office import WikiOffice
from tests.conftest import Indexer

pytestmark = pytest.mark.slow
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def office(store: Store, indexer: Indexer, tmp_path: Path) -> Iterator[WikiOffice]:
    one = WikiOffice(store, indexer, tmp_path)
    yield one
    one.flow.close()


async def test_the_tester_answers_in_place_marks_words_and_keeps_its_address(
    serve: Serving, visit: Visiting, office: WikiOffice
) -> None:
    tab = await visit(await serve([office.page]), "/wiki/search")
    assert await tab.locator("input[name=q]").evaluate("one => one === document.activeElement")
    await tab.keyboard.type("연차 신청은 며칠 전까지 해야 해?")
    await tab.keyboard.press("Enter")
    first = tab.locator("li.hit").first
    await expect(first).to_contain_text("연차 규정")
    assert "신청" in await first.locator("mark").all_inner_texts()
    await expect(first.get_by_role("table")).to_be_visible()
    # The picture is the table: the bar's parts are as wide as what they stand for.
    told = office.live.index.explain("연차 신청은 며칠 전까지 해야 해?", frozenset(["everyone"]), 10, one_per_page=True)
    widths = [float(await one.get_attribute("width") or 0) for one in await first.locator("svg.parts rect").all()][1:]
    assert widths == pytest.approx([100 * score.part for score in told.whys[0].legs.values()], abs=0.01)
    assert re.search(r"/wiki/search\?q=", tab.url)
    await tab.reload()
    await expect(tab.locator("li.hit").first).to_contain_text("연차 규정")
    await tab.locator("li.hit h3 a").first.click()
    await tab.wait_for_url("**/wiki/page?**")
    await tab.go_back()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("검색 시험")


async def test_an_admin_tries_a_group_of_others_with_the_mouse(
    serve: Serving, visit: Visiting, office: WikiOffice, store: Store
) -> None:
    add_account(store, "kim", "admin")
    tab = await visit(await serve([office.page]), "/wiki/search")
    await tab.get_by_label("이름").fill("kim")
    await tab.get_by_label("비밀번호").fill(PASSWORD)
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**/wiki/search")
    await tab.get_by_label("질문", exact=True).fill("책임 직급의 연봉 상한은?")
    await tab.get_by_text("조건").click()
    await tab.get_by_role("checkbox", name="hr").check()
    await tab.get_by_role("button", name="찾기").click()
    await expect(tab.locator("#results")).to_contain_text("9,100")
    assert "q=" not in tab.url  # such a search has no address: opening it would do it again
    assert [one.subject for one in store.run_now(audit.entries, action="search.as")] == ["hr"]


async def test_hostile_pages_and_questions_do_nothing(serve: Serving, visit: Visiting, office: WikiOffice) -> None:
    office.write("나쁜.md", f"---\ntitle: '{HOSTILE}'\n---\n# 표\n\n악성 문서 {HOSTILE} 입니다.\n")
    (office.indexer.wiki / "<img src=x onerror=alert(3)>.pdf").write_bytes(b"%PDF-1.7 nothing")
    office.indexer.build()
    await office.reopen()
    tab = await visit(await serve([office.page]), "/wiki")
    await expect(tab.locator("#unread")).to_contain_text("<img src=x onerror=alert(3)>.pdf")
    await tab.goto("/wiki/search")
    await tab.get_by_label("질문", exact=True).fill(f"악성 문서 {HOSTILE}")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("li.hit").first).to_contain_text(HOSTILE)
    assert await tab.locator("main img, main script").count() == 0


async def test_going_back_asks_first_and_can_be_declined(serve: Serving, visit: Visiting, office: WikiOffice) -> None:
    old = office.live.index.name
    office.write("새.md", "# 새 문서\n\n새 소식입니다.\n")
    office.indexer.build()
    await office.reopen()
    tab = await visit(await serve([office.page]), "/wiki", expected=("dialog:",))
    button = tab.get_by_role("button", name=f"색인 {old}(으)로 되돌리기")
    tab.once("dialog", lambda dialog: dialog.dismiss())
    await button.click()
    assert office.live.index.name != old
    tab.once("dialog", lambda dialog: dialog.accept())
    await button.click()
    await expect(tab.locator("#said")).to_contain_text(old)
    assert office.live.index.name == old
    await expect(tab.locator(f'tr[data-edition="{old}"]')).to_contain_text("답변에 사용 중")


async def test_the_lists_are_new_when_a_run_ends_without_a_reload(
    serve: Serving, visit: Visiting, office: WikiOffice
) -> None:
    run = office.begun("reindex:wiki", at=time.time(), done=1, total=2, message="reading")
    tab = await visit(await serve([office.page]), "/wiki")
    pages = tab.locator('tr[data-source="wiki"] td[data-label="문서"]')
    await expect(pages).to_have_text("6")
    await expect(tab.get_by_role("progressbar")).to_have_attribute("value", "1")
    office.write("새.md", "# 새 문서\n\n새 소식입니다.\n")
    office.indexer.build()
    await office.reopen()
    office.store.run_now(lambda c: jobs.finish(c, run, "done", now=time.time(), progress={}, result={"pages": 7}))
    await expect(pages).to_have_text("7")
    await expect(tab.locator("#progress")).to_contain_text("다시 읽기를 마쳤습니다")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
async def test_no_barriers(
    serve: Serving, visit: Visiting, office: WikiOffice, viewport: dict[str, int], dark: bool
) -> None:
    (office.indexer.wiki / "깨진.pdf").write_bytes(b"%PDF-1.7 nothing")
    office.indexer.build()
    office.ran("reindex:wiki", result={"pages": 6})
    tab = await visit(await serve([office.page]), "/wiki", viewport=viewport, dark=dark)
    for path in ("/wiki", "/wiki/search?q=국내 출장 일비", "/wiki/page?source=wiki&page=휴가.md", "/wiki/unread"):
        await tab.goto(path)
        assert await barriers(tab) == []
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await tab.evaluate(wider) <= 0
