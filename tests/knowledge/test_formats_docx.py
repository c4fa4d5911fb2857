"""Word documents made with python-docx."""

from __future__ import annotations

import io
import zipfile

import docx as word
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from knowledge.errors import PageWithoutText, UnreadablePage
from knowledge.formats import docx
from knowledge.page import Block, Document


def saved(document: word.document.Document) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def read(document: word.document.Document) -> Document:
    return docx.parse(saved(document))


def fill(table: word.table.Table, rows: list[list[str]]) -> None:
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text


def table_of(document: word.document.Document) -> list[str]:
    """The lines of its one table."""
    (block,) = read(document).sections[0].blocks
    assert block.kind == "table"
    return block.text.split("\n")


def reference(kind: str, number: int) -> object:
    return parse_xml(f'<w:r {nsdecls("w")}><w:{kind}Reference w:id="{number}"/></w:r>')


def add_notes(document: word.document.Document, kind: str, texts: dict[int, str]) -> None:
    notes = "".join(
        f'<w:{kind} w:id="{number}"><w:p><w:r><w:{kind}Ref/></w:r><w:r><w:t>{text}</w:t></w:r></w:p></w:{kind}>'
        for number, text in texts.items()
    )
    add_part(document, kind, f"<w:{kind}s {nsdecls('w')}>{notes}</w:{kind}s>".encode())


def add_part(document: word.document.Document, kind: str, data: bytes) -> None:
    media = f"application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}s+xml"
    part = Part(PackURI(f"/word/{kind}s.xml"), media, data, document.part.package)
    document.part.relate_to(part, f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}s")


def test_headings_lists_and_tables_come_in_the_order_of_the_document() -> None:
    made = word.Document()
    made.core_properties.title = "출장 규정"
    made.add_paragraph("출장은 미리 신청합니다.")
    made.add_heading("숙박비", 1)
    made.add_paragraph("서울", style="List Bullet")
    made.add_paragraph("부산", style="List Bullet")
    made.add_heading("한도", 2)
    table = made.add_table(2, 2)
    for cell, text in zip(
        (c for row in table.rows for c in row.cells), ["지역", "한도", "서울", "10만 원"], strict=True
    ):
        cell.text = text
    made.add_paragraph("끝입니다.")
    document = read(made)
    assert document.title == "숙박비"  # the first level-1 heading
    assert [section.heading for section in document.sections] == [(), (), ("한도",)]
    assert document.sections[1].blocks == (Block("- 서울\n- 부산", "list"),)
    assert document.sections[2].blocks == (Block("지역 | 한도\n서울 | 10만 원", "table"), Block("끝입니다."))


def test_the_title_style_is_the_title_and_the_properties_are_the_fallback() -> None:
    made = word.Document()
    made.core_properties.title = "속성의 제목"
    made.add_paragraph("본문입니다.")
    assert read(made).title == "속성의 제목"
    made.add_heading("문서의 제목", 0)
    made.add_heading("첫 장", 1)
    made.add_paragraph("내용")
    document = read(made)
    assert document.title == "문서의 제목"
    assert document.sections[-1].heading == ("첫 장",)


def test_korean_heading_styles_and_outline_levels_are_headings() -> None:
    made = word.Document()
    made.add_heading("제목", 0)
    for name in ("제목 1", "개요 2"):
        made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        made.add_paragraph(f"{name} 문단", style=name)
    made.add_paragraph("셋째 수준")._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="2"/>'))
    made.add_paragraph("본문")
    assert read(made).sections[0].heading == ("제목 1 문단", "개요 2 문단", "셋째 수준")


def test_a_merged_cell_is_repeated_in_each_row_that_it_covers_and_a_title_over_all_columns_stands_once() -> None:
    made = word.Document()
    table = made.add_table(3, 3)
    table.cell(0, 0).merge(table.cell(0, 2)).text = "휴가표"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "정규직"
    table.cell(1, 1).text, table.cell(1, 2).text, table.cell(2, 1).text, table.cell(2, 2).text = (
        "1년",
        "15일",
        "3년",
        "16일",
    )
    assert table_of(made) == ["휴가표", "정규직 | 1년 | 15일", "정규직 | 3년 | 16일"]


