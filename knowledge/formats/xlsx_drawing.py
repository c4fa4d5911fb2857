"""Text boxes and shapes that lie on a worksheet: instructions, legends, notes."""

from __future__ import annotations

from knowledge.errors import UnreadablePage
from knowledge.formats.grid import CELL_COST
from knowledge.formats.outline import one_line
from knowledge.formats.xlsx_parts import Pieces, relations, walk
from knowledge.formats.xlsx_sheet import Allowance
from knowledge.formats.zip_guard import SafeZip


def shape_texts(archive: SafeZip, sheet: str, allowance: Allowance) -> list[str]:
    """The text of each shape of worksheet `sheet`, one line per paragraph. A damaged drawing has none."""
    texts: list[str] = []
    for _, kind, target in relations(archive, sheet):
        if kind == "drawing" and target in archive:
            reader = _Reader(allowance)
            try:
                walk(archive.read(target), reader.start, reader.end, reader.pieces.text)
            except UnreadablePage:
                continue  # the cells are whole
            texts += reader.texts
    return texts


class _Reader:
    def __init__(self, allowance: Allowance) -> None:
        self.texts: list[str] = []
        self.pieces = Pieces()
        self._allowance = allowance
        self._lines: list[str] = []
        self._in_shape = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        """A tag opens."""
        if tag == "sp":
            self._in_shape = True
        elif self._in_shape:
            self.pieces.start(tag)

    def end(self, tag: str) -> None:
        """A tag closes: a paragraph ends a line, a shape ends a text."""
        if not self._in_shape:
            return
        self.pieces.end(tag)
        if tag == "p" and (line := one_line(self.pieces.take())) and self._allowance.characters > 0:
            self._lines.append(line)
            self._allowance.characters -= len(line) + CELL_COST
        elif tag == "sp":
            self._in_shape = False
            if self._lines:
                self.texts.append("\n".join(self._lines))
            self._lines = []
