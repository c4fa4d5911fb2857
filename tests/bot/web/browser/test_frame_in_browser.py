"""What all pages share, as a person meets it: login, keys, colours, the policy."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.store.database import Store
from bot.web.page import Page, render
from tests.bot.web.browser.conftest import PHONE, Serving, Visiting, barriers
from tests.bot.web.conftest import PASSWORD, add_account

pytestmark = pytest.mark.slow
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"


async def show(request: Request) -> Response:
    return render(request, "error.html", sentence=HOSTILE)


def page(name: str, path: str, key: str) -> Page:
    return Page(name, path, (Route(path, show),), key=key)


PAGES = [page("ask", "/ask", "a"), page("wiki", "/wiki", "w")]


@pytest.fixture(autouse=True)
def _texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages of these tests have no strings of their own."""
    from bot.web import texts

    real = texts.import_module
    monkeypatch.setattr(texts, "import_module", lambda name: real("bot.web.texts.common"))


async def test_a_person_logs_in_with_the_keyboard_and_comes_to_where_they_wanted(
    serve: Serving, visit: Visiting, store: Store
) -> None:
    add_account(store, "김사서")
    address = await serve(PAGES)
    tab = await visit(address, "/wiki?page=2")
    assert tab.url.startswith(f"{address}/login")
    await tab.keyboard.type("김사서")
    await tab.keyboard.press("Tab")
    await tab.keyboard.type(PASSWORD)
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**/wiki?page=2")
    await tab.get_by_text("김사서").click()
    await tab.get_by_role("button", name="로그아웃").click()
    await tab.wait_for_url("**/login")


async def test_a_wrong_password_is_said_at_the_form(serve: Serving, visit: Visiting, store: Store) -> None:
    add_account(store, "kim")
    tab = await visit(await serve(PAGES), "/login", expected=("401",))
    await tab.get_by_label("이름").fill("kim")
    await tab.get_by_label("비밀번호").fill("wrong password")
    await tab.get_by_role("button", name="로그인").click()
    assert "맞지 않습니다" in await tab.get_by_role("alert").inner_text()


async def test_keys_go_to_pages_and_a_question_mark_tells_them(serve: Serving, visit: Visiting) -> None:
    tab = await visit(await serve(PAGES), "/ask")
    await tab.keyboard.press("?")
    assert "위키" in await tab.get_by_role("dialog").inner_text()
    await tab.keyboard.press("Escape")
    await tab.keyboard.press("g")
    await tab.keyboard.press("w")
    await tab.wait_for_url("**/wiki")


async def test_text_that_is_code_elsewhere_is_text_here(serve: Serving, visit: Visiting) -> None:
    tab = await visit(await serve(PAGES), "/ask")
    assert await tab.get_by_role("alert").inner_text() == HOSTILE
    assert await tab.locator("main script, main img").count() == 0


async def test_the_policy_stops_a_script_that_got_onto_a_page(serve: Serving, visit: Visiting) -> None:
    tab = await visit(await serve(PAGES), "/ask", expected=("Content Security Policy", "404"))
    ran = await tab.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);"
        " document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 2\">'); return window.ran ?? 0; }"
    )
    await tab.wait_for_timeout(200)
    assert ran == 0
    assert await tab.evaluate("() => window.ran ?? 0") == 0


async def test_colours_follow_the_system_until_somebody_chooses(serve: Serving, visit: Visiting) -> None:
    address = await serve(PAGES)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light, dark = await visit(address, "/ask"), await visit(address, "/ask", dark=True)
    assert await light.evaluate(ground) != await dark.evaluate(ground)
    await dark.get_by_text("local").click()
    await dark.get_by_label("화면 색").select_option("light")
    await dark.get_by_role("button", name="적용").click()
    await dark.wait_for_selector("html[data-theme=light] main")
    assert await dark.evaluate(ground) == await light.evaluate(ground)


async def test_english_is_one_choice_away(serve: Serving, visit: Visiting) -> None:
    tab = await visit(await serve(PAGES), "/ask")
    await tab.get_by_text("local").click()
    await tab.get_by_label("언어").select_option("en")
    await tab.get_by_role("button", name="적용").click()
    await tab.get_by_role("link", name="Wiki").wait_for()
    assert await tab.evaluate("() => document.documentElement.lang") == "en"


@pytest.mark.parametrize("dark", [False, True])
async def test_the_frame_has_no_barriers(serve: Serving, visit: Visiting, store: Store, dark: bool) -> None:
    address = await serve(PAGES)
    assert await barriers(await visit(address, "/ask", dark=dark)) == []
    assert await barriers(await visit(address, "/ask", dark=dark, viewport=PHONE)) == []
    add_account(store, "kim")
    assert await barriers(await visit(address, "/login", dark=dark)) == []


async def test_on_a_phone_nothing_is_wider_than_the_screen(serve: Serving, visit: Visiting) -> None:
    tab = await visit(await serve(PAGES), "/ask", viewport=PHONE)
    assert await tab.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
