"""Gaps in the store, on both databases: what counts as missed, the numbers of a list, history, and what goes with a question."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete

from bot.gaps.gap import WEEKS
from bot.messages import Outcome, Shown
from bot.store import forgetting, gap_numbers, gaps
from bot.store.database import Store
from bot.store.schema import gap_events, questions
from tests.bot.gaps.rows import CHANNEL, DAY, KIM, LEE, NOW, PARK, call, miss, near, put, thumb


def texts(store: Store, since: float = NOW - 60 * DAY) -> list[str]:
    return [one.text for one in store.run_now(gaps.missed, since=since, most=100)]


def test_what_was_declined_escalated_or_voted_down_is_missed_and_nothing_else(store: Store) -> None:
    miss(store, "거절", now=NOW - 5 * DAY)
    call(store, miss(store, "부름", outcome=Outcome.ANSWERED, now=NOW - 4 * DAY), "U9")
    thumb(store, miss(store, "싫음", outcome=Outcome.ANSWERED, now=NOW - 3 * DAY), LEE)
    thumb(store, miss(store, "좋음", outcome=Outcome.ANSWERED), LEE, "up")
    both = miss(store, "반반", outcome=Outcome.ANSWERED)
    thumb(store, both, LEE)
    thumb(store, both, PARK, "up")
    miss(store, "실패", outcome=Outcome.FAILED)
    miss(store, "답함", outcome=Outcome.ANSWERED)
    miss(store, "옛날", now=NOW - 61 * DAY)
    assert texts(store) == ["거절", "부름", "싫음"]
    found = {one.text: one for one in store.run_now(gaps.missed, since=0.0, most=100)}
    assert {name: found[name].reason for name in ("거절", "부름", "싫음")} == {
        "거절": "abstained", "부름": "escalated", "싫음": "down",
    }  # fmt: skip
    assert not found["거절"].was_answered
    assert found["부름"].was_answered
    assert found["싫음"].was_answered


def test_a_follow_up_is_taken_as_it_was_searched_and_what_the_writer_saw_is_known(store: Store) -> None:
    miss(store, "그럼 이월은?", condensed="연차 그럼 이월은?", shown=(Shown("wiki", "휴가.md", 0, "연차는 15일"),))
    (one,) = store.run_now(gaps.missed, since=0.0, most=10)
    assert one.text == "연차 그럼 이월은?"
    assert one.seen == {"연차는 15일"}


def test_of_too_many_the_newest_are_taken_oldest_first(store: Store) -> None:
    for number in range(5):
        miss(store, f"질문 {number}", now=NOW - DAY + number)
    assert [one.text for one in store.run_now(gaps.missed, since=0.0, most=2)] == ["질문 3", "질문 4"]


def test_a_list_counts_questions_people_and_weeks_and_puts_the_heaviest_first(store: Store) -> None:
    for number in range(3):
        miss(store, f"자주 {number}", KIM, now=NOW - 40 * DAY)
    miss(store, "둘이 1", KIM, now=NOW - DAY)
    miss(store, "둘이 2", LEE, now=NOW - 8 * DAY, private=True)
    miss(store, "둘이 3", LEE, now=NOW - 8 * DAY)
    often, both = put(store, ["자주 0", "자주 1", "자주 2"], ["둘이 1", "둘이 2", "둘이 3"])
    first, second = store.run_now(gaps.every)
    assert (first.id, second.id) == (both, often)
    assert (first.count, first.people, first.recent_people, first.private) == (3, 2, 2, 1)
    assert (second.count, second.people, second.recent_people, second.private) == (3, 1, 0, 0)
    assert first.weeks == (0,) * (WEEKS - 2) + (2, 1)
    assert sum(second.weeks) == 3
    assert second.weeks[-6] == 3
    assert first.reasons == {"abstained": 3, "down": 0, "escalated": 0}
    assert first.newest_at == NOW - DAY
    assert store.run_now(gap_numbers.ranked, "open") == [both, often]
    assert store.run_now(gap_numbers.ranked, "open", people=2) == [both]
    store.run_now(gaps.change, often, "shared", by="cli", now=NOW, shared=True)
    assert store.run_now(gap_numbers.ranked, "open", people=2) == [both, often]
    assert store.run_now(gap_numbers.ranked, "closed") == []
    assert not second.shown_to_all(2)
    assert first.shown_to_all(2)


def test_lists_can_be_asked_by_state(store: Store) -> None:
    miss(store, "하나")
    miss(store, "둘")
    one, two = put(store, ["하나"], ["둘"])
    store.run_now(gaps.change, one, "closed", by="cli", now=NOW, state="closed")
    assert [gap.id for gap in store.run_now(gaps.every, states=("open",))] == [two]
    assert [gap.id for gap in store.run_now(gaps.every, states=("closed",))] == [one]
    assert store.run_now(gaps.get, "nothing") is None


def grow(store: Store, gap: str, text: str) -> None:
    """A question joins the gap."""
    miss(store, text)
    known = {one.text: one for one in store.run_now(gaps.missed, since=0.0, most=100)}
    added = {known[text].id: (known[text].reason, known[text].asked_at, b"", "none")}
    store.run_now(gaps.keep, [gaps.Grown(gap, "이름", "", (near(),), added, {known[text].id: 0.5})], now=NOW + 1)


def test_a_gap_that_a_page_answered_opens_again_when_somebody_asks_anew_and_one_that_a_person_closed_does_not(
    store: Store,
) -> None:
    miss(store, "하나")
    miss(store, "둘")
    answered, closed = put(store, ["하나"], ["둘"])
    page = {"state": "answered", "answered_source": "wiki", "answered_page": "a.md"}
    store.run_now(gaps.change, answered, "answered", by=gaps.AUTO, now=NOW, **page)
    store.run_now(gaps.change, closed, "closed", by="cli", now=NOW, state="closed")
    grow(store, answered, "하나 더")
    grow(store, closed, "둘 더")
    found = {gap.id: gap for gap in store.run_now(gaps.every)}
    assert (found[answered].state, found[answered].answered_page) == ("open", "")
    assert found[closed].state == "closed"
    assert found[answered].nearest == (near(),)
    actions = [one.action for one in store.run_now(gaps.history, answered)]
    assert actions == ["made", "answered", "grew", "reopened"]


def test_a_snoozed_gap_opens_when_its_time_has_come(store: Store) -> None:
    miss(store, "하나")
    (gap,) = put(store, ["하나"])
    store.run_now(gaps.change, gap, "snoozed", by="cli", now=NOW, state="snoozed", snoozed_until=NOW + DAY)
    store.run_now(gaps.tidy, now=NOW + DAY - 1)
    assert [one.state for one in store.run_now(gaps.every)] == ["snoozed"]
    store.run_now(gaps.tidy, now=NOW + DAY)
    (found,) = store.run_now(gaps.every)
    assert (found.state, found.snoozed_until) == ("open", None)


def test_a_question_that_is_deleted_leaves_its_gap_and_an_empty_gap_goes_with_its_history(store: Store) -> None:
    miss(store, "하나")
    miss(store, "둘")
    (gap,) = put(store, ["하나", "둘"])
    store.run_now(lambda connection: connection.execute(delete(questions).where(questions.c.text == "둘")))
    store.run_now(gap_numbers.recount, now=NOW)
    assert [one.count for one in store.run_now(gaps.every)] == [1]
    store.run_now(lambda connection: connection.execute(delete(questions)))
    assert store.run_now(gaps.tidy, now=NOW) == 1
    assert store.run_now(gaps.get, gap) is None
    assert store.run_now(lambda connection: connection.execute(gap_events.select()).all()) == []


def test_a_thumb_that_was_taken_back_takes_the_question_out(store: Store) -> None:
    answer = miss(store, "싫음", outcome=Outcome.ANSWERED)
    thumb(store, answer, LEE)
    put(store, ["싫음"])
    assert store.run_now(gaps.regretted) == []
    thumb(store, answer, LEE, None)
    (regretted,) = store.run_now(gaps.regretted)
    store.run_now(gaps.withdraw, [regretted])
    store.run_now(gap_numbers.recount, now=NOW)
    assert [one.count for one in store.run_now(gaps.every)] == [0]


def test_whom_people_called_is_known_and_what_they_said_only_with_consent(store: Store) -> None:
    call(store, miss(store, "하나"), "U8", "S9", resolution="내선 2310입니다.", consent=True)
    call(store, miss(store, "둘"), "U7", resolution="비밀입니다.")
    (gap,) = put(store, ["하나", "둘"])
    found = {one.contacts: one.resolution for one in store.run_now(gaps.helpers, gap)}
    assert found == {("U8", "S9"): "내선 2310입니다.", ("U7",): ""}


def test_whom_people_called_is_known_with_whether_the_question_was_private(store: Store) -> None:
    call(store, miss(store, "하나"), "U8")
    call(store, miss(store, "둘", private=True), "U7")
    (gap,) = put(store, ["하나", "둘"])
    assert {one.contacts: one.private for one in store.run_now(gaps.helpers, gap)} == {("U8",): False, ("U7",): True}


def test_nothing_changes_in_a_gap_that_is_not_there(store: Store) -> None:
    assert not store.run_now(gaps.change, "nothing", "closed", by="cli", now=NOW, state="closed")
    assert store.run_now(gaps.history, "nothing") == []


@pytest.mark.parametrize("most", [1, None])
def test_the_most_typical_questions_come_first(store: Store, most: int | None) -> None:
    for text in ("셋째", "첫째", "둘째"):
        miss(store, text)
    (gap,) = put(store, ["첫째", "둘째", "셋째"])
    assert [one.text for one in store.run_now(gaps.of, gap, most)] == ["첫째", "둘째", "셋째"][:most]


def test_names_made_of_an_erased_persons_words_go_also_where_they_came_by_a_follow_up(store: Store) -> None:
    thread = replace(CHANNEL, thread="1.0")
    miss(store, "에메랄드 예산은?", KIM, place=thread, now=NOW - 2 * DAY)
    miss(store, "그럼 신청은?", LEE, place=thread, condensed="에메랄드 예산 그럼 신청은?", now=NOW - DAY)
    miss(store, "주차 등록은?", PARK)
    own, follow_up, other = put(
        store, ["에메랄드 예산은?"], ["에메랄드 예산 그럼 신청은?"], ["주차 등록은?"], name="에메랄드"
    )
    store.run_now(gaps.change, follow_up, "drafted", by="cli", now=NOW, draft="# 에메랄드")
    store.run_now(forgetting.forget, KIM.key, asked_by="cli", now=NOW)
    assert store.run_now(gaps.get, own) is None
    found = store.run_now(gaps.get, follow_up)
    assert found is not None
    assert (found.title, found.draft) == ("", "")
    untouched = store.run_now(gaps.get, other)
    assert untouched is not None
    assert untouched.title == "에메랄드"
