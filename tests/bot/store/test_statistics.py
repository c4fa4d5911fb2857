"""Numbers by day and place on both databases: counted live, counted for good, and the same either way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, delete, func, select

from bot.conversation import Place
from bot.messages import Outcome
from bot.store import days, escalations, facts, schema
from bot.store.database import Store
from bot.store.statistics import Statistics, statistics
from tests.bot.store.told import KIM, LEE, tell, vote

SEOUL = ZoneInfo("Asia/Seoul")
TODAY = dt.date(2026, 11, 26)
NOON = dt.datetime(2026, 11, 26, 12, 0, tzinfo=SEOUL).timestamp()
HOUR, DAY = 3600.0, 86400.0
OTHER = Place("discord", "77", "channel")
DIRECT = Place("slack", "D1", "direct")


def look(store: Store, *, now: float = NOON, span: int = 7, rolled: bool = True) -> Statistics:
    if rolled:
        while store.run_now(days.roll_up, SEOUL, now=now):
            pass
    return store.run_now(statistics, SEOUL, now=now, span=span)


def kept_days(store: Store) -> set[str]:
    def read(connection: Connection) -> Iterator[str]:
        return iter(connection.execute(select(schema.day_numbers.c.day)).scalars().all())

    return set(store.run_now(read))


def fill(store: Store) -> None:
    for n in range(10):
        tell(store, NOON - n * HOUR * 9, seconds=1.0 + n, first_token=0.5)
    tell(store, NOON - 2 * DAY, Outcome.ABSTAINED, place=OTHER, first_token=None)
    tell(store, NOON - 2 * DAY, Outcome.FAILED, place=DIRECT)
    tell(store, NOON - HOUR, None, place=OTHER)
    tell(store, NOON - DAY, up=[KIM], down=[LEE], cost=12.5)


def test_days_are_those_of_the_time_zone(store: Store) -> None:
    midnight = dt.datetime(2026, 11, 26, 0, 0, tzinfo=SEOUL).timestamp()
    tell(store, midnight - 1.0)
    tell(store, midnight)
    tell(store, midnight + 1.0)
    found = dict(look(store).by_day)
    assert found[TODAY].tally.questions == 2
    assert found[TODAY - dt.timedelta(days=1)].tally.questions == 1
    assert len(found) == 7


def test_counted_for_good_or_live_the_numbers_are_the_same(store: Store) -> None:
    fill(store)
    live = look(store, rolled=False)
    assert kept_days(store) == set()
    rolled = look(store)
    assert len(kept_days(store)) > 2
    assert TODAY.isoformat() not in kept_days(store)
    assert rolled == live
    everything = rolled.over(rolled.by_day[0][0], rolled.today)
    assert everything.tally.questions == 14
    assert (everything.tally.answered, everything.tally.abstained, everything.tally.failed) == (11, 1, 1)
    assert everything.tally.open == 1
    assert everything.answered_share == pytest.approx(11 / 13)
    assert (everything.up, everything.down, everything.thumbs_share) == (1, 1, 0.5)
    assert everything.tally.tokens_read == 1200
    assert everything.tally.cost_krw == 12.5
    assert everything.tally.first_token.count == 11
    assert everything.tally.first_token.quantile(0.5) == pytest.approx(0.5, rel=0.5)


def test_what_was_none_and_what_was_turned_away_is_no_question_and_no_failure(store: Store) -> None:
    for at in (NOON - HOUR, NOON - 2 * DAY):
        tell(store, at)
        tell(store, at, Outcome.FAILED)
        tell(store, at, Outcome.FAILED, text="그만", aside="stopped")
        tell(store, at, Outcome.FAILED, place=OTHER, aside="refused")
    tell(store, NOON - 3 * DAY, Outcome.FAILED, aside="stopped")  # a day of nothing else
    live = look(store, rolled=False)
    found = look(store)
    assert found == live
    everything = found.over(found.by_day[0][0], found.today)
    assert (everything.tally.questions, everything.tally.answered, everything.tally.failed) == (4, 2, 2)
    assert [place for place, _ in found.by_place] == [("slack", "C1")]


def test_places_come_with_the_busiest_first_and_direct_messages_have_no_name(store: Store) -> None:
    fill(store)
    found = look(store)
    assert [place for place, _ in found.by_place] == [
        ("slack", "C1"),
        ("discord", "77"),
        ("slack", ""),
    ]


@pytest.mark.parametrize("rolled", [True, False])
def test_one_place_has_its_own_days_thumbs_seconds_and_waiting(store: Store, rolled: bool) -> None:
    fill(store)
    tell(store, NOON - 2 * DAY, seconds=60.0, first_token=9.0, place=OTHER, cost=3.0, up=[KIM], voted_at=NOON - DAY)
    tell(store, NOON - 1.0, None, place=OTHER)
    tell(store, NOON - 1.0, None)
    whole = look(store, rolled=rolled)
    assert whole.waiting == 2
    here = store.run_now(statistics, SEOUL, now=NOON, span=7, where=("discord", "77"))
    assert here.waiting == 1
    assert here.by_place == whole.by_place
    assert [numbers.tally.questions for _, numbers in here.by_day] == [0, 0, 0, 0, 2, 0, 2]
    over = here.over(here.by_day[0][0], here.today)
    assert (over.tally.answered, over.tally.abstained, over.tally.cost_krw, over.up, over.down) == (1, 1, 3.0, 1, 0)
    assert over.tally.first_token.quantile(0.5) == pytest.approx(9.0, rel=0.03)
    place = dict(whole.by_place)["discord", "77"]
    assert place.tally.total_seconds == over.tally.total_seconds
    assert place.tally.total_seconds.quantile(0.9) == pytest.approx(60.0, rel=0.03)
    direct = store.run_now(statistics, SEOUL, now=NOON, span=7, where=("slack", ""))
    assert direct.over(direct.by_day[0][0], direct.today).tally.failed == 1


def test_seconds_that_were_read_are_read_again_once_another_day_is_counted(store: Store) -> None:
    kept = days.KeptSeconds()

    def seconds(now: float) -> float | None:
        while store.run_now(days.roll_up, SEOUL, now=now):
            pass
        found = store.run_now(statistics, SEOUL, now=now, span=7, kept=kept)
        return dict(found.by_place)["slack", "C1"].tally.total_seconds.quantile(1.0)

    tell(store, NOON - DAY, seconds=2.0)
    first = seconds(NOON)
    assert first == pytest.approx(2.0, rel=0.03)
    store.run_now(lambda connection: connection.execute(schema.day_numbers.update().values(total_seconds={})))
    assert seconds(NOON) == first  # a day that is over does not change, so it was not read again
    tell(store, NOON, seconds=40.0)
    assert seconds(NOON + DAY) == pytest.approx(40.0, rel=0.03)


def test_numbers_stay_when_what_was_asked_is_deleted(store: Store) -> None:
    fill(store)
    before = look(store)
    store.run_now(lambda connection: connection.execute(delete(schema.questions)))
    after = look(store)
    today = TODAY - dt.timedelta(days=1)
    assert after.over(after.by_day[0][0], today).tally == before.over(before.by_day[0][0], today).tally
    assert after.over(TODAY, TODAY).tally.questions == 0


def test_a_day_is_not_closed_while_a_question_of_it_is_open_unless_that_was_given_up(store: Store) -> None:
    tell(store, NOON - DAY, None)
    tell(store, NOON - DAY)
    look(store)
    assert kept_days(store) == set()
    look(store, now=NOON + 3 * DAY)
    assert kept_days(store) == {"2026-11-25"}


def test_a_day_that_has_just_ended_is_left_for_an_hour(store: Store) -> None:
    tell(store, NOON)
    midnight = NOON + 12 * HOUR
    look(store, now=midnight + HOUR - 1)
    assert kept_days(store) == set()
    look(store, now=midnight + HOUR)
    assert kept_days(store) == {"2026-11-26"}


def test_an_escalation_later_changes_how_a_counted_day_ended_and_taking_it_back_does_too(store: Store) -> None:
    question = tell(store, NOON - 2 * DAY, Outcome.ABSTAINED)
    day = look(store).by_day[-3][1].tally
    assert (day.abstained, day.escalated) == (1, 0)
    called = store.run_now(escalations.call, f"a{question}", ["U9"], caller=KIM.key, now=NOON)
    assert called is not None
    day = look(store).by_day[-3][1].tally
    assert (day.abstained, day.escalated) == (0, 1)
    store.run_now(escalations.uncall, called)
    day = look(store).by_day[-3][1].tally
    assert (day.abstained, day.escalated) == (1, 0)


def test_a_thumb_counts_on_the_day_it_was_given_and_only_while_it_stands(store: Store) -> None:
    question = tell(store, NOON - 3 * DAY, up=[KIM], voted_at=NOON - DAY)
    found = look(store)
    assert found.by_day[-2][1].up == 1
    assert found.over(found.by_day[0][0], found.today).up == 1
    vote(store, f"a{question}", KIM, None, at=NOON)
    assert look(store).over(found.by_day[0][0], found.today).up == 0


def test_waiting_counts_what_living_processes_work_on(store: Store) -> None:
    tell(store, NOON - 1.0, None)
    assert look(store).waiting == 1
    assert look(store, now=NOON + HOUR).waiting == 0


def test_an_empty_store_has_days_without_anything(store: Store) -> None:
    found = look(store, span=3)
    assert [numbers.tally.questions for _, numbers in found.by_day] == [0, 0, 0]
    assert found.over(found.by_day[0][0], found.today).answered_share is None
    assert found.over(found.by_day[0][0], found.today).thumbs_share is None


def test_a_day_that_goes_on_in_a_time_zone_further_west_is_counted_whole(store: Store) -> None:
    """15:00 UTC is midnight in Seoul: what was asked after it is of the same day in the next zone."""
    west, midnight = ZoneInfo("UTC"), dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC).timestamp()
    tell(store, midnight - HOUR, seconds=2.0)
    tell(store, midnight - HOUR, place=OTHER)
    while store.run_now(days.roll_up, SEOUL, now=midnight + 2 * HOUR):
        pass
    tell(store, midnight + HOUR, Outcome.ABSTAINED, seconds=4.0, cost=1.5)
    tell(store, midnight + HOUR, place=DIRECT)
    live = store.run_now(statistics, west, now=NOON, span=7)
    through = store.run_now(facts.get, days.THROUGH)
    for _ in range(2):  # as another process does that knew of nothing yet
        assert through is not None
        store.run_now(facts.put, days.THROUGH, through)
        while store.run_now(days.roll_up, west, now=NOON):
            pass
    found = store.run_now(statistics, west, now=NOON, span=7)
    assert found == live
    day = dict(found.by_day)[dt.date(2026, 11, 23)].tally
    assert (day.questions, day.answered, day.abstained, day.cost_krw) == (4, 3, 1, 1.5)
    assert day.total_seconds.count == 4


def test_counting_twice_at_once_counts_once(store: Store) -> None:
    fill(store)

    def twice(connection: Connection) -> int:
        days.roll_up(connection, SEOUL, now=NOON)
        connection.execute(delete(schema.facts).where(schema.facts.c.key == days.THROUGH))
        days.roll_up(connection, SEOUL, now=NOON)  # as a second process that read the fact before
        return int(
            connection.execute(
                select(func.sum(schema.day_numbers.c.questions)).where(schema.day_numbers.c.platform == "")
            ).scalar_one()
        )

    by_day = [numbers.tally.questions for _, numbers in look(store, rolled=False).by_day]
    first = next(questions for questions in by_day if questions)
    assert store.run_now(twice) == first
