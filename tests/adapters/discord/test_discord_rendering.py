"""What an answer looks like, whatever is in it; membership; addresses; what the log may hold."""

from __future__ import annotations

import asyncio
import json
import logging
import unicodedata
from typing import Any
from urllib.parse import quote

import pytest
from discord import ui
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import events, ids
from adapters.discord.address import Draft
from adapters.discord.client import fields_of
from adapters.discord.members import Membership
from adapters.discord.render import Renderer, link, question_above
from adapters.text import plain
from bot.conversation import Reply
from bot.messages import Answer, Citation, Outcome, Seconds, Tokens
from tests.adapters.discord.desk import ScriptedDesk
from tests.adapters.discord.office import Office, words


def reply(text: str, citations: tuple[Citation, ...] = (), **changes: Any) -> Reply:
    """A reply with everything that can be done."""
    outcome = changes.pop("outcome", Outcome.ANSWERED)
    nearest = changes.pop("nearest", ())
    made = Answer(outcome, text, citations, "m", "none", "e", "p", Tokens(), Seconds(0, None, 0), nearest=nearest)
    usual: dict[str, Any] = {"can_vote": True, "can_escalate": True, "can_share": True}
    return Reply("a1b2c3d4e5f6", "0123456789abcdef", made, "ko", True, **(usual | changes))


def components(view: ui.LayoutView | ui.View | None) -> list[dict[str, Any]]:
    """As sent."""
    return [] if view is None else view.to_components()


def many(count: int) -> tuple[Citation, ...]:
    """Long sources."""
    return tuple(
        Citation(n, f"p{n}.md", f"제목 {n} " * 30, f"https://wiki.example/{n}", "인용문입니다. " * 30, "소제목 " * 30)
        for n in range(1, count + 1)
    )


@given(st.text(max_size=9_000), st.integers(0, 12), st.booleans(), st.text(max_size=400))
def test_every_answer_fits(text: str, count: int, v2: bool, notice: str) -> None:
    posts = Renderer(v2).final(reply(text, many(count), notice=notice))
    assert 1 <= len(posts) <= (1 if v2 else 2)
    for post in posts:
        if isinstance(post.view, ui.LayoutView):
            assert all(c.content.strip() for c in post.view.walk_children() if isinstance(c, ui.TextDisplay))
            assert post.content is None
            assert post.view.content_length() <= 4_000
            assert len(list(post.view.walk_children())) <= 40
        else:
            assert post.content is not None
            assert post.content.strip()
            assert len(post.content) <= 2_000
    assert "saseo:vote:0123456789abcdef:a1b2c3d4e5f6:up" in json.dumps(components(posts[-1].view))


@given(st.text(max_size=5_000), st.booleans())
def test_drafts_and_bare_forms_fit(text: str, v2: bool) -> None:
    renderer = Renderer(v2)
    for post in (renderer.draft(text, v2), renderer.bare(reply(text), v2), renderer.text(text)):
        if isinstance(post.view, ui.LayoutView):
            assert post.view.content_length() <= 4_000
        else:
            assert len(post.content or "") <= 2_000
    assert "⏳" in (renderer.draft(text, False).content or "")


@pytest.mark.parametrize("v2", [True, False])
def test_what_a_person_is_told_once_stands_small_under_the_answer(v2: bool) -> None:
    [post] = Renderer(v2).final(reply("15일입니다.", notice="질문을 90일 저장합니다. @everyone"))
    text = post.content if post.content is not None else words(components(post.view))
    assert text is not None
    assert "-# 질문을 90일 저장합니다." in text
    assert "@everyone" not in text
    assert "AI가 생성한 답변입니다." in text


def test_that_ai_wrote_it_can_be_left_out() -> None:
    text = words(components(Renderer(True).final(reply("15일입니다.", ai_notice=False))[0].view))
    assert "AI가" not in text
    assert "문의 번호" in text


def test_sources_always_stand_under_a_long_answer() -> None:
    text = words(components(Renderer(True).final(reply("가나다라. " * 2_000, many(3)))[0].view))
    assert text.count("https://wiki.example/") >= 2
    assert "줄였습니다" in text


def test_titles_and_quotes_are_escaped_and_links_are_only_sources() -> None:
    bad = Citation(
        1,
        "p",
        "[클릭](https://evil.example) @everyone **굵게**",
        "javascript:alert(1)",
        "<@1> ![x](https://e.vil/x.png)",
    )
    text = words(components(Renderer(True).final(reply("답 [1] https://evil.example", (bad,)))[0].view))
    assert "](https://evil.example)" not in text
    assert "javascript" not in text
    assert "<@1>" not in text
    assert "@everyone" not in text


def test_an_address_cannot_end_its_link() -> None:
    assert link("제목", "https://wiki.example/a(b)") == "[제목](<https://wiki.example/a%28b%29>)"
    assert ">c" not in link("제목", "https://wiki.example/a>c d")
    assert (
        link("제목", "https://wiki.example/%EC%97%B0?q=1&r=2#x") == "[제목](<https://wiki.example/%EC%97%B0?q=1&r=2#x>)"
    )
    assert link("제목", None) == "제목"
    assert link("제목", "https://user:pass@wiki.example/") == "제목"


