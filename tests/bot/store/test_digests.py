"""Who posts the weekly report, and its numbers, on both databases."""

from __future__ import annotations

from bot.messages import Outcome
from bot.store import digests, gaps
from bot.store.database import Store
from bot.store.digests import Turn
from tests.bot.gaps.rows import DAY, KIM, LEE, NOW, miss, put, thumb
from tests.bot.store.told import tell

WEEK = ("2026-W47", "slack", "C1")


def claim(store: Store, owner: str = "one", now: float = NOW) -> Turn | None:
    return store.run_now(digests.claim, *WEEK, owner=owner, now=now, lease=300.0)


def test_one_of_two_gets_the_turn_and_after_it_is_posted_nobody_does(store: Store) -> None:
    turn = claim(store)
    assert turn is not None
    assert not turn.again
    assert claim(store, "two") is None
    assert not store.run_now(digests.is_posted, *WEEK)
    assert store.run_now(digests.posted, turn, "C1:1.0", now=NOW)
    assert store.run_now(digests.is_posted, *WEEK)
    assert claim(store, "two", NOW + 1e6) is None
    assert claim(store, "one", NOW + 1e6) is None


def test_who_takes_over_from_the_dead_knows_that_it_may_stand_there_and_the_dead_writes_nothing_any_more(
    store: Store,
) -> None:
    dead = claim(store)
    assert dead is not None
    assert claim(store, "two", NOW + 299) is None
    heir = claim(store, "two", NOW + 300)
    assert heir is not None
    assert (heir.again, heir.attempt, heir.first_at) == (True, 2, NOW)
    assert not store.run_now(digests.posted, dead, "C1:1.0", now=NOW + 301)
    assert store.run_now(digests.posted, heir, "C1:2.0", now=NOW + 302)


def test_the_same_run_gone_on_with_takes_over_at_once(store: Store) -> None:
    claim(store)
    again = claim(store, now=NOW + 1)
    assert again is not None
    assert again.again


def test_what_was_given_up_may_be_tried_at_once_by_anybody(store: Store) -> None:
    turn = claim(store)
    assert turn is not None
    store.run_now(digests.give_up, turn, now=NOW + 1)
    second = claim(store, "two", NOW + 1)
    assert second is not None
    assert second.again


def test_weeks_and_places_have_nothing_to_do_with_each_other(store: Store) -> None:
    claim(store)
    for other in (("2026-W48", "slack", "C1"), ("2026-W47", "slack", "C2"), ("2026-W47", "discord", "C1")):
        turn = store.run_now(digests.claim, *other, owner="two", now=NOW, lease=300.0)
        assert turn is not None


def test_numbers_are_of_the_time_asked_for_and_failures_count_for_no_share(store: Store) -> None:
    miss(store, "하나", now=NOW - 2 * DAY)
    thumb(store, miss(store, "둘", LEE, outcome=Outcome.ANSWERED, now=NOW - 3 * DAY), KIM, "up")
    miss(store, "셋", outcome=Outcome.ANSWERED, now=NOW - 3 * DAY)
    miss(store, "넷", outcome=Outcome.FAILED, now=NOW - 3 * DAY)
    miss(store, "옛날", now=NOW - 8 * DAY)
    found = store.run_now(digests.numbers, since=NOW - 7 * DAY, until=NOW)
    assert (found.questions, found.people, found.up, found.down) == (4, 2, 1, 0)
    assert found.answered_share == 2 / 3
    assert store.run_now(digests.numbers, since=NOW, until=NOW + DAY).answered_share is None


def test_what_was_none_and_what_was_turned_away_is_not_in_the_numbers(store: Store) -> None:
    tell(store, NOW - DAY)
    tell(store, NOW - DAY, Outcome.FAILED)
    for aside in ("stopped", "refused"):
        tell(store, NOW - DAY, Outcome.FAILED, person=LEE, aside=aside)
    found = store.run_now(digests.numbers, since=NOW - 7 * DAY, until=NOW)
    assert (found.questions, found.outcomes, found.people) == (2, {"answered": 1, "failed": 1}, 1)


def test_gaps_that_a_page_answered_in_the_time_are_known(store: Store) -> None:
    miss(store, "하나")
    (gap,) = put(store, ["하나"])
    store.run_now(gaps.change, gap, "answered", by=gaps.AUTO, now=NOW, state="answered")
    assert store.run_now(digests.answered_gaps, since=NOW - 1, until=NOW + 1) == [gap]
    assert store.run_now(digests.answered_gaps, since=NOW + 1, until=NOW + 2) == []
