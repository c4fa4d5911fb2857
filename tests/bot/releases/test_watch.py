"""Worse than chance would have it, by enough people and answers: then what answered before comes back, with the figures on record."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from bot.conversation import Person, Vote
from bot.errors import RolledBackBefore
from bot.messages import Outcome
from bot.releases.releases import Releases
from bot.releases.significance import fisher
from bot.releases.watch import Watched, WatchRules, judge, watch
from bot.store import answers, questions, releases, votes
from bot.store.releases import Tally
from tests.bot.releases.conftest import Company
from tests.bot.store.rows import CHANNEL, answer, asked

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


GOOD = Tally(answers=100, abstained=10, up=40, down=2, down_people=2)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Tally(100, 10, up=20, down=20, down_people=9), ["down"]),
        (Tally(100, 45, up=40, down=2, down_people=2), ["abstained"]),
        (Tally(100, 45, up=20, down=20, down_people=9), ["down", "abstained"]),
        (Tally(100, 10, up=20, down=20, down_people=2), []),  # two people's doing
        (Tally(100, 10, up=40, down=3, down_people=3), []),  # chance
        (Tally(10, 9, up=1, down=6, down_people=6), []),  # too little seen
        (Tally(100, 0, up=60, down=0), []),  # better
        (Tally(), []),
    ],
)
def test_only_what_is_clearly_worse_counts(now: Tally, expected: list[str]) -> None:
    assert worse(now, GOOD) == expected
    assert worse(now, Tally()) == []  # nothing to compare with


def test_better_is_never_taken_for_worse() -> None:
    bad = Tally(100, 60, up=10, down=30, down_people=9)
    assert worse(GOOD, bad) == []


def test_looking_every_day_of_a_month_at_equal_loras_rarely_goes_back() -> None:
    """The price of looking again and again: 30 looks at a level of 0.01 each."""
    rules, random, alarms, companies = WatchRules(), Random(1), 0, 150
    for _ in range(companies):
        counts = {"now": [0, 0], "before": [0, 0]}
        for _day in range(30):
            for cast in counts.values():
                cast[0] += sum(random.random() < 0.15 for _ in range(10))
                cast[1] += 10
            now, before = (Tally(up=n - k, down=k, down_people=9) for k, n in counts.values())
            if any(rate.worse for rate in judge(now, before, rules)):
                alarms += 1
                break
    assert alarms / companies < 0.06


_ids = itertools.count()


def answered(company: Company, lora: str, count: int, *, down: int = 0, up: int = 0, abstained: int = 0) -> None:
    """`count` answers by `lora`; votes by ten people in turn."""

    def write(connection: Connection) -> None:
        for n in range(count):
            name = f"w{next(_ids)}"
            _, held = questions.claim(connection, asked(name), owner="p", now=company.now, lease=9.0)
            assert held is not None
            made = replace(answer(Outcome.ABSTAINED if n < abstained else Outcome.ANSWERED), lora=lora)
            place, now = CHANNEL, company.now
            answers.save(connection, name, held.question_id, made, language="ko", private=False, place=place, now=now)
            if n < down + up:
                vote = Vote(name, Person("slack", f"U{n % 10}"), "down" if n < down else "up", via="button")
                votes.cast(connection, vote, now=now)

    company.store.run_now(write)


def look(releases: Releases) -> Watched:
    return watch(releases, "m", RULES)


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
    assert "18/24" in last.reason
    assert "0/20" in last.reason
    assert look(company.releases()).release is None  # once


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
