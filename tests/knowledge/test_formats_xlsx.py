"""Workbooks made with openpyxl."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence

import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.chunk import split
from knowledge.errors import PageWithoutText, UnreadablePage
from knowledge.formats import xlsx, xlsx_sheet
from knowledge.page import Audience, Block, Document
from knowledge.sources.base import SourceFile, to_page
from tests.fakes.office_parts import part_of, with_part

SHEET = "xl/worksheets/sheet1.xml"


def saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def book_of(rows: Sequence[Sequence[object]], name: str = "목록") -> tuple[openpyxl.Workbook, Worksheet]:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = name
    for row in rows:
        sheet.append(list(row))
    return book, sheet


def read(book: openpyxl.Workbook) -> Document:
    return xlsx.parse(saved(book))


def blocks_of(book: openpyxl.Workbook) -> tuple[Block, ...]:
    (section,) = read(book).sections
    return section.blocks


def test_each_sheet_is_a_section_with_its_name_and_number() -> None:
    book, _ = book_of([["부서", "내선"], ["인사팀", "1234"]], "연락처")
    book.create_sheet("숙소").append(["강릉 휴양소"])
    document = read(book)
    assert [(section.heading, section.page_number) for section in document.sections] == [
        (("연락처",), 1),
        (("숙소",), 2),
    ]
    assert document.sections[0].blocks == (Block("부서 | 내선\n인사팀 | 1234", "table"),)
    assert document.sections[1].blocks == (Block("강릉 휴양소"),)


def test_the_page_is_called_after_the_file_not_after_a_sheet() -> None:
    document = read(book_of([["부서", "내선"], ["인사팀", "1234"]], "Sheet1")[0])
    file = SourceFile("총무/비품 대장.xlsx", url=None, modified=None, size=1, read=lambda: b"")
    assert to_page("위키", Audience(), file, document).title == "비품 대장"


def test_values_are_shown_as_their_cells_show_them() -> None:
    book, sheet = book_of(
        [["항목", "값"], ["예산", 1234], ["달성률", 0.125], ["개시", dt.date(2026, 3, 1)], ["점검", True]]
    )
    sheet["B2"].number_format = '#,##0"원"'
    sheet["B3"].number_format = "0.0%"
    assert blocks_of(book) == (
        Block("항목 | 값\n예산 | 1,234원\n달성률 | 12.5%\n개시 | 2026-03-01\n점검 | TRUE", "table"),
    )


def test_merged_cells_stand_in_every_row_and_column_that_they_cover() -> None:
    book, sheet = book_of(
        [["팀", "이름", "역할"], ["인사팀", "김서연", "채용"], [None, "박민준", "급여"], ["총무팀", "공용", None]]
    )
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("B4:C4")
    assert blocks_of(book) == (
        Block("팀 | 이름 | 역할\n인사팀 | 김서연 | 채용\n인사팀 | 박민준 | 급여\n총무팀 | 공용 | 공용", "table"),
    )


def test_a_header_of_two_rows_gives_each_column_its_whole_name() -> None:
    book, sheet = book_of(
        [
            ["2026년 부서별 예산", None, None, None, "(단위: 천원)"],
            ["구분", "2025년", None, "2026년", None],
            [None, "상반기", "하반기", "상반기", "하반기"],
            ["인사팀", 10, 20, 30, 40],
        ]
    )
    for merged in ("A1:D1", "A2:A3", "B2:C2", "D2:E2"):
        sheet.merge_cells(merged)
    assert blocks_of(book) == (
        Block("2026년 부서별 예산 (단위: 천원)"),
        Block(
            "구분 | 2025년 상반기 | 2025년 하반기 | 2026년 상반기 | 2026년 하반기\n인사팀 | 10 | 20 | 30 | 40", "table"
        ),
    )


def test_a_wide_name_above_plain_rows_is_a_header_of_one_row() -> None:
    book, sheet = book_of([["사무실", None, "담당"], ["서울", "본사", "김서연"], ["부산", "지사", "박민준"]])
    sheet.merge_cells("A1:B1")
    assert blocks_of(book)[0].text == "사무실 | 사무실 | 담당\n서울 | 본사 | 김서연\n부산 | 지사 | 박민준"


def test_wide_names_above_nothing_beside_them_have_the_next_row_below_them() -> None:
    book, sheet = book_of(
        [["팀", "상반기", None], [None, "계획", "실적"], ["인사팀", "채용 2명", "채용 1명"], ["총무팀", "이사", "완료"]]
    )
    sheet.merge_cells("B1:C1")
    assert blocks_of(book)[0].text.startswith("팀 | 상반기 계획 | 상반기 실적\n인사팀")


def test_a_merged_first_cell_of_data_makes_no_deep_header() -> None:
    book, sheet = book_of([["인사팀", "김서연", "채용"], [None, "박민준", "급여"], [None, "이도윤", "교육"]])
    sheet.merge_cells("A1:A3")
    assert blocks_of(book)[0].text == "인사팀 | 김서연 | 채용\n인사팀 | 박민준 | 급여\n인사팀 | 이도윤 | 교육"


def test_titles_and_notes_are_paragraphs_and_an_empty_row_parts_tables() -> None:
    book, _ = book_of(
        [
            ["비품 대장"],
            ["작성: 총무팀"],
            ["품목", "수량"],
            ["의자", 12],
            ["※ 매년 3월에 실사합니다."],
            [],
            ["담당", "내선"],
            ["이도윤", "77"],
        ]
    )
    assert blocks_of(book) == (
        Block("비품 대장\n작성: 총무팀"),
        Block("품목 | 수량\n의자 | 12", "table"),
        Block("※ 매년 3월에 실사합니다."),
        Block("담당 | 내선\n이도윤 | 77", "table"),
    )


def test_a_table_that_goes_on_after_an_empty_row_keeps_its_header() -> None:
    book, _ = book_of([["품목", "수량"], ["의자", 12], [], ["책상", 7], ["서랍", 3]])
    assert blocks_of(book) == (
        Block("품목 | 수량\n의자 | 12", "table"),
        Block("품목 | 수량\n책상 | 7\n서랍 | 3", "table"),
    )


def test_what_is_hidden_is_not_read_and_does_not_part_the_table() -> None:
    book, sheet = book_of(
        [
            ["이름", "주민번호", "부서"],
            ["김서연", "비밀", "인사팀"],
            ["퇴사자", "비밀", "없음"],
            ["박민준", "비밀", "총무팀"],
        ]
    )
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[3].hidden = True
    for state in ("hidden", "veryHidden"):
        secret = book.create_sheet(state)
        secret.append(["비밀"])
        secret.sheet_state = state
    document = read(book)
    assert len(document.sections) == 1
    assert document.sections[0].blocks == (Block("이름 | 부서\n김서연 | 인사팀\n박민준 | 총무팀", "table"),)


def test_formulas_count_by_their_stored_values_and_missing_ones_are_told() -> None:
    book, _ = book_of([["항목", "합계"], ["식대", "=1+2"]])
    data = saved(book)
    sheet = part_of(data, SHEET)
    known = with_part(data, SHEET, re.sub(rb"<v\s*/>|<v></v>", b"<v>3</v>", sheet))
    assert xlsx.parse(known).sections[0].blocks == (Block("항목 | 합계\n식대 | 3", "table"),)
    assert "수식 1개는 읽지 못했습니다" in xlsx.parse(data).sections[0].blocks[-1].text


def test_a_sheet_of_nothing_but_formulas_without_values_says_what_to_do() -> None:
    book, _ = book_of([["=1+2"]])
    with pytest.raises(UnreadablePage, match="save it once"):
        read(book)


def test_rows_beyond_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_sheet, "MOST_ROWS", 3)
    book, _ = book_of([["번호", "이름"], *([number, f"직원 {number}"] for number in range(1, 6))])
    table, note = blocks_of(book)
    assert table.text == "번호 | 이름\n1 | 직원 1\n2 | 직원 2"
    assert "앞의 3행만 읽었습니다. 뒤의 3행은" in note.text


def test_columns_beyond_the_limit_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_sheet, "MOST_COLUMNS", 2)
    table, note = blocks_of(book_of([["가", "나", "다"], ["1", "2", "3"]])[0])
    assert table.text == "가 | 나\n1 | 2"
    assert "오른쪽에 있는 내용은 읽지 않았습니다" in note.text


def test_every_passage_of_a_long_table_can_be_read_alone() -> None:
    book, _ = book_of([["이름", "부서", "내선"], *([f"직원 {n}", "인사팀", str(1000 + n)] for n in range(200))])
    file = SourceFile("연락처.xlsx", url=None, modified=None, size=1, read=lambda: b"")
    passages = split(to_page("위키", Audience(), file, read(book)))
    assert len(passages) > 5
    assert all(passage.text.startswith("이름 | 부서 | 내선\n") for passage in passages)
    assert all((passage.heading, passage.page_number) == (("목록",), 1) for passage in passages)


def test_rows_of_a_very_wide_table_name_their_own_columns() -> None:
    names = [f"아주 긴 이름을 가진 항목 {number}" for number in range(20)]
    (block,) = blocks_of(book_of([names, [str(number) for number in range(19)]])[0])
    assert block.kind == "list"
    assert block.text.startswith("- 아주 긴 이름을 가진 항목 0: 0, 아주 긴 이름을 가진 항목 1: 1, ")
    assert "항목 19" not in block.text  # an empty cell is not told


def test_a_workbook_with_macros_is_read_and_nothing_is_run() -> None:
    data = saved(book_of([["부서", "내선"], ["인사팀", "1234"]])[0])
    types = part_of(data, "[Content_Types].xml").replace(
        b"spreadsheetml.sheet.main+xml", b"ms-excel.sheet.macroEnabled.main+xml"
    )
    data = with_part(with_part(data, "[Content_Types].xml", types), "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0macro")
    assert xlsx.parse(data).sections[0].blocks == (Block("부서 | 내선\n인사팀 | 1234", "table"),)


def test_runs_and_readings_of_shared_strings() -> None:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.add_worksheet("목록").write(0, 0, "가")
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>연차 </t></r>'
        '<r><t>휴가_x000D_</t></r><rPh sb="0" eb="2"><t>읽는 법</t></rPh></si></sst>'
    )
    document = xlsx.parse(with_part(stream.getvalue(), "xl/sharedStrings.xml", strings.encode()))
    assert document.sections[0].blocks == (Block("연차 휴가"),)


def test_a_workbook_of_another_program_is_read_alike() -> None:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:  # shared strings, stored values of formulas
        sheet = book.add_worksheet("정산")
        money, day = (book.add_format({"num_format": code}) for code in ('#,##0"원"', "yyyy-mm-dd"))
        sheet.write_row(0, 0, ["지출일", "항목", "금액"])
        sheet.write_datetime(1, 0, dt.datetime(2026, 3, 2), day)
        sheet.write_rich_string(1, 1, book.add_format({"bold": True}), "회식", "비")
        sheet.write_number(1, 2, 250000, money)
        sheet.write(2, 1, "합계")
        sheet.write_formula(2, 2, "=SUM(C2:C2)", money, 250000)
        sheet.set_row(3, None, None, {"hidden": True})
        sheet.write(3, 1, "비밀")
    assert xlsx.parse(stream.getvalue()).sections[0].blocks == (
        Block("지출일 | 항목 | 금액\n2026-03-02 | 회식비 | 250,000원\n | 합계 | 250,000원", "table"),
    )


def test_text_boxes_stand_below_the_table() -> None:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("정산")
        sheet.write_row(0, 0, ["항목", "금액"])
        sheet.write_row(1, 0, ["식대", "만 원"])
        sheet.insert_textbox(0, 5, "매월 25일까지 제출합니다.\n영수증을 붙입니다.")
        book.add_worksheet("안내").insert_textbox(0, 0, "문의: 재무팀")
    first, second = xlsx.parse(stream.getvalue()).sections
    assert first.blocks == (
        Block("항목 | 금액\n식대 | 만 원", "table"),
        Block("매월 25일까지 제출합니다.\n영수증을 붙입니다."),
    )
    assert (second.heading, second.page_number, second.blocks) == (("안내",), 2, (Block("문의: 재무팀"),))


def test_an_empty_workbook_has_no_text() -> None:
    with pytest.raises(PageWithoutText):
        read(openpyxl.Workbook())


def test_one_damaged_sheet_does_not_lose_the_others() -> None:
    book, _ = book_of([["부서", "내선"], ["인사팀", "1234"]])
    book.create_sheet("망가진 시트").append(["가"])
    document = xlsx.parse(with_part(saved(book), "xl/worksheets/sheet2.xml", b"<worksheet><sheetData><row"))
    assert document.sections[0].blocks[0].text.startswith("부서")
    assert "손상되었거나" in document.sections[1].blocks[0].text


def sheet_xml(inner: str) -> bytes:
    return f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{inner}</worksheet>'.encode()


SEVEN = '<c r="A1"><v>7</v></c>'
LIES = {
    "dimension": f'<dimension ref="A1:XFD1048576"/><sheetData><row r="1">{SEVEN}</row></sheetData>',
    "last cell": f'<sheetData><row r="1">{SEVEN}</row><row r="1048576"><c r="XFD1048576"><v>8</v></c></row></sheetData>',
    "merges": f'<sheetData><row r="1">{SEVEN}</row></sheetData><mergeCells>'
    + '<mergeCell ref="A1:XFD1048576"/>' * 5000
    + "</mergeCells>",
    "columns": f'<cols><col min="2" max="999999999" hidden="1"/></cols><sheetData><row>{SEVEN}<c><v>8</v></c></row></sheetData>',
    "style": '<sheetData><row r="1"><c r="A1" s="99999"><v>7</v></c><c t="s"><v>5</v></c><c><v>NaN</v></c></row></sheetData>',
    "row": "<sheetData><row>" + "<c/>" * 100_000 + f'</row><row r="1">{SEVEN}</row></sheetData>',
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_lies_of_a_sheet_are_bounded(lie: str) -> None:
    data = with_part(saved(book_of([["가"]])[0]), SHEET, sheet_xml(LIES[lie]))
    assert xlsx.parse(data).sections[0].blocks[0].text == "7"
