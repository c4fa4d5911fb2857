"""Runs of jobs on both databases: one row per time, one runner per run, nothing lost. Times are small numbers."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.store import facts, job_clock, job_stops, jobs
from bot.store.database import Store, open_store
from bot.store.job_rows import Run
from bot.store.jobs import Rules

RULES = Rules(
    groups={
        "read": frozenset({"read"}),
        "tune": frozenset({"tune", "gate"}),
        "gate": frozenset({"tune", "gate"}),
        "once": frozenset({"once"}),
    },
    resumable=frozenset({"read", "tune", "gate"}),
    grace=60.0,
)
LEASE = 10.0


def hourly(after: float, until: float) -> list[float]:
    """Every 3600 s."""
    return [3600.0 * n for n in range(1, 100) if after < 3600.0 * n <= until]


def fire(store: Store, now: float, job: str = "read", schedule: str = "hourly") -> float:
    return store.run_now(job_clock.fire, job, schedule, hourly, now=now, grace=RULES.grace)


def claim(store: Store, job: str = "read", owner: str = "a", now: float = 0.0, **more: Any) -> Run | None:
    return store.run_now(jobs.claim, job, owner, RULES, now=now, lease=LEASE, **more)


def held(store: Store, job: str = "read", owner: str = "a", now: float = 0.0, **more: Any) -> Run:
    run = claim(store, job, owner, now, **more)
    assert run is not None
    return run


def ready(store: Store, now: float, *names: str) -> list[str]:
    return store.run_now(jobs.ready, RULES, names or tuple(RULES.groups), now=now)


def states(store: Store, job: str | None = None) -> list[tuple[str, float]]:
    return [(run.state, run.due_at) for run in store.run_now(jobs.every, job)]


# -- the clock ------------------------------------------------------------------------------------------------------------


def test_a_time_becomes_one_due_row_however_often_and_wherever_it_is_looked_after(store: Store) -> None:
    assert fire(store, 100.0) == 100.0  # begins now: what was before the first look is nobody's miss
    assert states(store) == []
    assert fire(store, 3599.0) == 100.0
    for now in (3600.0, 3601.0, 3590.0, 3640.0):  # also when the machine's clock is set back
        assert fire(store, now) == 3600.0
    assert states(store) == [("due", 3600.0)]
    run = held(store, now=3605.0)
    assert (run.asked_by, run.attempt, run.started_at) == ("clock", 1, 3605.0)
    assert fire(store, 3650.0) == 3600.0
    assert states(store) == [("running", 3600.0)]


def test_times_that_passed_while_nothing_ran_are_one_late_run_within_the_grace_time_else_one_missed(
    store: Store,
) -> None:
    fire(store, 100.0)
    fire(store, 5 * 3600.0 + 30.0)
    assert states(store) == [("due", 5 * 3600.0)]
    held_run = held(store, now=5 * 3600.0 + 40.0)
    store.run_now(jobs.finish, held_run, "done", now=5 * 3600.0 + 50.0, progress={})
    fire(store, 9 * 3600.0 + 61.0)
    assert states(store) == [("done", 5 * 3600.0), ("missed", 9 * 3600.0)]
    missed = store.run_now(jobs.every)[-1]
    assert missed.result == {"missed": 4}
    assert claim(store, now=9 * 3600.0 + 70.0) is None


def test_a_time_that_comes_while_the_one_before_still_waits_is_the_same_run(store: Store) -> None:
    fire(store, 100.0)
    fire(store, 3600.0)
    fire(store, 7200.0)
    assert states(store) == [("due", 7200.0)]


def test_a_due_run_that_waited_beyond_the_grace_time_is_missed_but_not_one_that_somebody_asked_for(
    store: Store,
) -> None:
    fire(store, 100.0)
    fire(store, 3600.0)
    store.run_now(jobs.ask, "gate", by="kim", now=3600.0)
    assert ready(store, 3660.0) == ["read", "gate"]
    assert ready(store, 3661.0) == ["gate"]
    assert states(store, "read") == [("missed", 3600.0)]
    assert states(store, "gate") == [("due", 3600.0)]


def test_a_changed_schedule_begins_now(store: Store) -> None:
    fire(store, 100.0)
    assert fire(store, 9000.0, schedule="other") == 9000.0
    assert states(store) == []


def half_past(after: float, until: float) -> list[float]:
    """Half an hour after each of `hourly`."""
    return [at + 1800.0 for at in hourly(after - 1800.0, until - 1800.0)]


def fire_other(store: Store, now: float) -> float:
    return store.run_now(job_clock.fire, "read", "half past", half_past, now=now, grace=RULES.grace)


def test_a_job_runs_by_the_schedules_of_both_where_two_services_disagree(store: Store) -> None:
    ran = []
    for now in range(300, 3 * 3600, 300):  # both look after it all the time
        for service in (fire, fire_other):
            service(store, float(now))
        if (run := claim(store, now=float(now))) is not None:
            ran.append(run.due_at)
            store.run_now(jobs.finish, run, "done", now=float(now), progress={})
    assert ran == [1800.0 * n for n in range(2, 6)]  # the first half hour is half past of no hour
    assert {state for state, _ in states(store)} == {"done"}


def test_what_another_schedule_stood_for_is_not_made_up_for_when_the_first_one_is_back(store: Store) -> None:
    fire(store, 100.0)
    fire_other(store, 3 * 3600.0 + 60.0)
    fire_other(store, 5 * 3600.0 + 1801.0)
    assert states(store) == [("due", 5 * 3600.0 + 1800.0)]
    assert fire(store, 5 * 3600.0 + 3000.0) == 5 * 3600.0
    assert states(store) == [("due", 5 * 3600.0 + 1800.0)]
    fire(store, 6 * 3600.0)
    assert states(store) == [("due", 6 * 3600.0)]


def test_what_was_kept_when_a_job_had_one_schedule_still_counts(store: Store) -> None:
    store.run_now(facts.put, "clock:read", json.dumps({"schedule": "hourly", "at": 3600.0}))
    assert store.run_now(job_clock.looked_after, "read", "hourly") == 3600.0
    assert store.run_now(job_clock.looked_after, "read", "half past") is None
    assert fire_other(store, 7000.0) == 7000.0
    fire(store, 7200.0)
    assert states(store) == [("due", 7200.0)]


def test_no_more_schedules_are_remembered_than_services_have(store: Store) -> None:
    for number in range(20):
        fire(store, 100.0 + number, schedule=f"s{number}")
    known = [n for n in range(20) if store.run_now(job_clock.looked_after, "read", f"s{n}") is not None]
    assert known == [16, 17, 18, 19]


def test_a_schedule_that_was_looked_after_by_a_clock_far_ahead_goes_on(store: Store) -> None:
    fire(store, 100.0)
    fire(store, 50 * 3600.0)
    assert fire(store, 3600.0) == 3600.0  # the clock was set right
    fire(store, 2 * 3600.0)
    assert ("due", 2 * 3600.0) in states(store)


def test_a_paused_job_gets_no_rows_and_starts_no_run(store: Store) -> None:
    fire(store, 100.0)
    store.run_now(jobs.ask, "read", by="kim", now=200.0)
    store.run_now(jobs.switch, "read", True, by="kim", now=300.0)
    assert ready(store, 400.0) == []
    assert claim(store, now=400.0) is None
    assert claim(store, now=400.0, asked_by="kim") is None
    fire(store, 3600.0)
    assert states(store) == [("due", 200.0)]
    store.run_now(jobs.switch, "read", False, by="kim", now=3601.0)
    fire(store, 3602.0)  # the time that passed meanwhile is not made up for
    assert states(store) == [("due", 200.0)]
    assert ready(store, 3602.0) == ["read"]


# -- one runner per run ---------------------------------------------------------------------------------------------------


def test_of_many_that_race_for_one_run_one_gets_it(url: str, tmp_path: Path) -> None:
    stores = [open_store(url, tmp_path) for _ in range(6)]
    try:
        stores[0].run_now(jobs.ask, "read", by="kim", now=0.0)
        got: list[Run] = []
        start = threading.Barrier(len(stores))

        def race(number: int) -> None:
            start.wait(30)
            for job in ("read", "read"):
                run = claim(stores[number], job, f"p{number}", 1.0)
                got.extend([run] if run else [])

        threads = [threading.Thread(target=race, args=(number,)) for number in range(len(stores))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(got) == 1
        assert states(stores[0]) == [("running", 0.0)]
    finally:
        for one in stores:
            one.close()


def test_two_clocks_and_two_jobs_of_one_group_racing_leave_one_row_and_one_run(url: str, tmp_path: Path) -> None:
    stores = [open_store(url, tmp_path) for _ in range(4)]
    try:
        fire(stores[0], 100.0)
        start = threading.Barrier(len(stores))
        got: list[str] = []

        def race(number: int) -> None:
            start.wait(30)
            fire(stores[number], 3600.0)
            run = claim(stores[number], ("tune", "gate")[number % 2], f"p{number}", 3600.0, asked_by="kim")
            got.extend([run.job] if run else [])

        threads = [threading.Thread(target=race, args=(number,)) for number in range(len(stores))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert states(stores[0], "read") == [("due", 3600.0)]
        assert len(got) == 1
        assert [run.state for run in stores[0].run_now(jobs.every) if run.job != "read"] == ["running"]
    finally:
        for one in stores:
            one.close()


def test_jobs_of_one_group_wait_for_each_other_and_others_do_not(store: Store) -> None:
    held(store, "tune", now=0.0, asked_by="kim")
    store.run_now(jobs.ask, "gate", by="kim", now=1.0)
    store.run_now(jobs.ask, "read", by="kim", now=1.0)
    assert ready(store, 2.0) == ["read"]
    assert claim(store, "gate", "b", 2.0) is None
    busy = store.run_now(jobs.running, RULES.groups["gate"], now=2.0)
    assert busy is not None
    assert (busy.job, busy.owner) == ("tune", "a")
    assert held(store, "read", "b", 2.0).owner == "b"


def test_a_job_that_is_always_due_lets_the_others_of_its_group_have_their_turn(store: Store) -> None:
    store.run_now(jobs.ask, "gate", by="kim", now=1.0)
    store.run_now(jobs.ask, "tune", by="kim", now=2.0)
    assert ready(store, 3.0, "tune", "gate") == ["gate", "tune"]


def test_asking_by_hand_while_it_runs_leaves_no_row_behind(store: Store) -> None:
    held(store, now=0.0, asked_by="kim")
    assert claim(store, owner="b", now=1.0, asked_by="lee") is None
    assert states(store) == [("running", 0.0)]


def test_asking_twice_is_one_run_unless_the_arguments_differ(store: Store) -> None:
    first = store.run_now(jobs.ask, "read", by="kim", now=0.0)
    assert store.run_now(jobs.ask, "read", by="lee", now=1.0).id == first.id
    other = store.run_now(jobs.ask, "read", by="lee", now=2.0, arguments={"full": True})
    assert other.id != first.id
    assert held(store, now=3.0, asked_by="lee", arguments={"full": True}).id == other.id


# -- what is left is gone on with ------------------------------------------------------------------------------------------


def test_a_dead_processs_run_is_taken_over_when_its_lease_ends_and_the_dead_one_can_write_nothing(store: Store) -> None:
    dead = held(store, now=0.0, asked_by="kim")
    assert store.run_now(jobs.renew, dead, {"done": 1}, now=5.0, lease=LEASE) == "held"
    assert ready(store, 14.9) == []
    assert claim(store, owner="b", now=14.9) is None
    assert ready(store, 15.0) == ["read"]
    taken = held(store, owner="b", now=15.0)
    assert (taken.id, taken.attempt, taken.deaths, taken.started_at) == (dead.id, 2, 1, 0.0)
    assert taken.progress["done"] == 1
    assert store.run_now(jobs.renew, dead, {}, now=16.0, lease=LEASE) == "lost"
    assert not store.run_now(jobs.finish, dead, "done", now=16.0, progress={}, result={"wrong": 1})
    assert store.run_now(jobs.finish, taken, "done", now=17.0, progress={"done": 2}, result={"right": 1})
    over = store.run_now(jobs.get, dead.id)
    assert over is not None
    assert (over.state, over.result, over.ended_at) == ("done", {"right": 1}, 17.0)
    assert not store.run_now(jobs.finish, taken, "failed", now=18.0, progress={})
    assert ready(store, 100.0) == []


def test_the_same_owner_that_claims_anew_is_another_holder(store: Store) -> None:
    before = held(store, now=0.0, asked_by="kim")
    again = held(store, owner="a", now=20.0)
    assert again.id == before.id
    assert store.run_now(jobs.renew, before, {}, now=21.0, lease=LEASE) == "lost"
    assert store.run_now(jobs.renew, again, {}, now=21.0, lease=LEASE) == "held"


def test_a_run_that_cannot_be_gone_on_with_is_failed_when_its_process_died(store: Store) -> None:
    dead = held(store, "once", now=0.0, asked_by="kim")
    assert ready(store, 10.0) == []
    over = store.run_now(jobs.get, dead.id)
    assert over is not None
    assert (over.state, over.error, over.ended_at) == ("failed", jobs.DIED, 10.0)
    assert claim(store, "once", "b", 11.0) is None


def test_a_run_on_which_three_processes_died_is_failed(store: Store) -> None:
    held(store, now=0.0, asked_by="kim")
    for number in (1, 2):
        assert held(store, owner=f"p{number}", now=number * 20.0).deaths == number
    assert ready(store, 100.0) == []
    (over,) = store.run_now(jobs.every)
    assert (over.state, over.error, over.attempt) == ("failed", jobs.DIED, 3)


def test_a_service_that_stops_leaves_its_run_to_the_next_and_nobodys_death_is_counted(store: Store) -> None:
    run = held(store, now=0.0, asked_by="kim")
    assert store.run_now(jobs.finish, run, "stopped", now=5.0, progress={"done": 3}, goes_on=True)
    assert ready(store, 5.0) == ["read"]
    again = held(store, owner="b", now=6.0)
    assert (again.id, again.attempt, again.deaths, again.progress["done"]) == (run.id, 2, 0, 3)
    assert again.ended_at is None


@pytest.mark.parametrize("asked_by", ["", "lee"])
def test_what_a_person_stopped_waits_until_the_job_is_due_or_asked_for_and_then_goes_on(
    store: Store, asked_by: str
) -> None:
    run = held(store, now=0.0, asked_by="kim")
    store.run_now(jobs.finish, run, "stopped", now=5.0, progress={})
    assert ready(store, 6.0) == []
    if not asked_by:
        store.run_now(jobs.ask, "read", by=jobs.CLOCK, now=7.0)
    again = held(store, owner="b", now=8.0, asked_by=asked_by)
    assert (again.id, again.attempt) == (run.id, 2)
    assert len(states(store)) == 1  # the due row is the same run now


def test_a_stopped_run_is_not_gone_on_with_after_another_one_was_done(store: Store) -> None:
    old = held(store, now=0.0, asked_by="kim", arguments={"full": True})
    store.run_now(jobs.finish, old, "stopped", now=1.0, progress={})
    between = held(store, now=2.0, asked_by="kim")
    assert between.id != old.id  # it was about something else
    store.run_now(jobs.finish, between, "done", now=3.0, progress={})
    fresh = held(store, now=4.0, asked_by="kim", arguments={"full": True})
    assert fresh.id not in (old.id, between.id)


def test_a_pause_tells_the_running_job_which_goes_on_when_resumed(store: Store) -> None:
    run = held(store, now=0.0, asked_by="kim")
    store.run_now(jobs.switch, "read", True, by="lee", now=1.0)
    assert store.run_now(jobs.renew, run, {}, now=2.0, lease=LEASE) == "paused"
    store.run_now(jobs.finish, run, "stopped", now=3.0, progress={}, goes_on=True)
    assert ready(store, 4.0) == []
    store.run_now(jobs.switch, "read", False, by="lee", now=5.0)
    assert ready(store, 6.0) == ["read"]


def ready_while_off(store: Store, now: float) -> list[str]:
    return store.run_now(jobs.ready, RULES, [], now=now, on_request=["tune", "once"])


@pytest.mark.parametrize(("by", "goes_on"), [("web:kim", True), (jobs.CLOCK, False), ("job:examples", False)])
@pytest.mark.parametrize("left", ["killed", "service stopped", "paused"])
def test_what_a_person_asked_for_is_gone_on_with_though_the_job_is_off(
    store: Store, left: str, by: str, goes_on: bool
) -> None:
    store.run_now(jobs.ask, "tune", by=by, now=0.0)
    run = held(store, "tune")
    assert ready_while_off(store, 9.0) == []  # its process holds it
    if left != "killed":
        store.run_now(jobs.finish, run, "stopped", now=10.0, progress={}, goes_on=True)
    if left == "paused":
        store.run_now(jobs.switch, "tune", True, by="lee", now=10.0)
        assert ready_while_off(store, 10.0) == []
        store.run_now(jobs.switch, "tune", False, by="lee", now=10.0)
    assert ready_while_off(store, 10.0) == (["tune"] if goes_on else [])
    assert held(store, "tune", "b", 10.0).id == run.id


@pytest.mark.parametrize("stopped", ["at the terminal", "while it ran", "after its process died"])
def test_what_a_person_stopped_stays_stopped_while_the_job_is_off(store: Store, stopped: str) -> None:
    run = held(store, "tune", asked_by="kim")
    if stopped == "at the terminal":
        store.run_now(jobs.finish, run, "stopped", now=5.0, progress={})
    else:  # in the first case its process dies before it hears of it
        store.run_now(job_stops.stop, run.id, by="lee", now=5.0 if stopped == "while it ran" else 15.0)
    assert ready_while_off(store, 20.0) == []
    assert [state for state, _ in states(store)] == ["stopped"]


def test_a_run_that_cannot_be_gone_on_with_is_not_though_a_person_asked_for_it(store: Store) -> None:
    held(store, "once", asked_by="kim")
    assert ready_while_off(store, 10.0) == []
    assert [state for state, _ in states(store)] == ["failed"]


def test_a_run_of_the_clock_that_a_person_asked_to_go_on_is_theirs_from_then_on(store: Store) -> None:
    store.run_now(jobs.ask, "tune", by=jobs.CLOCK, now=0.0)
    run = held(store, "tune")
    store.run_now(jobs.ask, "tune", by="kim", now=10.0)
    assert held(store, "tune", "b", 10.0).id == run.id
    assert ready_while_off(store, 20.0) == ["tune"]


# -- what follows ---------------------------------------------------------------------------------------------------------


def test_the_jobs_that_a_run_asks_for_become_due_with_its_end_or_not_at_all(store: Store) -> None:
    run = held(store, now=0.0, asked_by="kim")
    lost = replace(run, attempt=9)
    assert not store.run_now(jobs.finish, lost, "done", now=1.0, progress={}, then=("tune",))
    assert states(store, "tune") == []
    assert store.run_now(jobs.finish, run, "done", now=2.0, progress={}, then=("tune",))
    (follow,) = store.run_now(jobs.every, "tune")
    assert (follow.state, follow.asked_by, follow.due_at) == ("due", "job:read", 2.0)
    assert store.run_now(jobs.last_done, "tune") == 2.0
    assert store.run_now(jobs.last_done, "gate") is None


@pytest.mark.parametrize(
    ("state", "goes_on", "counts"),
    [("done", False, True), ("stopped", True, True), ("stopped", False, False), ("failed", False, False)],
)
def test_only_what_succeeded_or_still_may_counts_as_done(
    store: Store, state: Literal["done", "failed", "stopped"], goes_on: bool, counts: bool
) -> None:
    run = held(store, now=1.0, asked_by="kim")
    assert store.run_now(jobs.last_done, "read") == 1.0  # it runs
    store.run_now(jobs.finish, run, state, now=2.0, progress={}, goes_on=goes_on)
    assert store.run_now(jobs.last_done, "read") == (1.0 if counts else None)


def test_only_what_is_over_can_be_forgotten(store: Store) -> None:
    run = held(store, now=0.0, asked_by="kim")
    store.run_now(jobs.forget, [run.id])
    assert states(store) == [("running", 0.0)]
    store.run_now(jobs.finish, run, "done", now=1.0, progress={})
    store.run_now(jobs.forget, [run.id])
    assert states(store) == []


def test_the_newest_run_is_the_one_last_worked_on(store: Store) -> None:
    assert store.run_now(jobs.newest) is None
    run = held(store, now=5.0, asked_by="kim")
    store.run_now(jobs.ask, "tune", by="kim", now=9.0)
    newest = store.run_now(jobs.newest)
    assert newest is not None
    assert newest.id == run.id


# -- what waits again -----------------------------------------------------------------------------------------------------


def postpone(store: Store, run: Run, now: float, due_at: float) -> bool:
    later = {"now": now, "due_at": due_at, "progress": {"done": 1}, "error": "Busy: words"}
    return store.run_now(lambda connection: jobs.postpone(connection, run, **later))


def test_a_postponed_run_waits_until_its_time_and_is_the_same_run_then(store: Store) -> None:
    store.run_now(jobs.ask, "read", by=jobs.CHANGE, now=0.0, arguments={"a": 1})
    run = held(store)
    assert postpone(store, run, 5.0, 65.0)
    assert ready(store, 64.0) == []
    assert claim(store, now=64.0) is None
    (waiting,) = store.run_now(jobs.every, "read")
    assert (waiting.state, waiting.due_at, waiting.started_at, waiting.error) == ("due", 65.0, None, "Busy: words")
    assert ready(store, 65.0) == ["read"]
    again = held(store, now=65.0, owner="b")
    assert (again.id, again.attempt, again.asked_by, again.arguments) == (run.id, 2, jobs.CHANGE, {"a": 1})
    assert (again.started_at, again.error) == (65.0, "")
    assert not postpone(store, run, 66.0, 99.0), "its claim went to b"


def test_a_postponed_run_of_a_job_that_is_off_is_ready_again_for_who_asked(store: Store) -> None:
    store.run_now(jobs.ask, "read", by="kim", now=0.0)
    postpone(store, held(store), 5.0, 65.0)
    assert store.run_now(jobs.ready, RULES, [], now=64.0, on_request=["read"]) == []
    assert store.run_now(jobs.ready, RULES, [], now=65.0, on_request=["read"]) == ["read"]


def test_what_came_to_wait_for_the_same_is_merged_and_a_person_waits_for_it_from_then_on(store: Store) -> None:
    fire(store, 0.0)
    fire(store, 3600.0)
    run = held(store, now=3600.0)
    assert run.asked_by == jobs.CLOCK
    store.run_now(jobs.ask, "read", by="kim", now=3601.0)
    other = store.run_now(jobs.ask, "read", by="kim", now=3601.0, arguments={"full": True})
    postpone(store, run, 3602.0, 3662.0)
    found = {one.id: one.asked_by for one in store.run_now(jobs.every, "read")}
    assert found == {run.id: "kim", other.id: "kim"}


def test_who_asks_for_a_postponed_run_does_not_wait_but_one_more_change_does(store: Store) -> None:
    store.run_now(jobs.ask, "read", by=jobs.CHANGE, now=0.0)
    postpone(store, held(store), 5.0, 65.0)
    store.run_now(jobs.ask, "read", by=jobs.CHANGE, now=6.0)
    assert states(store) == [("due", 65.0)]
    assert store.run_now(jobs.ask, "read", by="kim", now=7.0).due_at == 7.0
    assert states(store) == [("due", 7.0)]


def test_a_run_that_was_told_to_stop_is_not_postponed(store: Store) -> None:
    store.run_now(jobs.ask, "read", by="kim", now=0.0)
    run = held(store)
    store.run_now(job_stops.stop, run.id, by="lee", now=1.0)
    assert postpone(store, run, 2.0, 65.0)
    assert [state for state, _ in states(store)] == ["stopped"]
    assert ready(store, 99.0) == []
