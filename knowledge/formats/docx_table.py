"""A Word table's rows and cells → where each cell stands and how far it reaches.

Office Open XML (ECMA-376 part 1, 17.4): `w:gridSpan` and `w:gridBefore` count columns; the upper cell of a vertical merge says
`w:vMerge w:val="restart"`, the ones that it covers say `w:vMerge` and show nothing, whatever is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from knowledge.formats.merged_cells import MOST_COLUMNS_SPANNED, PlacedCell

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def placed_cells(rows: Iterable[tuple[Any, Sequence[Any]]], text_of: Callable[[Any], str]) -> Iterator[PlacedCell]:
    """The cells that are seen. `rows`: each `w:tr` with its `w:tc`."""
    above: dict[int, PlacedCell] = {}  # by column: what a cell of the next row may go on
    for number, (row, cells) in enumerate(rows):
        column = _count(row, "trPr", "gridBefore", least=0)
        here: dict[int, PlacedCell] = {}
        for cell in cells:
            wide = _count(cell, "tcPr", "gridSpan", least=1)
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            upper = above.pop(column, None)
            if upper is not None and merge is not None and merge.get(f"{_W}val", "continue") == "continue":
                here[column] = replace(upper, row_span=upper.row_span + 1)
            else:
                if upper is not None:
                    yield upper
                here[column] = PlacedCell(number, column, 1, wide, text_of(cell))
            column += wide
        yield from above.values()
        above = here
    yield from above.values()


def _count(element: Any, properties: str, name: str, *, least: int) -> int:
    found = element.find(f"{_W}{properties}/{_W}{name}")
    written = "" if found is None else str(found.get(f"{_W}val", ""))
    number = int(written) if written.isascii() and written.isdigit() and len(written) < 9 else least
    return min(max(number, least), MOST_COLUMNS_SPANNED)
