"""One worksheet as a stream of tags → its visible rows, merged cells laid out, numbers as the cell shows them."""

from __future__ import annotations

import bisect
import math
import re
from dataclasses import dataclass, field

from knowledge.formats.cell_format import GENERAL, shown
from knowledge.formats.grid import CELL_COST, MOST_COLUMNS, MOST_ROWS, Row
from knowledge.formats.outline import one_line
from knowledge.formats.xlsx_parts import Pieces, Workbook, walk, whole

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
_MIDNIGHT = re.compile(r"T00:00(?::00(?:\.0+)?)?Z?$")
_MOST_MERGES = 50_000
_MOST_FILLED = 300_000
_LONGEST_REPEATED = 200
"""A longer text in a merged cell stands once, in its first row and column."""


@dataclass(slots=True)
class Allowance:
    """Characters that may still be read of a document."""

    characters: int


@dataclass(slots=True)
class _Line:
    """A row with text. `hidden_before`: hidden rows above it, so that an empty row can be told from a hidden one."""

    hidden: bool
    hidden_before: int
    cells: dict[int, str] = field(default_factory=dict)
    numeric: bool = False


@dataclass(slots=True)
class Sheet:
    """`groups`: runs of visible filled rows. The counts tell what was left out."""

    groups: list[list[Row]]
    rows_read: int
    rows_left: int
    columns_left: int
    formulas_without_value: int


def read_sheet(part: bytes, workbook: Workbook, allowance: Allowance) -> Sheet:
    """Raises UnreadablePage for damaged XML."""
    reader = _Reader(workbook, allowance)
    walk(part, reader.start, reader.end, reader.pieces.text)
    return reader.sheet()


