"""Worse than chance would have it, by enough people and answers: then what answered before comes back, with the figures on record."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import comb
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from bot.conversation import Person, Vote
from bot.errors import RolledBackBefore
from bot.messages import Outcome
from bot.privacy import retention
from bot.privacy_settings import PrivacySettings
from bot.releases.releases import Releases
from bot.releases.significance import fisher
from bot.releases.watch import Watched, WatchRules, judge, last_look, watch
from bot.store import answers, questions, releases, schema, votes
from bot.store.releases import Tally
from tests.bot.releases.conftest import Company
from tests.bot.store.rows import CHANNEL, answer, asked

DAY = 86_400.0
RULES = WatchRules(least_answers=20, least_votes=8, least_people=3)


def exact(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """Two-sided Fisher in whole numbers."""
    total = hits + other_hits
    tables = [comb(of, k) * comb(other_of, total - k) for k in range(total + 1)]
    return float(Fraction(sum(one for one in tables if one <= tables[hits]), sum(tables)))


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_the_probability_is_that_of_whole_numbers(a: int, b: int, c: int, d: int) -> None:
    assert fisher(a, a + b, c, c + d) == pytest.approx(exact(a, a + b, c, c + d), rel=1e-9, abs=1e-12)


def test_the_lady_tasting_tea() -> None:
    """Fisher's own table, three of four right: 34/70 two-sided."""
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)


def test_more_hits_than_cases_are_refused() -> None:
    with pytest.raises(ValueError):
        fisher(3, 2, 0, 2)


def test_large_counts_do_not_overflow() -> None:
    assert 0 < fisher(5_300, 100_000, 5_000, 100_000) < 0.01
    assert fisher(0, 0, 0, 0) == 1.0


def worse(now: Tally, before: Tally) -> list[str]:
    return [rate.measure for rate in judge(now, before, RULES) if rate.worse]


GOOD = Tally(answers=100, abstained=10, up=40, down=2)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Tally(100, 10, up=20, down=20), ["down"]),
        (Tally(100, 45, up=40, down=2), ["abstained"]),
        (Tally(100, 45, up=20, down=20), ["down", "abstained"]),
        (Tally(100, 10, up=40, down=2, ungrounded=30), ["ungrounded"]),
        (Tally(100, 10, up=40, down=3), []),  # chance
        (Tally(10, 9, up=1, down=6), []),  # too little seen
        (Tally(100, 0, up=60, down=0), []),  # better
        (Tally(), []),
    ],
)
def test_only_what_is_clearly_worse_counts(now: Tally, expected: list[str]) -> None:
    assert worse(now, GOOD) == expected
    assert worse(now, Tally()) == []  # nothing to compare with


def test_better_is_never_taken_for_worse() -> None:
    bad = Tally(100, 60, up=10, down=30)
    assert worse(GOOD, bad) == []


@pytest.mark.parametrize(("down", "expected"), [(2, []), (3, ["down"])])
def test_two_people_alone_roll_nothing_back_however_improbable(down: int, expected: list[str]) -> None:
    liked = Tally(100, 10, up=400)
    assert fisher(down, 8, 0, 400) < RULES.level / 2
    assert worse(Tally(100, 10, up=8 - down, down=down), liked) == expected


