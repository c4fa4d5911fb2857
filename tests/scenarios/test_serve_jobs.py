"""`saseo serve` with its jobs, as its own process: they run beside it, fail beside it, and stop and die with it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from benchmarks.service_run import Service, configure, index
from bot.store import jobs
from bot.store.database import Store, open_store
from bot.store.job_rows import Run
from knowledge.edition import EditionShelf
from tests.conftest import WIKI, write_wiki
from tests.fakes.slack import SlackServer
from tests.fakes.tiny_gguf import write_tiny_qwen2

pytestmark = [pytest.mark.model, pytest.mark.slow]
JOBS = """
[jobs]
lease_seconds = 15
[jobs.retention]
schedule = "every 2s"
[jobs.examples]
schedule = "every 2s"
[jobs.reindex]
enabled = true
schedule = ""
"""


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        server.channel("C1")
        yield server


async def until(true: Callable[[], bool], seconds: float = 400) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.1)


def workers(config: Path) -> list[int]:
    """Living worker processes of this installation."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(config).encode() in words and any(b"jobs_app" in word for word in words):
                found.append(int(folder.name))
    return found


async def test_jobs_run_beside_the_service_fail_without_it_and_end_with_it(tmp_path: Path, slack: SlackServer) -> None:
    writer = tmp_path / "tiny.gguf"
    write_tiny_qwen2(writer)
    config, environment = configure(tmp_path, str(writer), slack, None, [])
    wiki = write_wiki(tmp_path / "wiki", WIKI)
    sources = f'[[sources]]\nname = "wiki"\npath = "{wiki}"\n'
    config.write_text(config.read_text(encoding="utf-8") + JOBS + sources, encoding="utf-8")
    service = Service(config, environment, tmp_path / "serve.log")
    await index(service)
    store: Store = open_store("", tmp_path / "data")

    def runs(job: str) -> list[Run]:
        return store.run_now(jobs.every, job)

    await service.start()
    try:
        await slack.wait_connected(2, timeout=400)
        await until(lambda: any(run.state == "done" for run in runs("retention") + runs("examples")))
        # A job that fails: the index's folder is in its way.
        editions = tmp_path / "data" / "editions"
        (editions / ".lock").unlink(missing_ok=True)
        (editions / ".lock").mkdir()
        store.run_now(jobs.ask, "reindex", by="test", now=time.time())
        await until(lambda: [run.state for run in runs("reindex")] == ["failed"])
        sent = await slack.user("U1").mention("C1", "연차는 며칠인가요?")
        await slack.wait_for(lambda: slack.final_answers("C1", sent.ts), timeout=400)
        (editions / ".lock").rmdir()
        # A worker that is killed in the middle of its run: another one goes on with it.
        store.run_now(jobs.ask, "reindex", by="test", now=time.time(), arguments={"full": True})
        await until(lambda: any(run.state == "running" for run in runs("reindex")))
        running = next(run for run in runs("reindex") if run.state == "running")
        os.kill(int(running.owner.split(":")[1]), 9)
        await until(lambda: any(run.id == running.id and run.attempt == 2 for run in runs("reindex")))
    finally:
        code = await service.stop()
    assert code == 0
    assert workers(config) == []
    (left,) = (run for run in runs("reindex") if run.id == running.id)
    assert left.state in ("stopped", "done", "running")  # running: it was ended at the deadline, and its lease runs out
    log = service.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    # Killed with everything it started: the next service takes the run up and finishes it.
    await service.start()
    try:
        await until(lambda: any(run.id == running.id and run.state == "done" for run in runs("reindex")), 240)
        await until(lambda: bool(workers(config)) or bool(runs("retention")))
        await service.kill()
        await until(lambda: workers(config) == [])  # their standard input closed
    finally:
        store.close()


