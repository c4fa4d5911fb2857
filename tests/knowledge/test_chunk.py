"""How pages are cut: nothing lost, nothing too long, cuts where they hurt least."""

from __future__ import annotations

import datetime as dt
import itertools
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunk import split
from knowledge.page import Audience, Block, BlockKind, Page, Section
from knowledge.sentences import sentences

SENTENCE = "{}번 규정에 따라 직원은 매년 정해진 날까지 신청서를 제출해야 합니다."


def make(*sections: Section) -> Page:
    return Page("위키", "규정.md", "규정", "https://w", dt.date(2026, 1, 5), Audience.of(["직원"]), sections, "새.md")


def section(*blocks: Block, heading: tuple[str, ...] = (), page: int | None = None) -> Section:
    return Section(heading, blocks, page)


def prose(count: int, start: int = 0) -> str:
    return " ".join(SENTENCE.format(number) for number in range(start, start + count))


def test_a_passage_carries_what_it_is_cited_by() -> None:
    (passage,) = split(make(section(Block(prose(5)), heading=("연차",), page=3)))
    assert (passage.source, passage.page, passage.number, passage.title) == ("위키", "규정.md", 0, "규정")
    assert (passage.url, passage.modified, passage.replaced_by) == ("https://w", dt.date(2026, 1, 5), "새.md")
    assert (passage.heading, passage.page_number, passage.audience) == (("연차",), 3, Audience.of(["직원"]))


def test_long_prose_is_cut_between_sentences_with_whole_sentences_of_overlap() -> None:
    passages = split(make(section(Block(prose(60)))), size=600, overlap=100)
    assert len(passages) > 3
    for before, after in itertools.pairwise(passages):
        shared = [sentence for sentence in sentences(after.text) if sentence in before.text]
        assert shared
        assert before.text.endswith(" ".join(shared))
        assert after.text.startswith(shared[0])
        assert sum(map(len, shared)) <= 150
    assert all(500 <= len(passage.text) <= 750 for passage in passages[:-1])


def test_paragraphs_are_packed_whole() -> None:
    blocks = [Block(prose(5, start)) for start in range(0, 30, 5)]
    texts = [passage.text for passage in split(make(section(*blocks)), overlap=0)]
    assert "\n\n".join(texts) == "\n\n".join(block.text for block in blocks)
    assert all(len(text) > 350 for text in texts)


def test_dates_and_decimals_are_not_cut() -> None:
    text = " ".join("기준일은 2026. 1. 5. 이고 비율은 3.5%로 정하여 시행합니다." for _ in range(60))
    for passage in split(make(section(Block(text)))):
        assert passage.text.startswith("기준일은")
        assert passage.text.endswith("시행합니다.")


def test_every_cut_of_a_table_begins_with_its_header() -> None:
    rows = [f"{number}등급 | {number * 10}만 원 | 팀장 승인" for number in range(80)]
    passages = split(make(section(Block("\n".join(["등급 | 한도 | 승인", *rows]), "table"))))
    assert len(passages) > 2
    assert all(passage.text.startswith("등급 | 한도 | 승인\n") for passage in passages)
    assert [row for passage in passages for row in passage.text.split("\n")[1:]] == rows


def test_list_items_are_kept_whole() -> None:
    items = [f"- {SENTENCE.format(number)} 예외는 {number}호를 봅니다." for number in range(40)]
    for passage in split(make(section(Block("\n".join(items), "list"))), overlap=0):
        assert set(passage.text.split("\n")) <= set(items)


def test_code_keeps_its_indentation() -> None:
    (passage,) = split(make(section(Block("    if 승인:\n        보낸다()", "code"))))
    assert passage.text == "    if 승인:\n        보낸다()"


def test_a_new_heading_begins_a_new_passage() -> None:
    page = make(section(Block(prose(10)), heading=("연차",)), section(Block(prose(10, 50)), heading=("병가",)))
    assert [passage.heading for passage in split(page)] == [("연차",), ("병가",)]
    assert "50번" not in split(page)[0].text
    assert "9번" not in split(page)[1].text.replace("59번", "")


