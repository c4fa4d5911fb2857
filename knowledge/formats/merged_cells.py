"""A table whose cells say where they stand and how far they reach → rows of text that can each be read alone.

For Word and Hangul; HTML and PowerPoint tell their merged cells in other ways (`html_table.py`, `pptx_graphics.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

MOST_COLUMNS_SPANNED = 63
"""Word's own limit of columns."""
_MOST_ROWS_SPANNED = 1_000
_MOST_FILLED = 100_000
_MOST_PLACES = 1_000_000
"""Rows by columns: beyond, cells are scattered over a grid that nobody drew, and stand in their rows without it."""
_LONGEST_REPEATED = 200


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """`row` and `column` count from 0, the spans from 1. `text`: one line."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str


def rows_of_cells(cells: Iterable[PlacedCell], *, spread: bool = True) -> list[list[str]]:
    """Rows of text: a spanning cell is repeated in each row and column (not if `spread` is off or its text is long).

    Columns that no row tells apart are one; a row that is all one cell is one cell; rows without text are left out.
    """
    grid: dict[int, dict[int, tuple[int, str]]] = {}  # row → column → number of the cell, its text
    filled = 0
    for number, (place, same) in enumerate(groupby(sorted(cells, key=_place), _place)):
        found = list(same)  # more than one only in a damaged file
        text = " ".join(cell.text for cell in found if cell.text)
        high, wide = min(found[0].row_span, _MOST_ROWS_SPANNED), min(found[0].column_span, MOST_COLUMNS_SPANNED)
        if not spread or filled > _MOST_FILLED:
            high = wide = 1
        for row in range(place[0], place[0] + max(high, 1)):
            for column in range(place[1], place[1] + max(wide, 1)):
                shown = text if (row, column) == place or len(text) <= _LONGEST_REPEATED else ""
                grid.setdefault(row, {}).setdefault(column, (number, shown))
                filled += 1
    columns = _telling_columns(grid)
    aligned = len(columns) * len(grid) <= _MOST_PLACES
    rows: list[list[str]] = []
    for _, row_cells in sorted(grid.items()):
        if len({number for number, _ in row_cells.values()}) == 1:
            texts = [max((text for _, text in row_cells.values()), key=len)]
        else:
            here = columns if aligned else sorted(row_cells)
            texts = [row_cells.get(column, (-1, ""))[1] for column in here]
        if any(texts):
            rows.append(texts)
    return rows


def _place(cell: PlacedCell) -> tuple[int, int]:
    return cell.row, cell.column


def _telling_columns(grid: dict[int, dict[int, tuple[int, str]]]) -> list[int]:
    """The columns in order, without those that hold the same cell as the column before in every row."""
    wanted: set[int] = set()
    for cells in grid.values():
        before: int | None = None
        for column, (number, _) in sorted(cells.items()):
            if number != before:
                wanted.add(column)
            before = number
    return sorted(wanted)
