"""The console over a real store, asked over ASGI as a browser would ask it, with cookies and tokens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from bot.store import web_accounts
from bot.store.database import Store, open_store
from bot.web import passwords
from bot.web.app import WebOptions, make_app
from bot.web.page import Page
from knowledge.search import SearchIndex
from tests.bot.desk.conftest import Bench

ADDRESS = "http://127.0.0.1:8787"
PASSWORD = "correct horse battery"


class Browser:
    """Follows redirects, keeps cookies, sends a form's token like a page does."""

    def __init__(self, app: Any, address: str = ADDRESS, client: tuple[str, int] = ("127.0.0.1", 5000)) -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=client)
        self.http = httpx.AsyncClient(
            transport=transport, base_url=address, headers={"accept": "text/html"}, follow_redirects=True
        )
        self.token = ""

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """A page; the token of its forms is remembered."""
        return self._read(await self.http.get(path, **options))

    async def post(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """A form of the page that was read last."""
        return self._read(await self.http.post(path, data={"csrf": self.token, **(fields or {})}, **options))

    async def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """As a person does."""
        await self.get("/login")
        return await self.post("/login", {"name": name, "password": password})

    def _read(self, response: httpx.Response) -> httpx.Response:
        found = re.search(r'name="csrf" value="([^"]+)"', response.text)
        if found:
            self.token = found.group(1)
        return response


def add_account(store: Store, name: str, role: web_accounts.Role = "admin", groups: Sequence[str] = ()) -> None:
    """With the password of all tests."""
    store.run_now(web_accounts.put, name, password=passwords.hashed(PASSWORD), role=role, groups=groups, now=1000.0)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_store("", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
async def bench(index: SearchIndex, tmp_path: Path) -> AsyncIterator[Bench]:
    """A desk over the small wiki whose writer recites: `await bench.start_desk()`."""
    folder = tmp_path / "desk"
    folder.mkdir()
    one = Bench(index, folder)
    yield one
    one.flow.gate.set()
    for desk in one.desks:
        await desk.close(drain=5.0)
    for opened in one.stores:
        opened.close()
    one.flow.close()


Opening = Callable[..., Browser]


@pytest.fixture
async def browse(store: Store) -> AsyncIterator[Opening]:
    """`browse(pages, host=…, texts=…, language=…)`: a browser at a console with those pages."""
    opened: list[Browser] = []

    def open_browser(
        pages: Sequence[Page] = (),
        *,
        host: str = "127.0.0.1",
        public_url: str = "",
        texts: Any = "shared",
        language: Any = "ko",
        address: str = ADDRESS,
        open_routes: Sequence[Any] = (),
        proxies: Sequence[str] = (),
    ) -> Browser:
        options = WebOptions(host, public_url, language, texts, ZoneInfo("Asia/Seoul"), proxies)
        opened.append(Browser(make_app(pages, store, options, open_routes=open_routes), address))
        return opened[-1]

    yield open_browser
    for one in opened:
        await one.http.aclose()
