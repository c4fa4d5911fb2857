"""The weekly report's words: only what everyone in the place may know, in both languages."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.gaps.digest import DigestOptions, Week, compose, week_of
from bot.store.digests import Numbers
from tests.bot.gaps.rows import gap, near

SEOUL = ZoneInfo("Asia/Seoul")
UNTIL = dt.datetime(2026, 11, 23, 9, 0, tzinfo=SEOUL).timestamp()
NUMBERS = Numbers(40, {"answered": 30, "abstained": 8, "escalated": 2}, 12, 9, 1)
BEFORE = Numbers(20, {"answered": 10, "abstained": 10}, 8, 1, 1)
OPEN = frozenset[str]()


def week(*open_gaps: Any, answered: tuple[Any, ...] = (), numbers: Numbers = NUMBERS) -> Week:
    return Week(UNTIL, numbers, BEFORE, open_gaps, answered)


def text(given: Week, groups: frozenset[str] = OPEN, **options: Any) -> str:
    return compose(given, DigestOptions(**options), groups, SEOUL).text


def test_it_tells_the_weeks_numbers_and_its_gaps_with_their_trend() -> None:
    told = text(week(gap(nearest=(near("법인카드 안내"),))))
    for line in (
        "**사서 주간 보고** (11월 16일 ~ 11월 22일)",
        "질문 40건, 12명 (지난주 20건)",
        "답변 75% (지난주 50%), 답하지 못함 8건, 담당자 호출 2건",
        "👍 9 · 👎 1",
        "1. 법인카드 한도: 3명, 4건 (지난주 1건 ↑ 이번 주 3건) · 가까운 문서: 법인카드 안내",
    ):
        assert line in told
    english = text(week(gap()), language="en")
    assert "Answered: 75% (the week before: 50%)" in english
    assert "1. 법인카드 한도: 3 people, 4 questions (week: 1 ↑ 3)" in english


def test_a_page_is_named_only_where_everyone_may_read_it() -> None:
    secret = gap(nearest=(near("연봉 밴드", 0.9, (("hr",),)), near("급여 안내")))
    closed = replace(secret, state="answered", answered_source="wiki", answered_page="연봉 밴드.md")
    told = text(week(secret, answered=(closed,)))
    assert "연봉" not in told
    assert "급여 안내" in told
    assert "연봉 밴드" in text(week(secret, answered=(closed,)), frozenset({"hr"}))
    assert "「연봉 밴드」 문서가 답합니다" in text(week(answered=(closed,)), frozenset({"hr"}))


def test_a_name_made_of_private_questions_is_never_told() -> None:
    private = gap(name="희망퇴직 위로금", open_name="", private=4)
    told = text(week(private))
    assert "희망퇴직" not in told
    assert "비공개로 물은 주제" in told
    assert "퇴직" in text(week(replace(private, named="퇴직 문의")))


def test_with_no_texts_allowed_gaps_are_counted_and_not_named() -> None:
    told = text(week(gap(named="법인카드")), names=False)
    assert "법인카드" not in told
    assert "3명, 4건" in told


def test_what_one_person_asked_stays_with_admins() -> None:
    alone = gap(people=1)
    assert "법인카드" not in text(week(alone))
    assert "법인카드" in text(week(replace(alone, shared=True)))
    assert "법인카드" not in text(week(answered=(alone,)))


def test_a_week_in_which_nobody_asked_says_so() -> None:
    assert "이번 주에는 질문이 없었습니다." in text(week(numbers=Numbers(0, {}, 0, 0, 0)))


@pytest.mark.parametrize("most", [0, 1, 2])
def test_it_names_as_many_gaps_as_wanted(most: int) -> None:
    told = text(week(gap(), gap(id="b" * 12), gap(id="c" * 12)), most=most)
    assert told.count("3명, 4건") == most


def test_the_mark_is_the_week_and_the_link_leads_to_the_console() -> None:
    made = compose(week(), DigestOptions(url="https://saseo.example/gaps"), OPEN, SEOUL)
    assert made.mark == "사서 주간 보고 2026-W48"
    assert len(made.mark) <= 25
    assert made.url == "https://saseo.example/gaps"
    assert made.label
    assert not compose(week(), DigestOptions(), OPEN, SEOUL).label


def test_a_week_begins_on_monday_in_the_zone_of_the_schedule() -> None:
    sunday = dt.datetime(2026, 11, 22, 23, 59, tzinfo=SEOUL).timestamp()
    assert week_of(sunday, SEOUL) == "2026-W47"
    assert week_of(sunday + 60, SEOUL) == "2026-W48"
    assert week_of(dt.datetime(2027, 1, 1, tzinfo=SEOUL).timestamp(), SEOUL) == "2026-W53"
