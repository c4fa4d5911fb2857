"""What HWP 5 and HWPX have in common: paragraphs, tables, boxes and notes → headings and blocks.

Both formats tell the same things of a document in different bytes; what becomes of them is settled here, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from knowledge.errors import UnreadablePage
from knowledge.formats.hangul_looks import PLAIN, Look
from knowledge.formats.lines import BULLET
from knowledge.formats.merged_cells import PlacedCell, rows_of_cells
from knowledge.formats.outline import Outline, one_line

MOST_DEPTH = 60
"""Tables in tables in boxes …: deeper than any document that a person wrote."""

_CHAPTER = re.compile(r"(?:[Ⅰ-Ⅻ]|[IVX]{1,5}|\d{1,2}|제\s?\d{1,2}\s?[장절편])\.?")
_SENTENCE = re.compile(r"[.!?。]\s*$")
_LONGEST_HEADING = 100
_MOST_CHARACTERS = 20_000_000
_MOST_INDENT = 9


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`text` may hold tabs and line ends. `notes` are its foot- and endnotes, `inner` what is anchored in it."""

    text: str
    look: Look = PLAIN
    notes: tuple[tuple[Paragraph, ...], ...] = ()
    inner: tuple[Table | Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A text box, or the caption of a picture."""

    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """`row` and `column` count from 0; the spans from 1."""

    row: int
    column: int
    row_span: int
    column_span: int
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in any order."""

    cells: tuple[Cell, ...]
    caption: tuple[Paragraph, ...] = ()


class Body:
    """Writes paragraphs into an Outline, in their order."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._items: list[str] = []
        self._left = _MOST_CHARACTERS

    def write(self, paragraphs: Sequence[Paragraph], *, boxed: bool = False) -> None:
        """Add all of them; within a box nothing is a heading. Raises UnreadablePage if the text has no end."""
        for paragraph in paragraphs:
            self._paragraph(paragraph, boxed)
            for inner in paragraph.inner:
                self._flush()
                if isinstance(inner, Table):
                    self._table(inner, boxed)
                else:
                    self.write(inner.paragraphs, boxed=True)
        self._flush()

    def _paragraph(self, paragraph: Paragraph, boxed: bool) -> None:
        look = paragraph.look
        if look.contents:
            return
        text = " ".join([_numbered(paragraph), *_notes(paragraph)]).strip()
        self._count(text)
        if look.heading and not boxed and _is_heading(_numbered(paragraph)):
            self._flush()
            self._outline.heading(look.heading, _numbered(paragraph))
            self._outline.block(" ".join(_notes(paragraph)))
            return
        depth = look.item
        if look.heading and look.heading > 1 and not boxed:  # a numbered sentence of the outline
            depth = look.heading - 2
        # Most people type "○ …", "가. …" themselves
        marked = bool(look.number) or ("\n" not in text and BULLET.match(text) is not None)
        if text and (depth is not None or marked):
            indent = "  " * min(depth or 0, _MOST_INDENT)
            self._items.append(indent + ("" if marked else "- ") + one_line(text))
        elif text:
            self._flush()
            self._outline.block(text)

    def _table(self, table: Table, boxed: bool) -> None:
        caption = flat(table.caption)
        self._count(caption)
        self._outline.block(caption)
        if len(table.cells) == 1:  # a call-out box, or a frame around a whole page
            self.write(table.cells[0].paragraphs, boxed=False)
            return
        rows = _rows(table)
        lines = [" | ".join(row) for row in rows]
        for line in lines:
            self._count(line)
        if len(rows) == 1 and not boxed and (banner := _banner(rows[0])):
            self._outline.heading(2, banner)
        else:
            self._outline.block("\n".join(lines), "table")

    def _flush(self) -> None:
        self._outline.block("\n".join(self._items), "list")
        self._items = []

    def _count(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise UnreadablePage(reason=f"more than {_MOST_CHARACTERS // 1_000_000} million characters")


def flat(paragraphs: Iterable[Paragraph]) -> str:
    """Everything in one line: for a cell, a caption or a note. A table within becomes `a, b; c, d`."""
    return one_line(" ".join(chain.from_iterable(_flat_parts(paragraph) for paragraph in paragraphs)))


def _flat_parts(paragraph: Paragraph) -> Iterator[str]:
    yield _numbered(paragraph)
    yield from _notes(paragraph)
    for inner in paragraph.inner:
        if isinstance(inner, Box):
            yield flat(inner.paragraphs)
        else:
            yield flat(inner.caption)
            yield "; ".join(", ".join(cell for cell in row if cell) for row in _rows(inner, spread=False))


def _numbered(paragraph: Paragraph) -> str:
    text = paragraph.text.strip()
    return f"{paragraph.look.number} {text}".strip() if text else ""


def _notes(paragraph: Paragraph) -> list[str]:
    return [f"(주: {text})" for note in paragraph.notes if (text := flat(note))]


def _is_heading(text: str) -> bool:
    """An outline is also used to number whole sentences; those are no headings."""
    return 0 < len(text) <= _LONGEST_HEADING and not _SENTENCE.search(text)


def _banner(row: Sequence[str]) -> str:
    """The heading in a row such as `Ⅱ | | 추진 계획`: Korean reports draw the bars of their chapters as tables."""
    cells = [cell for cell in row if cell]
    is_banner = len(cells) == 2 and _CHAPTER.fullmatch(cells[0]) and _is_heading(cells[1])
    return " ".join(cells) if is_banner else ""


def _rows(table: Table, *, spread: bool = True) -> list[list[str]]:
    return rows_of_cells((_placed(cell) for cell in table.cells), spread=spread)


def _placed(cell: Cell) -> PlacedCell:
    return PlacedCell(cell.row, cell.column, cell.row_span, cell.column_span, flat(cell.paragraphs))
