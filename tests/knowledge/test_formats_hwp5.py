"""HWP 5 files made by tests/fakes/hwp_maker.py."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import LockedPage, PageError, PageWithoutText, UnreadablePage
from knowledge.formats import hwp5, hwp5_container, hwp5_records
from knowledge.formats.hangul_numbers import Level
from knowledge.page import Block, Document
from tests.fakes import hwp_maker as made
from tests.fakes.compound_maker import compound_file
from tests.fakes.hwp_maker import HERE, Cell, Node, grid, make_hwp, note, paragraph, records, shape, table

SHAPES = [shape(), shape(1, 0), shape(1, 1), shape(2, 0), shape(3, 1)]
CHAPTER, PART, NUMBER, BULLET = range(1, 5)
UNPACKED = 0
"""Properties of a file whose streams are not compressed: damage done to it reaches the records."""


def read(*paragraphs: Node, styles: tuple[str, ...] = ("바탕글",), title: str = "") -> Document:
    return hwp5.parse(make_hwp(paragraphs, shapes=SHAPES, styles=styles, title=title))


def blocks(*paragraphs: Node) -> list[Block]:
    return [block for section in read(*paragraphs).sections for block in section.blocks]


def test_the_outline_makes_the_headings_and_the_summary_the_title() -> None:
    document = read(
        paragraph("머리글 없는 글"),
        paragraph("제1장 총칙", shape=CHAPTER),
        paragraph("목적", shape=PART),
        paragraph("이 규정은 휴가를 정합니다."),
        paragraph("제2장 휴가", shape=CHAPTER),
        paragraph("연차는 15일입니다."),
        title="휴가 규정",
    )
    assert document.title == "휴가 규정"
    assert [section.heading for section in document.sections] == [(), ("제1장 총칙", "목적"), ("제2장 휴가",)]
    assert {section.page_number for section in document.sections} == {None}


def test_styles_by_name_are_title_headings_and_table_of_contents() -> None:
    document = read(
        paragraph("여비 규정", style=1),
        paragraph("제1장 총칙 ····· 1", style=2),
        paragraph("제1장 총칙", style=3),
        paragraph("여비는 실비로 정산합니다."),
        styles=("바탕글", "제목", "차례 1", "개요 1"),
        title="옛 제목",
    )
    assert document.title == "여비 규정"
    assert [section.heading for section in document.sections] == [("제1장 총칙",)]


def test_automatic_numbers_are_counted_by_their_numbering_and_level() -> None:
    document = hwp5.parse(
        make_hwp(
            [
                paragraph("총칙", shape=1),
                paragraph("목적", shape=2),
                paragraph("이 규정은 휴가를 정한다.", shape=2),
                paragraph("신분증", shape=3),
                paragraph("통장", shape=3),
                paragraph("휴가", shape=1),
                paragraph("연차", shape=2),
                paragraph("표", grid(["가", "나"], ["다", "라"])),
            ],
            shapes=[shape(), shape(1, 0), shape(1, 1), shape(2, 0, 2)],
            numberings=[made.numbering(("제^1장", 0), ("^1-^2.", 8)), made.numbering(("^1", 1), starts=(3,) * 7)],
            outline=1,
        )
    )
    assert [section.heading for section in document.sections] == [
        ("제1장 총칙", "1-가. 목적"),
        ("제2장 휴가", "2-가. 연차"),
    ]
    assert document.sections[0].blocks == (Block("  1-나. 이 규정은 휴가를 정한다.\n③ 신분증\n④ 통장", "list"),)


def test_a_numbering_of_older_files_starts_at_one_and_a_broken_one_numbers_nothing() -> None:
    data = made.numbering(("^1)", 0), starts=())
    assert hwp5_records.read_numbering(data)[0] == Level("^1)", 0, 1)
    assert hwp5_records.read_numbering(data[:30]) == ()


def test_numbered_and_bulleted_paragraphs_are_one_list() -> None:
    assert blocks(paragraph("준비물", shape=NUMBER), paragraph("신분증", shape=BULLET), paragraph("끝")) == [
        Block("- 준비물\n  - 신분증", "list"),
        Block("끝"),
    ]


def test_controls_of_one_and_of_eight_units_are_told_apart_from_text() -> None:
    assert blocks(paragraph("연차\t휴가\n15일" + chr(30) + "입니다" + chr(24) + chr(31) + "𠮷")) == [
        Block("연차\t휴가\n15일 입니다- 𠮷")
    ]


def test_a_table_is_rows_with_its_caption_before_and_spans_repeated() -> None:
    cells = [
        Cell(0, 0, "구분", high=2),
        Cell(0, 1, "한도", wide=2),
        Cell(1, 1, "서울"),
        Cell(1, 2, "지방"),
        Cell(2, 0, "숙박"),
        Cell(2, 1, "10만 원"),
        Cell(2, 2, "8만 원"),
    ]
    assert blocks(paragraph(f"앞{HERE}뒤", table(cells, caption="여비 한도"))) == [
        Block("앞뒤"),
        Block("여비 한도"),
        Block("구분 | 한도 | 한도\n구분 | 서울 | 지방\n숙박 | 10만 원 | 8만 원", "table"),
    ]


def test_a_table_within_a_cell_loses_no_text() -> None:
    inner = paragraph("요금", grid(["성인", "천 원"], ["아동", "오백 원"]))
    assert blocks(paragraph("", table([Cell(0, 0, "버스"), Cell(0, 1, (inner, paragraph("환승 무료")))]))) == [
        Block("버스 | 요금 성인, 천 원; 아동, 오백 원 환승 무료", "table")
    ]


def test_notes_follow_their_text_and_boxes_their_paragraph() -> None:
    assert blocks(
        paragraph(f"연차는 15일{HERE}이다.", note(paragraph(f"{HERE} 제60조", made.number(1, 1)))),
        paragraph("그림", made.box(paragraph("상자 안")), note(paragraph("끝주"), end=True)),
    ) == [Block("연차는 15일이다. (주: 제60조)"), Block("그림 (주: 끝주)"), Block("상자 안")]


def with_children(node: Node, *children: Node) -> Node:
    return Node(node.tag, node.data, node.children + children)


def test_headers_comments_and_memos_are_left_out_and_the_text_of_links_stays() -> None:
    memos = Node(made.MEMOS, bytes(4), (Node(made.LIST, bytes(8)), paragraph("메모")))
    document = hwp5.parse(
        make_hwp(
            [
                paragraph("본문", made.page_header(paragraph("사내 한정")), made.hidden_comment(paragraph("고칠 것"))),
                paragraph(f"신청은 {HERE}그룹웨어{chr(4) + chr(0) * 6 + chr(4)}에서", made.link("https://a.example")),
                with_children(paragraph("끝", grid(["가", "나"])), memos),
            ]
        )
    )
    assert document.sections[0].blocks == (
        Block("본문"),
        Block("신청은 그룹웨어에서"),
        Block("끝"),
        Block("가 | 나", "table"),
    )


def test_numbers_of_tables_and_annotated_letters_stand_where_they_are_shown() -> None:
    assert blocks(paragraph(f"표 {HERE}의 {HERE}금", made.number(4, 12), made.annotated("退職", "퇴직"))) == [
        Block("표 12의 退職금")
    ]


def test_sections_come_in_the_order_of_their_numbers() -> None:
    sections = [[paragraph(f"{number}째")] for number in range(11)]
    assert [block.text for block in hwp5.parse(make_hwp(*sections)).sections[0].blocks] == [
        f"{number}째" for number in range(11)
    ]


def test_a_long_text_takes_the_record_of_extended_size_and_streams_may_be_unpacked() -> None:
    words = "휴가 규정 " * 1000
    for properties in (0, 1):
        document = hwp5.parse(make_hwp([paragraph(words)], properties=properties))
        assert document.sections[0].blocks == (Block(words.strip()),)


def test_a_document_without_text_says_so() -> None:
    with pytest.raises(PageWithoutText):
        read(paragraph(" "), paragraph("", grid(["", ""])))


def reason(data: bytes) -> str:
    with pytest.raises(UnreadablePage) as caught:
        hwp5.parse(data)
    return str(caught.value.details["reason"])


@pytest.mark.parametrize(
    ("bit", "words"),
    [(1, "password"), (2, "for distribution"), (4, "DRM"), (8, "certificate"), (10, "certificate")],
)
def test_a_locked_document_says_how_it_is_locked(bit: int, words: str) -> None:
    with pytest.raises(LockedPage, match=words):
        hwp5.parse(make_hwp([paragraph("비밀")], properties=1 | 1 << bit))


def test_another_version_and_another_compound_file_are_named() -> None:
    assert "version 6" in reason(make_hwp([paragraph("가")], version=0x06000000))
    assert "not of Hangul" in reason(compound_file({"WordDocument": bytes(5000)}))
    assert "not of Hangul" in reason(compound_file({"FileHeader": b"Something else".ljust(256)}))
    assert "no text" in reason(make_hwp())


def test_a_stream_that_swells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hwp5, "_MOST_BYTES", 100_000)
    bomb = make_hwp([paragraph("가" * 200_000)])
    assert len(bomb) < 20_000
    assert "unpacks to more" in reason(bomb)
    monkeypatch.undo()
    assert "unpacks to more" in reason(make_hwp([paragraph("가" * 600_000)]))


def test_a_stream_that_is_cut_off_is_not_read_in_part() -> None:
    stream = b"".join(records([paragraph("첫째"), paragraph("둘째")]))
    with pytest.raises(UnreadablePage, match="cut off"):
        hwp5_records.read_records(stream[:-30])
    with pytest.raises(UnreadablePage, match="cut off"):
        hwp5_records.unpack(made.deflated(stream)[:-4], 10_000)


def test_records_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hwp5_records, "_MOST_RECORDS", 100)
    assert "more than 100 records" in reason(make_hwp([paragraph("가")] * 101))


def test_tables_nested_without_end_are_refused() -> None:
    content = paragraph("속")
    for _ in range(70):
        content = paragraph("", table([Cell(0, 0, (content,))]))
    assert "too deep" in reason(make_hwp([content]))


def test_levels_hundreds_deep_do_not_overflow() -> None:
    data = b"".join(struct.pack("<L", made.PARAGRAPH | level << 10 | 22 << 20) + bytes(22) for level in range(1023))
    assert len(hwp5_records.read_records(data)) == 1


def test_two_cells_at_one_place_lose_no_text() -> None:
    cells = [Cell(0, 0, "가"), Cell(0, 0, "나"), Cell(0, 1, "다"), Cell(1, 0, "라")]
    assert blocks(paragraph("", table(cells))) == [Block("가 나 | 다\n라", "table")]


def test_cells_scattered_over_a_huge_grid_do_not_fill_it() -> None:
    cells = [Cell(30 * at, 30 * at + side, f"{at}가") for at in range(1500) for side in (0, 1)]
    text = blocks(paragraph("", table(cells)))[0].text
    assert text.split("\n")[1499] == "1499가 | 1499가"


def test_a_cell_without_its_place_is_damage() -> None:
    broken = Node(made.CONTROL, b" lbt" + bytes(40), (Node(made.TABLE, bytes(20)), Node(made.LIST, bytes(8))))
    assert "without its place" in reason(make_hwp([paragraph("", made.Control(11, broken))]))


def test_text_that_ends_within_a_control_loses_only_the_control() -> None:
    letters = hwp5_records.read_letters("가".encode("utf-16-le") + struct.pack("<2H", 11, 0))
    assert (letters.pieces, letters.pointers) == (("가",), (1,))


def with_header(data: bytes, place: int, value: int, size: str = "L") -> bytes:
    damaged = bytearray(data)
    struct.pack_into("<" + size, damaged, place, value)
    return bytes(damaged)


GOOD = make_hwp([paragraph("본문")])


@pytest.mark.parametrize(
    ("place", "size", "value"),
    [
        (30, "H", 40),  # sectors of a terabyte
        (32, "H", 0),  # small sectors of one byte
        (44, "L", 0x7FFFFFFF),  # sectors of the allocation table
        (64, "L", 0x7FFFFFFF),  # … of that of the small sectors
        (72, "L", 0x7FFFFFFF),  # … of the list of the former
        (48, "L", 0x7FFFFFFF),  # the first sector of the directory
    ],
)
def test_a_container_that_lies_about_its_size_is_damage(place: int, size: str, value: int) -> None:
    assert "damaged compound file" in reason(with_header(GOOD, place, value, size))


def test_a_stream_larger_than_the_file_is_damage() -> None:
    at = GOOD.index("FileHeader".encode("utf-16-le"))
    assert "damaged compound file" in reason(with_header(GOOD, at + 120, 0x7FFFFFFF))


def test_sectors_in_a_circle_end() -> None:
    directory = struct.unpack_from("<L", GOOD, 48)[0]
    table_at = 512 * (1 + struct.unpack_from("<L", GOOD, 76)[0])
    with contextlib.suppress(PageError):
        hwp5.parse(with_header(GOOD, table_at + 4 * directory, directory))


def test_a_directory_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hwp5_container, "_MOST_ENTRIES", 50)
    assert "more than 50 entries" in reason(compound_file({f"BinData/{number}": b"" for number in range(60)}))


def sample(properties: int) -> bytes:
    return make_hwp(
        [
            paragraph("제1장", shape=CHAPTER),
            paragraph("본문", note(paragraph("주")), made.box(paragraph("상자"))),
            paragraph(
                "표",
                table([Cell(0, 0, "가", high=2), Cell(0, 1, (paragraph("", grid(["나", "다"])),)), Cell(1, 1, "라")]),
            ),
        ],
        shapes=SHAPES,
        properties=properties,
        title="제목",
    )


SAMPLES = [sample(0), sample(1)]


@given(
    number=st.sampled_from([0, 1]),
    cut=st.integers(0, 12000),
    flips=st.lists(st.tuples(st.integers(0, 12000), st.integers(1, 255)), max_size=6),
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_raises_only_page_errors(number: int, cut: int, flips: list[tuple[int, int]]) -> None:
    data = bytearray(SAMPLES[number])
    for place, bits in flips:
        data[place % len(data)] ^= bits
    with contextlib.suppress(PageError):
        hwp5.parse(bytes(data[: max(0, len(data) - cut)]) if cut % 2 else bytes(data))


@given(stream=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_arbitrary_records_raise_only_page_errors(stream: bytes) -> None:
    body = b"".join(records([paragraph("가")])) + stream
    with contextlib.suppress(PageError):
        hwp5.parse(
            compound_file(
                {
                    "FileHeader": struct.pack("<32s2L216x", b"HWP Document File", 0x05000300, UNPACKED),
                    "DocInfo": stream,
                    "BodyText/Section0": body,
                }
            )
        )
