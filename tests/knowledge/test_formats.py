"""What holds for every format, and plain text with its encodings."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import PageError, PageWithoutText, UnclearFrontMatter, UnknownFormat, UnreadablePage
from knowledge.formats import KNOWN_SUFFIXES, html, markdown, parse, text
from knowledge.page import Document

KOREAN = "연차 휴가는 입사일을 기준으로 1년에 15일입니다.\n\n신청은 그룹웨어에서 합니다."


def text_of(document: Document) -> str:
    return "\n".join(block.text for section in document.sections for block in section.blocks)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp949", "euc-kr"]
)
def test_korean_text_is_read_in_every_encoding_it_comes_in(encoding: str) -> None:
    blocks = parse(KOREAN.encode(encoding), "휴가.txt").sections[0].blocks
    assert [block.text for block in blocks] == KOREAN.split("\n\n")


def test_a_text_file_says_who_reads_it_as_a_markdown_file_does() -> None:
    document = parse("---\naudience: 인사팀\n---\n급여일은 25일입니다.".encode("cp949"), "급여.txt")
    assert (document.meta, text_of(document)) == ({"audience": "인사팀"}, "급여일은 25일입니다.")
    with pytest.raises(UnclearFrontMatter, match="line 2"):
        parse("---\naudience: [인사팀\n---\n급여일은 25일입니다.".encode(), "급여.txt")


def test_a_line_of_dashes_at_the_top_of_a_text_file_is_text() -> None:
    for top in ("---\n공지: 내일 휴무", "---\n\n오늘\n\n---\n내일", "-----\naudience: 인사팀\n-----"):
        document = parse(f"{top}\n\n본문입니다.".encode(), "공지.txt")
        assert document.meta == {}
        assert text_of(document).endswith("본문입니다.")


def test_cp949_only_syllables_are_read() -> None:
    assert text.decode("똠방각하 펲시콜라".encode("cp949")) == "똠방각하 펲시콜라"


def test_one_damaged_byte_does_not_lose_a_long_page() -> None:
    data = (KOREAN * 100).encode()
    assert "그룹웨어" in text.decode(data[:3000] + b"\xff" + data[3000:])


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe\x81", bytes(range(256)), b"\xff\xff\x80"]
)
def test_binary_data_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePage):
        parse(data, "a.txt")


def test_decomposed_hangul_is_composed_and_controls_are_gone() -> None:
    document = parse(unicodedata.normalize("NFD", "휴가\u200b 규정\x07\x00").encode(), "a.txt")
    assert text_of(document) == "휴가 규정"


def test_hard_wrapped_lines_are_joined_and_short_lines_stay() -> None:
    wrapped = (
        "이 규칙은 회사에 재직하는 모든 직원의 근로 조건에 관한 사항을\n정함을 목적으로 한다.\n담당: 인사팀\n내선: 1234"
    )
    assert text_of(parse(wrapped.encode(), "a.txt")).split("\n") == [
        "이 규칙은 회사에 재직하는 모든 직원의 근로 조건에 관한 사항을 정함을 목적으로 한다.",
        "담당: 인사팀",
        "내선: 1234",
    ]


@pytest.mark.parametrize("suffix", sorted(KNOWN_SUFFIXES))
def test_an_empty_file_is_a_page_without_text(suffix: str) -> None:
    with pytest.raises(PageWithoutText):
        parse(b"", "빈 문서" + suffix)


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
def test_white_space_alone_is_a_page_without_text(suffix: str) -> None:
    with pytest.raises(PageWithoutText):
        parse(b" \n\t\n" + "\u200b\ufeff".encode(), "빈 문서" + suffix)


def test_an_unknown_suffix_is_named() -> None:
    with pytest.raises(UnknownFormat) as caught:
        parse(b"x", "보고서.wpd")
    assert caught.value.details["suffix"] == ".wpd"


def test_suffixes_are_known_in_any_case() -> None:
    assert text_of(parse("공지".encode(), "README.TXT")) == "공지"


@pytest.mark.parametrize("suffix", sorted(KNOWN_SUFFIXES))
@given(data=st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_arbitrary_bytes_raise_only_page_errors(suffix: str, data: bytes) -> None:
    try:
        document = parse(data, "a" + suffix)
    except PageError:
        return
    assert text_of(document).strip() or document.sections


_MARKUP = st.lists(
    st.sampled_from(
        (
            "# |## |- |1. |> |```\n|<table><tr><td>|</table>|<ul><li>|<div>|---\n|audience: |[a](b)|![가](b)|<p hidden>"
            "|<!--|-->|<dl><dt>|<dd>|<br>|\n|\n\n|연차|휴가 규정입니다.|    |\t|*|`|<h1>|</h1>|<pre>|&amp;|\u1100\u1161|<form>"
        ).split("|")
    )
    | st.just("| a | b |\n|--|--|\n")
    | st.text(max_size=8),
    max_size=25,
).map("".join)


@given(source=_MARKUP)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_text_parsers_raise_only_page_errors_and_give_clean_text(source: str) -> None:
    for parser in (text.parse, markdown.parse, html.parse):  # directly: parse() would hide a parser's own bug
        try:
            document = parser(source.encode("utf-8", "replace"))
        except PageError:
            continue
        found = text_of(document)
        assert unicodedata.is_normalized("NFC", found)
        assert not any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in found)
        assert all(block.text.strip() for section in document.sections for block in section.blocks)
