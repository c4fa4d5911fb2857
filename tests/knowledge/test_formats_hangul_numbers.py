"""Automatic numbers of Hangul paragraphs."""

from __future__ import annotations

import pytest

from knowledge.formats.hangul_numbers import Level, Numbers, written


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (0, {1: "1", 120: "120"}),
        (1, {1: "①", 20: "⑳", 21: "㉑", 36: "㊱", 50: "㊿", 51: "51"}),
        (2, {4: "IV", 1999: "MCMXCIX", 4000: "4000"}),
        (3, {9: "ix"}),
        (4, {1: "A", 26: "Z", 27: "27"}),
        (7, {2: "ⓑ"}),
        (8, {1: "가", 2: "나", 14: "하", 15: "거", 16: "너", 29: "고", 84: "히", 85: "85"}),
        (9, {14: "㉻"}),
        (10, {14: "ㅎ"}),
        (11, {1: "㉠", 14: "㉭"}),
        (12, {3: "삼", 10: "십", 11: "십일", 20: "이십", 99: "구십구", 100: "100"}),
        (13, {21: "二十一"}),
        (14, {10: "㊉"}),
        (15, {1: "1"}),
    ],
)
def test_numbers_are_written_in_their_kind_as_far_as_its_letters_reach(kind: int, numbers: dict[int, str]) -> None:
    assert {number: written(number, kind) for number in numbers} == numbers


def test_a_higher_level_starts_the_lower_ones_anew_and_numberings_do_not_mix() -> None:
    numbers = Numbers({1: (Level("제^1장"), Level("^1.^2"), Level("^n)"), Level("^N")), 2: (Level("(^1)", 8, 3),)})
    order = [(1, 0), (1, 1), (2, 0), (1, 1), (1, 2), (1, 3), (1, 0), (1, 1), (2, 0)]
    assert [numbers.next(*step) for step in order] == [
        "제1장", "1.1", "(다)", "1.2", "1.2.1)", "1.2.1.1.", "제2장", "2.1", "(라)",
    ]  # fmt: skip


def test_a_level_above_that_was_never_counted_shows_its_start() -> None:
    assert Numbers({1: (Level("^1"), Level("^1.^2"))}).next(1, 1) == "1.1"


def test_what_the_file_does_not_define_has_no_number() -> None:
    numbers = Numbers({1: (Level("^1"), Level("^9^0"))})
    assert (numbers.next(0, 0), numbers.next(1, 5), numbers.next(1, 1)) == ("", "", "")
