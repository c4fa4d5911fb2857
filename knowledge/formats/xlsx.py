"""Excel workbooks: each visible sheet is a section of its own, under its name, with its number for citations.

openpyxl is not used for reading: its streaming mode tells neither merged nor hidden cells, its full mode makes an object
of every cell, both refuse workbooks with styles that they do not understand, and neither shows a number as the cell does.
Macros are never looked at; formulas count by the value that was stored with them.
"""

from __future__ import annotations

from knowledge.errors import UnreadablePage
from knowledge.formats.grid import MOST_CHARACTERS, MOST_COLUMNS, add_grid
from knowledge.formats.office import open_office
from knowledge.formats.outline import Outline
from knowledge.formats.xlsx_drawing import shape_texts
from knowledge.formats.xlsx_parts import read_workbook
from knowledge.formats.xlsx_sheet import Allowance, Sheet, read_sheet
from knowledge.page import Document


def parse(data: bytes) -> Document:
    """Hidden sheets, rows and columns are left out. What is beyond the limits of grid.py is told in the document."""
    archive = open_office(data)
    workbook = read_workbook(archive)
    outline = Outline()
    allowance = Allowance(MOST_CHARACTERS)
    failed: UnreadablePage | None = None
    valueless = read = 0
    for number, (name, part) in enumerate(workbook.sheets, 1):
        outline.page(number)
        try:
            sheet = read_sheet(archive.read(part), workbook, allowance)
        except UnreadablePage as error:  # the sheets before and after it may be whole
            failed = error
            outline.heading(2, name)
            outline.block("(이 시트는 손상되었거나 너무 커서 읽지 못했습니다.)")
            continue
        shapes = shape_texts(archive, part, allowance)
        valueless += sheet.formulas_without_value
        read += sheet.rows_read + len(shapes)
        if sheet.groups or sheet.rows_left or shapes:
            outline.heading(2, name)
            add_grid(outline, sheet.groups)
            for text in shapes:
                outline.block(text)
            _tell_what_is_missing(outline, sheet)
    if not read and failed is not None:
        raise failed
    if not read and valueless:
        raise UnreadablePage(reason="its formulas have no stored values; open it in Excel and save it once")
    return outline.document()


def _tell_what_is_missing(outline: Outline, sheet: Sheet) -> None:
    if sheet.rows_left:
        outline.block(
            f"(앞의 {sheet.rows_read:,}행만 읽었습니다. 뒤의 {sheet.rows_left:,}행은 너무 길어 읽지 않았습니다.)"
        )
    if sheet.columns_left:
        outline.block(f"({MOST_COLUMNS}열보다 오른쪽에 있는 내용은 읽지 않았습니다.)")
    if sheet.formulas_without_value:
        outline.block(
            f"(계산된 값이 저장되어 있지 않은 수식 {sheet.formulas_without_value:,}개는 읽지 못했습니다. "
            "Excel에서 열어 다시 저장하면 읽을 수 있습니다.)"
        )
