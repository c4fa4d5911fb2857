"""Shortening: never in the middle of something, nothing left open, never too long."""

from __future__ import annotations

import re
import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.text import Markdown, shorten

LINK = r"[\[1\]](https://wiki/leave)"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("연차는 15일입니다.", 20, "연차는 15일입니다."),
        ("연차는 15일입니다. 병가는 10일입니다.", 18, "연차는 15일입니다.…"),
        (
            "연차는 15일입니다. 병가는 유급으로 10일까지 쓸 수 있습니다.",
            30,
            "연차는 15일입니다. 병가는 유급으로 10일까지 쓸…",
        ),
        ("띄어쓰기없는아주긴한국어문장입니다", 8, "띄어쓰기없는아…"),
        (f"연차는 15일 {LINK}", 20, "연차는 15일…"),
        (f"연차는 15일입니다. {LINK} 병가는 열흘입니다.", 46, f"연차는 15일입니다. {LINK}…"),
        ("**연차는 15일을 줍니다 그리고**", 14, "**연차는 15일을**…"),
        ("***둘 다 강조한 글***", 12, "***둘 다***…"),
        ("앞 문장 **굵은 글씨**", 9, "앞 문장…"),
        ("~~취소한 긴 문장~~", 10, "~~취소한 긴~~…"),
        ("`코드 조각은 나누지 않음`", 8, "…"),
        ("보십시오 `코드 조각`", 10, "보십시오…"),
        ("하나\n\n- 둘째 항목", 7, "하나…"),
        (r"3\*4\*5", 4, r"3\*…"),
        ("A &amp; B", 6, "A…"),
        ("👨\u200d👩\u200d👧👨\u200d👩\u200d👧", 8, "👨\u200d👩\u200d👧…"),
        ("🇰🇷🇰🇷", 3, "🇰🇷…"),
        ("가나다라마바사", 1, "…"),
        ("가나다라마바사", 0, ""),
        ("가나다라마바사", -3, ""),
    ],
)
def test_a_cut_is_made_where_a_person_would(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


def test_a_block_of_code_is_closed_or_left_out() -> None:
    code = "설명입니다.\n\n```py\n" + "x = 1\n" * 30 + "```\n끝"
    short = shorten(code, 80)
    assert len(short) <= 80
    assert short.count("```") == 2
    assert short.endswith("```\n…")
    late = "긴 설명입니다. " * 8 + "\n\n```py\nx = 1\ny = 2\n```"
    assert "```" not in shorten(late, len(late) - 5)


def test_the_end_can_be_said_in_words() -> None:
    assert shorten("가나다 라마바 사아자 차카타", 13, "… (이어짐)") == "가나다 라마… (이어짐)"


def test_decomposed_hangul_counts_as_it_is_read() -> None:
    assert shorten(unicodedata.normalize("NFD", "한국어 문장"), 6) == "한국어 문장"


answers = st.lists(
    st.sampled_from([
        "연차는 15일입니다.", " ", "\n\n", "**굵게 쓴 글**", "*기울임*", "`코드`", "\n```\n코드\n줄\n```\n", "[1]", "- 항목", "\n1. 첫째\n",
        "👨\u200d👩\u200d👧",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@given(answers, st.integers(0, 120), st.sampled_from(["…", "", "… (이어짐)"]))
@settings(max_examples=400, deadline=None)
def test_no_cut_is_too_long_or_leaves_anything_open(text: str, limit: int, more: str) -> None:
    rendered = Markdown("slack").render(text, {1: "https://wiki/leave"})
    short = shorten(rendered, limit, more)
    assert len(short) <= limit
    if short == unicodedata.normalize("NFC", rendered):
        return
    assert len(re.findall(r"^```", short, re.MULTILINE)) % 2 == 0
    assert short.count("](") == short.count("](https://wiki/leave)")
    prose = regex.sub(r"```.*?```|`[^`]*`|\\.|^ *[*-] ", "", short, flags=regex.DOTALL | regex.MULTILINE)
    assert prose.count("*") % 2 == 0
    if short and more and limit >= len(more):
        assert short.endswith(more)
        # What remains is a beginning of what was there, but for what was closed.
        kept = re.sub(r"[*`\s]+\Z", "", short.removesuffix(more))
        assert rendered.startswith(kept)