@pytest.mark.parametrize(("cases", "share"), [(8, 2), (15, 2), (16, 4), (31, 4), (32, 8), (64, 16), (8 * 2**9, 2**10)])
def test_each_doubling_has_half_the_level_of_the_one_before(cases: int, share: int) -> None:
    """So that all of them stay below it."""
    now, before = Tally(up=cases - cases // 4, down=cases // 4), Tally(up=900, down=100)
    p = fisher(now.down, cases, 100, 1000)

    def counts(level: float) -> bool:
        return judge(now, before, replace(RULES, least_people=1, level=level))[0].worse

    assert counts(p * share * 1.01)
    assert not counts(p * share * 0.99)


def _hourly(hours: int, least: int) -> list[int]:
    """How many answers were there at the looks that count, with an answer and a look every hour."""

    def reached(nth: int, now: int) -> float | None:
        return float(nth) if nth <= now else None

    found = {last_look(partial(reached, now=hour), least) for hour in range(1, hours + 1)}
    return sorted(int(at) for at in found if at != float("inf"))


def test_looking_every_hour_for_half_a_year_at_equal_loras_rarely_goes_back() -> None:
    """However long something answers: over all looks together chance has no more than the level."""
    rules, random, companies, hours = WatchRules(level=0.05), Random(1), 200, 182 * 24
    looks = _hourly(hours, rules.least_answers)
    assert looks == [50, 100, 200, 400, 800, 1600, 3200]
    alarms = 0
    for _ in range(companies):
        before = Tally(720, sum(random.random() < 0.15 for _ in range(720)))
        declined = [random.random() < 0.15 for _ in range(hours)]
        alarms += any(rate.worse for n in looks for rate in judge(Tally(n, sum(declined[:n])), before, rules))
    assert alarms / companies < rules.level


_ids = itertools.count()


TEN = tuple(f"U{n}" for n in range(10))


def answered(
    company: Company,
    lora: str,
    count: int,
    *,
    down: int = 0,
    up: int = 0,
    abstained: int = 0,
    people: tuple[str, ...] = TEN,
    quoted: str = "",
) -> None:
    """`count` answers by `lora`, the first ones declined; votes by `people` in turn, first those that are down.

    `quoted`: why these are quotes in place of its words.
    """

    def write(connection: Connection) -> None:
        for n in range(count):
            name = f"w{next(_ids)}"
            _, held = questions.claim(connection, asked(name), owner="p", now=company.now, lease=9.0)
            assert held is not None
            made = replace(answer(Outcome.ABSTAINED if n < abstained else Outcome.ANSWERED), lora=lora)
            if quoted:
                made = replace(made, model="extractive", lora="none", tried_model="m", tried_lora=lora, notes=(quoted,))
            place, now = CHANNEL, company.now
            answers.save(connection, name, held.question_id, made, language="ko", private=False, place=place, now=now)
            if n < down + up:
                vote = Vote(name, Person("slack", people[n % len(people)]), "down" if n < down else "up", via="button")
                votes.cast(connection, vote, now=now)

    company.store.run_now(write)


def look(releases: Releases, rules: WatchRules = RULES) -> Watched:
    return watch(releases, "m", rules)


def test_what_people_like_less_is_rolled_back_with_the_figures_as_reason(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30, up=20)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 30, up=4, down=2)
    assert look(company.releases()).release is None  # not enough yet
    answered(company, second, 20, up=2, down=16)
    seen = look(company.releases())
    assert seen.release is not None
    assert (seen.watched, seen.against, seen.release.lora) == (second, first, first)
    (last,) = company.store.run_now(releases.history, company.releases().base)[-1:]
    assert (last.lora, last.action, last.by) == (first, "watch", "auto")
    assert "8/8" in last.reason  # two of the ten liked one answer and not another
    assert "0/10" in last.reason
    assert look(company.releases()).release is None  # once


def test_one_person_who_votes_often_is_one_voice(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30, up=20)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 20, down=20, people=("U9",))
    answered(company, second, 2, down=2, people=("U7", "U8"))
    answered(company, second, 14, up=14, people=TEN[:7])
    seen = look(company.releases())
    assert seen.release is None
    assert [(rate.now, rate.before) for rate in seen.rates if rate.measure == "down"] == [((3, 10), (0, 10))]


def test_between_two_doublings_a_look_finds_what_the_last_one_found(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 60)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 20)
    company.now = 3000.0
    answered(company, second, 19, abstained=19)
    for _hour in range(3):
        seen = look(company.releases())
        assert seen.release is None
        assert [(rate.now, rate.p) for rate in seen.rates if rate.measure == "abstained"] == [((0, 20), 1.0)]
    answered(company, second, 1, abstained=1)
    seen = look(company.releases())
    assert seen.release is not None
    assert "abstained 20/40 ← 0/60" in seen.release.reason


@pytest.mark.parametrize("why", ["ungrounded", "writer_failed"])
def test_thumbs_on_quotes_in_place_of_a_loras_words_count_against_it(company: Company, why: str) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30, up=20)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 10, down=10, quoted=why)
    seen = look(company.releases())
    assert seen.release is not None
    assert "down 10/10 ← 0/10" in seen.release.reason


def test_a_lora_of_whose_words_nothing_holds_is_rolled_back_without_a_vote(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 28)
    answered(company, first, 2, quoted="ungrounded")
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 8)
    answered(company, second, 12, quoted="ungrounded")
    seen = look(company.releases())
    assert seen.release is not None
    assert seen.release.reason.split(": ")[1].startswith("ungrounded 12/20 ← 2/30")


def test_a_writer_that_broke_off_is_no_reason_to_go_back(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 20, quoted="writer_failed")
    assert look(company.releases()).release is None


