"""The nightly job counts the days before it deletes what they are made of."""

from __future__ import annotations

import datetime as dt
import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.settings import Settings
from bot.store import conversations, jobs
from bot.store.conversations import Filter
from bot.store.database import Store
from bot.store.statistics import statistics
from jobs.job import JobContext, JobParts
from jobs.retention import retain
from tests.bot.store.told import tell

DAY = 86400.0


def unused(*_: Any) -> Any:
    raise AssertionError("retention needs none of this")


def test_numbers_outlive_the_questions_they_were_made_of(store: Store, tmp_path: Path) -> None:
    now = time.time()
    tell(store, now - 100 * DAY)
    tell(store, now - 2 * DAY)
    parts = JobParts(Settings(data_dir=tmp_path), store, unused, lambda: nullcontext(unused()), unused, unused, unused)
    folder = tmp_path / "jobs" / "run"
    folder.mkdir(parents=True)
    assert retain(parts, JobContext("run", folder))["questions"] == 1
    assert len(store.run_now(conversations.page, Filter()).rows) == 1
    found = store.run_now(statistics, ZoneInfo("Asia/Seoul"), now=now, span=110)
    assert found.over(dt.date(2000, 1, 1), found.today).tally.questions == 2


def test_what_was_done_last_is_remembered_however_old_and_only_its_folder_goes(store: Store, tmp_path: Path) -> None:
    def ended(job: str, state: Literal["done", "failed"], days: float, **arguments: Any) -> str:
        at = time.time() - days * DAY
        rules = jobs.Rules({job: {job}}, {job}, 60.0)
        run = store.run_now(jobs.claim, job, "p", rules, now=at, lease=60.0, asked_by="kim", arguments=arguments)
        assert run is not None
        assert store.run_now(jobs.finish, run, state, now=at, progress={})
        (tmp_path / "jobs" / run.id).mkdir(parents=True)
        return run.id

    older = ended("tune", "done", 95)
    newest = ended("tune", "done", 94)
    others = [ended("tune", "failed", 93), ended("tune", "done", 92, examples=["own.jsonl"]), ended("gate", "done", 91)]
    parts = JobParts(Settings(data_dir=tmp_path), store, unused, lambda: nullcontext(unused()), unused, unused, unused)
    work = tmp_path / "jobs" / "run"
    work.mkdir()
    done = retain(parts, JobContext("run", work))
    left = {run.id for run in store.run_now(jobs.every)}
    assert left == {newest, *others[1:]}
    assert (done["runs"], older in left) == (2, False)
    assert list((tmp_path / "jobs").iterdir()) == []
    assert store.run_now(jobs.last_done, "tune") is not None


def test_copies_from_before_an_update_go_after_a_month_without_the_job_of_backups(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name, days in (
        ("before-0007-20260101T000000Z.sqlite", 31),
        ("before-0008-20260201T000000Z.sqlite", 29),
        ("saseo-20260101T000000Z.zip", 31),
    ):
        (folder / name).write_bytes(b"x")
        at = time.time() - days * DAY
        os.utime(folder / name, (at, at))
    parts = JobParts(Settings(data_dir=tmp_path), store, unused, lambda: nullcontext(unused()), unused, unused, unused)
    work = tmp_path / "jobs" / "run"
    work.mkdir(parents=True)
    assert retain(parts, JobContext("run", work))["before_updates"] == 1
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["before-0008-20260201T000000Z.sqlite", "saseo-20260101T000000Z.zip"]
