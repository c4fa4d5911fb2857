"""Rows of a spreadsheet or CSV file → blocks: where a table begins, what its header is, rows that can be read alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.formats.outline import Outline

MOST_ROWS = 20_000
"""Of one sheet or file."""
MOST_COLUMNS = 200
MOST_CHARACTERS = 3_000_000
"""Of one document, each cell with what stands around it (CELL_COST)."""
CELL_COST = 10
LONGEST_CELL = 32_767
"""Excel's own limit."""

_WIDE = 250  # a longer header is not repeated in every passage (chunk.py), so each row names its own columns
_LONGEST_NAME = 30
_DEEPEST_HEADER = 4
_UNIT = re.compile(r"단위|기준|작성|현재|[:)]")
_NOTE_MARKS = ("※", "*", "주)", "주:", "(주)", "비고:", "출처")


@dataclass(frozen=True, slots=True)
class Row:
    """`cells`: one line of text each. `spans`: (first column, columns, rows) of the merged cells that begin here."""

    cells: tuple[str, ...]
    numeric: bool = False
    """Whether a cell holds a number or a date: such a row is no header of a table that goes on."""
    spans: tuple[tuple[int, int, int], ...] = ()
    parts: int = -1
    """Cells with text, a merged one counted once; -1: no cell is merged."""

    @property
    def is_single(self) -> bool:
        return (sum(map(bool, self.cells)) if self.parts < 0 else self.parts) == 1

    @property
    def text(self) -> str:
        """All its cells on one line, a merged one once."""
        return " ".join(dict.fromkeys(cell for cell in self.cells if cell))


def add_grid(outline: Outline, groups: Sequence[Sequence[Row]]) -> None:
    """Add the tables and lines of a sheet. `groups`: runs of filled rows, an empty row between one and the next."""
    header: tuple[str, ...] = ()
    for group in groups:
        header = _add_group(outline, list(group), header)


def _add_group(outline: Outline, rows: list[Row], known: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the header in force below: a table that goes on after an empty row keeps the one it had."""
    first = next((at for at in range(len(rows)) if not _is_title(rows, at)), len(rows))
    outline.block("\n".join(row.text for row in rows[:first]))
    rows = rows[first:]
    notes: list[str] = []
    while rows and rows[-1].is_single and rows[-1].text.startswith(_NOTE_MARKS):
        notes.insert(0, rows.pop().text)
    header = known
    if rows:
        goes_on = bool(known) and not first and rows[0].numeric and _width(rows) <= len(known)
        depth = 0 if goes_on else _depth(rows)
        header = known if goes_on else _joined_header(rows[:depth])
        _add_table(outline, header, rows[depth:])
    outline.block("\n".join(notes))
    return header


def _is_title(rows: Sequence[Row], at: int) -> bool:
    """A line above the table: one cell, or a title and "(단위: 천원)" above a row of many."""
    row = rows[at]
    if row.is_single:
        return True
    filled = list(dict.fromkeys(cell for cell in row.cells if cell))
    return (
        len(filled) == 2
        and at + 1 < len(rows)
        and sum(map(bool, rows[at + 1].cells)) >= 2 * len(filled)
        and sum(width > 1 for _, width, _ in row.spans) < 2
        and all(height == 1 for _, _, height in row.spans)
        and _UNIT.search(filled[1]) is not None
    )


def _width(rows: Sequence[Row]) -> int:
    return max((at + 1 for row in rows for at, cell in enumerate(row.cells) if cell), default=0)


def _depth(rows: Sequence[Row]) -> int:
    """How many rows the header has: as deep as its merged cells, two if names stand above several columns each."""
    spans = rows[0].spans
    wide = [span for span in spans if span[1] > 1]
    tall = [span for span in spans if span[2] > 1]
    depth = max((height for _, _, height in tall), default=1)
    if not wide and 2 * len(tall) < sum(map(bool, rows[0].cells)):
        return 1  # a merged first cell over data rows ("인사팀" beside five people) is no header
    if not tall and wide and len(rows) > 2 and _goes_deeper(wide, rows[1]):
        depth = 2
    while depth > 1 and (depth >= len(rows) or any(row.numeric for row in rows[1:depth])):
        depth -= 1
    return min(depth, _DEEPEST_HEADER)


def _goes_deeper(wide: Sequence[tuple[int, int, int]], below: Row) -> bool:
    """Whether `below` names the columns under wide cells: then it says nothing beside them, or all cells are wide."""
    covered = {at for first, width, _ in wide for at in range(first, first + width)}
    beside = [cell for at, cell in enumerate(below.cells) if at not in covered]
    return not any(beside) and (len(wide) > 1 or bool(beside))


def _joined_header(rows: Sequence[Row]) -> tuple[str, ...]:
    """One name per column: "2026년" above "1분기" is "2026년 1분기"."""
    width = max(len(row.cells) for row in rows)
    columns = ([row.cells[at] for row in rows if at < len(row.cells) and row.cells[at]] for at in range(width))
    return tuple(" ".join(dict.fromkeys(names)) for names in columns)


def _add_table(outline: Outline, header: tuple[str, ...], rows: Sequence[Row]) -> None:
    filled = sorted({at for cells in (header, *(row.cells for row in rows)) for at, cell in enumerate(cells) if cell})
    names = [header[at] if at < len(header) else "" for at in filled]
    title = " | ".join(names)
    if len(title) <= _WIDE or not rows:
        lines = [title, *(" | ".join(_line(row, filled)) for row in rows)]
        outline.block("\n".join(lines), "table")
        return
    named = (", ".join(_named(names, _line(row, filled))) for row in rows)
    outline.block("\n".join(f"- {line}" for line in named if line), "list")


def _line(row: Row, filled: Sequence[int]) -> list[str]:
    """A row of one cell stays one cell: it is a caption between rows."""
    if row.is_single and row.cells and row.cells[filled[0]]:
        return [row.text]
    return [row.cells[at] if at < len(row.cells) else "" for at in filled]


def _named(names: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    if len(cells) == 1:
        yield cells[0]
        return
    for name, cell in zip(names, cells, strict=True):
        if cell:
            yield f"{name[:_LONGEST_NAME]}: {cell}" if name else cell
