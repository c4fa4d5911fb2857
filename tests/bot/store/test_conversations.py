"""Lists of questions on both databases: filters, pages by key, words, and one question with all there is of it."""

from __future__ import annotations

import random

import pytest

from bot.conversation import Place
from bot.messages import Outcome
from bot.store import answers, conversations, escalations, votes
from bot.store import told as told_records
from bot.store.conversations import Filter
from bot.store.cursor import Cursor
from bot.store.database import Store
from bot.trace import Trace
from tests.bot.store.rows import CHANNEL
from tests.bot.store.told import KIM, LEE, tell, vote

OTHER = Place("discord", "77", "channel")
DIRECT = Place("slack", "D1", "direct")
TRACE = Trace("e", "m", "none", "p", 2.0, condensed="연차")


def listed(store: Store, **wanted: object) -> list[str]:
    return [row.id for row in store.run_now(conversations.page, Filter(**wanted)).rows]  # type: ignore[arg-type]


def walk(store: Store, wanted: Filter, most: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = store.run_now(conversations.page, wanted, after=after, most=most)
        found += [row.id for row in page.rows]
        if page.more is None:
            return found
        after = page.more


def test_the_newest_come_first_with_what_a_list_shows(store: Store) -> None:
    tell(store, 1.0)
    second = tell(store, 2.0, lora="l7", place=OTHER, up=[KIM, LEE], seconds=3.0, text="출장비는?")
    open_one = tell(store, 3.0, None)
    rows = store.run_now(conversations.page, Filter()).rows
    assert [row.asked_at for row in rows] == [3.0, 2.0, 1.0]
    assert (rows[0].id, rows[0].outcome, rows[0].total_seconds) == (open_one, "open", None)
    row = rows[1]
    assert (row.id, row.platform, row.place, row.outcome, row.text) == (
        second,
        "discord",
        "77",
        "answered",
        "출장비는?",
    )
    assert (row.lora, row.up, row.down, row.total_seconds, row.private) == ("l7", 2, 0, 3.0, False)


def test_every_filter_keeps_only_its_own(store: Store) -> None:
    a = tell(store, 10.0)
    b = tell(store, 20.0, Outcome.ABSTAINED, place=OTHER, down=[KIM])
    c = tell(store, 30.0, Outcome.FAILED, place=DIRECT)
    d = tell(store, 40.0, lora="l7", up=[KIM], down=[LEE])
    e = tell(store, 50.0, None)
    assert listed(store) == [e, d, c, b, a]
    assert listed(store, outcome="answered") == [d, a]
    assert listed(store, outcome="abstained") == [b]
    assert listed(store, outcome="open") == [e]
    assert listed(store, platform="discord") == [b]
    assert listed(store, platform="slack", place="C1") == [e, d, a]
    assert listed(store, platform="slack", place="") == [c]
    assert listed(store, lora="l7") == [d]
    assert listed(store, lora="none") == [b, a]
    assert listed(store, vote="down") == [d, b]
    assert listed(store, vote="up") == [d]
    assert listed(store, since=20.0, until=40.0) == [c, b]
    assert listed(store, vote="down", outcome="answered", since=5.0) == [d]


def test_pages_follow_each_other_without_gaps_or_repeats(store: Store) -> None:
    drawn = random.Random(6)
    ids = {tell(store, float(drawn.randrange(9)), text=f"질문 {n % 3}") for n in range(31)}  # many at one moment
    whole = walk(store, Filter(), 50)
    assert set(whole) == ids
    for most in (1, 4, 31):
        assert walk(store, Filter(), most) == whole
    assert len(walk(store, Filter(text="질문 1"), 2)) == 10


def test_beside_a_question_stand_those_of_the_same_list(store: Store) -> None:
    ids = [tell(store, float(n // 2), text=f"질문 {n % 3}", down=[KIM] if n % 4 == 0 else ()) for n in range(12)]
    for wanted in (Filter(), Filter(text="질문 1"), Filter(vote="down"), Filter(outcome="answered", since=2.0)):
        listed_ids = walk(store, wanted, 50)
        assert 2 < len(listed_ids) <= len(ids)
        rows = store.run_now(conversations.page, wanted).rows
        for n, row in enumerate(rows):
            newer, older = store.run_now(conversations.beside, wanted, Cursor(row.asked_at, row.id))
            assert newer == (listed_ids[n - 1] if n else "")
            assert older == (listed_ids[n + 1] if n + 1 < len(rows) else "")


def test_words_are_found_in_any_case_and_signs_mean_themselves(store: Store) -> None:
    a = tell(store, 1.0, text="VPN 접속 100% 실패_코드 7")
    b = tell(store, 2.0, text="연차는 며칠입니까?")
    assert listed(store, text="vpn") == [a]
    assert listed(store, text=" 연차는   며칠 ") == [b]
    assert listed(store, text="100%") == [a]
    assert listed(store, text="패_코") == [a]
    assert listed(store, text="%") == [a]
    assert listed(store, text="0%7") == listed(store, text="VPN_접속") == []
    assert listed(store, text="없는 말") == []
    assert listed(store, text=b) == [b]
    assert listed(store, text="연차" * 200) == []


def test_words_of_hidden_questions_cannot_be_found_out(store: Store) -> None:
    public = tell(store, 1.0, text="연봉 질문")
    hidden = tell(store, 2.0, text="연봉 질문", place=DIRECT)
    shared = tell(store, 3.0, text="연봉 질문", private=True)
    store.run_now(answers.shown, f"a{shared}", "M9")
    assert listed(store, text="연봉", searchable="all") == [shared, hidden, public]
    assert listed(store, text="연봉", searchable="shared") == [shared, public]
    assert listed(store, text="연봉", searchable="none") == []
    assert listed(store, text=hidden, searchable="none") == [hidden]  # an id tells nothing
    assert [row.private for row in store.run_now(conversations.page, Filter()).rows] == [False, True, False]


def test_looking_for_words_stops_and_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MOST_LOOKED_AT", 5)
    old = tell(store, 0.0, text="찾는 말")
    for n in range(1, 12):
        tell(store, float(n))
    new = tell(store, 12.0, text="찾는 말")
    first = store.run_now(conversations.page, Filter(text="찾는"))
    assert [row.id for row in first.rows] == [new]
    assert first.more is not None
    second = store.run_now(conversations.page, Filter(text="찾는"), after=first.more)
    assert second.rows == ()
    assert second.more is not None
    third = store.run_now(conversations.page, Filter(text="찾는"), after=second.more)
    assert [row.id for row in third.rows] == [old]
    assert third.more is None


def test_one_question_with_all_there_is_of_it(store: Store) -> None:
    question = tell(store, 5.0, down=[KIM], up=[LEE], trace=TRACE)
    store.run_now(votes.explain, f"a{question}", KIM.key, reason="outdated", correction="16일입니다")
    called = store.run_now(escalations.call, f"a{question}", ["U9"], caller=KIM.key, now=9.0)
    assert called is not None
    told = store.run_now(told_records.get, question)
    assert told is not None
    assert told.answer is not None
    assert told.answer.answer.text == "15일입니다. [1]"
    assert told.trace == TRACE
    assert {(one.person, one.direction, one.correction) for one in told.thumbs} == {
        (KIM.key, "down", "16일입니다"),
        (LEE.key, "up", ""),
    }
    assert told.called is not None
    assert told.called.resolved_at is None
    assert told.listed.outcome == "escalated"
    assert (told.listed.up, told.listed.down, told.attempts) == (1, 1, 1)
    assert (told.answered_at, told.done_at) == (6.0, 6.0)
    vote(store, f"a{question}", LEE, None, at=10.0)
    told = store.run_now(told_records.get, question)
    assert told is not None
    assert told.listed.up == 0


def test_a_question_without_an_answer_or_none_at_all(store: Store) -> None:
    told = store.run_now(told_records.get, tell(store, 5.0, Outcome.FAILED))
    assert told is not None
    assert (told.answer, told.trace, told.called, told.thumbs) == (None, None, None, ())
    assert store.run_now(told_records.get, "gone") is None


def test_what_can_be_chosen_from_is_what_there_is(store: Store) -> None:
    assert store.run_now(conversations.places) == []
    assert store.run_now(conversations.loras) == []
    for place in (OTHER, CHANNEL, DIRECT, OTHER):
        tell(store, 1.0, place=place, lora="l7")
    tell(store, 1.0)
    tell(store, 1.0, None)
    assert store.run_now(conversations.places) == [("discord", "77"), ("slack", ""), ("slack", "C1")]
    assert store.run_now(conversations.loras) == ["l7", "none"]
