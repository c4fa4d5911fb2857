"""mrkdwn → text: nobody is named who should not be, and nothing a person wrote becomes markup of ours."""

from __future__ import annotations

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.formats import parse
from knowledge.sources.slack_text import Pseudonyms, as_html, page_of, plain, title_of


@pytest.mark.parametrize(
    ("mrkdwn", "text"),
    [
        ("*연차*는 _15일_, ~10일~", "연차는 15일, 10일"),
        ("*_굵게 기울여_*", "굵게 기울여"),
        ("2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c"),
        ("<https://wiki/규정|연차 규정> <https://a.b/c>", "연차 규정 https://a.b/c"),
        ("<mailto:kim@example.com|kim@example.com>", "kim@example.com"),
        (
            "<#C1|인사> <#C2> <!subteam^S1|@hr> <!subteam^S1> <!here> <!channel|@channel>",
            "#인사 #채널 @hr @그룹 @here @channel",
        ),
        ("<!date^1700000000^{date}|11월 15일>", "11월 15일"),
        ("A &amp; B &lt;제목&gt;", "A & B <제목>"),
        ("&gt; 인용\n&gt;&gt;&gt; 더", "인용\n더"),
        ("`a*b*c` ```x = *p*;\n```", "a*b*c \nx = *p*;"),
        ("<@U1>님과 <@U2|김철수>님, 다시 <@U1>", "@참여자 1님과 @참여자 2님, 다시 @참여자 1"),
    ],
)
def test_markup_becomes_text(mrkdwn: str, text: str) -> None:
    assert plain(mrkdwn, Pseudonyms()) == text


def test_a_title_is_the_first_line_with_words_without_people() -> None:
    assert title_of("<@U1>\n:wave:\n") == ":wave:"
    assert title_of("<@U1> *VPN*이 안 됩니다\n도와주세요") == "VPN이 안 됩니다"
    assert title_of("<@U1> !!") == ""
    assert title_of("가" * 100) == "가" * 59 + "…"


def test_a_message_becomes_paragraphs_lists_code_and_the_names_of_files() -> None:
    message = {
        "text": "순서입니다\n• 하나\n• 둘\n\n끝\n```pip install &lt;x&gt;```",
        "files": [{"name": "a.pdf", "title": "규정 <최종>.pdf"}, {"mode": "tombstone"}, "?"],
    }
    document = parse(page_of([as_html(message, "참여자 1", "2026-01-05", Pseudonyms())]), "page.html")
    blocks = [(block.kind, block.text) for section in document.sections for block in section.blocks]
    assert blocks == [
        ("paragraph", "참여자 1 (2026-01-05):"),
        ("paragraph", "순서입니다"),
        ("list", "- 하나\n- 둘"),
        ("paragraph", "끝"),
        ("code", "pip install <x>"),
        ("paragraph", "첨부 파일: 규정 <최종>.pdf"),
    ]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_whatever_people_write_never_becomes_our_markup(text: str) -> None:
    made = as_html({"text": text}, "참여자 1", "2026-01-05", Pseudonyms())
    left = made
    for tag in ("p", "/p", "ul", "/ul", "li", "/li", "pre", "/pre", "br"):
        left = left.replace(f"<{tag}>", "")
    assert "<" not in left
    assert html.unescape(left)
    plain(text, Pseudonyms())
    assert len(title_of(text)) <= 60


@settings(deadline=None)
@given(st.lists(st.sampled_from(["U1", "U2", "U3ABC"]), max_size=8))
def test_no_persons_id_is_left_in_a_page(people: list[str]) -> None:
    text = " ".join(f"<@{person}|이름{person}>" for person in people)
    assert not any(person in plain(text, Pseudonyms()) for person in people)
