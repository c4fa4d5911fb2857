"""An HTML table → rows of text cells, with spanning cells laid out so that every row can be read alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import Tag

# HTML allows colspan="1000" and rowspan="65534": a small page must not become a huge one
_MOST_COLUMNS_SPANNED = 50
_MOST_ROWS_SPANNED = 1_000
_MOST_FILLED = 100_000
"""Repeated cells of one table: beyond, every cell stands alone."""
_LONGEST_REPEATED = 200


def rows_of(table: Tag, text_of: Callable[[Tag], str]) -> list[list[str]]:
    """The rows of `table` itself (not of nested tables), <thead> first; rows without text are left out.

    A cell that spans columns or rows is repeated in each (as an empty one if its text is long), except that a row made of
    one cell stays one cell (it is a caption between rows).
    """
    own = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    own.sort(key=lambda row: row.parent is None or row.parent.name != "thead")
    rows: list[list[str]] = []
    layout = _Layout()
    for row in own:
        entries = row.find_all(["th", "td"], recursive=False)
        if len(entries) == 1 and not layout.hanging and _span(entries[0], "rowspan", _MOST_ROWS_SPANNED) == 1:
            cells = [text_of(entries[0])]
        else:
            cells = layout.row(entries, text_of)
        if any(cells):
            rows.append(cells)
    return rows


class _Layout:
    """One table, row by row. `hanging`: column → rows still to fill, text."""

    def __init__(self) -> None:
        self.hanging: dict[int, tuple[int, str]] = {}
        self._filled = 0

    def row(self, entries: list[Tag], text_of: Callable[[Tag], str]) -> list[str]:
        """The cells of the next row, those that reach into it among them."""
        cells: list[str] = []
        waiting: dict[int, tuple[int, str]] = {}

        def take_hanging() -> None:
            while len(cells) in self.hanging:
                column = len(cells)
                left, text = self.hanging.pop(column)
                if left > 1:
                    waiting[column] = (left - 1, text)
                cells.append(text)
                self._filled += 1

        for entry in entries:
            take_hanging()
            text = text_of(entry)
            repeated = text if len(text) <= _LONGEST_REPEATED else ""
            alone = self._filled > _MOST_FILLED
            high = 1 if alone else _span(entry, "rowspan", _MOST_ROWS_SPANNED)
            wide = 1 if alone else _span(entry, "colspan", _MOST_COLUMNS_SPANNED)
            for number in range(wide):
                if high > 1:
                    waiting[len(cells)] = (high - 1, repeated)
                self.hanging.pop(len(cells), None)  # overlapping spans: the cell written here wins
                cells.append(repeated if number else text)
            self._filled += wide - 1
        take_hanging()
        self.hanging = waiting if self._filled <= _MOST_FILLED else {}
        return cells


def _span(cell: Tag, name: str, most: int) -> int:
    written = str(cell.get(name, "1")).strip()
    return min(max(int(written), 1), most) if written.isascii() and written.isdigit() and len(written) < 9 else 1
