"""One run in this process: what is written down of it however it ends, and what a job hears meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.errors import JobPaused, StoreError
from bot.store import job_stops, jobs
from bot.store.database import Store
from bot.store.job_rows import Run
from jobs.job import JobContext, JobSpec, JobStopped
from jobs.registry import Registry
from jobs.runner import LOG, Runner, RunnerOptions, _Holding

Job = Callable[[JobContext], Mapping[str, Any]]


class Left(BaseException):
    """The process would be gone."""


def runner(
    store: Store, tmp_path: Path, job: Job, *, lease: float = 60.0, resumable: bool = True, **more: Any
) -> Runner:
    registry = Registry([JobSpec("small", "작은 작업", "Small", job, resumable=resumable)])
    options = RunnerOptions("me", tmp_path / "jobs", lease, follow=("small", "next"))
    return Runner(store, registry, registry.rules(60.0), options, **more)


def run(store: Store, tmp_path: Path, job: Job, **more: Any) -> Run:
    found = runner(store, tmp_path, job, **more).run("small", asked_by="kim", arguments={"n": 2})
    assert found is not None
    return found


def test_what_lies_in_a_runs_folder_is_for_its_owner_alone(store: Store, tmp_path: Path) -> None:
    found = run(store, tmp_path, lambda context: {})
    assert (tmp_path / "jobs" / found.id).stat().st_mode & 0o077 == 0


def log_of(tmp_path: Path, found: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "jobs" / found.id / LOG).read_text("utf-8").splitlines()]


def test_a_run_that_succeeds_keeps_its_result_progress_and_log_and_makes_the_next_jobs_due(
    store: Store, tmp_path: Path
) -> None:
    told: list[tuple[int, int | None, str]] = []

    def work(context: JobContext) -> Mapping[str, Any]:
        context.progress(1, 2, "step")
        (context.folder / "kept.txt").write_text("x", encoding="utf-8")
        return {"sum": context.arguments["n"] + 1, "resumed": context.resumed, "then": ["next", "unknown"]}

    found = runner(store, tmp_path, work).run(
        "small", asked_by="kim", arguments={"n": 2}, told=lambda *step: told.append(step)
    )
    assert found is not None
    assert (found.state, found.error, found.result) == ("done", "", {"sum": 3, "resumed": False})
    assert (found.progress["done"], found.progress["total"], found.progress["message"]) == (1, 2, "step")
    assert told == [(1, 2, "step")]
    assert [one["event"] for one in log_of(tmp_path, found)] == ["run_began", "not_followed", "run_ended"]
    assert [one.job for one in store.run_now(jobs.every) if one.state == "due"] == ["next"]


def test_an_error_with_words_is_kept_with_them_and_any_other_without(store: Store, tmp_path: Path) -> None:
    def explained(context: JobContext) -> Mapping[str, Any]:
        raise JobPaused(job="x")

    def other(context: JobContext) -> Mapping[str, Any]:
        raise ValueError("somebody's words")

    found = run(store, tmp_path, explained)
    assert found.state == "failed"
    assert found.error == f"JobPaused: {JobPaused(job='x').explain('ko')}"
    found = run(store, tmp_path, other)
    assert (found.state, found.error) == ("failed", "ValueError")
    kept = (tmp_path / "jobs" / found.id / LOG).read_text("utf-8")
    assert "somebody" not in kept
    assert "run_broke" in kept
    assert "other" in kept  # where it broke


def test_after_an_error_that_keeps_what_was_done_the_run_is_gone_on_with_a_few_times(
    store: Store, tmp_path: Path
) -> None:
    def work(context: JobContext) -> Mapping[str, Any]:
        raise JobPaused(job="x")

    registry = Registry([JobSpec("small", "작은 작업", "Small", work, kept_after=(JobPaused,))])
    by_hand = Runner(store, registry, registry.rules(60.0), RunnerOptions("me", tmp_path / "jobs", 60.0))
    found = [by_hand.run("small", asked_by="kim") for _ in range(4)]
    assert [one and one.state for one in found] == ["stopped", "stopped", "failed", "stopped"]
    assert len({one and one.id for one in found}) == 2  # the last one begins anew
    assert found[0] is not None
    assert found[0].error.startswith("JobPaused: ")
    assert found[0].until is None  # only when it is asked for again


def test_how_often_a_person_stopped_it_costs_a_run_none_of_its_tries(store: Store, tmp_path: Path) -> None:
    ends = iter(["stop", "stop", "error", "stop", "error", "stop", "error"])

    def work(context: JobContext) -> Mapping[str, Any]:
        context.progress(1, 2, "step")
        if next(ends) == "stop":
            raise KeyboardInterrupt
        raise JobPaused(job="x")

    registry = Registry([JobSpec("small", "작은 작업", "Small", work, kept_after=(JobPaused,))])
    by_hand = Runner(store, registry, registry.rules(60.0), RunnerOptions("me", tmp_path / "jobs", 60.0))
    found = [by_hand.run("small", asked_by="kim") for _ in range(7)]
    assert [(one.state, one.errors) for one in found if one] == [
        ("stopped", 0), ("stopped", 0), ("stopped", 1), ("stopped", 1), ("stopped", 2), ("stopped", 2), ("failed", 2),
    ]  # fmt: skip
    assert len({one.id for one in found if one}) == 1


def test_a_heartbeat_forgets_none_of_what_is_counted(store: Store, tmp_path: Path) -> None:
    def fails(context: JobContext) -> Mapping[str, Any]:
        raise JobPaused(job="x")

    def beats(context: JobContext) -> Mapping[str, Any]:
        context.progress(3)
        while True:
            now = store.run_now(jobs.get, context.run)
            assert now is not None
            if now.progress.get("done") == 3:
                return {"errors": now.errors}
            time.sleep(0.02)

    for work in (fails, beats):
        registry = Registry([JobSpec("small", "작은 작업", "Small", work, kept_after=(JobPaused,))])
        by_hand = Runner(store, registry, registry.rules(60.0), RunnerOptions("me", tmp_path / "jobs", 1.0))
        found = by_hand.run("small", asked_by="kim")
    assert found is not None
    assert (found.state, found.result, found.attempt) == ("done", {"errors": 1}, 2)


def test_after_an_error_that_passes_by_itself_the_run_waits_again_longer_each_time_and_not_for_ever(
    store: Store, tmp_path: Path
) -> None:
    now = 1000.0

    def work(context: JobContext) -> Mapping[str, Any]:
        raise JobPaused(job="x")

    registry = Registry([JobSpec("small", "작은 작업", "Small", work, waits_after=(JobPaused,))])
    options = RunnerOptions("me", tmp_path / "jobs", 60.0)
    one = Runner(store, registry, registry.rules(60.0), options, clock=lambda: now)
    asked = store.run_now(jobs.ask, "small", by=jobs.CHANGE, now=now)
    waits = []
    while True:
        found = one.run("small")
        assert found is not None
        assert found.id == asked.id
        assert found.error.startswith("JobPaused: ")
        if found.state != "due":
            break
        assert one.run("small") is None, "it is not yet time"
        waits.append(found.due_at - now)
        now = found.due_at
    assert found.state == "failed"
    assert waits[:7] == [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0]
    assert len(waits) == 24


def test_at_a_terminal_it_fails_at_once(store: Store, tmp_path: Path) -> None:
    def work(context: JobContext) -> Mapping[str, Any]:
        raise JobPaused(job="x")

    registry = Registry([JobSpec("small", "작은 작업", "Small", work, waits_after=(JobPaused,))])
    by_hand = Runner(store, registry, registry.rules(60.0), RunnerOptions("me", tmp_path / "jobs", 60.0))
    found = by_hand.run("small", asked_by="kim")
    assert found is not None
    assert found.state == "failed"


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_run_that_is_asked_to_stop_is_stopped_and_goes_on_in_its_folder(
    store: Store, tmp_path: Path, goes_on: bool
) -> None:
    seen: list[tuple[str, bool]] = []

    def work(context: JobContext) -> Mapping[str, Any]:
        seen.append((context.folder.name, context.resumed))
        if len(seen) == 1:
            one.stop(goes_on=goes_on)
            assert context.stop_requested()
        context.check()
        return {}

    one = runner(store, tmp_path, work)
    found = one.run("small", asked_by="kim")
    assert found is not None
    assert (found.state, found.until is not None) == ("stopped", goes_on)
    again = runner(store, tmp_path, work).run("small", asked_by="" if goes_on else "lee")
    assert again is not None
    assert (again.id, again.state, again.attempt) == (found.id, "done", 2)
    assert seen == [(found.id, False), (found.id, True)]


def test_an_interrupted_job_that_cannot_be_gone_on_with_ends_there(store: Store, tmp_path: Path) -> None:
    def work(context: JobContext) -> Mapping[str, Any]:
        raise KeyboardInterrupt

    found = run(store, tmp_path, work, resumable=False)
    assert (found.state, found.until) == ("stopped", None)


def test_a_job_hears_of_a_pause_by_its_heartbeat(store: Store, tmp_path: Path) -> None:
    def work(context: JobContext) -> Mapping[str, Any]:
        context.progress(1, None, "waiting")
        store.run_now(jobs.switch, "small", True, by="lee", now=0.0)
        wait = threading.Event()
        while not wait.wait(0.02):
            context.check()
        return {}

    found = run(store, tmp_path, work, lease=1.0)
    assert (found.state, found.until is not None) == ("stopped", True)
    assert runner(store, tmp_path, work).run("small") is None
    assert found.progress["message"] == "waiting"


def test_a_run_that_a_person_stops_ends_and_waits_to_be_asked_for_again(store: Store, tmp_path: Path) -> None:
    def work(context: JobContext) -> Mapping[str, Any]:
        assert store.run_now(job_stops.stop, context.run, by="web:kim", now=time.time()) is not None
        while True:
            context.check()
            time.sleep(0.02)

    one = runner(store, tmp_path, work, lease=1.2)
    found = one.run("small", asked_by="kim")
    assert found is not None
    assert (found.state, found.until) == ("stopped", None)
    rules = Registry([JobSpec("small", "작은 작업", "Small", work)]).rules(60.0)
    assert store.run_now(jobs.ready, rules, ["small"], now=time.time()) == []
    assert not store.run_now(job_stops.is_asked, found.id)
    again = runner(store, tmp_path, lambda context: {"resumed": context.resumed}).run("small", asked_by="kim")
    assert again is not None
    assert (again.id, again.result) == (found.id, {"resumed": True})


def test_a_long_run_keeps_its_claim_beyond_the_lease(store: Store, tmp_path: Path) -> None:
    def work(context: JobContext) -> Mapping[str, Any]:
        first = store.run_now(jobs.get, context.run)
        assert first is not None
        assert first.until is not None
        wait = threading.Event()
        while True:  # until the lease that it began with is long over
            now = store.run_now(jobs.get, context.run)
            assert now is not None
            assert now.until is not None
            if now.until > first.until + 2.0:
                return {"until": now.until}
            wait.wait(0.02)

    assert run(store, tmp_path, work, lease=1.0).state == "done"


def test_who_lost_the_claim_stops_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    left = threading.Event()

    def work(context: JobContext) -> Mapping[str, Any]:
        # As if this process had slept and another one had taken over.
        rules = Registry([JobSpec("small", "", "", work)]).rules(60.0)
        later = store.run_now(jobs.claim, "small", "other", rules, now=4e9, lease=60.0)
        assert later is not None
        assert later.attempt == 2
        wait = threading.Event()
        while not wait.wait(0.02):
            context.check()
        return {"wrong": True}

    found = run(store, tmp_path, work, lease=3.0, leave=left.set)
    assert (found.state, found.owner, found.result) == ("running", "other", {})
    assert "claim_lost" in (tmp_path / "jobs" / found.id / LOG).read_text("utf-8")


def test_a_process_that_cannot_renew_leaves_before_its_lease_ends(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, heard = threading.Event(), threading.Event()
    whole = Store.run_now

    def without_heartbeats(self: Store, work: Any, *args: Any, **kwargs: Any) -> Any:
        if work is jobs.renew:
            raise StoreError(where="db", reason="gone")
        return whole(self, work, *args, **kwargs)

    monkeypatch.setattr(Store, "run_now", without_heartbeats)

    def work(context: JobContext) -> Mapping[str, Any]:
        assert left.wait(60)
        if context.stop_requested():
            heard.set()
        raise JobStopped

    run(store, tmp_path, work, lease=2.0, leave=left.set)
    assert heard.is_set()


def test_nothing_leaves_the_process_after_a_run_is_over(store: Store, tmp_path: Path) -> None:
    left = threading.Event()
    rules = Registry([JobSpec("small", "작은 작업", "Small", lambda context: {})]).rules(60.0)
    claimed = store.run_now(jobs.claim, "small", "me", rules, now=time.time(), lease=1.0, asked_by="kim")
    assert claimed is not None
    holding = _Holding(store, claimed, 1.0, time.time, threading.Event(), left.set)

    class Late(threading.Event):
        """The heartbeat has just seen that the run goes on when it ends."""

        def is_set(self) -> bool:
            seen = super().is_set()
            if threading.current_thread() is holding._thread:
                self.wait(10)
                time.sleep(0.2)
            return seen

    holding._ended = Late()
    with holding:
        time.sleep(0.5)  # a heartbeat later
    assert not left.wait(2)


def test_a_job_runs_without_a_clock_or_a_store(tmp_path: Path) -> None:
    def work(context: JobContext) -> Mapping[str, Any]:
        context.progress(1)
        context.check()
        return {"folder": context.folder.name, **context.arguments}

    assert work(JobContext("by-hand", tmp_path, {"a": 1})) == {"folder": tmp_path.name, "a": 1}
