"""An HTML table → rows of text cells, with spanning cells laid out so that every row can be read alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import Tag

_MAX_SPAN = 50  # HTML allows colspan="1000" and rowspan="65534": a small page must not become a huge one


def rows_of(table: Tag, text_of: Callable[[Tag], str]) -> list[list[str]]:
    """The rows of `table` itself (not of nested tables), <thead> first; rows without text are left out.

    A cell that spans columns or rows is repeated in each, except that a row made of one cell stays one cell
    (it is a caption between rows).
    """
    own = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    own.sort(key=lambda row: row.parent is None or row.parent.name != "thead")
    rows: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column → rows still to fill, text
    for row in own:
        entries = row.find_all(["th", "td"], recursive=False)
        if len(entries) == 1 and not hanging and _span(entries[0], "rowspan") == 1:
            cells = [text_of(entries[0])]
        else:
            cells = _lay_out(entries, hanging, text_of)
        if any(cells):
            rows.append(cells)
    return rows


def _lay_out(entries: list[Tag], hanging: dict[int, tuple[int, str]], text_of: Callable[[Tag], str]) -> list[str]:
    cells: list[str] = []

    def take_hanging() -> None:
        while len(cells) in hanging:
            column = len(cells)
            left, text = hanging.pop(column)
            if left > 1:
                waiting[column] = (left - 1, text)
            cells.append(text)

    waiting: dict[int, tuple[int, str]] = {}
    for entry in entries:
        take_hanging()
        text = text_of(entry)
        for _ in range(_span(entry, "colspan")):
            if _span(entry, "rowspan") > 1:
                waiting[len(cells)] = (_span(entry, "rowspan") - 1, text)
            hanging.pop(len(cells), None)  # overlapping spans: the cell written here wins
            cells.append(text)
    take_hanging()
    hanging.clear()
    hanging.update(waiting)
    return cells


def _span(cell: Tag, name: str) -> int:
    written = str(cell.get(name, "1")).strip()
    return min(max(int(written), 1), _MAX_SPAN) if written.isascii() and written.isdigit() and len(written) < 9 else 1