def test_tiny_neighbours_share_a_passage_under_their_heading_lines() -> None:
    page = make(
        section(Block("김민지"), heading=("연락처", "인사팀")),
        section(Block("박서준"), heading=("연락처", "총무팀")),
        section(Block("이도윤"), heading=("연락처", "보안팀", "야간")),
    )
    (passage,) = split(page)
    assert passage.heading == ("연락처",)
    assert passage.text == "인사팀\n김민지\n\n총무팀\n박서준\n\n보안팀 > 야간\n이도윤"


def test_an_introduction_joins_its_subsections() -> None:
    (passage,) = split(
        make(section(Block("휴가의 종류입니다."), heading=("휴가",)), section(Block("15일"), heading=("휴가", "연차")))
    )
    assert (passage.heading, passage.text) == (("휴가",), "휴가의 종류입니다.\n\n연차\n15일")


def test_a_one_line_section_joins_a_larger_neighbour() -> None:
    page = make(section(Block(prose(8)), heading=("신청",)), section(Block("인사팀"), heading=("문의",)))
    (passage,) = split(page)
    assert passage.text.startswith("신청\n0번")
    assert passage.text.endswith("문의\n인사팀")


def test_sections_of_different_parents_or_printed_pages_stay_apart() -> None:
    assert len(split(make(section(Block("가"), heading=("A", "B")), section(Block("나"), heading=("C", "D"))))) == 2
    assert len(split(make(section(Block("가"), page=1), section(Block("나"), page=2)))) == 2


def test_a_heading_with_nothing_under_it_can_be_found() -> None:
    (passage,) = split(make(section(heading=("조직", "개발팀"))))
    assert passage.text == "개발팀"


def test_no_useless_last_passage_is_left() -> None:
    passages = split(make(section(Block(prose(14)), Block("끝입니다."))), overlap=0)
    assert all(len(passage.text) > 100 for passage in passages)


def test_text_without_spaces_is_cut_but_never_before_a_combining_mark() -> None:
    family = "👩\u200d👩\u200d👧"
    for written in ("e\u0303" * 500, family * 200, "\u1112\u119e\u11ab" * 300):
        text = unicodedata.normalize("NFC", written)
        for passage in split(make(section(Block(text))), size=100, overlap=0):
            assert not unicodedata.category(passage.text[0]).startswith("M")
            assert passage.text[0] not in "\u200d\u119e\u11ab"
            assert not passage.text.endswith("\u200d")


def test_an_empty_page_has_no_passages() -> None:
    assert split(make()) == []
    assert split(make(section(Block(" \n ")))) == []


_KINDS: list[BlockKind] = ["paragraph", "list", "table", "code"]
_TEXT = st.text(alphabet=st.sampled_from("가나다 .?\n|1a\u0301\u200d-요"), max_size=250) | st.text(max_size=60)
_BLOCKS = st.lists(st.builds(Block, _TEXT, st.sampled_from(_KINDS)), max_size=4).map(tuple)
_HEADINGS = st.lists(st.sampled_from("가나다"), max_size=3).map(tuple)
_SECTIONS = st.lists(st.builds(Section, _HEADINGS, _BLOCKS, st.sampled_from([None, 1])), max_size=5)


@given(sections=_SECTIONS, size=st.integers(8, 150), overlap=st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_nothing_is_lost_reordered_or_too_long(sections: list[Section], size: int, overlap: int) -> None:
    passages = split(make(*sections), size, overlap)
    found = iter("".join("".join(passage.text.split()) for passage in passages))
    wanted = "".join("".join(block.text.split()) for one in sections for block in one.blocks)
    assert all(char in found for char in wanted)  # `in` consumes the iterator: a test of order, too
    assert [passage.number for passage in passages] == list(range(len(passages)))
    assert all(passage.text.strip() and len(passage.text) <= 1.5 * size for passage in passages)
