"""Page → passages. Pure.

Cut at headings; within a section blocks are packed up to about `size` characters. What is too long is cut where it
hurts least: paragraphs between sentences, lists between items, tables between rows (the header row returns in every
cut). Passages of one section overlap by whole sentences. No passage is longer than 1.5 × size.

Sections too small to be found or understood alone share a passage with their neighbours, each under its own heading
line. The sizes are measured (retrieval.md 2d): 600 / 100.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.page import Block, BlockKind, Page, Passage, Section
from knowledge.sentences import spans

_BETWEEN_BLOCKS = "\n\n"
_LIMIT = 1.5
_STRETCH = 1.25  # a passage may grow this far to take in a leftover that would be a useless passage of its own
_TINY = 8  # a section below size / 8 joins a neighbour whenever both fit one passage
_LEFTOVER = 4  # a last piece below size / 4 joins the passage before it


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is not cut further. `glue` stands between it and a piece before it in the same passage."""

    text: str
    kind: BlockKind
    glue: str = _BETWEEN_BLOCKS
    header: str = ""
    """A table's first row, to be put before this row if the passage begins with it."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Sections that share passages."""

    heading: tuple[str, ...]
    sections: tuple[Section, ...]


def split(page: Page, size: int = 600, overlap: int = 100) -> list[Passage]:
    """The passages of `page` in order; every character of its blocks is in at least one."""
    passages: list[Passage] = []
    for group in _groups(page.sections, size):
        for text in _pack(_pieces_of_group(group, size), size, overlap):
            passages.append(
                Passage(
                    source=page.source,
                    page=page.path,
                    number=len(passages),
                    title=page.title,
                    heading=group.heading,
                    text=text,
                    url=page.url,
                    modified=page.modified,
                    audience=page.audience,
                    page_number=group.sections[0].page_number,
                    replaced_by=page.replaced_by,
                )
            )
    return passages


def _groups(sections: Sequence[Section], size: int) -> Iterator[_Group]:
    """Joins neighbours that together stay below size / 2, or of which one is tiny and both fit one passage."""
    group: _Group | None = None
    length = 0
    for section in sections:
        own = _length(section)
        common = _common_heading(group, section) if group else None
        if group is not None and common is not None:
            joined = _Group(common, (*group.sections, section))
            together = sum(len(piece.text) + len(piece.glue) for piece in _pieces_of_group(joined, size))
            if together <= size / 2 or (together <= size and min(length, own) < size / _TINY):
                group, length = joined, together
                continue
        if group is not None:
            yield group
        group, length = _Group(section.heading, (section,)), own
    if group is not None:
        yield group


def _length(section: Section) -> int:
    return sum(len(block.text) + len(_BETWEEN_BLOCKS) for block in section.blocks)


def _common_heading(group: _Group, section: Section) -> tuple[str, ...] | None:
    """The heading both can stand under: the parent of siblings, or the section whose subsection comes next."""
    if group.sections[0].page_number != section.page_number:
        return None  # a citation names one page
    heading = group.heading
    if section.heading[: len(heading)] == heading and (heading or len(group.sections) > 1 or not section.heading[1:]):
        return heading
    return heading[:-1] if heading and section.heading[:-1] == heading[:-1] else None


