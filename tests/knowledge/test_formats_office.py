"""Hostile and damaged Office files: bombs, entities, endless parts, flipped bytes. All three formats alike."""

from __future__ import annotations

import contextlib
import io

import docx
import openpyxl
import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import LockedPage, PageError, UnreadablePage
from knowledge.formats import office, parse, xlsx
from tests.fakes.office_parts import names_of, part_of, with_part
from tests.fakes.zip_maker import encrypted


def _docx() -> bytes:
    made = docx.Document()
    made.add_heading("휴가", 1)
    made.add_paragraph("연차는 1년에 15일입니다.", style="List Bullet")
    made.add_table(2, 2).cell(0, 0).text = "구분"
    return _saved(made)


def _pptx() -> bytes:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "휴가"
    slide.placeholders[1].text = "연차는 1년에 15일입니다."
    slide.shapes.add_table(2, 2, 0, 0, 9999, 9999).table.cell(0, 0).text = "구분"
    slide.notes_slide.notes_text_frame.text = "천천히 설명합니다."
    return _saved(made)


def _xlsx() -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in (["구분", "기준", "일수"], ["연차", 0.125, 15], ["병가", "=1+1", None]):
        sheet.append(row)
    sheet["B2"].number_format = "0.0%"
    sheet.merge_cells("B3:C3")
    return _saved(made)


def _saved(made: docx.document.Document | pptx.presentation.Presentation | openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


GOOD = {".docx": _docx(), ".pptx": _pptx(), ".xlsx": _xlsx()}
MAIN = {".docx": "word/document.xml", ".pptx": "ppt/slides/slide1.xml", ".xlsx": "xl/worksheets/sheet1.xml"}
FORMATS = pytest.mark.parametrize("suffix", sorted(GOOD))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def text_of(data: bytes, suffix: str) -> str:
    document = parse(data, f"a{suffix}")
    return "\n".join(block.text for section in document.sections for block in section.blocks)


@FORMATS
def test_the_untouched_files_are_read(suffix: str) -> None:
    assert "15" in text_of(GOOD[suffix], suffix)


@FORMATS
def test_a_zip_bomb_is_refused(suffix: str) -> None:
    bomb = with_part(GOOD[suffix], MAIN[suffix], b"<a>" + b" " * 60_000_000 + b"</a>")
    assert len(bomb) < 200_000
    with pytest.raises(UnreadablePage, match="unpacks to more than"):
        parse(bomb, f"a{suffix}")


@FORMATS
def test_a_container_of_endless_members_is_refused(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "_MOST_MEMBERS", 5)
    with pytest.raises(UnreadablePage, match="more than 5 files"):
        parse(GOOD[suffix], f"a{suffix}")


@pytest.mark.parametrize("suffix", [".docx", ".pptx"])
def test_markup_without_end_makes_no_tree(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "_MOST_TAGS", 1000)
    flood = part_of(GOOD[suffix], MAIN[suffix]).replace(b"</", b"<x/>" * 1000 + b"</", 1)
    with pytest.raises(UnreadablePage, match="marks of structure"):
        parse(with_part(GOOD[suffix], MAIN[suffix], flood), f"a{suffix}")


LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 10) for level in range(9)
)


@FORMATS
@pytest.mark.parametrize("entities", [LAUGHS + b"]>", b'<!DOCTYPE a [<!ENTITY j SYSTEM "file:///etc/passwd">]>'])
def test_entities_are_not_followed(suffix: str, entities: bytes) -> None:
    part = part_of(GOOD[suffix], MAIN[suffix])
    start = part.index(b"?>") + 2 if part.startswith(b"<?xml") else 0
    part = part[:start] + entities + part[start:].replace("연차".encode(), b"&j;")
    try:
        text = text_of(with_part(GOOD[suffix], MAIN[suffix], part), suffix)
    except PageError:
        return
    assert len(text) < 1_000
    assert "haha" not in text
    assert "root:" not in text


def test_a_workbook_with_a_document_type_is_refused() -> None:
    part = part_of(GOOD[".xlsx"], MAIN[".xlsx"])
    with pytest.raises(UnreadablePage, match="document type"):
        xlsx.parse(with_part(GOOD[".xlsx"], MAIN[".xlsx"], LAUGHS + b"]>" + part))


@FORMATS
def test_markup_nested_without_end_is_refused_or_passed_over(suffix: str) -> None:
    part = part_of(GOOD[suffix], MAIN[suffix])
    end = part.rindex(b"</")
    deep = with_part(GOOD[suffix], MAIN[suffix], part[:end] + b"<a>" * 50_000 + b"</a>" * 50_000 + part[end:])
    with contextlib.suppress(UnreadablePage):  # lxml refuses, expat does not mind
        assert "15" in text_of(deep, suffix)


@FORMATS
def test_an_encrypted_file_is_locked_and_says_so(suffix: str) -> None:
    name = "EncryptedPackage".encode("utf-16-le")
    for data in (OLE + bytes(500) + name + bytes(500), encrypted(GOOD[suffix])):
        with pytest.raises(LockedPage, match="encrypted"):
            parse(data, f"a{suffix}")


@FORMATS
def test_an_old_file_under_a_new_name_is_not_called_locked(suffix: str) -> None:
    with pytest.raises(UnreadablePage, match="old Office file") as caught:
        parse(OLE + bytes(500), f"a{suffix}")
    assert not isinstance(caught.value, LockedPage)


_PIECE = st.sampled_from(
    [
        b"<",
        b">",
        b'"',
        b"/",
        b"&",
        b"&#0;",
        b"-1",
        b"99999999999",
        b"\xff",
        b"<a:t>",
        b"</w:p>",
        b'r="XFD9"',
        b't="s"',
        b"x:",
    ]
) | st.binary(max_size=3)


@FORMATS
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files_raise_only_page_errors(suffix: str, data: st.DataObject) -> None:
    good = GOOD[suffix]
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(good) - 1))
        bad = good[:at] + data.draw(_PIECE) + good[at + data.draw(st.integers(0, 20)) :]
    else:  # a container that is whole, with a damaged part
        name = data.draw(st.sampled_from([MAIN[suffix]] * 10 + [one for one in names_of(good) if "theme" not in one]))
        part = part_of(good, name)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(part)))
            part = part[:at] + data.draw(_PIECE) + part[at + data.draw(st.integers(0, 20)) :]
        bad = with_part(good, name, part)
    try:
        document = parse(bad, f"a{suffix}")
    except PageError:
        return
    assert all(block.text.strip() for section in document.sections for block in section.blocks)
