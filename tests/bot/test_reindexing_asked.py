"""An admin in chat has the index made anew: the same run as of the console's button, on the record, and told of when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.app import Root
from bot.errors import JobPaused, NoJobsHere
from bot.jobs_app import Book, job_service, reindexing
from bot.reindexing import Reindexing
from bot.store import audit, job_stops, jobs
from bot.store.database import Store, open_store
from bot.store.job_rows import Run

SOURCES = '[[sources]]\nname = "wiki"\npath = "wiki"\nwatch = true\n'
WHO = "p:" + "0" * 32


class Desk:
    """Re-indexing over the real jobs, and what a person heard."""

    def __init__(self, folder: Path, more: str = "") -> None:
        config = folder / "saseo.toml"
        config.write_text(f'data_dir = "data"\n{more}\n{SOURCES}', encoding="utf-8")
        self.root = Root(config)
        self.store: Store = open_store("", folder / "data")
        self.parts = self.root.job_parts(self.store)
        self.book = Book(self.parts)
        self.reindexing = Reindexing(self.store, self.book, runs_here=True, look_seconds=0.01)
        self.heard: list[str] = []
        self.told = asyncio.Event()

    async def ask(self, language: Any = "ko", reindexing: Reindexing | None = None) -> str:
        async def told(sentence: str) -> None:
            self.heard.append(sentence)
            self.told.set()

        asked = reindexing or self.reindexing
        return await asked(by=WHO, origin="slack", language=language, told=told)

    def runs(self, job: str = "reindex") -> list[Run]:
        return self.store.run_now(jobs.every, job)

    def claim(self, job: str = "reindex", **more: Any) -> Run:
        rules = jobs.Rules({name: one.group for name, one in self.book.jobs.items()}, frozenset(self.book.jobs), 60.0)
        now = self.reindexing._clock()
        run = self.store.run_now(jobs.claim, job, "host:1:a", rules, now=now, lease=600.0, **more)
        assert run is not None
        return run

    def end(self, run: Run, state: Any = "done", **more: Any) -> None:
        self.store.run_now(lambda connection: jobs.finish(connection, run, state, now=1.0, progress={}, **more))

    async def hears(self) -> str:
        await asyncio.wait_for(self.told.wait(), 30)
        return self.heard[-1]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    one = Desk(tmp_path)
    yield one
    one.reindexing.close()
    await asyncio.sleep(0)
    one.store.close()


async def test_it_is_the_run_of_the_consoles_button_on_the_record(desk: Desk) -> None:
    said = await desk.ask()
    assert "다시 색인하도록 요청했습니다. 곧 시작합니다." in said
    (run,) = desk.runs()
    assert (run.state, run.asked_by, run.arguments) == ("due", WHO, {})
    (entry,) = desk.store.run_now(audit.entries)
    assert (entry.by, entry.action, entry.subject, entry.origin) == (WHO, "job.run", "reindex", "slack")
    assert entry.detail == {"run": run.id}
    await desk.ask()
    assert [one.id for one in desk.runs()] == [run.id], "one that waits is enough"


async def test_while_it_runs_no_second_run_is_asked_for(desk: Desk) -> None:
    desk.claim(asked_by="lee")
    assert "이미 다시 색인하고 있습니다." in await desk.ask()
    assert "under way already" in await desk.ask("en")
    assert [run.state for run in desk.runs()] == ["running"]
    assert list(desk.store.run_now(audit.entries)) == []


async def test_behind_a_run_of_one_source_it_waits(desk: Desk) -> None:
    desk.claim("reindex:wiki", asked_by="lee")
    assert "지금 진행 중인 색인이 끝나면 시작합니다." in await desk.ask()
    assert [run.state for run in desk.runs()] == ["due"]


async def test_a_paused_job_is_not_asked_for(desk: Desk) -> None:
    desk.store.run_now(jobs.switch, "reindex", True, by="lee", now=0.0)
    with pytest.raises(JobPaused):
        await desk.ask()
    assert desk.runs() == []


async def test_how_it_went_is_told_once_it_is_over(desk: Desk) -> None:
    await desk.ask()
    run = desk.claim()
    held = [{"source": "wiki", "reason": "x"}]
    assert desk.heard == []
    desk.end(run, result={"pages": 12, "passages": 34, "failed": 2, "held_back": held, "reused": False})
    heard = await desk.hears()
    assert "문서 12개, 구절 34개로 다시 색인했습니다. 읽지 못한 문서가 2개 있습니다. 출처 'wiki'" in heard
    assert desk.heard == [heard]


async def test_that_nothing_was_new_or_that_it_failed_or_was_stopped_is_told_too(desk: Desk) -> None:
    for state, more, sentence in (
        (
            "done",
            {"result": {"pages": 1, "passages": None, "failed": 0, "held_back": [], "reused": True}},
            "바뀐 것이 없어",
        ),
        ("failed", {"error": "EmptyWiki: 문서가 없습니다."}, "다시 색인하지 못했습니다: 문서가 없습니다. 이전 색인"),
        ("stopped", {}, "중간에 멈췄습니다"),
    ):
        desk.told.clear()
        await desk.ask()
        desk.end(desk.claim(), state, **more)
        assert sentence in await desk.hears()


async def test_a_request_that_is_withdrawn_is_told_of(desk: Desk) -> None:
    await desk.ask()
    desk.store.run_now(job_stops.stop, desk.runs()[0].id, by="lee", now=1.0)
    assert "중간에 멈췄습니다" in await desk.hears()


async def test_a_run_that_is_gone_on_with_is_not_over(desk: Desk) -> None:
    await desk.ask()
    run = desk.claim()
    desk.end(run, "stopped", goes_on=True)
    again = desk.claim()
    assert again.id == run.id
    desk.end(again, result={"pages": 1, "passages": 2, "failed": 0, "held_back": [], "reused": False})
    assert "문서 1개" in await desk.hears()
    assert len(desk.heard) == 1


OFF, NO_CONSOLE, SLACK = "[jobs]\nenabled = false", "[web]\nenabled = false", "[slack]\nenabled = true"


@pytest.mark.parametrize(
    ("settings", "runs"),
    [
        ([], True),  # the job is off, and the console lets it run on request
        ([NO_CONSOLE, SLACK], True),  # so does chat
        ([OFF], True),  # the console runs what is asked for all the same
        ([OFF, NO_CONSOLE, SLACK], False),
        ([NO_CONSOLE, SLACK, "[jobs.reindex]\nenabled = true"], True),
    ],
)
async def test_it_can_be_asked_for_exactly_where_it_is_run(tmp_path: Path, settings: list[str], runs: bool) -> None:
    one = Desk(tmp_path, "\n".join(settings))
    try:
        asked = reindexing(one.parts)
        beside = job_service(one.parts, one.root.config)
        known = {*beside._jobs, *beside._on_request} if beside else set()
        assert ("reindex" in known) is runs
        if runs:
            await one.ask(reindexing=asked)
        else:
            with pytest.raises(NoJobsHere):
                await one.ask(reindexing=asked)
        assert len(one.runs()) == runs
        asked.close()
        await asyncio.sleep(0)
    finally:
        one.store.close()
