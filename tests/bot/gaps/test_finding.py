"""A run over what was missed, on a real index with the hash embedder; and asking again after a page was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from bot.conversation import Place
from bot.examples.masking import mask
from bot.gaps.finding import Finder, FindOptions, FoundGaps
from bot.gaps.gap import Missed
from bot.gaps.reasking import Answering, SearchAsker, WriterAsker, reask, verdict
from bot.messages import Answer, Outcome, Question, Shown
from bot.store import gaps
from bot.store.database import Store, open_store
from bot.store.schema import gap_questions, questions
from knowledge.search import SearchIndex
from tests.bot.gaps.rows import DAY, KIM, LEE, NOW, PARK, miss, thumb
from tests.bot.store.rows import answer
from tests.conftest import Indexer

PARKING = ("주차 등록은 어디서 하나요?", "주차 차량 등록은 어떻게 하나요?", "주차 등록 신청 방법")
HEALTH = ("건강검진 예약은 언제 하나요?", "올해 건강검진 예약 병원 알려줘")
ENOUGH = 3.0
"""Evidence strength from which on the small wiki with the hash embedder says enough about a question."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store("", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def missed(store: Store) -> Store:
    """Five questions on two topics."""
    for number, (text, person) in enumerate(zip(PARKING, (KIM, LEE, PARK), strict=True)):
        miss(store, text, person, now=NOW - DAY + number)
    for number, (text, person) in enumerate(zip(HEALTH, (KIM, LEE), strict=True)):
        miss(store, text, person, now=NOW - DAY / 2 + number)
    return store


def find(store: Store, index: SearchIndex, now: float = NOW, **options: float) -> FoundGaps:
    finder = Finder(store, index, ENOUGH, lambda text: mask(text).text, replace(FindOptions(likeness=0.25), **options))
    return finder.run(now=now)


def groups(store: Store) -> dict[str, set[str]]:
    """Gap → its questions."""
    return {one.id: {question.text for question in store.run_now(gaps.of, one.id)} for one in store.run_now(gaps.every)}


def test_questions_on_one_topic_become_one_gap_with_a_name_and_near_pages(missed: Store, index: SearchIndex) -> None:
    found = find(missed, index)
    assert (found.questions, found.joined, found.gaps, found.made, found.unclear) == (5, 5, 2, 2, 0)
    assert sorted(groups(missed).values(), key=len) == [set(HEALTH), set(PARKING)]
    parking, health = missed.run_now(gaps.every)
    assert (parking.name, parking.open_name, parking.people) == ("주차 등록", "주차 등록", 3)
    assert "건강검진" in health.name
    assert 0 < len(parking.nearest) <= 3
    assert all(0 <= page.closeness < 1 for page in parking.nearest)
    assert [page.closeness for page in parking.nearest] == sorted((p.closeness for p in parking.nearest), reverse=True)


def test_a_name_has_no_words_that_stand_in_pages_which_not_everyone_may_read(store: Store, index: SearchIndex) -> None:
    first = index.edition.passages[0]
    for page, name in (("closed.md", "출입증 재발급"), (first.page, "합병 출입증 재발급")):
        shown = (Shown(first.source, page, 0, "글"),)
        for person in (KIM, LEE):
            miss(
                store,
                "출입증 재발급은 어떻게 하나요?",
                person,
                condensed="합병 출입증 재발급은 어떻게 하나요?",
                shown=shown,
            )
        find(store, index)
        (gap,) = store.run_now(gaps.every)
        assert (gap.name, gap.open_name) == (name, name)
        store.run_now(lambda connection: connection.execute(delete(questions)))
        store.run_now(gaps.tidy, now=NOW)


def test_a_second_run_changes_nothing_and_a_new_question_joins_the_gap_it_belongs_to(
    missed: Store, index: SearchIndex
) -> None:
    find(missed, index)
    before = groups(missed)
    again = find(missed, index)
    assert (again.joined, again.made) == (0, 0)
    assert groups(missed) == before
    miss(missed, "주차 등록 변경은 어디서 하나요?", now=NOW)
    miss(missed, "명함은 어떻게 신청하나요?", now=NOW)
    third = find(missed, index, NOW + 1)
    assert (third.joined, third.made) == (2, 1)
    after = groups(missed)
    parking = next(one for one, texts in before.items() if set(PARKING) == texts)
    assert after[parking] == {*PARKING, "주차 등록 변경은 어디서 하나요?"}
    assert [one.action for one in missed.run_now(gaps.history, parking)] == ["made", "grew"]


