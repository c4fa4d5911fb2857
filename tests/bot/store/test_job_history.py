"""Runs of jobs as the console shows them, and a person's wish that one of them end."""

from __future__ import annotations

from bot.store import job_history, job_stops, jobs
from bot.store.cursor import Cursor
from bot.store.database import Store
from bot.store.job_rows import Run

RULES = jobs.Rules({"a": {"a"}, "b": {"b"}}, {"a", "b"}, 3600.0)


def ran(store: Store, job: str, at: float, *, by: str = "clock", state: str = "done") -> Run:
    store.run_now(jobs.ask, job, by=by, now=at)
    run = store.run_now(jobs.claim, job, "me", RULES, now=at + 1, lease=60.0)
    assert run is not None
    assert store.run_now(lambda connection: jobs.finish(connection, run, state, now=at + 2, progress={}))  # type: ignore[arg-type]
    return run


def test_the_history_pages_by_key_and_misses_nothing_while_runs_come_in(store: Store) -> None:
    made = [ran(store, "a" if n % 2 else "b", 1000.0 + n // 2).id for n in range(9)]
    seen: list[str] = []
    before = None
    while found := store.run_now(job_history.page, before=before, most=2):
        seen += [one.id for one in found]
        before = Cursor(found[-1].due_at, found[-1].id)
        ran(store, "a", 5000.0 + len(seen))
    assert sorted(seen) == sorted(made)
    assert len(set(seen)) == len(seen)


def test_the_history_is_filtered(store: Store) -> None:
    ran(store, "a", 1000.0)
    ran(store, "a", 1010.0, by="web:kim", state="failed")
    ran(store, "b", 1020.0, by="web:_im")
    page = job_history.page
    assert [one.job for one in store.run_now(page, job="b")] == ["b"]
    assert [one.asked_by for one in store.run_now(page, state="failed")] == ["web:kim"]
    assert [one.asked_by for one in store.run_now(page, by="web:")] == ["web:_im", "web:kim"]
    assert [one.asked_by for one in store.run_now(page, by="clock")] == ["clock"]
    assert store.run_now(job_history.count) == 3


def test_how_jobs_stand(store: Store) -> None:
    first = ran(store, "a", 1000.0)
    waiting = store.run_now(jobs.ask, "a", by="web:kim", now=2000.0)
    store.run_now(jobs.switch, "b", True, by="web:kim", now=2000.0)
    now = store.run_now(job_history.now_of, ["a", "b"])
    assert now.paused == {"b"}
    assert now.last["a"].id == first.id  # not the one that waits
    assert "b" not in now.last
    assert [one.id for one in now.active] == [waiting.id]
    assert [one.id for one in store.run_now(job_history.last_of, ["a"])] == [first.id]


def test_what_waits_is_given_up_at_once(store: Store) -> None:
    waiting = store.run_now(jobs.ask, "a", by="web:kim", now=1000.0)
    assert store.run_now(job_stops.stop, waiting.id, by="web:kim", now=1001.0) is not None
    found = store.run_now(jobs.get, waiting.id)
    assert found is not None
    assert found.state == "stopped"
    assert store.run_now(jobs.ready, RULES, ["a"], now=1002.0) == []
    assert store.run_now(job_stops.stop, waiting.id, by="web:kim", now=1003.0) is None
    assert store.run_now(job_stops.stop, "nothing", by="web:kim", now=1003.0) is None


def test_what_runs_hears_of_it_by_its_heartbeat(store: Store) -> None:
    store.run_now(jobs.ask, "a", by="clock", now=1000.0)
    run = store.run_now(jobs.claim, "a", "me", RULES, now=1000.0, lease=60.0)
    assert run is not None
    assert store.run_now(jobs.renew, run, {}, now=1001.0, lease=60.0) == "held"
    store.run_now(job_stops.stop, run.id, by="web:kim", now=1001.0)
    assert store.run_now(job_history.now_of, ["a"]).stopping == {run.id}
    assert store.run_now(jobs.renew, run, {}, now=1002.0, lease=60.0) == "stopped"


def test_a_run_whose_process_died_before_it_could_stop_is_not_gone_on_with(store: Store) -> None:
    store.run_now(jobs.ask, "a", by="clock", now=1000.0)
    run = store.run_now(jobs.claim, "a", "me", RULES, now=1000.0, lease=60.0)
    assert run is not None
    store.run_now(job_stops.stop, run.id, by="web:kim", now=1001.0)
    assert store.run_now(jobs.ready, RULES, ["a"], now=2000.0) == []
    found = store.run_now(jobs.get, run.id)
    assert found is not None
    assert (found.state, found.until) == ("stopped", None)
    assert store.run_now(job_history.now_of, ["a"]).stopping == frozenset()