class _Reader:
    def __init__(self, workbook: Workbook, allowance: Allowance) -> None:
        self.pieces = Pieces()
        self._book = workbook
        self._allowance = allowance
        self._lines: dict[int, _Line] = {}
        self._hidden_columns: set[int] = set()
        self._merges: list[tuple[int, int, int, int]] = []
        self._row = self._column = self._hidden_rows = 0
        self._line = _Line(False, 0)
        self._row_filled = False
        self._in_cell = self._has_formula = False
        self._type = "n"
        self._style = 0
        self._rows_left = self._columns_left = self._valueless = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A tag opens."""
        if tag == "c":
            at = _CELL.fullmatch(attributes.get("r", ""))
            self._column = _number_of(at[1]) if at else self._column + 1
            self._type = attributes.get("t", "n")
            self._style = whole(attributes.get("s"))
            self._in_cell, self._has_formula = True, False
        elif self._in_cell:
            self._has_formula = self._has_formula or tag == "f"
            self.pieces.start(tag)
        elif tag == "row":
            self._start_row(attributes)
        elif tag == "col" and (_is_on(attributes, "hidden") or attributes.get("width") == "0"):
            last = min(whole(attributes.get("max")), MOST_COLUMNS)
            self._hidden_columns.update(range(max(whole(attributes.get("min")), 1), last + 1))
        elif tag == "mergeCell" and len(self._merges) < _MOST_MERGES:
            first, _, last_cell = attributes.get("ref", "").partition(":")
            begin, end = _CELL.fullmatch(first), _CELL.fullmatch(last_cell)
            if begin and end:
                self._merges.append((int(begin[2]), _number_of(begin[1]), int(end[2]), _number_of(end[1])))

    def end(self, tag: str) -> None:
        """A tag closes."""
        if tag == "c" and self._in_cell:
            self._in_cell = False
            self._keep(self.pieces.take())
        elif self._in_cell:
            self.pieces.end(tag)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = whole(attributes.get("r")) or self._row + 1
        self._column = 0
        hidden = _is_on(attributes, "hidden") or (attributes.get("ht") == "0" and _is_on(attributes, "customHeight"))
        self._line = _Line(hidden, self._hidden_rows)
        self._hidden_rows += hidden
        self._row_filled = False

    def _keep(self, value: str) -> None:
        if not value:
            # An empty text ("str") is a value: IF(…, "")
            self._valueless += self._has_formula and self._type != "str" and not self._line.hidden
            return
        full = len(self._lines) >= MOST_ROWS or self._allowance.characters <= 0
        if full and self._row not in self._lines:
            self._rows_left += not self._row_filled and not self._line.hidden
            self._row_filled = True
            return
        if self._column > MOST_COLUMNS:
            self._columns_left = max(self._columns_left, self._column - MOST_COLUMNS)
            return
        text, numeric = self._shown(value)
        if not text:
            return
        self._line = self._lines.setdefault(self._row, self._line)  # a row may come twice in a broken file
        self._line.cells[self._column] = text
        self._line.numeric = self._line.numeric or numeric
        self._allowance.characters -= len(text) + CELL_COST

    def _shown(self, value: str) -> tuple[str, bool]:
        """The text of a cell, and whether it is a number or a date."""
        code = self._book.codes[self._style] if self._style < len(self._book.codes) else GENERAL
        if self._type == "n":
            try:
                number = float(value)
            except ValueError:
                return one_line(value), False
            return (one_line(shown(number, code, self._book.from_1904)), True) if math.isfinite(number) else ("", False)
        if self._type == "b":
            return ("FALSE" if value == "0" else "TRUE"), False
        if self._type == "d":
            return one_line(_MIDNIGHT.sub("", value).replace("T", " ")), True
        if self._type == "s":
            index = whole(value)
            value = self._book.strings[index] if index < len(self._book.strings) else ""
        return ("" if code == ";;;" else one_line(value)), False

    def sheet(self) -> Sheet:
        """What was read."""
        numbers = sorted(self._lines)
        filled, spans, parts = self._fill(numbers)
        width = max((column for line in self._lines.values() for column in line.cells), default=0)
        columns = [column for column in range(1, width + 1) if column not in self._hidden_columns]
        place = {column: at for at, column in enumerate(columns)}
        groups: list[list[Row]] = []
        before: int | None = None
        for number in numbers:
            line = self._lines[number]
            texts = {**filled.get(number, {}), **line.cells}
            cells = tuple(texts.get(column, "") for column in columns)
            if line.hidden or not any(cells):
                continue
            own = sum(column in place for column in line.cells)
            own_spans = tuple((place[at], wide, tall) for at, wide, tall in spans.get(number, ()) if at in place)
            row = Row(cells, line.numeric, own_spans, own + parts.get(number, 0))
            hidden_between = line.hidden_before - (self._lines[before].hidden_before if before is not None else 0)
            if before is None or number - before - 1 > hidden_between:
                groups.append([])
            groups[-1].append(row)
            before = number
        rows_read = sum(map(len, groups))
        return Sheet(groups, rows_read, self._rows_left, self._columns_left, self._valueless)

    def _fill(
        self, numbers: list[int]
    ) -> tuple[dict[int, dict[int, str]], dict[int, list[tuple[int, int, int]]], dict[int, int]]:
        """Merged cells: their text in each row and column, (column, width, height) where they begin, how many come from above."""
        filled: dict[int, dict[int, str]] = {}
        spans: dict[int, list[tuple[int, int, int]]] = {}
        parts: dict[int, int] = {}
        left = _MOST_FILLED
        for top, first, bottom, last in self._merges:
            text = self._lines[top].cells.get(first, "") if top in self._lines else ""
            if not text or len(text) > _LONGEST_REPEATED or left <= 0 or bottom < top or last < first:
                continue
            columns = range(first, min(last, MOST_COLUMNS) + 1)
            rows = numbers[bisect.bisect_left(numbers, top) : bisect.bisect_right(numbers, bottom)]
            visible = sum(column not in self._hidden_columns for column in columns)
            spans.setdefault(top, []).append((first, visible, len(rows)))
            for number in rows[: 1 + left // max(1, len(columns))]:
                filled.setdefault(number, {}).update(dict.fromkeys(columns, text))
                parts[number] = parts.get(number, 0) + (number != top)
                left -= len(columns)
        return filled, spans, parts


def _number_of(letters: str) -> int:
    """Column letters → 1-based number."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _is_on(attributes: dict[str, str], name: str) -> bool:
    return attributes.get(name) in ("1", "true")
