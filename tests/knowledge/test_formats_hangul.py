"""Which of the two Hangul formats a file is, whatever its name says."""

from __future__ import annotations

import pytest

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
