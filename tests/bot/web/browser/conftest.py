"""A real Chromium at a console that listens on a real socket, both on the test's event loop.

What a page logs as an error, loads from elsewhere or has blocked by its policy fails the test that opened it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from bot.store.database import Store
from bot.web.app import WebOptions, make_app
from bot.web.page import Page as ConsolePage
from bot.web.server import WebServer

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def chromium() -> str:
    """Where the system's Chromium is."""
    for name in (os.environ.get("SASEO_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    if os.environ.get("CI"):
        pytest.fail("no Chromium: apt-get install chromium")
    pytest.skip("no Chromium: apt-get install chromium, or name one by SASEO_CHROMIUM")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # The sandbox needs a user namespace, which containers and root do not have; what is opened here is our own.
        one = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield one
        await one.close()


class Watched:
    """What went wrong on a page beside what the test looks at."""

    def __init__(self, address: str) -> None:
        self.problems: list[str] = []
        self._address = address

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", lambda said: said.type == "error" and self._logged(said.text))
        page.on("request", lambda request: self._from_here(request.url))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))

    def _logged(self, text: str) -> None:
        """htmx logs two lines for a request that it took back itself (a newer one replaced it, or the page was left):
        `afterRequest`, which it logs only of a request without an answer, then `sendAbort`. That is no fault; a request
        that failed says `sendError` or `responseError` second, and stays."""
        if text.startswith("htmx:sendAbort") and self.problems[-1:] and "htmx:afterRequest" in self.problems[-1]:
            self.problems.pop()
            return
        self.problems.append(f"console: {text}")

    def _from_here(self, url: str) -> None:
        if not url.startswith((self._address, "data:", "blob:", "about:")):
            self.problems.append(f"loaded from elsewhere: {url}")


Serving = Callable[..., Awaitable[str]]
Visiting = Callable[..., Awaitable[Page]]


@pytest.fixture
async def serve(store: Store) -> AsyncIterator[Serving]:
    """`await serve(pages)`: the address of a console with those pages."""
    running: list[tuple[WebServer, asyncio.Task[None]]] = []

    async def serving(pages: Sequence[ConsolePage], *, texts: Any = "shared", language: Any = "ko") -> str:
        options = WebOptions("127.0.0.1", "", language, texts, ZoneInfo("Asia/Seoul"))
        server = WebServer(make_app(pages, store, options), "127.0.0.1", 0)
        server.open()
        running.append((server, asyncio.create_task(server.run())))
        return server.address

    yield serving
    for server, task in running:
        await server.close(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def visit(browser: Browser) -> AsyncIterator[Visiting]:
    """`await visit(address, path)`: a page of a new visitor. `expected`: parts of what the page may log as an error."""
    watched: list[tuple[Watched, tuple[str, ...]]] = []

    async def visiting(
        address: str, path: str = "/", *, viewport: Any = None, dark: bool = False, expected: tuple[str, ...] = ()
    ) -> Page:
        context = await browser.new_context(
            locale="ko-KR",
            timezone_id="America/New_York",  # times are the wiki's, not the visitor's
            viewport=viewport or DESK,
            color_scheme="dark" if dark else "light",
            base_url=address,
        )
        page = await context.new_page()
        one = Watched(address)
        one.watch(page)
        watched.append((one, expected))
        await page.goto(path)
        return page

    yield visiting
    for one, expected in watched:
        assert [said for said in one.problems if not any(part in said for part in expected)] == []


_HALF_WAY = """document.getAnimations().filter(one => one.effect.getTiming().iterations === Infinity).forEach(one => {
    one.pause(); one.currentTime = one.effect.getTiming().duration / 2; })"""


async def barriers(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical, under WCAG 2.2 AA and its own best practices."""
    await page.evaluate(_HALF_WAY)  # what pulses must be readable at every moment of it
    found = await Axe().run(page)
    return [
        f"{one['id']}: {one['help']}: " + "; ".join(node["html"][:160] for node in one["nodes"][:4])
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
