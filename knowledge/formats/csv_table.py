"""CSV and TSV: one file, one table. Encoding and separator are told by the file's looks."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.errors import UnreadablePage
from knowledge.formats.grid import CELL_COST, LONGEST_CELL, MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS, Row, add_grid
from knowledge.formats.outline import Outline, clean, one_line
from knowledge.formats.text import decode
from knowledge.page import Document

_SEPARATORS = ",\t;|"
_HINT = re.compile(r"sep=([,;|\t])\n", re.IGNORECASE)
_SAMPLE_ROWS = 60
_SAMPLE = 100_000
_NUMBER = re.compile(r"[-+]?[₩$€]?\s?\d[\d,]*(?:\.\d+)?\s?(?:%|원|명|개|건)?|\d{4}[-./]\s?\d{1,2}[-./]\s?\d{1,2}\.?")


@dataclass(slots=True)
class _Table:
    """`groups`: runs of filled rows. `left`: rows beyond the limits. `widest`: cells of the longest row."""

    groups: list[list[Row]]
    read: int = 0
    left: int = 0
    widest: int = 0


def parse(data: bytes) -> Document:
    """Quoted cells may hold separators and line ends. Rows beyond the limits of grid.py are told in the document."""
    text = clean(decode(data))
    hint = _HINT.match(text)  # what Excel writes for itself
    separator = hint[1] if hint else _separator(text)
    if hint:
        text = text[hint.end() :]
    try:
        # A quotation mark that is never closed would swallow the rest: then quotation marks are letters like others
        table = _read(text, separator, quoted=True) or _read(text, separator, quoted=False)
    except csv.Error as error:
        raise UnreadablePage(reason="a row that is no row of a table") from error
    outline = Outline()
    if table is not None:
        add_grid(outline, [group for group in table.groups if group])
        if table.left:
            outline.block(f"(앞의 {table.read:,}행만 읽었습니다. 뒤의 {table.left:,}행은 너무 길어 읽지 않았습니다.)")
        if table.widest > MOST_COLUMNS:
            outline.block(f"({MOST_COLUMNS}열보다 오른쪽에 있는 내용은 읽지 않았습니다.)")
    return outline.document()


def _read(text: str, separator: str, quoted: bool) -> _Table | None:
    """None if a quotation mark swallowed rows. Raises csv.Error, unquoted."""
    table = _Table([[]])
    characters = MOST_CHARACTERS
    record: list[str] = []
    try:
        for record in _reader(text, separator, quoted):
            if not any(record):
                _part(table)
            elif quoted and max(map(len, record)) >= LONGEST_CELL:
                return None
            elif table.read >= MOST_ROWS or characters <= 0:
                table.left += 1
            else:
                table.read += 1
                table.widest = max(table.widest, len(record))
                cells = tuple(one_line(cell) for cell in record[:MOST_COLUMNS])
                row = Row(cells, any(_NUMBER.fullmatch(cell) for cell in cells))
                characters -= sum(map(len, cells)) + CELL_COST * len(cells)
                if any(cells):
                    table.groups[-1].append(row)
                else:
                    _part(table)
    except csv.Error:
        if not quoted:
            raise
        return None
    swallowed = quoted and text.count('"') % 2 and any("\n" in cell for cell in record)
    return None if swallowed else table


def _part(table: _Table) -> None:
    """An empty row ends a table; a million of them end it once."""
    if table.groups[-1]:
        table.groups.append([])


def _separator(text: str) -> str:
    """The one that cuts the first rows into the same number of cells most often; among equals, the most cells."""
    best = (0.0, 0, ",")
    for separator in _SEPARATORS:
        widths = Counter(len(record) for record in _sample(text, separator))
        total = sum(widths.values())
        for width, times in widths.items():
            if width > 1 and (times / total, width) > best[:2]:
                best = (times / total, width, separator)
    return best[2]


def _sample(text: str, separator: str) -> Iterator[list[str]]:
    try:
        for number, record in enumerate(_reader(text[:_SAMPLE], separator)):
            if number >= _SAMPLE_ROWS:
                return
            if any(record):
                yield record
    except csv.Error:
        return


def _reader(text: str, separator: str, quoted: bool = True) -> Iterator[list[str]]:
    # newline="": line ends inside of quotation marks are the cell's own
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
