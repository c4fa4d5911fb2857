"""CSV and TSV as spreadsheets, accounting programs and people write them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import PageError, PageWithoutText, UnreadablePage
from knowledge.formats import csv_table, parse
from knowledge.page import Block


def blocks_of(text: str, name: str = "a.csv", encoding: str = "utf-8") -> tuple[Block, ...]:
    (section,) = parse(text.encode(encoding), name).sections
    return section.blocks


TABLE = Block("이름 | 부서\n김서연 | 인사팀\n박민준 | 총무팀", "table")


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_the_separator_is_found(separator: str, name: str) -> None:
    rows = ("이름", "부서"), ("김서연", "인사팀"), ("박민준", "총무팀")
    assert blocks_of("\r\n".join(map(separator.join, rows)), name) == (TABLE,)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_encodings_of_excel_are_read(encoding: str) -> None:
    assert blocks_of("이름,부서\r\n김서연,인사팀\r\n박민준,총무팀\r\n", encoding=encoding) == (TABLE,)


def test_the_separator_that_excel_names_itself_is_believed() -> None:
    assert blocks_of("sep=;\r\n이름, 직급;부서, 층\r\n김서연, 과장;인사팀, 3층") == (
        Block("이름, 직급 | 부서, 층\n김서연, 과장 | 인사팀, 3층", "table"),
    )


def test_commas_in_amounts_do_not_part_a_table_of_semicolons() -> None:
    (table,) = blocks_of("항목;금액\n식대;1,200,000\n교통비;30,000")
    assert table.text == "항목 | 금액\n식대 | 1,200,000\n교통비 | 30,000"


def test_quoted_cells_hold_separators_line_ends_and_quotation_marks() -> None:
    assert blocks_of('질문,답\n"연차, 며칠?","15일입니다.\n""3년 이상""은 16일입니다."') == (
        Block('질문 | 답\n연차, 며칠? | 15일입니다. "3년 이상"은 16일입니다.', "table"),
    )


def test_a_quotation_mark_that_is_never_closed_swallows_nothing() -> None:
    assert blocks_of('품목,크기\n모니터,"27인치\n책상,120cm\n의자,중간') == (
        Block('품목 | 크기\n모니터 | "27인치\n책상 | 120cm\n의자 | 중간', "table"),
    )


def test_ragged_rows_are_rows() -> None:
    assert blocks_of("가,나,다\n1,2\n1,2,3,4") == (Block("가 | 나 | 다 |\n1 | 2 |  |\n1 | 2 | 3 | 4", "table"),)


def test_lines_above_the_table_are_paragraphs_and_an_empty_row_parts_tables() -> None:
    assert blocks_of("비품 대장,,\n\n품목,수량,위치\n의자,12,3층\n,,\n담당,내선,\n이도윤,칠칠,") == (
        Block("비품 대장"),
        Block("품목 | 수량 | 위치\n의자 | 12 | 3층", "table"),
        Block("담당 | 내선\n이도윤 | 칠칠", "table"),
    )


def test_rows_beyond_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "MOST_ROWS", 2)
    table, note = blocks_of("가,나\n1,2\n3,4\n5,6")
    assert table.text == "가 | 나\n1 | 2"
    assert "앞의 2행만 읽었습니다. 뒤의 2행은" in note.text


def test_an_endless_row_is_told() -> None:
    table, note = blocks_of("가," * 100_000 + "나\n" + "1," * 100_000 + "2")
    assert "오른쪽에 있는 내용은 읽지 않았습니다" in note.text
    assert len(table.text) < 10_000


def test_a_table_without_text_has_none() -> None:
    with pytest.raises(PageWithoutText):
        parse(b",,\n,,\n", "a.csv")


def test_binary_data_is_unreadable() -> None:
    with pytest.raises(UnreadablePage):
        parse(bytes(range(256)) * 20, "a.csv")


_CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")) | st.sampled_from(",;|\t\"'\n 가나"), max_size=12
)


@given(rows=st.lists(st.lists(_CELL.filter(lambda cell: cell.strip()), min_size=3, max_size=3), min_size=3, max_size=8))
@settings(max_examples=100, deadline=None)
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    document = csv_table.parse(stream.getvalue().encode("utf-8-sig"))
    read = "\n".join(block.text for section in document.sections for block in section.blocks)
    for cell in (cell for row in rows for cell in row):
        assert all(word in read for word in csv_table.one_line(cell).split())


@given(
    text=st.lists(st.sampled_from([*',;|\t"\n\r가1', "이름", "sep=,", "2026-03-01", "\n\n"]), max_size=60).map("".join)
)
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_document_or_a_page_error(text: str) -> None:
    try:
        document = csv_table.parse(text.encode())
    except PageError:
        return
    assert all(block.text.strip() for section in document.sections for block in section.blocks)
