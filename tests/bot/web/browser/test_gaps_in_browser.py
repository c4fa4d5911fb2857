"""빈틈 as a person meets it: by keys, with a draft that is edited and copied, without barriers, on a phone too."""

from __future__ import annotations

import time

import pytest

from bot.store import gaps
from bot.store.database import Store
from tests.bot.gaps.rows import DAY, KIM, LEE, miss, near, put
from tests.bot.web.browser.conftest import PHONE, Serving, Visiting, barriers
from tests.bot.web.test_gaps_page import HOSTILE, page_of

pytestmark = pytest.mark.slow
TEXTS = (
    f"주차 등록은 어떻게 하나요? {HOSTILE}",
    "주차 요금은 얼마인가요?",
    "명함은 어떻게 신청하나요?",
    "명함 디자인 바꿀 수 있나요?",
)


@pytest.fixture
def two(store: Store) -> tuple[str, str]:
    """Two gaps of two people each."""
    now = time.time()
    for number, text in enumerate(TEXTS):
        miss(store, text, (KIM, LEE)[number % 2], now=now - DAY * (1 + number))
    guide = near("총무 안내", 0.6)
    (parking,) = put(store, list(TEXTS[:2]), name="주차 등록", nearest=(guide,), now=now)
    (cards,) = put(store, list(TEXTS[2:]), name="명함 신청", nearest=(guide,), now=now)
    return parking, cards


async def test_everything_can_be_done_with_keys(
    serve: Serving, visit: Visiting, store: Store, two: tuple[str, str]
) -> None:
    tab = await visit(await serve([page_of(store)]), "/gaps")
    await tab.keyboard.press("1")
    await tab.wait_for_url(f"**/gaps/{two[0]}")
    await tab.keyboard.press("j")
    await tab.wait_for_url(f"**/gaps/{two[1]}")
    await tab.keyboard.press("k")
    await tab.wait_for_url(f"**/gaps/{two[0]}")
    await tab.keyboard.press("n")
    await tab.get_by_label("이름(비우면 질문에서 만든 이름)").fill("주차 안내")
    await tab.keyboard.press("Enter")
    await tab.get_by_role("heading", name="주차 안내", level=1).wait_for()
    await tab.keyboard.press("s")
    await tab.locator("dialog#snooze[open]").wait_for()
    await tab.keyboard.press("Escape")
    await tab.locator("dialog#snooze[open]").wait_for(state="hidden")  # keys of the page rest while a dialog is open
    await tab.keyboard.press("c")
    await tab.get_by_text("닫았습니다.").wait_for()
    found = store.run_now(gaps.get, two[0])
    assert found is not None
    assert (found.state, found.named) == ("closed", "주차 안내")


async def test_a_draft_is_edited_saved_and_copied(
    serve: Serving, visit: Visiting, store: Store, two: tuple[str, str]
) -> None:
    tab = await visit(await serve([page_of(store)]), f"/gaps/{two[0]}")
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    draft = tab.get_by_label("Markdown 초안")
    assert (await draft.input_value()).startswith("# 주차 등록\n")
    await draft.fill("# 주차\n\n총무팀에 신청합니다.")
    await tab.get_by_role("button", name="초안 저장").click()
    await tab.get_by_text("초안을 저장했습니다.").wait_for()
    await tab.get_by_role("button", name="Markdown 복사").click()
    assert await tab.evaluate("() => navigator.clipboard.readText()") == "# 주차\n\n총무팀에 신청합니다."


async def test_a_cancelled_dialog_changes_nothing(
    serve: Serving, visit: Visiting, store: Store, two: tuple[str, str]
) -> None:
    tab = await visit(await serve([page_of(store)]), f"/gaps/{two[0]}")
    await tab.get_by_role("button", name="미루기").first.click()
    await tab.locator("dialog#snooze").get_by_role("button", name="취소").click()
    await tab.locator("dialog#snooze").wait_for(state="hidden")
    found = store.run_now(gaps.get, two[0])
    assert found is not None
    assert found.state == "open"


@pytest.mark.parametrize("dark", [False, True])
async def test_list_and_gap_have_no_barriers_and_fit_a_phone(
    serve: Serving, visit: Visiting, store: Store, two: tuple[str, str], dark: bool
) -> None:
    address = await serve([page_of(store)])
    for viewport in (None, PHONE):
        for path in ("/gaps", f"/gaps/{two[0]}", "/gaps?state=closed"):
            tab = await visit(address, path, dark=dark, viewport=viewport)
            assert await barriers(tab) == []
            assert await tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
