"""Where a long list goes on, as it stands in an address."""

from __future__ import annotations

import pytest

from bot.store.cursor import Cursor


@pytest.mark.parametrize("cursor", [Cursor(1764139.25, "abc123"), Cursor(0.1 + 0.2, "0" * 16), Cursor(-1e300, "a")])
def test_a_cursor_comes_back_from_an_address_to_the_last_digit(cursor: Cursor) -> None:
    assert Cursor.read(str(cursor)) == cursor


@pytest.mark.parametrize(
    "written",
    [
        "",
        "x",
        "1.5",
        "1.5_",
        "_abc",
        "1.5_a'b",
        "1.5_a\0",
        "nope_abc",
        "1_" + "a" * 17,
        "nan_abc",
        "inf_abc",
        "1e400_a",
    ],
)
def test_what_somebody_made_up_is_none(written: str) -> None:
    assert Cursor.read(written) is None
