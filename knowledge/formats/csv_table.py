"""CSV and TSV: one file, one table. Encoding and separator are told by the file's looks."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator

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


def parse(data: bytes) -> Document:
    """Quoted cells may hold separators and line ends. Rows beyond the limits of grid.py are told in the document."""
    text = clean(decode(data))
    hint = _HINT.match(text)  # what Excel writes for itself
    separator = hint[1] if hint else _separator(text)
    if hint:
        text = text[hint.end() :]
    groups: list[list[Row]] = [[]]
    read = left = widest = 0
    characters = MOST_CHARACTERS
    for record in _records(text, separator):
        cells = [one_line(cell) for cell in record]
        if not any(cells):
            groups.append([])
        elif read >= MOST_ROWS or characters <= 0:
            left += 1
        else:
            read += 1
            widest = max(widest, len(cells))
            row = Row(tuple(cells[:MOST_COLUMNS]), any(_NUMBER.fullmatch(cell) for cell in cells[:MOST_COLUMNS]))
            characters -= sum(map(len, row.cells)) + CELL_COST * len(row.cells)
            groups[-1].append(row)
    outline = Outline()
    add_grid(outline, [group for group in groups if group])
    if left:
        outline.block(f"(앞의 {read:,}행만 읽었습니다. 뒤의 {left:,}행은 너무 길어 읽지 않았습니다.)")
    if widest > MOST_COLUMNS:
        outline.block(f"({MOST_COLUMNS}열보다 오른쪽에 있는 내용은 읽지 않았습니다.)")
    return outline.document()


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


def _records(text: str, separator: str) -> Iterable[list[str]]:
    """A quotation mark that is never closed would swallow the rest: then quotation marks are letters like others."""
    try:
        records = list(_reader(text, separator))
    except csv.Error:
        records = []
    swallowed = max((len(cell) for record in records for cell in record), default=LONGEST_CELL) >= LONGEST_CELL
    if not swallowed and not (text.count('"') % 2 and any("\n" in cell for cell in records[-1])):
        return records
    try:
        return list(_reader(text, separator, quoted=False))
    except csv.Error as error:
        raise UnreadablePage(reason="a row that is no row of a table") from error


def _reader(text: str, separator: str, quoted: bool = True) -> Iterator[list[str]]:
    # newline="": line ends inside of quotation marks are the cell's own
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
