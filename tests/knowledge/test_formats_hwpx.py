"""HWPX files made by tests/fakes/hwpx_maker.py."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import LockedPage, PageError, PageWithoutText, UnreadablePage
from knowledge.formats import hwpx, hwpx_xml
from knowledge.page import Block, Document
from tests.fakes import hwpx_maker as made
from tests.fakes.hwpx_maker import cell, grid, line, make_hwpx, note, paragraph, shape, table, text

SHAPES = [shape(), shape("OUTLINE", 0), shape("OUTLINE", 1), shape("NUMBER", 0), shape("BULLET", 1)]
CHAPTER, PART, NUMBER, BULLET = range(1, 5)


def read(*lines: str, styles: tuple[str, ...] = ("바탕글",), title: str = "") -> Document:
    return hwpx.parse(make_hwpx(lines, shapes=SHAPES, styles=styles, title=title))


def blocks(*lines: str) -> list[Block]:
    return [block for section in read(*lines).sections for block in section.blocks]


def test_the_outline_makes_the_headings_and_the_package_the_title() -> None:
    document = read(
        line("머리글 없는 글"),
        line("제1장 총칙", shape=CHAPTER),
        line("목적", shape=PART),
        line("이 규정은 휴가를 정합니다."),
        line("제2장 휴가", shape=CHAPTER),
        line("연차는 15일입니다."),
        title="휴가 규정",
    )
    assert document.title == "휴가 규정"
    assert [section.heading for section in document.sections] == [(), ("제1장 총칙", "목적"), ("제2장 휴가",)]
    assert {section.page_number for section in document.sections} == {None}


def test_styles_by_name_are_title_headings_and_table_of_contents() -> None:
    document = read(
        line("여비 규정", style=1),
        line("차례", style=2),
        line("제1장 총칙 ····· 1", style=3),
        line("제1장 총칙", style=4),
        line("여비는 실비로 정산합니다."),
        line("숙박비", style=5),
        line("하루 10만 원입니다."),
        styles=("바탕글", "제목", "차례 제목", "차례 1", "개요 1", "소제목"),
        title="옛 제목",
    )
    assert document.title == "여비 규정"
    assert [section.heading for section in document.sections] == [("제1장 총칙",), ("제1장 총칙", "숙박비")]


def test_a_numbered_sentence_of_the_outline_is_a_list_item() -> None:
    document = read(line("총칙", shape=CHAPTER), line("출장은 사흘 전에 신청하여야 한다.", shape=PART))
    assert document.sections[0].heading == ("총칙",)
    assert document.sections[0].blocks == (Block("  - 출장은 사흘 전에 신청하여야 한다.", "list"),)


def test_automatic_numbers_are_counted_by_their_numbering_and_level() -> None:
    document = hwpx.parse(
        make_hwpx(
            [
                line("총칙", shape=1),
                line("목적", shape=2),
                line("휴가", shape=1),
                line("연차", shape=2),
                line("통장", shape=3),
            ],
            shapes=[shape(), shape("OUTLINE", 0), shape("OUTLINE", 1), shape("NUMBER", 0, 2)],
            numberings=[
                made.numbering(("제^1장", "DIGIT"), ("^1-^2.", "HANGUL_SYLLABLE")),
                made.numbering(("^1", "CIRCLED_DIGIT"), start=3),
            ],
            outline=1,
        )
    )
    assert [section.heading for section in document.sections] == [
        ("제1장 총칙", "1-가. 목적"),
        ("제2장 휴가", "2-가. 연차"),
    ]
    assert document.sections[1].blocks == (Block("③ 통장", "list"),)


def test_numbered_bulleted_and_typed_items_are_one_list() -> None:
    assert blocks(
        line("준비물", shape=NUMBER), line("신분증", shape=BULLET), line("○ 통장"), line("끝"), line("가. 앞")
    ) == [
        Block("- 준비물\n  - 신분증\n○ 통장", "list"),
        Block("끝"),
        Block("가. 앞", "list"),
    ]


def test_runs_tabs_and_line_breaks_make_one_text() -> None:
    assert blocks(paragraph(text("연차\t휴가"), text(" 15일\n(1년) & <기타>"))) == [
        Block("연차\t휴가 15일\n(1년) & <기타>")
    ]


def test_a_table_is_rows_with_its_caption_before_and_spans_repeated() -> None:
    rows = [
        [cell(line("구분"), 0, 0, high=2), cell(line("한도"), 0, 1, wide=2)],
        [cell(line("서울"), 1, 1), cell(line("지방"), 1, 2)],
        [cell(line("숙박"), 2, 0), cell(line("10만 원"), 2, 1), cell(line("8만 원"), 2, 2)],
        [cell(line("비고: 실비"), 3, 0, wide=3)],
    ]
    caption = paragraph(text("표 "), made.number("TABLE", 3), text(" 여비"))
    assert blocks(paragraph(text("앞"), table(rows, caption), text("뒤"))) == [
        Block("앞뒤"),
        Block("표 3 여비"),
        Block("구분 | 한도 | 한도\n구분 | 서울 | 지방\n숙박 | 10만 원 | 8만 원\n비고: 실비", "table"),
    ]


def test_columns_that_no_row_tells_apart_are_one() -> None:
    rows = [
        [cell(line("성명"), 0, 0), cell(line("홍길동"), 0, 1, wide=5)],
        [cell(line("부서"), 1, 0), cell(line("인사"), 1, 1, wide=5)],
    ]
    assert blocks(paragraph(table(rows))) == [Block("성명 | 홍길동\n부서 | 인사", "table")]


def test_a_frame_of_one_cell_is_no_table() -> None:
    document = read(paragraph(table([[cell(line("제1장 총칙", shape=CHAPTER) + line("본문"), 0, 0)]])))
    assert document.sections[0].heading == ("제1장 총칙",)
    assert document.sections[0].blocks == (Block("본문"),)


def test_the_bar_of_a_chapter_is_a_heading_and_another_table_of_one_row_is_not() -> None:
    document = read(
        paragraph(table([[cell(line("Ⅱ"), 0, 0), cell(line(""), 0, 1), cell(line("추진 계획"), 0, 2, wide=3)]])),
        line("본문"),
        paragraph(grid(["담당", "홍길동", "내선", "1234"])),
    )
    assert document.sections[0].heading == ("Ⅱ 추진 계획",)
    assert document.sections[0].blocks == (Block("본문"), Block("담당 | 홍길동 | 내선 | 1234", "table"))


def test_a_table_within_a_cell_loses_no_text() -> None:
    inner = paragraph(text("요금"), grid(["성인", "천 원"], ["아동", "오백 원"]))
    assert blocks(paragraph(table([[cell(line("버스"), 0, 0), cell(inner, 0, 1)]]))) == [
        Block("버스 | 요금 성인, 천 원; 아동, 오백 원", "table")
    ]


def test_notes_follow_their_text_and_boxes_their_paragraph() -> None:
    number = made.number("FOOTNOTE", 1)
    assert blocks(
        paragraph(text("연차는 15일"), note(paragraph(number, text("제60조"))), text("이다.")),
        paragraph(text("그림"), made.box(line("상자 안") + line("둘째 줄")), note(line("끝주"), end=True)),
        paragraph(grid(["가", "나"], ["다", "라"])),
    ) == [
        Block("연차는 15일이다. (주: 제60조)"),
        Block("그림 (주: 끝주)"),
        Block("상자 안"),
        Block("둘째 줄"),
        Block("가 | 나\n다 | 라", "table"),
    ]


def test_headers_comments_memos_and_equations_are_left_out_and_links_stay() -> None:
    link = '<hp:ctrl><hp:fieldBegin id="7" type="HYPERLINK"><hp:parameters><hp:stringParam name="Path">https\\://a.example</hp:stringParam></hp:parameters></hp:fieldBegin></hp:ctrl>'
    assert blocks(
        paragraph(
            made.control("header", line("사내 한정")), made.control("hiddenComment", line("고칠 것")), text("본문 ")
        ),
        paragraph(
            made.control("fieldBegin", line("메모"), type="MEMO"), text("신청은 "), link, text("그룹웨어"), text("에서")
        ),
        paragraph("<hp:equation><hp:script>a over b</hp:script></hp:equation>", text("식")),
    ) == [Block("본문"), Block("신청은 그룹웨어에서"), Block("식")]


def test_what_a_tracked_change_deleted_is_gone() -> None:
    before = '<hp:t>연차는 <hp:deleteBegin Id="1" TcId="1"/>10일</hp:t>'
    after = (
        '<hp:t>스무 날<hp:deleteEnd Id="1" TcId="1"/><hp:insertBegin Id="2"/>15일<hp:insertEnd Id="2"/>입니다.</hp:t>'
    )
    assert blocks(paragraph(before, after)) == [Block("연차는 15일입니다.")]


def test_annotated_and_overlaid_letters_are_kept() -> None:
    annotated = "<hp:dutmal><hp:mainText>退職</hp:mainText><hp:subText>퇴직</hp:subText></hp:dutmal>"
    assert blocks(paragraph(annotated, text("금 "), '<hp:compose composeText="①"/>')) == [Block("退職금 ①")]


def test_of_alternatives_the_one_for_every_reader_is_read() -> None:
    chart = (
        "<hp:switch><hp:case><hp:chart/></hp:case><hp:default>"
        + made.box(line("그림 설명"))
        + "</hp:default></hp:switch>"
    )
    assert blocks(paragraph(chart)) == [Block("그림 설명")]


def test_sections_come_in_the_order_of_the_spine_or_of_their_numbers() -> None:
    def order(data: bytes) -> list[str]:
        return [block.text for block in hwpx.parse(data).sections[0].blocks]

    first, second = [line("첫째")], [line("둘째")]
    assert order(make_hwpx(first, second, order=[1, 0])) == ["둘째", "첫째"]
    assert order(make_hwpx(first, second, replaced={"Contents/content.hpf": None})) == ["첫째", "둘째"]


def test_a_file_without_styles_is_read_as_plain_text() -> None:
    document = hwpx.parse(make_hwpx([line("본문", shape=9)], replaced={"Contents/header.xml": None}))
    assert document.sections[0].blocks == (Block("본문"),)


def test_a_document_without_text_says_so() -> None:
    with pytest.raises(PageWithoutText):
        read(line(" "), paragraph(grid(["", ""])))


def reason(data: bytes) -> str:
    with pytest.raises(UnreadablePage) as caught:
        hwpx.parse(data)
    return str(caught.value.details["reason"])


def test_an_encrypted_file_is_named_as_such() -> None:
    with pytest.raises(LockedPage):
        hwpx.parse(make_hwpx([line("비밀")], encrypted=["Contents/section0.xml"]))


def test_a_container_of_another_kind_is_no_hwpx() -> None:
    assert "not an HWPX" in reason(make_hwpx())


def test_entities_that_multiply_are_refused() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "하하"><!ENTITY b "&a;&a;&a;&a;">]><hs:sec xmlns:hs="x">&b;</hs:sec>'
    assert "document type" in reason(make_hwpx([], replaced={"Contents/section0.xml": laughs}))


def test_text_that_swells_is_refused() -> None:
    assert "unpacks to more" in reason(make_hwpx([line("가" * 1_000_000)]))


def test_tables_nested_without_end_are_refused() -> None:
    content = line("속")
    for _ in range(70):
        content = paragraph(table([[cell(content, 0, 0)]]))
    assert "too deep" in reason(make_hwpx([content]))
    assert "too deep" in reason(make_hwpx([], replaced={"Contents/section0.xml": "<a>" * 2000 + "</a>" * 2000}))


def test_elements_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hwpx_xml, "_MOST_ELEMENTS", 100)
    assert "more than 100 elements" in reason(make_hwpx([line("가")] * 40))


def test_a_span_beyond_all_measure_does_not_make_a_huge_table() -> None:
    rows = [[cell(line("가" * 150), 0, 0, high=60_000, wide=60_000), cell(line("나"), 0, 60_001)]]
    assert sum(len(block.text) for block in blocks(paragraph(table(rows)))) < 600_000


SAMPLE = make_hwpx(
    [
        line("제1장", shape=CHAPTER),
        paragraph(text("본문"), note(line("주")), made.box(line("상자"))),
        paragraph(
            table(
                [[cell(line("가"), 0, 0, high=2), cell(paragraph(grid(["나", "다"])), 0, 1)], [cell(line("라"), 1, 1)]]
            )
        ),
    ],
    shapes=SHAPES,
)
SECTION = "Contents/section0.xml"


@given(cut=st.integers(0, 9000), flips=st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 255)), max_size=5))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_raises_only_page_errors(cut: int, flips: list[tuple[int, int]]) -> None:
    data = bytearray(SAMPLE)
    for place, bits in flips:
        data[place % len(data)] ^= bits
    with contextlib.suppress(PageError):
        hwpx.parse(bytes(data[: max(0, len(data) - cut)]) if cut % 2 else bytes(data))


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_section_raises_only_page_errors(data: st.DataObject) -> None:
    section = zipfile.ZipFile(io.BytesIO(SAMPLE)).read(SECTION).decode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(section)))
        end = data.draw(st.integers(start, min(len(section), start + 40)))
        new = data.draw(st.sampled_from(["", "<", ">", '"', "0", "-1", "가", "<hp:p>", "</hp:p>", "<hp:tbl>"]))
        section = section[:start] + new + section[end:]
    with contextlib.suppress(PageError):
        hwpx.parse(make_hwpx([], shapes=SHAPES, replaced={SECTION: section}))
