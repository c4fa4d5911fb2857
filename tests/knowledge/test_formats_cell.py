"""Numbers under Excel's format codes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.formats.cell_format import BUILT_IN, shown

MARCH_FIRST = 46082  # 2026-03-01, a Sunday


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (1234, '#,##0"원"', "1,234원"),
        (1234567.5, "#,##0", "1,234,568"),
        (-1234, "#,##0_);(#,##0)", "(1,234)"),
        (-1234, '_-"₩"* #,##0_-;\\-"₩"* #,##0_-;_-"₩"* "-"_-;_-@_-', "-₩1,234"),
        (0, '_-"₩"* #,##0_-;\\-"₩"* #,##0_-;_-"₩"* "-"_-;_-@_-', "₩-"),
        (1234.5, "[$₩-412]#,##0.00", "₩1,234.50"),
        (0.125, "0.0%", "12.5%"),
        (2.5, "0", "3"),  # half away from zero, not to the even neighbour
        (-5, "#,##0", "-5"),
        (-0.001, "0.00", "0.00"),
        (0.5, "#.##", ".5"),
        (12345678, '#,##0,,"백만"', "12백만"),
        (1012345678, "000-0000-0000", "010-1234-5678"),
        (12345, "0.00E+00", "1.23E+04"),
        (5, "[Red]0.0", "5.0"),
        (10, '[>=10]"많음";"적음"', "많음"),
        (3, '[>=10]"많음";"적음"', "적음"),
        (5, ";;;", ""),
        (7, '0"개"', "7개"),
    ],
)
def test_a_number_looks_as_in_its_cell(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (MARCH_FIRST, "yyyy-mm-dd", "2026-03-01"),
        (MARCH_FIRST, BUILT_IN[14], "2026-03-01"),
        (MARCH_FIRST, BUILT_IN[31], "2026년 03월 01일"),
        (MARCH_FIRST, 'yyyy"년" m"월" d"일" aaaa', "2026년 3월 1일 일요일"),
        (MARCH_FIRST, "[$-F800]dddd, mmmm dd, yyyy", "2026년 3월 1일 일요일"),
        (MARCH_FIRST, "mmm-yy", "Mar-26"),
        (MARCH_FIRST + 0.6, "yyyy-mm-dd hh:mm", "2026-03-01 14:24"),
        (MARCH_FIRST + 0.6, "[$-412]AM/PM h:mm;@", "오후 2:24"),
        (0.75, "h:mm:ss", "18:00:00"),
        (1.5, "[h]:mm", "36:00"),
        (1, "yyyy-mm-dd", "1900-01-01"),
    ],
)
def test_a_date_looks_as_in_its_cell(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_old_macs_count_from_1904() -> None:
    assert shown(MARCH_FIRST - 1462, "yyyy-mm-dd", from_1904=True) == "2026-03-01"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (15, "15"),
        (15.0, "15"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.3333333333"),
        (1e20, "1e+20"),
        (12345678901.5, "12345678901.5"),
        (-12345678901.5, "-12345678901.5"),
        (9999999999.96, "9999999999.96"),
        (20000000000.001, "20000000000"),
        (123456789012345.6, "123456789012345.59"),
    ],
)
def test_without_a_format_a_number_is_written_plainly(value: float, text: str) -> None:
    assert shown(value, "General") == text


def test_a_date_beyond_the_calendar_stays_a_number() -> None:
    assert shown(1e9, "yyyy-mm-dd") == "1000000000"
    assert shown(-1, "yyyy-mm-dd") == "-1"


@given(value=st.integers(-(10**15), 10**15))
def test_thousands_can_be_read_back(value: int) -> None:
    assert int(shown(value, "#,##0").replace(",", "")) == value


_CODE = st.lists(
    st.sampled_from(
        [*'0#?.,%;@yymdhsAE+-[]$"\\_*/ ', "yyyy", "mm", "General", "[h]", "AM/PM", "원", "[>=3]", "[$-412]"]
    ),
    max_size=20,
).map("".join)


@given(value=st.floats(allow_nan=False, allow_infinity=False), code=_CODE)
@settings(max_examples=400, deadline=None)
def test_any_code_gives_some_text(value: float, code: str) -> None:
    assert math.isfinite(value)
    assert isinstance(shown(value, code), str)
