"""Word documents made with python-docx."""

from __future__ import annotations

import io
import zipfile

import docx as word
import pytest
from docx.enum.style import WD_STYLE_TYPE
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


def test_merged_cells_are_not_repeated() -> None:
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
    assert read(made).sections[0].blocks == (Block("휴가표\n정규직 | 1년 | 15일\n | 3년 | 16일", "table"),)


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