async def test_a_watched_source_is_indexed_soon_after_a_page_changed(tmp_path: Path, slack: SlackServer) -> None:
    writer = tmp_path / "tiny.gguf"
    write_tiny_qwen2(writer)
    config, environment = configure(tmp_path, str(writer), slack, None, [])
    wiki = write_wiki(tmp_path / "wiki", WIKI)
    sources = f'[[sources]]\nname = "wiki"\npath = "{wiki}"\nwatch = true\n'
    config.write_text(config.read_text(encoding="utf-8") + sources, encoding="utf-8")
    service = Service(config, environment, tmp_path / "serve.log")
    await index(service)
    store: Store = open_store("", tmp_path / "data")
    shelf = EditionShelf(tmp_path / "data" / "editions")
    before = shelf.current()
    await service.start()
    try:
        await slack.wait_connected(2, timeout=400)
        write_wiki(wiki, {"주차.md": "# 주차 안내\n\n방문 차량은 지하 2층에 세웁니다.\n"})
        (wiki / "회의실.md").unlink()
        await until(lambda: shelf.current() != before, 240)
        pages = shelf.pages(shelf.current())
        assert "wiki/주차.md" in pages
        assert "wiki/회의실.md" not in pages
        (run,) = store.run_now(jobs.every, "reindex:wiki")
        assert run.asked_by == jobs.CHANGE
        assert store.run_now(jobs.every, "reindex") == []
        edition = shelf.current()
        await until(lambda: edition in service.log.read_text(encoding="utf-8"), 120)  # the running service took it over
    finally:
        code = await service.stop()
        store.close()
    assert code == 0


async def test_an_admin_has_the_wiki_indexed_again_from_slack_and_hears_how_it_went(
    tmp_path: Path, slack: SlackServer
) -> None:
    """The job is off, there is no console, and nothing is watched: only what the admin says makes the new page answer."""
    writer = tmp_path / "tiny.gguf"
    write_tiny_qwen2(writer)
    config, environment = configure(tmp_path, str(writer), slack, None, [])
    wiki = write_wiki(tmp_path / "wiki", WIKI)
    text = config.read_text(encoding="utf-8").replace("[slack]\n", '[slack]\nadmins = ["U1"]\n')
    config.write_text(text + f'[[sources]]\nname = "wiki"\npath = "{wiki}"\n', encoding="utf-8")
    service = Service(config, environment, tmp_path / "serve.log")
    await index(service)
    store: Store = open_store("", tmp_path / "data")
    shelf = EditionShelf(tmp_path / "data" / "editions")
    admin, other = slack.user("U1"), slack.user("U2")
    await service.start()
    try:
        await slack.wait_connected(2, timeout=400)
        write_wiki(wiki, {"주차.md": "# 주차 안내\n\n방문 차량은 지하 2층에 세웁니다.\n"})
        await other.slash("/wiki", "색인", "C1")
        await slack.wait_for(lambda: other.sees("C1"), timeout=120)
        assert "관리자만" in other.sees("C1")[0].text
        assert store.run_now(jobs.every, "reindex") == []
        await admin.slash("/wiki", "색인", "C1")
        await slack.wait_for(lambda: admin.sees("C1"), timeout=120)
        assert "다시 색인하도록 요청했습니다." in admin.sees("C1")[0].text
        await slack.wait_for(lambda: len(admin.sees("C1")) == 2, timeout=240)
        assert f"문서 {len(WIKI) + 1}개" in admin.sees("C1")[1].text
        (run,) = store.run_now(jobs.every, "reindex")
        assert (run.state, run.result["edition"]) == ("done", shelf.current())
        assert [one.asked_by for one in store.run_now(jobs.every, "gaps")] == ["job:reindex"]
        assert "wiki/주차.md" in shelf.pages(shelf.current())
        await until(lambda: shelf.current() in service.log.read_text(encoding="utf-8"))
        assert len(other.sees("C1")) == 1
        assert slack.violations == []
    finally:
        code = await service.stop()
        store.close()
    assert code == 0
    assert "Traceback" not in service.log.read_text(encoding="utf-8")
