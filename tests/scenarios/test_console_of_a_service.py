"""The whole console of a real `saseo serve` in a real Chromium: every page, a question from 물어보기 to 대화, who may do what."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.bot.web.browser.conftest import Watched, barriers, chromium
from tests.conftest import WIKI, write_wiki
from tests.fakes.tiny_gguf import write_tiny_qwen2

pytestmark = [pytest.mark.model, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password for tests"
PAGES = {
    "/": "오늘",
    "/conversations": "대화",
    "/review": "검토",
    "/gaps": "빈틈",
    "/wiki": "위키",
    "/wiki/search?q=%EC%97%B0%EC%B0%A8": "검색",
    "/models": "모델",
    "/jobs": "작업",
    "/jobs/audit": "감사",
    "/ask": "물어보기",
}


def saseo(config: Path, *words: str, **more: str) -> None:
    command = [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), *words]
    subprocess.run(command, check=True, env={**os.environ, **more}, capture_output=True, timeout=240)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service over the small wiki with a tiny random writer, so that quotes answer; one account of each role."""
    folder = tmp_path_factory.mktemp("service")
    write_wiki(folder / "wiki", WIKI)
    write_tiny_qwen2(folder / "tiny.gguf")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "config.toml"
    config.write_text(
        f'data_dir = "data"\n[[sources]]\nname = "wiki"\npath = "wiki"\n[writer]\nmodel = "tiny.gguf"\nlora = "none"\n'
        f"[web]\nport = {port}\n[metrics]\nenabled = false\n",
        encoding="utf-8",
    )
    saseo(config, "index")
    for role in ("viewer", "admin"):
        saseo(config, "accounts", "add", role, "--role", role, SASEO_CONSOLE_PASSWORD=PASSWORD)
    command = [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), "serve"]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    found = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{found}/login", timeout=2.0)
                break
            except httpx.HTTPError:
                assert process.poll() is None, (folder / "serve.log").read_text()
                time.sleep(0.3)
        yield found
    finally:
        process.terminate()
        assert process.wait(60) == 0


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield one
        await one.close()


async def log_in(browser: Browser, address: str, name: str) -> tuple[Page, Watched]:
    page = await (await browser.new_context(locale="ko-KR", base_url=address)).new_page()
    watched = Watched(address)
    watched.watch(page)
    await page.goto("/")
    await page.get_by_label("이름").fill(name)
    await page.get_by_label("비밀번호").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("h1", has_text="오늘").wait_for()
    return page, watched


async def test_every_page_opens_without_barriers_and_loads_nothing_from_elsewhere(
    browser: Browser, address: str
) -> None:
    page, watched = await log_in(browser, address, "admin")
    for path, word in PAGES.items():
        response = await page.goto(path)
        assert response is not None
        assert response.status == 200, path
        assert word in await page.locator("h1").inner_text(), path
        assert await barriers(page) == [], path
    assert watched.problems == []


async def test_a_question_of_the_console_is_a_conversation_like_any_other(browser: Browser, address: str) -> None:
    page, watched = await log_in(browser, address, "admin")
    await page.goto("/ask")
    await page.get_by_label("질문").fill("연차는 며칠 전까지 신청합니까?")
    await page.keyboard.press("Enter")
    await page.locator(".votes").wait_for(timeout=120_000)
    assert "연차 규정" in await page.locator(".sources").inner_text()
    await page.get_by_role("button", name="도움이 됐습니다").click()
    await page.get_by_text("고맙습니다").wait_for()
    await page.goto("/conversations")
    assert (
        "연차는 며칠 전까지" not in await page.locator("main").inner_text()
    )  # asked in private: `[web] texts = "shared"`
    await page.locator("main a[href^='/conversations/']").first.click()
    await page.wait_for_url("**/conversations/*")
    assert "hr" not in await page.locator("main").inner_text()
    assert watched.problems == []


async def test_who_only_looks_finds_no_button_that_changes_anything_and_no_way_around(
    browser: Browser, address: str
) -> None:
    page, _ = await log_in(browser, address, "viewer")
    await page.goto("/jobs")
    assert await page.get_by_role("button", name="지금 실행").count() == 0
    token = await page.locator("input[name=csrf]").first.get_attribute("value")
    for path in ("/jobs/retention/run", "/models/rollback", "/wiki/run", "/review/undo"):
        status = await page.evaluate(
            "async ([path, token]) => (await fetch(path, {method: 'POST', headers: {'X-CSRF': token}})).status",
            [path, token],
        )
        assert status == 403, path
