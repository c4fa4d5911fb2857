"""Files under the old names of Office."""

from __future__ import annotations

import io

import docx
import openpyxl
import pytest

from knowledge.errors import OldFormat
from knowledge.formats import KNOWN_SUFFIXES, parse
from knowledge.page import Block

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(("suffix", "new"), [(".doc", ".docx"), (".xls", ".xlsx"), (".ppt", ".pptx")])
def test_a_file_of_before_2007_says_what_to_save_it_as(suffix: str, new: str) -> None:
    with pytest.raises(OldFormat) as caught:
        parse(OLE, f"규정{suffix}")
    assert new in caught.value.explain("ko")
    assert new in caught.value.explain("en")
    assert suffix in KNOWN_SUFFIXES  # so that a folder names it instead of passing over it in silence


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_web_page_called_xls_is_read_as_what_it_is(encoding: str) -> None:
    page = "<html><body><table>\n<tr><th>계정</th><th>금액</th></tr><tr><td>식대\t</td><td>12,000</td></tr></table></body></html>"
    assert parse(page.encode(encoding), "정산.xls").sections[0].blocks == (
        Block("계정 | 금액\n식대 | 12,000", "table"),
    )


def test_tabs_called_xls_are_a_table() -> None:
    assert parse("계정\t금액\n식대\t12,000".encode("cp949"), "정산.XLS").sections[0].blocks == (
        Block("계정 | 금액\n식대 | 12,000", "table"),
    )


def test_new_files_under_an_old_name_are_read() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "휴무 안내"  # type: ignore[index]
    text = docx.Document()
    text.add_paragraph("휴무 안내")
    for made, name in ((book, "a.xls"), (text, "a.doc")):
        stream = io.BytesIO()
        made.save(stream)
        assert parse(stream.getvalue(), name).sections[0].blocks == (Block("휴무 안내"),)


@pytest.mark.parametrize(
    "data", ["{\\rtf1 규정}".encode("cp949"), b"<?xml version='1.0'?><Workbook/>", b"no table at all"]
)
def test_anything_else_under_an_old_name_is_old(data: bytes) -> None:
    with pytest.raises(OldFormat):
        parse(data, "규정.xls")
