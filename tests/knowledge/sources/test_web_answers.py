"""Whatever a server sends: bodies, headers and pages of any bytes are read, cut or refused, and nothing else happens."""

from __future__ import annotations

import gzip
import re
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledge.sources.web.body import BodyBroken, BodyTooLarge, read_body
from knowledge.sources.web.content import in_utf8, suffix_of
from knowledge.sources.web.links import PageFacts, facts_of, header_facts

HEADERS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=60)
HTML = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"<a href='",
                b"'>",
                b"<base href=//x>",
                b"<meta name=robots content=",
                b"noindex,",
                b"<link rel=canonical href=",
                b"<title>",
                b"<!--",
                b"]]>",
                b"<svg>",
                b"<meta http-equiv=refresh content='0;url=",
                b"<?x",
                b"&#0;",
                b"\xff\xfe",
                b"http://[",
                b"%zz",
            ]
        ),
    ),
    max_size=30,
).map(b"".join)


@given(HTML, HEADERS)
@example(b"", "")
@example("<a href='휴가'>".encode("cp949"), "none")
@example("\ufeff<a href='휴가'>".encode("utf-16"), "x")
def test_any_page_gives_facts_with_normal_links(data: bytes, robots: str) -> None:
    facts = facts_of(data, "https://wiki.example.com/docs/a", robots, "saseobot")
    for link in (*facts.links, *filter(None, [facts.canonical])):
        assert re.match(r"https?://[^/@]+/", link)
    assert facts.index or "n" in robots.lower() or b"no" in data


@given(HTML, HEADERS, st.sampled_from([".html", ".txt", ".pdf", ".csv"]))
@example("휴가".encode("cp949"), "text/html; charset=cp949", ".html")
def test_text_of_any_charset_becomes_utf8_or_stays(data: bytes, content_type: str, suffix: str) -> None:
    for named in (content_type, f"text/html; charset={content_type}"):
        given_back = in_utf8(data, suffix, named)
        assert given_back == data or given_back.startswith(b"\xef\xbb\xbf")
        if given_back != data:
            given_back.decode("utf-8-sig")


@given(HEADERS, HEADERS, HEADERS)
@example("application/octet-stream", "https://h/a", "attachment; filename*=nonsense'x'%ff%fe.pdf")
@example("application/octet-stream", "https://h/a", 'attachment; filename="a\\".pdf')
def test_any_headers_name_a_plain_suffix_or_none(content_type: str, path: str, disposition: str) -> None:
    for media in (content_type, "application/octet-stream"):
        assert re.fullmatch(
            r"(?:\.[a-z0-9]{1,10})?", suffix_of(media, "https://h/" + path.replace("[", ""), disposition)
        )


@pytest.mark.parametrize(
    ("disposition", "suffix"),
    [
        ('attachment; filename="규정.hwp"', ".hwp"),
        ("attachment; filename*=UTF-8''%EA%B7%9C%EC%A0%95.HWPX", ".hwpx"),
        ("inline", ".pdf"),
        ("", ".pdf"),
    ],
)
def test_the_servers_own_name_of_a_file_comes_first(disposition: str, suffix: str) -> None:
    assert suffix_of("application/octet-stream", "https://h/a.pdf", disposition) == suffix


@given(
    st.lists(st.binary(max_size=50)), st.sampled_from(["", "gzip", "deflate", "br", "GZIP ", "x"]), st.integers(0, 200)
)
def test_any_body_is_read_or_refused(chunks: list[bytes], encoding: str, most: int) -> None:
    try:
        body = read_body(chunks, encoding, most)
    except (BodyTooLarge, BodyBroken):
        return
    assert len(body) <= most
    assert encoding != "" or body == b"".join(chunks)


@given(st.binary(max_size=3000), st.integers(1, 400), st.sampled_from(["gzip", "deflate"]))
def test_a_packed_body_is_the_same_however_it_is_cut(data: bytes, size: int, encoding: str) -> None:
    packed = gzip.compress(data) if encoding == "gzip" else zlib.compress(data)
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert read_body(chunks, encoding, len(data)) == data
    if data:
        with pytest.raises(BodyTooLarge, match="MB"):
            read_body(chunks, encoding, len(data) - 1)


@pytest.mark.parametrize(
    ("header", "listed", "followed"),
    [
        ("", True, True),
        ("noindex", False, True),
        ("all, NOFOLLOW", True, False),
        ("none", False, False),
        ("otherbot: noindex, nofollow", True, True),
        ("otherbot: noindex, saseobot: nofollow", True, False),
        ("SaseoBot: none", False, False),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, noindex", False, True),
    ],
)
def test_x_robots_tag_counts_where_it_means_us(header: str, listed: bool, followed: bool) -> None:
    facts = facts_of(b"<a href=x>", "https://h/", header, "saseobot")
    assert facts == PageFacts("", ("https://h/x",) if followed else (), None, listed)
    assert header_facts(header, "saseobot").index == listed