def _pieces_of_group(group: _Group, size: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    for section in group.sections:
        below = section.heading[len(group.heading) :]
        shown = bool(below)
        if not section.blocks and not below and section.heading:
            below = section.heading[-1:]  # a heading with nothing under it is all the text there is
        if below:
            pieces += _paragraph(" > ".join(below), size)
        for number, block in enumerate(section.blocks):
            cut = list(_pieces(block, size))
            if cut and not number and shown:
                first = cut[0]
                cut[0] = _Piece(first.text, first.kind, "\n", first.header)
            pieces += cut
    return pieces


def _pieces(block: Block, size: int) -> Iterator[_Piece]:
    text = block.text.strip("\n").rstrip()
    if not text.strip():
        return
    if len(text) <= size:
        yield _Piece(text, block.kind)
    elif block.kind == "paragraph":
        yield from _paragraph(text, size)
    else:
        yield from _lines(text, block.kind, size)


def _paragraph(text: str, size: int, kind: BlockKind = "paragraph", glue: str = _BETWEEN_BLOCKS) -> Iterator[_Piece]:
    """Sentences, longer ones cut hard."""
    if len(text) <= size:
        yield _Piece(text, kind, glue)
        return
    before = 0
    for start, end in spans(text):
        if start and before:
            glue = "\n" if "\n" in text[before:start] else " " if start > before else ""
        for part in _hard_cut(text[start:end], size):
            yield _Piece(part, kind, glue)
            glue = " "
        before = end


def _lines(text: str, kind: BlockKind, size: int) -> Iterator[_Piece]:
    """Items, rows or lines of code, each whole if it fits."""
    lines = [line for line in text.split("\n") if line.strip()]
    # A header is worth repeating only if it leaves room for the rows
    header = lines[0] if kind == "table" and len(lines[0]) < size / 2 else ""
    glue = _BETWEEN_BLOCKS
    for number, line in enumerate(lines):
        parts = _paragraph(line, size, kind, glue) if kind == "list" else (
            _Piece(part, kind, glue if not at else " ", header if number else "")
            for at, part in enumerate(_hard_cut(line, size))
        )  # fmt: skip
        yield from parts
        glue = "\n"


def _hard_cut(text: str, size: int) -> list[str]:
    """Pieces of at most `size`, cut at spaces, else between characters, never inside what is read as one character."""
    parts: list[str] = []
    while len(text) > size:
        at = text.rfind(" ", size // 2, size + 1)
        if at <= 0 or not text[:at].strip():
            at = size
            while at > 1 and _continues(text, at):
                at -= 1
            if _continues(text, at):  # a heap of marks on one letter: no sense to keep, only characters
                at = size
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [part for part in [*parts, text] if part.strip()]


def _continues(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the one before: marks, joiners, skin tones, old Hangul letters."""
    char = text[at]
    return (
        unicodedata.category(char).startswith("M")
        or char in "\u200c\u200d"
        or text[at - 1] == "\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\u1160" <= char <= "\u11ff"
    )


def _pack(pieces: Sequence[_Piece], size: int, overlap: int) -> list[str]:
    """Texts of passages."""
    packed: list[list[_Piece]] = []
    length = 0
    for number, piece in enumerate(pieces):
        more = len(piece.glue) + len(piece.text)
        last = number == len(pieces) - 1
        grow = (last and len(piece.text) < size / _LEFTOVER) or length < size / _LEFTOVER
        if packed and length + more <= size * (_STRETCH if grow else 1):
            packed[-1].append(piece)
            length += more
        else:
            packed.append([piece])
            length = len(piece.text)
    texts: list[str] = []
    for number, group in enumerate(packed):
        text = _joined(group)
        lead = group[0].header + "\n" if group[0].header else ""
        if number and not lead and group[0].kind in ("paragraph", "list"):
            lead = _tail(packed[number - 1], overlap)
            lead += group[0].glue if lead else ""
        # The table's header may be repeated up to the very limit, the overlap only while the passage stays near its size
        fits = len(lead) + len(text) <= int(size * (_LIMIT if group[0].header else _STRETCH))
        texts.append(lead + text if fits else text)
    return texts


def _joined(pieces: Sequence[_Piece]) -> str:
    return pieces[0].text + "".join(piece.glue + piece.text for piece in pieces[1:])


def _tail(pieces: Sequence[_Piece], overlap: int) -> str:
    """The last whole sentences, together at most about `overlap` characters; nothing of tables and code."""
    first = len(pieces)
    while first and pieces[first - 1].kind in ("paragraph", "list"):
        first -= 1
    if first == len(pieces) or overlap <= 0:
        return ""
    text = _joined(pieces[first:])
    found = spans(text)
    start = len(text)
    for begin, _ in reversed(found[1:] if first == 0 else found):  # never the whole passage again
        if len(text) - begin > overlap * (_LIMIT if start == len(text) else 1):
            break
        start = begin
    return text[start:]
