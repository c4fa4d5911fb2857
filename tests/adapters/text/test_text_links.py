"""Which addresses may be linked, and how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.text import Markdown, safe_url


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("https://wiki.hanbit.kr/연차 규정", None),  # a blank
        ("https://wiki.hanbit.kr/연차", "https://wiki.hanbit.kr/%EC%97%B0%EC%B0%A8"),
        ("https://wiki.hanbit.kr/a(1)*@[x];'!", "https://wiki.hanbit.kr/a%281%29%2A%40%5Bx%5D%3B%27%21"),
        ("http://10.0.0.3:8090/a?b=1&c=%20#d", "http://10.0.0.3:8090/a?b=1&c=%20#d"),
        ("HTTPS://Wiki/A", "https://wiki/A"),
        ("https://한빛.한국/", "https://xn--xx3br43b.xn--3e0b707e/"),
        ("https://wiki/100%", "https://wiki/100%25"),
        ("https://wiki/a%zz%4", "https://wiki/a%25zz%254"),
        ("https://wiki", "https://wiki"),
        (None, None),
        ("", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("slack://open", None),
        ("ftp://wiki/x", None),
        ("//wiki/x", None),
        ("/연차.md", None),
        ("연차.md", None),
        ("https://", None),
        ("https://user@wiki/", None),
        ("https://user:pw@wiki/", None),
        ("https://wiki\\@evil.com/", None),
        ("https://wiki:99999/", None),
        ("https://wiki:x/", None),
        ("https://[::1]/", None),
        ("https://wi<ki/", None),
        ("https://wiki/\n", None),
        ("https://wiki/\x00", None),
        ("https://wiki/\u202e", None),
        ("https://wiki/\u200b", None),
        ("https://wiki/" + "a" * 2_000, None),
        ("https://wiki/" + "가" * 500, None),  # too long when encoded
    ],
)
def test_only_plain_web_addresses_pass(given_url: str | None, expected: str | None) -> None:
    assert safe_url(given_url) == expected


@given(st.text(max_size=40), st.sampled_from(["https://wiki/", "http://", "https://wiki?", "https://wiki/#", ""]))
def test_what_passes_is_harmless_in_a_link_and_passes_again_unchanged(tail: str, head: str) -> None:
    url = safe_url(head + tail)
    if url is not None:
        assert url.isascii()
        assert not set(url) & set("()[]<>*|`\"'\\;@! \n")
        assert safe_url(url) == url
        assert f"]({url})" in Markdown("slack").render("[1]", {1: url})