def test_an_abstention_lists_the_nearest_pages_without_calling_them_sources() -> None:
    text = words(
        components(Renderer(True).final(reply("찾지 못했습니다.", outcome=Outcome.ABSTAINED, nearest=many(2)))[0].view)
    )
    assert "제목 1" in text
    assert "출처" not in text
    assert "도움됨" in text


def test_a_refusal_has_no_buttons() -> None:
    refused = Reply("a1b2c3d4e5f6", "", reply("잠시 후", outcome=Outcome.FAILED).answer, "ko", False)
    assert "custom_id" not in json.dumps(components(Renderer(True).final(refused)[0].view))


def test_ids_name_the_question() -> None:
    view = Renderer(False).final(reply("답"))[0].view
    assert view is not None
    assert ids.answers(view.children, "a1b2c3d4e5f6")
    assert not ids.answers(view.children, "ffffffffffff")


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("<@123> 연차는?", "연차는?"),
        ("<@!123>에게 <@&9> 연차는 <#4>?", "에게 연차는 ?"),
        ("a < b > c <:smile:123> 끝", "a < b > c 끝"),
        ("</ask:123> <t:1700000000:R>", ""),
    ],
)
def test_marks_are_no_words(typed: str, clean: str) -> None:
    assert events.said(typed) == clean


def test_fields_of_a_form() -> None:
    submitted = [
        {"type": 18, "component": {"type": 4, "custom_id": "answer", "value": "15일"}},
        {"type": 18, "component": {"type": 3, "custom_id": "consent", "values": ["yes"]}},
        {"type": 1, "components": [{"type": 4, "custom_id": "old", "value": "x"}]},
    ]
    assert fields_of(submitted) == {"answer": "15일", "consent": "yes", "old": "x"}


def test_a_draft_note() -> None:
    assert Draft.from_json("") is None
    assert Draft.from_json(Draft(True, 1, 2).to_json()) == Draft(True, 1, 2)


async def test_membership_is_kept_and_then_asked_again() -> None:
    asked: list[tuple[int, int]] = []
    now = [100.0]
    roles: dict[tuple[int, int], frozenset[str]] = {(1, 7): frozenset({"a"}), (2, 7): frozenset({"b"})}

    async def fetch(server: int, person: int) -> frozenset[str] | None:
        asked.append((server, person))
        await asyncio.sleep(0)
        return roles.get((server, person))

    members = Membership(fetch, (1, 2), clock=lambda: now[0])
    assert members.known(7) is None
    assert await members.roles(7) == {"a", "b"}
    assert await members.roles(7) == {"a", "b"}
    assert await members.roles(8) is None
    assert members.known(8) is None
    assert len(asked) == 4
    roles.clear()
    now[0] += 601
    assert members.known(7) is None
    assert await members.roles(7) is None


async def test_the_log_holds_ids_and_never_words(
    office: Office, desk: ScriptedDesk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="adapters.discord"):
        await office.kim.slash(office.channel, "ask", question="비밀스러운 질문입니까?")
        await office.kim.send(office.channel, f"{office.me} 비밀스러운 질문입니까?")
        await office.kim.click(office.channel.last_message, label="도움됨")
    records = [r for r in caplog.records if r.name.startswith("adapters.discord")]
    events_seen = {json.loads(r.getMessage())["event"] for r in records}
    assert {"asked", "voted"} <= events_seen
    text = "\n".join(r.getMessage() for r in records)
    assert "비밀스러운" not in text
    assert "15일" not in text
    assert json.loads(desk.asked[0].reply_to)["token"] not in text


def korean(count: int) -> tuple[Citation, ...]:
    """Sources of a Korean wiki: every syllable of an address is nine characters."""
    address = f"https://wiki.example/{quote('인사 규정과 휴가 부여 기준 ' * 4)}"
    return tuple(
        Citation(
            n, f"p{n}.md", f"인사 규정 제{n}장 휴가", f"{address}{n}", "연차는 1년에 15일을 부여합니다.", "부여 기준"
        )
        for n in range(1, count + 1)
    )


@pytest.mark.parametrize("v2", [True, False])
def test_long_addresses_push_out_neither_answer_nor_sources(v2: bool) -> None:
    sentences = [f"입사 {n}년차에는 연차를 {n + 14}일 부여합니다 [{n % 8 + 1}]." for n in range(1, 13)]
    posts = Renderer(v2).final(reply(" ".join(sentences), korean(8)))
    text = "\n".join((post.content or "") + words(components(post.view)) for post in posts)
    assert "줄였습니다" not in text
    assert "입사 12년차에는 연차를 26일 부여합니다" in text
    assert all(f"**{n}.**" in text for n in range(1, 9))
    assert "](<https://wiki.example/" in text


@given(st.text(max_size=300).map(events.said).filter(bool))
def test_the_question_above_an_answer_can_be_read_again(question: str) -> None:
    question = " ".join(plain(question).split())[:100].strip()
    post = Renderer(True).final(reply("15일입니다. [1]", korean(1)), about=question)[0]
    if question:
        assert [c for c in question_above(words(components(post.view))) if c.isalnum()] == [
            c for c in unicodedata.normalize("NFC", question) if c.isalnum()
        ]
