"""The guarantees, over random compositions of hostile pieces: whatever is fed, nothing pings, nothing loads, nothing leads away."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.text import Markdown, SafeStream, inline, mrkdwn, plain, shorten
from adapters.text.characters import clean
from tests.adapters.text.harm import HOSTILE, LINKS, harms, letters, targets, texts, without_links

Platform = Literal["slack", "discord"]
PLATFORMS: tuple[Platform, ...] = ("slack", "discord")
platforms = st.sampled_from(PLATFORMS)


def streamed(platform: Platform, pieces: list[str]) -> str:
    """All that a stream gives for `pieces`."""
    stream = SafeStream(platform, LINKS)
    return "".join(stream.feed(piece) for piece in pieces) + stream.close()


def cut(text: str, places: list[int]) -> list[str]:
    """`text` cut at `places`, taken modulo its length."""
    borders = sorted({place % (len(text) + 1) for place in places})
    return [text[a:b] for a, b in zip([0, *borders], [*borders, len(text)], strict=True)]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("@everyone", "discord"), ("<@1>", "discord"), ("<!channel>", "slack"), ("@\u2060here", "slack"), ("![x](http://w)", "slack"),
        ("[x](http://evil.com)", "discord"), ("<http://evil.com>", "slack"), ("http://evil.com", "discord"), ("evil.com", "slack"),
        ("`http://evil.com`", "slack"), ("a@b.kr", "slack"), ("&lt;!here&gt;", "slack"), ("<b>", "slack"), ("a\u202eb", "slack"),
        ("[x]\n\n[x]: http://evil.com", "slack"), ("</cmd:1>", "discord"), ("<t:1>", "discord"),
    ],
)  # fmt: skip
def test_the_judge_sees_harm_where_there_is_some(text: str, platform: str) -> None:
    assert harms(text, platform)


@given(texts, platforms)
@settings(max_examples=600, deadline=None)
def test_a_rendered_answer_does_no_harm(text: str, platform: Platform) -> None:
    assert harms(Markdown(platform).render(text, LINKS), platform) == []


@given(texts, platforms, st.lists(st.integers(0, 10_000), max_size=12))
@settings(max_examples=600, deadline=None)
def test_a_streamed_answer_does_no_harm_wherever_it_was_cut(text: str, platform: Platform, places: list[int]) -> None:
    assert harms(streamed(platform, cut(text, places)), platform) == []


@given(texts, platforms)
@settings(max_examples=200, deadline=None)
def test_a_stream_of_single_characters_does_no_harm(text: str, platform: Platform) -> None:
    assert harms(streamed(platform, list(text)), platform) == []


@pytest.mark.parametrize("first", [piece for piece in HOSTILE if len(piece) <= 3])
def test_no_fragment_makes_a_hostile_piece_behind_it_harmful(first: str) -> None:
    for number, second in enumerate(HOSTILE):
        platform = PLATFORMS[(number + len(first)) % 2]
        text = f"{first}{second} 끝"
        assert harms(Markdown(platform).render(text, LINKS), platform) == [], text
        assert harms(streamed(platform, [first, second, " 끝"]), platform) == [], text


@given(texts, platforms, st.integers(0, 200))
@settings(max_examples=300, deadline=None)
def test_shortening_does_not_bring_harm_back(text: str, platform: Platform, limit: int) -> None:
    short = shorten(Markdown(platform).render(text, LINKS), limit)
    assert len(short) <= limit
    assert harms(short, platform) == []


@given(texts, platforms)
@settings(max_examples=300, deadline=None)
def test_a_title_inside_our_own_link_stays_inside_it(text: str, platform: Platform) -> None:
    title = inline(text, platform)
    assert "\n" not in title
    ours = f"[제목 {title}](https://w/1)"
    assert harms(ours, platform, {1: "https://w/1"}) == []
    assert ours.count("](") == 1


@given(texts)
@settings(max_examples=300, deadline=None)
def test_plain_text_pings_nobody_and_links_nothing(text: str) -> None:
    out = plain(text)
    assert not re.search(r"[@＠](?:everyone|here|channel|U)|<[@!#]|[a-z]://|evil\.com", out, re.IGNORECASE)


@given(texts)
@settings(max_examples=300, deadline=None)
def test_mrkdwn_has_no_slack_syntax_of_its_own(text: str) -> None:
    out = mrkdwn(text)
    assert "<" not in out
    assert ">" not in out
    assert re.sub("&(?:amp|lt|gt);", "", out).count("&") == 0
    assert not re.search(r"[@＠](?:everyone|here|channel)|[a-z]://|evil\.com|[*_~]\w", out, re.IGNORECASE)


words = st.lists(
    st.sampled_from(
        [
            "연차는", "15일", "**굵게**", "*기울임*", "~~취소~~", "`saseo index`", "@everyone", "<!channel>",
            "<@U1>", "<별표 1>", "evil.com", "3.5", "https://evil.com/a", "a_b", "한글_변수_이름", "3*4", "9~18시",
            "||x||", "(주)한빛", "A&B", "R&D;", "<b>", "[공지]", "kim@hanbit.kr", ":smile:", "👨\u200d👩\u200d👧",
            "café", "\n", "\n\n", "\n- ", "\n1. ", "\n> ", "\n## ", " ", "[1]", "[2]", "\\*", "\u200b", "\u202e",
            "2024. 3. 5.", "x²",
        ]
    ),
    max_size=25,
).map(" ".join)  # fmt: skip


@given(words, platforms, st.lists(st.integers(0, 10_000), max_size=8))
@settings(max_examples=300, deadline=None)
def test_what_people_read_stays_the_same(text: str, platform: Platform, places: list[int]) -> None:
    expected = letters(clean(text))
    allowed = targets(LINKS)
    assert letters(without_links(Markdown(platform).render(text, LINKS), allowed)) == expected
    assert letters(without_links(streamed(platform, cut(text, places)), allowed)) == expected
    assert letters(plain(text)) == expected
    assert letters(inline(text, platform)) == expected


@given(texts)
@settings(max_examples=200, deadline=None)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