def test_the_gap_of_an_old_question_takes_in_a_new_one(missed: Store, index: SearchIndex) -> None:
    find(missed, index)
    before = set(groups(missed))
    late = NOW + 300 * DAY
    miss(missed, "주차 등록은 누구에게 하나요?", now=late - 1)
    assert find(missed, index, late).made == 0
    assert set(groups(missed)) == before


def test_vectors_are_made_once(missed: Store, index: SearchIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    find(missed, index)
    asked: list[str] = []
    query = index.embedder.query
    monkeypatch.setattr(index.embedder, "query", lambda text: asked.append(text) or query(text))  # type: ignore[func-returns-value]
    find(missed, index)
    assert asked.count(PARKING[0]) <= 1  # for the nearest pages alone


def test_a_vector_that_went_or_is_of_another_model_is_made_anew_and_kept(missed: Store, index: SearchIndex) -> None:
    find(missed, index)
    blank = update(gap_questions).values(vector=None, embedder="another")
    missed.run_now(lambda connection: connection.execute(blank))
    find(missed, index)
    rows = missed.run_now(lambda connection: connection.execute(select(gap_questions)).all())
    assert {row.embedder for row in rows} == {index.embedder.id}
    assert {len(row.vector) for row in rows} == {4 * index.embedder.dimension}


def test_what_names_nothing_is_in_no_gap(store: Store, index: SearchIndex) -> None:
    miss(store, "안녕하세요")
    miss(store, "ㅋㅋㅋ")
    found = find(store, index)
    assert (found.gaps, found.unclear) == (0, 2)
    assert store.run_now(gaps.every) == []


def test_personal_data_is_in_no_name(store: Store, index: SearchIndex) -> None:
    miss(store, "김민수 대리 010-1234-5678 연락처 맞나요?")
    find(store, index)
    (gap,) = store.run_now(gaps.every)
    assert "010" not in gap.name
    assert "민수" not in gap.name


def test_a_name_is_made_of_private_questions_only_where_there_are_no_others(store: Store, index: SearchIndex) -> None:
    for person in (KIM, LEE):
        miss(store, "희망퇴직 주차 등록 위로금 신청", person, private=True)
    find(store, index)
    (gap,) = store.run_now(gaps.every)
    assert "희망퇴직" in gap.name
    assert gap.open_name == ""
    miss(store, "주차 등록 신청", PARK)
    find(store, index)
    (gap,) = store.run_now(gaps.every)
    assert (gap.count, gap.name) == (3, "주차 등록 신청")


def test_pages_keep_who_may_read_them(store: Store, index: SearchIndex) -> None:
    miss(store, "책임 직급 연봉 밴드 하한은 얼마인가요?")
    find(store, index)
    (gap,) = store.run_now(gaps.every)
    salary = next(page for page in gap.nearest if page.page == "연봉.md")
    assert not salary.open_to(frozenset({"everyone"}))
    assert salary.open_to(frozenset({"everyone", "hr"}))


def only_everyone(place: Place) -> frozenset[str]:
    return frozenset()


def test_a_gap_is_answered_when_a_page_says_it_and_open_again_when_the_page_is_gone(
    missed: Store, indexer: Indexer
) -> None:
    indexer.build()
    index = indexer.open()
    find(missed, index)
    first = reask(missed, SearchAsker(index, ENOUGH, only_everyone), index.name, now=NOW, most=5)
    assert (first.asked, first.answered) == (2, 0)
    assert reask(missed, SearchAsker(index, ENOUGH, only_everyone), index.name, now=NOW, most=5).asked == 0

    page = indexer.wiki / "주차.md"
    page.write_text(
        "# 주차 등록\n\n주차 차량 등록 신청은 총무팀에서 하며, 주차 등록 방법은 그룹웨어 안내를 봅니다.\n", "utf-8"
    )
    indexer.build()
    index = indexer.open()
    second = reask(missed, SearchAsker(index, ENOUGH, only_everyone), index.name, now=NOW + 1, most=5)
    assert (second.asked, second.answered, second.reopened) == (2, 1, 0)
    (answered,) = missed.run_now(gaps.every, states=("answered",))
    assert (answered.answered_source, answered.answered_page, answered.asked_edition) == ("wiki", "주차.md", index.name)
    event = missed.run_now(gaps.history, answered.id)[-1]
    assert event.action == "answered"
    assert event.detail == {"asked": 3, "passed": 3, "edition": index.name, "source": "wiki", "page": "주차.md"}

    page.unlink()
    indexer.build()
    index = indexer.open()
    third = reask(missed, SearchAsker(index, ENOUGH, only_everyone), index.name, now=NOW + 2, most=5)
    assert (third.answered, third.reopened) == (0, 1)
    again = missed.run_now(gaps.get, answered.id)
    assert again is not None
    assert (again.state, again.answered_page) == ("open", "")
    assert missed.run_now(gaps.history, answered.id)[-1].action == "failed"


def test_what_a_person_closed_is_not_asked_again(missed: Store, index: SearchIndex) -> None:
    find(missed, index)
    for one in missed.run_now(gaps.every):
        missed.run_now(gaps.change, one.id, "closed", by="cli", now=NOW, state="closed")
    assert reask(missed, SearchAsker(index, 0.0, only_everyone), index.name, now=NOW, most=5).asked == 0


def one_missed(store: Store, **changes: object) -> Missed:
    (found,) = store.run_now(gaps.missed, since=0.0, most=2)
    return replace(found, **changes)  # type: ignore[arg-type]


def test_a_badly_answered_question_is_answered_only_by_evidence_that_the_writer_did_not_see(
    store: Store, index: SearchIndex
) -> None:
    text = "연차 신청은 어떻게 하나요?"
    best = index.search(text, frozenset({"everyone"}), 1).hits[0].passage
    thumb(
        store,
        miss(store, text, outcome=Outcome.ANSWERED, shown=(Shown("wiki", best.page, best.number, best.text),)),
        LEE,
    )
    asker = SearchAsker(index, 0.0, only_everyone)
    question = one_missed(store)
    assert asker.ask(question) is None
    assert asker.ask(replace(question, seen=frozenset({"예전에는 이렇게 적혀 있었습니다."}))) == Answering(
        "wiki", best.page
    )
    assert asker.ask(replace(question, was_answered=False)) is None  # it was declined with the same in sight
    assert asker.ask(replace(question, seen=frozenset(), edition=index.name)) is None  # nothing has changed since


def test_a_restricted_page_answers_only_where_everyone_may_read_it(store: Store, index: SearchIndex) -> None:
    miss(store, "책임 직급의 연봉 상한은?")
    question = one_missed(store)
    enough = index.search(question.text, frozenset({"everyone", "hr"}), 1).evidence.strength
    asker = SearchAsker(index, enough, lambda place: frozenset({"hr"}) if place.id == "C1" else frozenset())
    assert asker.ask(question) == Answering("wiki", "연봉.md")
    assert asker.ask(replace(question, place=replace(question.place, id="C2"))) is None
    assert asker.ask(replace(question, private=True)) is None


def test_the_writer_must_answer_with_a_source_that_is_new_to_it(store: Store) -> None:
    miss(store, "연차는?")
    question = one_missed(store)
    asked: list[Question] = []
    given = [answer()]

    def answers(one: Question) -> Answer:
        asked.append(one)
        return given[0]

    asker = WriterAsker(answers, lambda place: frozenset({"all-of-c1"}))
    assert asker.ask(question) == Answering("wiki", "hr/leave.md")
    assert asked[0].groups == {"all-of-c1"}
    assert asker.ask(replace(question, was_answered=True, seen=frozenset({"연차는 15일입니다."}))) is None
    given[0] = answer(Outcome.ABSTAINED)
    assert asker.ask(question) is None
    given[0] = replace(answer(), citations=())
    assert asker.ask(question) is None


def test_two_of_three_must_be_answered_and_the_page_is_the_one_that_answers_most() -> None:
    one, other = Answering("wiki", "a.md"), Answering("wiki", "b.md")
    assert verdict([one, other, one]) == (one, {"asked": 3, "passed": 3})
    assert verdict([one, None, one]) == (one, {"asked": 3, "passed": 2})
    assert verdict([one, None, None]) == (None, {"asked": 3, "passed": 1})
    assert verdict([]) == (None, {"asked": 0, "passed": 0})
