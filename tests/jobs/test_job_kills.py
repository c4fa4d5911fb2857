"""Runs whose process is killed, stopped or frozen, in real processes: nothing is lost and nothing runs twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.store import job_rows, jobs
from bot.store.database import Store
from bot.store.job_rows import Run
from tests.fakes.job_process import COUNTED, REGISTRY, STEPS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
RULES = REGISTRY.rules(60.0)


class Workers:
    """Starts processes over one store, and ends what a failed test left."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, job: str, lease: float = 60.0) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.fakes.job_process", self.url, str(self.folder), str(lease), job]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def counted(self, run: Run) -> list[tuple[int, int]]:
        """(step, process) in the order of writing."""
        path = self.folder / "jobs" / run.id / COUNTED
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


@pytest.fixture
def workers(url: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Workers(url, tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.02)


def ask(store: Store, job: str) -> Run:
    return store.run_now(jobs.ask, job, by="kim", now=time.time())


def now(store: Store, run: Run) -> Run:
    found = store.run_now(jobs.get, run.id)
    assert found is not None
    return found


def expire(store: Store, run: Run) -> None:
    """Time passes."""
    store.run_now(job_rows.change, run.id, until=time.time() - 1)


def test_a_killed_run_is_gone_on_with_by_one_of_two_others_and_every_step_is_done_once(
    store: Store, workers: Workers
) -> None:
    run = ask(store, "count")
    first = workers.start("count")
    until(lambda: len(workers.counted(run)) >= 3)
    first.kill()
    first.wait()
    left = now(store, run)
    assert (left.state, left.attempt) == ("running", 1)  # what remains: the row, its lease, the folder
    assert workers.start("count").wait(60) == 3  # nobody takes it while the lease holds
    expire(store, run)
    others = [workers.start("count"), workers.start("count")]
    codes = sorted(other.wait(60) for other in others)
    assert codes == [0, 3]
    over = now(store, run)
    assert (over.state, over.attempt, over.deaths, over.result["resumed"]) == ("done", 2, 1, True)
    steps = workers.counted(run)
    assert [step for step, _ in steps] == list(range(STEPS))
    processes = [process for _, process in steps]
    assert processes == sorted(processes, key=[first.pid, over.result["by"]].index)
    assert len(store.run_now(jobs.every)) == 1
    assert store.run_now(jobs.ready, RULES, ["count"], now=time.time() + 999) == []


def test_a_killed_run_that_may_not_be_gone_on_with_is_failed_and_the_next_one_is_new(
    store: Store, workers: Workers
) -> None:
    run = ask(store, "frail")
    first = workers.start("frail")
    until(lambda: len(workers.counted(run)) >= 2)
    first.kill()
    first.wait()
    expire(store, run)
    assert store.run_now(jobs.ready, RULES, ["frail"], now=time.time()) == []
    assert now(store, run).state == "failed"
    assert now(store, run).error == jobs.DIED
    fresh = ask(store, "frail")
    assert fresh.id != run.id
    assert workers.start("frail").wait(60) == 0
    assert [step for step, _ in workers.counted(fresh)] == list(range(STEPS))
    assert len(workers.counted(run)) < STEPS


def test_sigterm_stops_a_run_cleanly_and_the_next_process_goes_on_at_once(store: Store, workers: Workers) -> None:
    run = ask(store, "count")
    first = workers.start("count")
    until(lambda: len(workers.counted(run)) >= 2)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
    assert now(store, run).state == "stopped"
    assert workers.start("count").wait(60) == 0
    over = now(store, run)
    assert (over.state, over.attempt, over.deaths) == ("done", 2, 0)
    assert [step for step, _ in workers.counted(run)] == list(range(STEPS))


def test_a_frozen_process_that_wakes_up_after_its_run_was_taken_over_ends_without_a_word(
    store: Store, workers: Workers
) -> None:
    run = ask(store, "hard")
    frozen = workers.start("hard", lease=10.0)
    until(lambda: len(workers.counted(run)) == 1)
    os.kill(frozen.pid, signal.SIGSTOP)
    expire(store, run)
    second = workers.start("hard")
    until(lambda: now(store, run).attempt == 2)
    os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.wait(60) == 75
    assert second.poll() is None
    assert now(store, run).owner == f"test:{second.pid}"


def test_a_run_that_kills_every_process_is_given_up(store: Store, workers: Workers) -> None:
    run = ask(store, "hard")
    for attempt in (1, 2, 3):
        process = workers.start("hard")
        until(lambda attempt=attempt: now(store, run).attempt == attempt)  # type: ignore[misc]
        process.kill()
        process.wait()
        expire(store, run)
    assert workers.start("hard").wait(60) == 3
    assert (now(store, run).state, now(store, run).error) == ("failed", jobs.DIED)