def test_a_wide_cell_does_not_move_the_columns_behind_it() -> None:
    made = word.Document()
    table = made.add_table(3, 4)
    fill(table, [["구분", "1년 차", "2년 차", "비고"], ["연차", "", "", "전 직원"], ["병가", "30일", "60일", "진단서"]])
    table.cell(1, 1).merge(table.cell(1, 2)).text = "15일"
    assert table_of(made) == [
        "구분 | 1년 차 | 2년 차 | 비고",
        "연차 | 15일 | 15일 | 전 직원",
        "병가 | 30일 | 60일 | 진단서",
    ]


def test_a_cell_merged_over_rows_and_columns_is_repeated_in_both() -> None:
    made = word.Document()
    table = made.add_table(3, 3)
    fill(table, [["", "", "서울"], ["", "", "부산"], ["숙박비", "1박", "8만 원"]])
    table.cell(0, 0).merge(table.cell(1, 1)).text = "본사"
    assert table_of(made) == ["본사 | 본사 | 서울", "본사 | 본사 | 부산", "숙박비 | 1박 | 8만 원"]


def test_a_merge_ends_where_a_new_one_starts_and_text_that_it_covers_is_not_seen() -> None:
    made = word.Document()
    table = made.add_table(4, 2)
    fill(table, [["정규직", "가"], ["덮인 글", "나"], ["계약직", "다"], ["", "라"]])
    for row, value in enumerate(["restart", "continue", "restart", "continue"]):
        table.cell(row, 0)._tc.get_or_add_tcPr().append(parse_xml(f'<w:vMerge {nsdecls("w")} w:val="{value}"/>'))
    assert table_of(made) == ["정규직 | 가", "정규직 | 나", "계약직 | 다", "계약직 | 라"]


def test_a_row_that_begins_further_right_keeps_its_columns() -> None:
    made = word.Document()
    table = made.add_table(2, 3)
    fill(table, [["부서", "이름", "전화"], ["홍길동", "1234", ""]])
    row = table.rows[1]._tr
    row.remove(row.tc_lst[2])
    row.get_or_add_trPr().append(parse_xml(f'<w:gridBefore {nsdecls("w")} w:val="1"/>'))
    assert table_of(made) == ["부서 | 이름 | 전화", " | 홍길동 | 1234"]


@pytest.mark.parametrize("span", ["-3", "0", "", "x", "99999999", "9" * 5000, "²"])
def test_a_span_that_nobody_drew_costs_no_text_and_no_memory(span: str) -> None:
    made = word.Document()
    table = made.add_table(2, 2)
    fill(table, [["가", "나"], ["다", "라"]])
    table.cell(0, 0)._tc.get_or_add_tcPr().append(parse_xml(f'<w:gridSpan {nsdecls("w")} w:val="{span}"/>'))
    lines = table_of(made)
    assert [set(line.strip(" |").split(" | ")) - {""} for line in lines] == [{"가", "나"}, {"다", "라"}]
    assert len("".join(lines)) < 1000


def test_a_text_box_in_a_cell_stands_there_once() -> None:
    made = word.Document()
    table = made.add_table(1, 2)
    fill(table, [["절차", "신청"]])
    box = "<w:txbxContent><w:p><w:r><w:t>3일 전까지</w:t></w:r></w:p></w:txbxContent>"
    table.cell(0, 1).paragraphs[0]._p.append(
        parse_xml(
            f'<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:AlternateContent>'
            f'<mc:Choice Requires="wps">{box}</mc:Choice><mc:Choice Requires="wpg">{box}</mc:Choice>'
            f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        )
    )
    assert table_of(made) == ["절차 | 신청 3일 전까지"]


