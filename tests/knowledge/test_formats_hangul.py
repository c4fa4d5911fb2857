"""Which of the two Hangul formats a file is, and that both say the same of the same document."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import OldFormat, UnreadablePage
from knowledge.formats import parse
from tests.fakes import hwp_maker, hwpx_maker


@pytest.mark.parametrize("name", ["규정.hwp", "규정.hwpx", "규정.HWP"])
def test_the_first_bytes_tell_the_format(name: str) -> None:
    for data in (hwp_maker.make_hwp([hwp_maker.paragraph("본문")]), hwpx_maker.make_hwpx([hwpx_maker.line("본문")])):
        assert parse(data, name).sections[0].blocks[0].text == "본문"


def test_a_file_of_before_2002_says_what_to_save_it_as() -> None:
    with pytest.raises(OldFormat) as caught:
        parse(b"HWP Document File V3.00 \x1a\x01\x02\x03\x04\x05" + bytes(200), "옛 문서.hwp")
    assert caught.value.details["new"] == "HWPX"


def test_something_else_is_no_hangul_file() -> None:
    with pytest.raises(UnreadablePage) as caught:
        parse(b"plain text", "문서.hwp")
    assert "not a Hangul file" in str(caught.value.details["reason"])


@dataclass(frozen=True)
class Piece:
    """A paragraph of a made-up document: its shape, and what is anchored in it."""

    shape: int
    table: tuple[tuple[tuple[Piece, ...], ...], ...] = ()
    note: tuple[Piece, ...] = ()
    box: tuple[Piece, ...] = ()


def pieces(inner: st.SearchStrategy[tuple[Piece, ...]]) -> st.SearchStrategy[tuple[Piece, ...]]:
    row = st.lists(inner, min_size=2, max_size=2).map(tuple)
    table = st.lists(row, max_size=2).map(tuple)
    return st.lists(st.builds(Piece, st.integers(0, 4), table, inner, inner), min_size=1, max_size=3).map(tuple)


DOCUMENTS = st.recursive(st.builds(Piece, st.integers(0, 4)).map(lambda piece: (piece,)), pieces, max_leaves=12)
HEADS = [(0, 0), (1, 0), (1, 1), (2, 0), (3, 1)]
HEAD_NAMES = ["NONE", "OUTLINE", "NUMBER", "BULLET"]


def as_hwp(document: tuple[Piece, ...], words: Iterator[str]) -> tuple[hwp_maker.Node, ...]:
    nodes = []
    for piece in document:
        text = next(words)
        controls = []
        if piece.table:
            cells = [
                hwp_maker.Cell(y, x, as_hwp(cell, words))
                for y, row in enumerate(piece.table)
                for x, cell in enumerate(row)
            ]
            controls.append(hwp_maker.table(cells))
        if piece.note:
            controls.append(hwp_maker.note(*as_hwp(piece.note, words)))
        if piece.box:
            controls.append(hwp_maker.box(*as_hwp(piece.box, words)))
        nodes.append(hwp_maker.paragraph(text, *controls, shape=piece.shape))
    return tuple(nodes)


def as_hwpx(document: tuple[Piece, ...], words: Iterator[str]) -> list[str]:
    lines = []
    for piece in document:
        contents = [hwpx_maker.text(next(words))]
        if piece.table:
            rows = [
                [hwpx_maker.cell("".join(as_hwpx(cell, words)), y, x) for x, cell in enumerate(row)]
                for y, row in enumerate(piece.table)
            ]
            contents.append(hwpx_maker.table(rows))
        if piece.note:
            contents.append(hwpx_maker.note("".join(as_hwpx(piece.note, words))))
        if piece.box:
            contents.append(hwpx_maker.box("".join(as_hwpx(piece.box, words))))
        lines.append(hwpx_maker.paragraph(*contents, shape=piece.shape))
    return lines


@given(document=DOCUMENTS)
@settings(max_examples=60, deadline=None)
def test_both_formats_say_the_same_and_no_word_is_lost(document: tuple[Piece, ...]) -> None:
    used = itertools.count()
    words = (f"낱말{number}호" for number in used)
    old = hwp_maker.make_hwp(
        as_hwp(document, words),
        shapes=[hwp_maker.shape(head, level, 1) for head, level in HEADS],
        numberings=[hwp_maker.numbering(("제^1조", 0), ("^1-^2", 8))],
        outline=1,
    )
    new = hwpx_maker.make_hwpx(
        as_hwpx(document, (f"낱말{number}호" for number in itertools.count())),
        shapes=[hwpx_maker.shape(HEAD_NAMES[head], level, 1) for head, level in HEADS],
        numberings=[hwpx_maker.numbering(("제^1조", "DIGIT"), ("^1-^2", "HANGUL_SYLLABLE"))],
        outline=1,
    )
    read = parse(old, "a.hwp")
    assert read == parse(new, "a.hwpx")
    shown = " ".join(
        [*(block.text for section in read.sections for block in section.blocks)]
        + [heading for section in read.sections for heading in section.heading]
    )
    assert [number for number in range(next(used)) if f"낱말{number}호" not in shown] == []
