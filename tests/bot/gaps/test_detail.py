"""What a person may see of a gap, the draft, decisions with their records, and files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.errors import UnknownGap
from bot.examples.masking import mask
from bot.gaps import decisions
from bot.gaps.detail import Detail, Material, Sight, read, seen, shown
from bot.gaps.drafting import draft_of, section_of
from bot.gaps.exports import as_csv, as_markdown, detail_as_json, write
from bot.gaps.gap import Beside, Helper
from bot.messages import Shown
from bot.store import audit, gaps, schema
from bot.store.database import Store, open_store
from tests.bot.gaps.rows import DAY, KIM, LEE, NOW, call, gap, miss, near, put

HIDDEN = near("연봉 밴드", 0.8, (("hr",),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store("", tmp_path)
    yield opened
    opened.close()


def masked(text: str) -> str:
    return mask(text).text


def look(material: Material, sight: Sight, allowed: Collection[tuple[str, str]] | None = None) -> Detail:
    """Of somebody who may read every page of the answers, unless `allowed` says which."""
    return shown(material, sight, masked, material.pages if allowed is None else allowed)


def detail(store: Store, *texts: str, sight: Sight | None = None) -> Detail:
    (made,) = put(store, list(texts), name="주차 등록", nearest=(near("총무 안내"), HIDDEN))
    return look(store.run_now(read, made), sight or Sight())


def test_questions_are_masked_and_private_ones_counted_without_a_word_of_them(store: Store) -> None:
    miss(store, "주차 등록 010-1234-5678로 되나요?")
    miss(store, "비밀 주차 자리 주나요?", private=True)
    found = detail(store, "주차 등록 010-1234-5678로 되나요?", "비밀 주차 자리 주나요?")
    assert [one.text for one in found.questions] == ["주차 등록 [전화번호]로 되나요?"]
    assert found.hidden == 1
    for text in (
        draft_of(found, "ko"),
        as_csv([found], "ko"),
        json.dumps(detail_as_json(found, "ko"), ensure_ascii=False),
    ):
        assert "비밀" not in text
        assert "1234" not in text


def test_all_texts_or_none_as_the_setting_says(store: Store) -> None:
    miss(store, "주차 등록은?")
    miss(store, "비밀 주차?", private=True)
    (made,) = put(store, ["주차 등록은?", "비밀 주차?"], name="주차 비밀")
    material = store.run_now(read, made)
    everything = look(material, Sight("all"))
    assert {one.text for one in everything.questions} == {"주차 등록은?", "비밀 주차?"}
    assert everything.gap.title == "주차 비밀"
    nothing = look(material, Sight("none"))
    assert (nothing.questions, nothing.hidden, nothing.gap.title) == ((), 2, "")
    assert "주차" not in draft_of(nothing, "ko")


def test_a_name_made_of_private_questions_is_not_shown() -> None:
    private = gap(name="희망퇴직 위로금", open_name="", private=4)
    assert seen(private, Sight()).title == ""
    assert seen(replace(private, named="퇴직"), Sight()).title == "퇴직"
    assert seen(private, Sight("all")).title == "희망퇴직 위로금"
    assert (
        seen(replace(private, private=3), Sight()).title == "희망퇴직 위로금"
    )  # then it is of the one that was not private


def test_pages_that_one_may_not_read_are_not_named(store: Store) -> None:
    miss(store, "주차 등록은?")
    (made,) = put(store, ["주차 등록은?"], nearest=(HIDDEN, near("총무 안내")))
    material = store.run_now(read, made)
    assert [page.title for page in look(material, Sight()).gap.nearest] == ["총무 안내"]
    assert "연봉" not in draft_of(look(material, Sight()), "ko")
    hr = look(material, Sight(groups=frozenset({"hr"})))
    assert [page.title for page in hr.gap.nearest] == ["연봉 밴드", "총무 안내"]


def test_what_was_answered_to_a_private_question_is_as_private_and_in_no_automatic_draft(store: Store) -> None:
    call(store, miss(store, "주차 등록은?"), "U9", resolution="총무팀 대장에 적습니다.", consent=True)
    call(store, miss(store, "비밀 주차?", private=True), "U8", resolution="임원 자리는 B1입니다.", consent=True)
    (made,) = put(store, ["주차 등록은?", "비밀 주차?"])
    material = store.run_now(read, made)
    for sight, told in (
        (Sight("all"), {"총무팀 대장에 적습니다.", "임원 자리는 B1입니다."}),
        (Sight("shared"), {"총무팀 대장에 적습니다.", ""}),
        (Sight("none"), {""}),
    ):
        found = look(material, sight)
        assert {one.resolution for one in found.helpers} == told
        assert "임원" not in draft_of(found, "ko")
    shared = look(material, Sight())
    assert "총무팀 대장" in draft_of(shared, "ko")
    assert "임원" not in json.dumps(detail_as_json(shared, "ko"), ensure_ascii=False)


PAY = ("wiki", "연봉 규정.md")


def restricted(store: Store) -> str:
    """A gap of one question that was put right with a word of a restricted page, and answered from it; what a colleague said of that."""
    shown = (Shown(*PAY, 0, "연봉 밴드 하한은 4천만 원"),)
    answer = miss(store, "연봇 벤드 하한은?", condensed="연봉 밴드 하한은?", shown=shown)
    call(store, answer, "U9", resolution="하한은 4천만 원입니다.", consent=True)
    (made,) = put(store, ["연봉 밴드 하한은?"])
    return made


def test_words_that_may_come_from_a_page_are_for_those_who_may_read_it(store: Store) -> None:
    material = store.run_now(read, restricted(store))
    assert material.pages == {PAY}
    insider, outsider = look(material, Sight()), look(material, Sight(), ())
    for found, question, said in ((insider, "연봉 밴드 하한은?", True), (outsider, "연봇 벤드 하한은?", False)):
        assert [one.text for one in found.questions] == [question]
        for text in (draft_of(found, "ko"), write([found], "md", "ko"), write([found], "json", "ko")):
            assert question in text
            assert ("4천만" in text) is said
            assert "U9" in text
        assert ("밴드" in write([found], "csv", "ko")) is said
    assert (insider.rests, outsider.rests) == ({PAY}, frozenset())


def test_a_draft_with_words_of_such_an_answer_is_for_the_same_eyes(store: Store) -> None:
    gap = restricted(store)
    store.run_now(decisions.write, gap, "하한은 4천만 원", by="web:kim", now=NOW, beside=(), rests={PAY})
    material = store.run_now(read, gap)
    outsider = look(material, Sight(), ())
    assert outsider.draft_hidden
    assert "4천만" not in write([outsider], "json", "ko")
    assert "연봉 규정" not in write([outsider], "json", "ko")
    assert look(material, Sight()).gap.draft == "하한은 4천만 원"
    store.run_now(decisions.write, gap, "", by="web:kim", now=NOW, rests={PAY})
    assert not look(store.run_now(read, gap), Sight(), ()).draft_hidden


def test_the_same_words_are_one_line_that_says_how_often(store: Store) -> None:
    for person in (KIM, LEE):
        miss(store, "주차 등록은?", person)
    every = store.run_now(gaps.missed, since=0.0, most=9)
    added = {one.id: (one.reason, one.asked_at, b"", "none") for one in every}
    grown = gaps.Grown("", "주차", "", (), added, {one.id: 0.5 for one in every})
    (made,) = store.run_now(gaps.keep, [grown], now=NOW)
    found = look(store.run_now(read, made), Sight())
    assert [(one.text, one.times) for one in found.questions] == [("주차 등록은?", 2)]
    assert found.more == 0
    assert "×2" in draft_of(found, "ko")


def test_a_draft_names_questions_sections_where_it_belongs_and_who_might_know(store: Store) -> None:
    call(
        store,
        miss(store, "주차 등록은 어떻게 하나요?"),
        "U9",
        resolution="총무팀 kim@example.com에 물어보세요.",
        consent=True,
    )
    miss(store, "주차 요금은 얼마인가요?")
    found = detail(store, "주차 등록은 어떻게 하나요?", "주차 요금은 얼마인가요?")
    text = draft_of(found, "ko")
    assert text.startswith("# 주차 등록\n")
    assert "초안입니다" in text
    for wanted in ("### 신청과 절차", "### 기준과 금액", "총무 안내", "slack:U9", "총무팀 [이메일]"):
        assert wanted in text
    assert "example.com" not in text
    assert text == draft_of(found, "ko")
    english = draft_of(found, "en")
    assert "This is a draft" in english
    assert "### How to do it" in english


def test_a_near_page_wants_a_section_and_a_far_one_a_page_beside_it(store: Store) -> None:
    miss(store, "주차 등록은?")
    found = detail(store, "주차 등록은?")
    assert "새 문서로" in draft_of(found, "ko")
    close = replace(found, gap=replace(found.gap, nearest=(near("총무 안내", 0.95),)))
    assert "절을 더하는" in draft_of(close, "ko")
    assert "가까운 문서가 없습니다" in draft_of(replace(found, gap=replace(found.gap, nearest=())), "ko")


def test_words_of_people_make_no_markdown_of_their_own(store: Store) -> None:
    miss(store, "# 제목\n## 가짜 절은 어떻게?")
    text = draft_of(detail(store, "# 제목\n## 가짜 절은 어떻게?"), "ko")
    assert [line for line in text.splitlines() if line.startswith("#") and "가짜" in line] == []


@pytest.mark.parametrize(
    ("question", "section"),
    [
        ("VPN이 자꾸 끊겨요", "trouble"),
        ("한도가 얼마예요?", "amounts"),
        ("언제까지 내야 하나요?", "dates"),
        ("어떻게 신청해?", "steps"),
        ("누구한테 물어봐야 해?", "contact"),
        ("계약직도 되나요?", "conditions"),
        ("점심 메뉴", "other"),
    ],
)
def test_questions_are_sorted_into_the_sections_of_a_page(question: str, section: str) -> None:
    assert section_of(question) == section


def test_each_decision_is_in_the_history_and_in_the_audit_log_without_the_words(store: Store) -> None:
    miss(store, "주차 등록은?")
    (one,) = put(store, ["주차 등록은?"])
    by = {"by": "web:kim", "now": NOW}
    store.run_now(decisions.rename, one, "  주차  안내 ", **by)
    store.run_now(decisions.assign, one, "총무팀", **by)
    store.run_now(decisions.write, one, "# 내 초안\r\n본문", **by)
    store.run_now(decisions.share, one, True, **by)
    store.run_now(decisions.snooze, one, 7, **by)
    found = store.run_now(gaps.get, one)
    assert found is not None
    assert (found.title, found.assigned, found.draft, found.shared) == ("주차 안내", "총무팀", "# 내 초안\n본문", True)
    assert (found.state, found.snoozed_until) == ("snoozed", NOW + 7 * DAY)
    store.run_now(decisions.close, one, **by)
    store.run_now(decisions.reopen, one, **by)
    actions = ["named", "assigned", "drafted", "shared", "snoozed", "closed", "reopened"]
    assert [change.action for change in store.run_now(gaps.history, one)][1:] == actions
    entries = store.run_now(audit.entries)
    assert [entry.action for entry in reversed(entries)] == [f"gap.{action}" for action in actions]
    assert {(entry.by, entry.subject) for entry in entries} == {("web:kim", one)}
    assert "안내" not in json.dumps([entry.as_json() for entry in entries], ensure_ascii=False)
    assert draft_of(look(store.run_now(read, one), Sight()), "ko") == "# 내 초안\n본문"


SECRET = "# 연봉\n연봉 밴드(wiki/연봉 밴드.md) 옆에 둡니다."


@pytest.mark.parametrize("noted", [True, False])
def test_a_draft_is_for_those_who_may_read_what_its_writer_saw(store: Store, noted: bool) -> None:
    miss(store, "주차 등록은?")
    (one,) = put(store, ["주차 등록은?"], nearest=(near("총무 안내"), HIDDEN))
    beside = (Beside(HIDDEN.source, HIDDEN.page, HIDDEN.audience),) if noted else None
    store.run_now(decisions.write, one, SECRET, by="web:kim", now=NOW, beside=beside)
    material = store.run_now(read, one)
    outsider, insider = look(material, Sight()), look(material, Sight(groups=frozenset({"hr"})))
    for text in (draft_of(outsider, "ko"), write([outsider], "md", "ko"), write([outsider], "json", "ko")):
        assert "연봉" not in text
        assert "읽을 수 없는 문서를 바탕으로 쓴 초안" in text
    assert (outsider.draft_hidden, outsider.gap.draft, insider.draft_hidden) == (True, "", False)
    assert draft_of(insider, "ko") == SECRET
    assert seen(material.gap, Sight()).draft == ""
    assert look(material, Sight("none", frozenset({"hr"}))).gap.draft == ""


def test_a_draft_stays_for_the_same_eyes_when_other_pages_come_near(store: Store) -> None:
    miss(store, "주차 등록은?")
    (one,) = put(store, ["주차 등록은?"], nearest=(near("총무 안내"),))
    told = (Beside(HIDDEN.source, HIDDEN.page, HIDDEN.audience),)
    store.run_now(decisions.write, one, SECRET, by="web:kim", now=NOW, beside=told)
    assert "연봉" not in draft_of(look(store.run_now(read, one), Sight()), "ko")
    mine = (Beside("wiki", "총무 안내.md"),)
    store.run_now(decisions.write, one, "# 내 초안", by="web:kim", now=NOW, beside=mine)
    closed = [asdict(HIDDEN)]
    store.run_now(lambda connection: connection.execute(update(schema.gaps).values(nearest=closed)))
    detail = look(store.run_now(read, one), Sight())
    assert draft_of(detail, "ko") == "# 내 초안"
    assert [dict(one.detail) for one in detail.history if one.action == "drafted"] == [
        {"characters": len(SECRET)},
        {"characters": 6},
    ]
    assert "연봉" not in json.dumps(detail_as_json(detail, "ko"), ensure_ascii=False)
    assert "연봉" not in json.dumps([one.as_json() for one in store.run_now(audit.entries)], ensure_ascii=False)


def test_an_unknown_gap_is_told_and_nothing_recorded(store: Store) -> None:
    with pytest.raises(UnknownGap):
        store.run_now(decisions.close, "nothing", by="cli", now=NOW)
    with pytest.raises(UnknownGap):
        store.run_now(read, "nothing")
    assert store.run_now(audit.entries) == []


def test_a_table_has_a_row_per_gap_and_reads_back(store: Store) -> None:
    miss(store, '=HYPERLINK("http://evil.example","주차")')
    found = detail(store, '=HYPERLINK("http://evil.example","주차")')
    named = replace(found, gap=replace(found.gap, named="@주차"))
    text = as_csv([named], "ko")
    assert text.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert row["name"] == "'@주차"
    assert row["example"].startswith("'=HYPERLINK")
    assert (row["questions"], row["people"], row["state"]) == ("1", "1", "열림")


def test_markdown_and_json_hold_every_gap(store: Store) -> None:
    miss(store, "주차 등록은?")
    found = detail(store, "주차 등록은?")
    other = replace(found, gap=gap(), helpers=(Helper(("U1",), "slack", "", private=False),))
    assert as_markdown([found, other], "ko").count("초안입니다") == 2
    every = json.loads(write([found, other], "json", "ko"))
    assert [one["name"] for one in every] == ["주차 등록", "법인카드 한도"]
    assert every[1]["weeks"][-2:] == [1, 3]
    assert every[1]["helpers"] == [{"platform": "slack", "contacts": ["U1"], "resolution": ""}]
