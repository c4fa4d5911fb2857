"""작업 as a person meets it: a button starts a real job in a process of its own, and the page follows it to its end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.app import Root
from bot.jobs_app import Book, job_service
from bot.store import jobs
from bot.store.database import Store
from bot.web.pages.work import WorkParts, work
from tests.bot.web.browser.conftest import DESK, PHONE, Serving, Visiting, barriers

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Over the store of the console: a worker process opens the same one."""
    (tmp_path / "saseo.toml").write_text('data_dir = "."\n[jobs]\nenabled = false\n', encoding="utf-8")
    return Root(tmp_path / "saseo.toml")


async def test_run_now_runs_the_job_and_the_page_follows(
    serve: Serving, visit: Visiting, store: Store, root: Root
) -> None:
    service = job_service(root.job_parts(store), root.config)
    assert service is not None
    beside = asyncio.create_task(service.run())
    try:
        page = work(WorkParts(store, Book(root.job_parts(store)), "Asia/Seoul", False))
        tab = await visit(await serve([page]), "/jobs")
        row = tab.locator('tr[data-job="retention"]')
        await expect(row).to_contain_text("아직 실행한 적이 없습니다")
        await row.get_by_role("button", name="지금 실행").click()
        await expect(tab.locator("#said")).to_contain_text("곧 시작합니다")
        await expect(row).to_contain_text("완료", timeout=90_000)  # without a reload: the board asks by itself
        await row.get_by_role("link", name="완료").click()
        await tab.wait_for_url("**/jobs/runs/*")
        await expect(tab.locator("main")).to_contain_text("콘솔: local")
        await expect(tab.locator(".log")).to_contain_text("run_ended")
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
        await service.close(20.0)


async def test_a_focused_button_stays_focused_while_the_board_is_renewed(
    serve: Serving, visit: Visiting, store: Store, root: Root
) -> None:
    book = Book(root.job_parts(store))
    store.run_now(jobs.ask, "retention", by="web:local", now=time.time())
    tab = await visit(await serve([work(WorkParts(store, book, "Asia/Seoul", False))]), "/jobs")
    await tab.locator("#pause-gate").focus()
    async with tab.expect_response("**/jobs/board"):
        pass
    await expect(tab.locator("#pause-gate")).to_be_focused()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
async def test_no_barriers(
    serve: Serving, visit: Visiting, store: Store, root: Root, viewport: dict[str, int], dark: bool
) -> None:
    book = Book(root.job_parts(store))
    rules = jobs.Rules({name: one.group for name, one in book.jobs.items()}, set(book.jobs), 3600.0)
    store.run_now(jobs.ask, "retention", by="web:local", now=time.time())
    run = store.run_now(jobs.claim, "retention", "here:1", rules, now=time.time(), lease=600.0)
    assert run is not None
    store.run_now(jobs.renew, run, {"done": 1, "total": 3, "message": "folders"}, now=time.time(), lease=600.0)
    book.log_of(run.id).parent.mkdir(parents=True)
    book.log_of(run.id).write_text('{"level": "WARNING", "event": "step"}\n' * 50, encoding="utf-8")
    tab = await visit(
        await serve([work(WorkParts(store, book, "Asia/Seoul", False))]), "/jobs", viewport=viewport, dark=dark
    )
    for path in ("/jobs", f"/jobs/runs/{run.id}", "/jobs/audit"):
        await tab.goto(path)
        assert await barriers(tab) == []
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await tab.evaluate(wider) <= 0