def test_notes_stand_behind_what_refers_to_them() -> None:
    made = word.Document()
    made.add_heading("규정", 0)
    made.add_paragraph("연차는 15일입니다.")._p.append(reference("footnote", 1))
    made.add_paragraph("병가", style="List Bullet")._p.append(reference("endnote", 1))
    table = made.add_table(1, 2)
    fill(table, [["숙박비", "8만 원"]])
    table.cell(0, 1).paragraphs[0]._p.append(reference("footnote", 2))
    made.add_heading("휴직", 1)._p.append(reference("footnote", 3))
    add_notes(made, "footnote", {0: "", 1: "회계 연도 기준", 2: "서울은 10만 원", 3: "2026년 개정"})
    add_notes(made, "endnote", {1: "진단서 필요"})
    first, second = read(made).sections
    assert first.blocks == (
        Block("연차는 15일입니다. (주: 회계 연도 기준)"),
        Block("- 병가 (주: 진단서 필요)", "list"),
        Block("숙박비 | 8만 원 (주: 서울은 10만 원)", "table"),
    )
    assert (second.heading, second.blocks) == (("휴직",), (Block("(주: 2026년 개정)"),))


def test_a_note_is_told_once_however_often_it_is_referred_to() -> None:
    made = word.Document()
    for _ in range(3):
        made.add_paragraph("본문")._p.append(reference("footnote", 1))
    add_notes(made, "footnote", {1: "긴 각주"})
    assert read(made).sections[0].blocks == (Block("본문 (주: 긴 각주)"), Block("본문"), Block("본문"))


@pytest.mark.parametrize("part", [b"", b"no xml", b"<w:footnotes"])
def test_without_readable_notes_the_text_is_read(part: bytes) -> None:
    made = word.Document()
    made.add_paragraph("본문")._p.append(reference("footnote", 1))
    add_part(made, "footnote", part)
    assert read(made).sections[0].blocks == (Block("본문"),)


def test_what_python_docx_skips_is_read_too() -> None:
    made = word.Document()
    body = made.element.body
    text = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
    tracked = (
        "<w:p><w:ins><w:r><w:t>추가됨</w:t></w:r></w:ins><w:del><w:r><w:delText>지워짐</w:delText></w:r></w:del></w:p>"
    )
    box = f"<w:p><w:r><w:pict><w:txbxContent>{text.format('글상자')}</w:txbxContent></w:pict></w:r></w:p>"
    toc = (
        '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
        f"<w:sdtContent>{text.format('차례')}</w:sdtContent></w:sdt>"
    )
    control = f"<w:sdt><w:sdtContent>{text.format('콘텐츠 컨트롤')}</w:sdtContent></w:sdt>"
    for number, element in enumerate(parse_xml(f"<w:x {nsdecls('w')}>{toc}{control}{tracked}{box}</w:x>")):
        body.insert(number, element)
    assert read(made).sections[0].blocks == (Block("콘텐츠 컨트롤"), Block("추가됨"), Block("글상자"))


def test_a_box_made_of_one_cell_is_read_as_paragraphs() -> None:
    made = word.Document()
    made.add_table(1, 1).cell(0, 0).text = "주의: 마감은 매월 25일입니다."
    assert read(made).sections[0].blocks == (Block("주의: 마감은 매월 25일입니다."),)


def test_an_empty_document_has_no_text() -> None:
    with pytest.raises(PageWithoutText):
        read(word.Document())


@pytest.mark.parametrize("data", [b"PK\x03\x04broken", saved(word.Document())[:2000], b"not a zip"])
def test_a_broken_file_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePage):
        docx.parse(data)


def test_a_zip_that_is_no_word_file_is_unreadable() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "안녕")
    with pytest.raises(UnreadablePage):
        docx.parse(stream.getvalue())


def test_an_encrypted_or_old_file_says_so() -> None:
    with pytest.raises(UnreadablePage, match="encrypted"):
        docx.parse(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500)