def test_where_earlier_quotes_do_not_tell_whose_words_they_replaced_none_count(company: Company) -> None:
    """As after an update: only the answers of today would have any."""
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30)
    answered(company, first, 10, quoted="ungrounded")

    def older(connection: Connection) -> None:
        for row in connection.execute(select(schema.answers)).all():
            kept = {key: value for key, value in row.answer.items() if not key.startswith("tried_")}
            connection.execute(update(schema.answers).where(schema.answers.c.id == row.id).values(answer=kept))

    company.store.run_now(older)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 20)
    answered(company, second, 20, quoted="ungrounded")
    seen = look(company.releases())
    assert seen.release is None
    assert [rate.now for rate in seen.rates if rate.measure == "ungrounded"] == [(0, 20)]


KEPT = replace(RULES, questions_days=90, feedback_days=180)


def ended(company: Company, days: float, rules: WatchRules) -> dict[str, str]:
    """Which measures have, so many days after the release at 2000 s, and why."""
    company.now = 2000.0 + days * DAY
    return {rate.measure: rate.ended for rate in look(company.releases(), rules).rates if rate.ended}


def test_each_measure_ends_before_any_of_its_answers_may_have_been_deleted(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    company.now = 2000.0
    company.promote(second, against=first)
    refusals = dict.fromkeys(("abstained", "ungrounded"), "[privacy] questions_days = 90")
    assert ended(company, 59, KEPT) == {}
    assert ended(company, 61, KEPT) == refusals
    assert ended(company, 149, KEPT) == refusals
    assert ended(company, 151, KEPT) == refusals | {"down": "[privacy] feedback_days = 180"}
    shorter = replace(KEPT, feedback_days=7)  # what is voted on is never deleted before the rest
    assert ended(company, 61, shorter) == refusals | {"down": "[privacy] questions_days = 90"}
    assert ended(company, 9000, replace(KEPT, feedback_days=0)) == refusals
    assert ended(company, 9000, replace(KEPT, questions_days=0)) == {}


def test_what_retention_left_of_the_time_before_is_no_sample(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 60, up=20, abstained=15)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 39, abstained=10)
    company.now = 2000.0 + 100 * DAY
    retention.sweep(company.store, Path("nowhere"), PrivacySettings(), now=company.now)
    answered(company, second, 40, abstained=20)
    seen = look(company.releases(), KEPT)
    assert seen.release is None
    assert [str(rate) for rate in seen.rates if rate.measure == "abstained"] == [
        "abstained ([privacy] questions_days = 90)"
    ]


def test_where_answers_are_not_kept_for_long_less_of_the_time_before_counts(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30)  # 16 days before
    company.now += DAY * 2
    answered(company, first, 40)
    company.now = 1000.0 + 16 * DAY
    company.promote(second, against=first)
    answered(company, second, 20, abstained=20)
    company.now += 14 * DAY
    seen = look(company.releases(), replace(RULES, questions_days=30))
    assert seen.release is not None
    assert "abstained 20/20 ← 0/40" in seen.release.reason


def test_a_canary_and_what_answers_beside_it_are_compared_as_long_as_both_are_kept(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    company.now = 2000.0
    company.evaluate(second, first)
    company.releases().promote(second, by="auto", share=0.5)
    assert ended(company, 89, KEPT) == {}
    assert ended(company, 91, KEPT).keys() == {"abstained", "ungrounded"}


def test_what_the_watch_rolled_back_does_not_come_back_by_itself(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30, up=20)
    company.now = 2000.0
    company.promote(second, against=first)
    answered(company, second, 40, down=20)
    assert look(company.releases()).release is not None
    with pytest.raises(RolledBackBefore):
        company.releases().promote(second, by="auto")
    assert company.releases().promote(second, by="kim", overrule=True, reason="고쳤음").overruled


def test_a_canary_is_compared_with_what_answers_beside_it(company: Company) -> None:
    first, second, _ = company.names
    company.promote(first)
    answered(company, first, 30, down=20)  # before the canary: does not count
    company.now = 2000.0
    company.evaluate(second, first)
    company.releases().promote(second, by="auto", share=0.5)
    answered(company, first, 30)
    answered(company, second, 30, abstained=25)
    seen = look(company.releases())
    assert (seen.watched, seen.against) == (second, first)
    assert seen.release is not None
    assert (seen.release.lora, seen.release.canary) == (first, "")
    assert [rate.measure for rate in seen.rates if rate.worse] == ["abstained"]


def test_nothing_is_watched_where_nothing_was_released_or_the_setting_decides(company: Company) -> None:
    assert look(company.releases()) == Watched("")
    company.promote(company.names[0])
    assert look(company.releases("none")) == Watched("")
    assert look(company.releases()).against == "none"
