"""No cell of a spreadsheet computes anything, and what is no formula stays as it is."""

from __future__ import annotations

import pytest

from bot.spreadsheet import cell


@pytest.mark.parametrize(
    "value", ["=1+1", "+82", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", " ＋1", "＝1", "＋1", "－1", "＠A", -1]
)
def test_a_formula_is_shown_as_text(value: object) -> None:
    assert cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["", " ", "연차", "1-1", "a=1", " 연차 = 15일", "'", 15])
def test_anything_else_stays(value: object) -> None:
    assert cell(value) == str(value)
