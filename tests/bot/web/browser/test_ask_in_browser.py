"""물어보기 as a person meets it."""

from __future__ import annotations

import pytest

from tests.bot.desk.conftest import Bench
from tests.bot.web.browser.conftest import PHONE, Serving, Visiting, barriers
from tests.bot.web.test_ask import SHOWN, WANTED, page_of

pytestmark = pytest.mark.slow


async def test_a_question_is_typed_and_its_answer_streams_in_with_sources(
    serve: Serving, visit: Visiting, bench: Bench
) -> None:
    bench.writer.delay = 0.05
    tab = await visit(await serve([page_of(await bench.start_desk())]), "/ask")
    bench.flow.gate.clear()
    await tab.keyboard.type(WANTED)
    await tab.keyboard.press("Enter")
    await tab.locator(".theirs .status").wait_for()
    assert WANTED in await tab.locator(".mine").inner_text()
    assert await tab.get_by_role("button", name="그만").is_visible()
    bench.flow.gate.set()
    await tab.locator(".theirs .text", has_text=SHOWN).wait_for()
    await tab.locator(".sources", has_text="연차 규정").wait_for()
    assert await tab.evaluate("() => document.activeElement.id") == "question"
    assert await tab.locator("#question").input_value() == ""


async def test_the_next_question_follows_up_on_the_one_before(serve: Serving, visit: Visiting, bench: Bench) -> None:
    tab = await visit(await serve([page_of(await bench.start_desk())]), "/ask")
    for number, text in enumerate((WANTED, "누가 승인합니까?"), start=1):
        await tab.get_by_label("질문").fill(text)
        await tab.keyboard.press("Enter")
        await tab.locator(".sources").nth(number - 1).wait_for()
    assert bench.flow.questions[-1].turns == (WANTED,)


async def test_a_thumb_down_takes_a_correction_without_leaving_the_page(
    serve: Serving, visit: Visiting, bench: Bench
) -> None:
    tab = await visit(await serve([page_of(await bench.start_desk())]), "/ask")
    await tab.keyboard.type(WANTED)
    await tab.keyboard.press("Enter")
    await tab.get_by_text("틀렸거나 부족합니다").click()
    await tab.get_by_label("올바른 답을 알려 주십시오").fill("나흘 전입니다.")
    await tab.get_by_role("button", name="의견 보내기").click()
    await tab.get_by_text("고맙습니다").wait_for()
    assert tab.url.endswith("/ask")


async def test_a_syllable_that_is_being_composed_is_not_sent(serve: Serving, visit: Visiting, bench: Bench) -> None:
    tab = await visit(await serve([page_of(await bench.start_desk())]), "/ask")
    await tab.get_by_label("질문").fill("연차")
    await tab.evaluate(
        "() => document.getElementById('question').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    assert await tab.locator(".mine").count() == 0


@pytest.mark.parametrize("dark", [False, True])
async def test_a_conversation_has_no_barriers(serve: Serving, visit: Visiting, bench: Bench, dark: bool) -> None:
    address = await serve([page_of(await bench.start_desk())])
    for viewport in (None, PHONE):
        tab = await visit(address, "/ask", dark=dark, viewport=viewport)
        await tab.keyboard.type(WANTED)
        await tab.keyboard.press("Enter")
        await tab.locator(".sources").wait_for()
        assert await barriers(tab) == []
        assert await tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
