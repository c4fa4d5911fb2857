"""검토 as a reviewer meets it: from the keyboard alone, with the Korean input method on, on a phone, and without scripts."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from bot.store import examples
from bot.store.database import Store
from knowledge.search import SearchIndex
from tests.bot.web.browser.conftest import PHONE, Serving, Visiting, barriers
from tests.bot.web.examples_desk import LEAVE, LEAVE_WRONG, add, review_page, states

pytestmark = pytest.mark.slow
REFUSED = ("409", "/review/")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


async def shows(tab: Page, name: str) -> None:
    """The example `name` is in front."""
    await tab.locator("#example-title", has_text=f"({name})").wait_for()


async def told(tab: Page, text: str) -> None:
    await tab.locator("#said > *", has_text=text).wait_for()


async def test_a_queue_is_worked_through_from_the_keyboard(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    ids = [add(store, index, name, number=n).id for n, name in enumerate("abcd")]
    tab = await visit(await serve([review_page(store, index)]), "/review")
    await shows(tab, "a")
    await tab.keyboard.press("j")
    await shows(tab, "b")
    await tab.keyboard.press("k")
    await shows(tab, "a")
    await tab.keyboard.press("a")
    await shows(tab, "b")
    await told(tab, "1건을 승인했습니다")
    await tab.keyboard.press("r")
    await shows(tab, "c")
    assert states(store, ids) == ["approved", "rejected", "pending", "pending"]
    await tab.keyboard.press("u")
    await shows(tab, "b")
    await told(tab, "1건을 되돌렸습니다")
    assert states(store, ids) == ["approved", "pending", "pending", "pending"]
    assert await tab.evaluate("() => document.activeElement.id") == "example-title"


async def test_several_are_selected_decided_and_taken_back_from_the_keyboard(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    ids = [add(store, index, name, number=n).id for n, name in enumerate("abc")]
    tab = await visit(await serve([review_page(store, index)]), "/review")
    await tab.keyboard.press("x")
    await tab.keyboard.press("j")
    await shows(tab, "b")
    await tab.keyboard.press("x")
    assert await tab.locator("#selected").inner_text() == "2건"
    await tab.keyboard.press("Shift+A")
    await told(tab, "2건을 승인했습니다")
    assert states(store, ids) == ["approved", "approved", "pending"]
    await tab.keyboard.press("u")
    await told(tab, "2건을 되돌렸습니다")
    assert states(store, ids) == ["pending"] * 3


async def test_what_is_selected_on_several_pages_of_the_queue_is_counted_and_decided_together(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    ids = [add(store, index, f"n{n:02d}", number=n).id for n in range(35)]
    tab = await visit(await serve([review_page(store, index)]), "/review")
    selected = tab.locator("#selected")
    boxes = tab.locator("#desk .lines input[name=id]")
    for name in ("n00", "n01", "n02"):
        await tab.get_by_label(f"고르기: 연차는 며칠입니까? ({name})").check()
    await expect(selected).to_have_text("3건")
    await tab.get_by_role("link", name="더 보기").click()
    await expect(boxes).to_have_count(5)
    await expect(selected).to_have_text("3건 (다른 쪽에 3건)")
    await tab.get_by_label("고르기: 연차는 며칠입니까? (n34)").check()
    await expect(selected).to_have_text("4건 (다른 쪽에 3건)")
    await tab.locator("#bulk").get_by_role("button", name="승인").click()
    await told(tab, "4건을 승인했습니다")
    await expect(selected).to_have_text("")
    assert [one for one, state in zip(ids, states(store, ids), strict=True) if state == "approved"] == [
        *ids[:3],
        ids[34],
    ]
    await tab.locator(".bar").get_by_role("link", name="승인").click()
    await expect(boxes).to_have_count(4)
    await expect(tab.locator("#bulk button:disabled")).to_have_count(2)


async def test_what_was_decided_alone_or_stands_in_another_list_is_not_decided_with_the_others(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    ids = [add(store, index, name, number=n).id for n, name in enumerate("abcd")]
    tab = await visit(await serve([review_page(store, index)]), "/review")
    await tab.keyboard.press("x")
    await tab.keyboard.press("j")
    await shows(tab, "b")
    await tab.keyboard.press("x")
    await tab.keyboard.press("k")
    await shows(tab, "a")
    await tab.keyboard.press("a")  # a alone, though it is selected
    await told(tab, "1건을 승인했습니다")
    await expect(tab.locator("#selected")).to_have_text("1건")
    await tab.keyboard.press("Shift+R")
    await told(tab, "1건을 거절했습니다")
    assert states(store, ids) == ["approved", "rejected", "pending", "pending"]
    await tab.get_by_label("고르기: 연차는 며칠입니까? (c)").check()
    await tab.locator(".bar").get_by_role("link", name="승인").click()
    await shows(tab, "a")
    await expect(tab.locator("#selected")).to_have_text("")
    await tab.locator(".bar").get_by_role("link", name="대기").click()
    await shows(tab, "c")
    await expect(tab.locator("#selected")).to_have_text("")


async def test_what_was_refused_stays_selected(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    add(store, index, "a", answer=LEAVE_WRONG)
    tab = await visit(await serve([review_page(store, index)]), "/review", expected=REFUSED)
    await tab.keyboard.press("x")
    await tab.keyboard.press("Shift+A")
    await told(tab, "구절에 없는 숫자")
    await tab.keyboard.press("x")
    await tab.keyboard.press("x")
    await expect(tab.locator("#selected")).to_have_text("1건")


async def test_an_answer_is_edited_until_its_passages_support_it(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    one = add(store, index, "a", answer=LEAVE_WRONG)
    tab = await visit(await serve([review_page(store, index)]), "/review", expected=REFUSED)
    await tab.keyboard.press("a")
    await told(tab, "구절에 없는 숫자")
    await tab.keyboard.press("e")
    field = tab.get_by_label("새 답변")
    assert await field.evaluate("(one) => one === document.activeElement")
    await tab.keyboard.type(" 그리고 40일입니다.")
    await tab.keyboard.press("Control+Enter")
    await told(tab, "승인할 수 없습니다")
    assert "그리고 40일" in await field.input_value()  # what was typed is still there
    await field.fill(LEAVE)
    await tab.keyboard.press("Control+Enter")
    await told(tab, "저장하고 승인했습니다")
    assert states(store, [one.id]) == ["approved"]


async def test_the_keys_work_while_the_korean_input_method_is_on(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    ids = [add(store, index, name, number=n).id for n, name in enumerate("ab")]
    tab = await visit(await serve([review_page(store, index)]), "/review")
    await tab.evaluate(
        "() => document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'ㅁ', code: 'KeyA', bubbles: true, cancelable: true}))"
    )
    await shows(tab, "b")
    assert states(store, ids) == ["approved", "pending"]


async def test_typing_a_letter_into_the_answer_decides_nothing(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    ids = [add(store, index, name, number=n).id for n, name in enumerate("ab")]
    tab = await visit(await serve([review_page(store, index)]), "/review")
    # In one go: whoever types fast leaves the browser no time between opening the field and the first letter.
    focused = await tab.evaluate(
        "() => { document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'e', bubbles: true, cancelable: true}));"
        " return document.activeElement.tagName }"
    )
    assert focused == "TEXTAREA"
    await tab.keyboard.type("aruxj")
    assert (await tab.get_by_label("새 답변").input_value()).endswith("aruxj")
    assert states(store, ids) == ["pending", "pending"]


async def test_going_back_in_the_browser_shows_the_example_before(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex
) -> None:
    for number, name in enumerate("abc"):
        add(store, index, name, number=number)
    tab = await visit(await serve([review_page(store, index)]), "/review")
    await tab.keyboard.press("j")
    await shows(tab, "b")
    await tab.keyboard.press("j")
    await shows(tab, "c")
    await tab.go_back()
    await shows(tab, "b")
    await tab.keyboard.press("j")
    await shows(tab, "c")


async def test_it_works_without_scripts(serve: Serving, browser: Browser, store: Store, index: SearchIndex) -> None:
    ids = [add(store, index, name, number=n).id for n, name in enumerate("ab")]
    address = await serve([review_page(store, index)])
    context = await browser.new_context(java_script_enabled=False)
    tab = await context.new_page()
    await tab.goto(f"{address}/review")
    await tab.locator(".actions").get_by_role("button", name="승인").click()
    await shows(tab, "b")
    await tab.get_by_label("고르기: 연차는 며칠입니까? (b)").check()
    await tab.locator("#bulk").get_by_role("button", name="거절").click()
    assert states(store, ids) == ["approved", "rejected"]
    await tab.get_by_role("button", name="되돌리기").click()
    assert states(store, ids) == ["approved", "pending"]


async def test_hostile_texts_run_nothing(serve: Serving, visit: Visiting, store: Store, index: SearchIndex) -> None:
    one = add(store, index, "a", kind="imported", question=HOSTILE, answer=HOSTILE, rejected=HOSTILE, passages=())
    tab = await visit(await serve([review_page(store, index)]), "/review")
    assert await tab.locator("#example-title").inner_text() == HOSTILE
    await tab.keyboard.press("e")
    await tab.get_by_label("새 답변").fill(f"{HOSTILE} {HOSTILE}")
    await tab.get_by_role("button", name="저장만").click()
    await told(tab, "저장했습니다")
    kept = store.run_now(examples.get, one.id)
    assert kept is not None
    assert kept.answer == f"{HOSTILE} {HOSTILE}"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
async def test_nothing_serious_stands_in_the_way_of_anyone(
    serve: Serving, visit: Visiting, store: Store, index: SearchIndex, dark: bool, phone: bool
) -> None:
    for number, name in enumerate("abc"):
        add(store, index, name, number=number, answer=LEAVE_WRONG, rejected="연차는 10일입니다.", turns=("앞선 물음",))
    viewport = PHONE if phone else None
    tab = await visit(await serve([review_page(store, index)]), "/review", dark=dark, viewport=viewport)
    await tab.locator("#edit summary").click()
    assert await barriers(tab) == []
    assert await tab.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
