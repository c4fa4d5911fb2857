"""Slack's history as a source, over the fake Slack with the real slack_sdk."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.source_settings import SourceSettings
from knowledge.errors import (
    ChannelNotReadable,
    SourceDenied,
    SourceError,
    SourceUnreachable,
    TokenMissing,
    UnreadablePage,
)
from knowledge.formats import parse
from knowledge.page import Audience, reader_of
from knowledge.sources import SourceConfig, slack_client
from knowledge.sources.base import SourceFile, to_page
from knowledge.sources.slack_history import SlackHistory
from tests.fakes.slack import Message, SlackServer

NOW = dt.datetime(2026, 3, 10, 12, 0).timestamp()
DAY = 86400.0


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        for person, name in (("U1", "김철수"), ("U2", "이영희"), ("U3", "박민수")):
            server.user(person, name)
        server.channel("C1", name="인사-질문", members=["U1", "U2"])
        monkeypatch.setenv("SLACK_BOT_TOKEN", server.bot_token)
        monkeypatch.setattr(slack_client, "_GIVE_UP_AFTER", 1)
        yield server


def said(
    slack: SlackServer, user: str, text: str, days_ago: float, root: Message | None = None, **more: Any
) -> Message:
    """A message in C1 (or that of `root`), so many days before now."""
    channel = root.channel if root is not None else more.pop("channel", "C1")
    # A microsecond later than the one before: no two messages have one timestamp.
    ts = f"{NOW - days_ago * DAY + len(slack.workspace.messages) / 1e6:.6f}"
    message = Message(channel, ts, user, text, root.ts if root is not None else None, **more)
    slack.workspace.messages.append(message)
    return message


def source(slack: SlackServer, now: float = NOW, **options: Any) -> SlackHistory:
    channels = options.pop("channels", ["C1"])
    made = SourceSettings.of("슬랙", "slack", channels=channels, api_base_url=slack.api_base_url, **options).options
    return SlackHistory(SourceConfig("슬랙", Audience(), Path("home")), made, clock=lambda: now)


async def listed(slack: SlackServer, now: float = NOW, **options: Any) -> list[SourceFile]:
    return await asyncio.to_thread(lambda: list(source(slack, now, **options).files()))


async def text_of(file: SourceFile) -> str:
    document = parse(await asyncio.to_thread(file.read), "page.html")
    return "\n".join(block.text for section in document.sections for block in section.blocks)


async def test_a_thread_is_a_page_with_people_hidden(slack: SlackServer) -> None:
    root = said(slack, "U1", "<@U3> *VPN*이 안 됩니다\n010-1234-5678로 전화 주세요", 10)
    said(slack, "U3", "<@U1>님, 헬프데스크에 <https://help|신청>하세요", 9, root)
    (file,) = await listed(slack)
    day = dt.date.fromtimestamp(NOW - 10 * DAY)
    assert file.path == f"인사-질문/{day}-{root.ts.replace('.', '-')}"
    assert file.title == "VPN이 안 됩니다"
    assert file.url == f"https://saseo-test.slack.com/archives/C1/p{root.ts.replace('.', '')}"
    assert (file.modified, file.identity) == (dt.date.fromtimestamp(NOW - 9 * DAY), f"C1/{root.ts}")
    text = await text_of(file)
    assert f"참여자 1 ({day}):\n@참여자 2 VPN이 안 됩니다\n010-1234-5678로 전화 주세요" in text
    assert "@참여자 1님, 헬프데스크에 신청하세요" in text
    assert not any(name in text for name in ("김철수", "박민수", "U1", "U3"))
    assert slack.violations == []


async def test_names_are_shown_if_the_operator_wants_them(slack: SlackServer) -> None:
    root = said(slack, "U1", "<@U3|옛이름> 질문입니다", 10)
    said(slack, "U3", "답입니다", 9, root)
    said(slack, "U9", "모르는 사람입니다", 9, root)
    (file,) = await listed(slack, people="names")
    text = await text_of(file)
    assert "김철수 (" in text
    assert "@박민수 질문입니다" in text
    assert "참여자 1 (" in text  # whom Slack does not know
    assert len(slack.calls_of("users.info")) == 3


async def test_what_the_bot_said_is_never_indexed(slack: SlackServer) -> None:
    root = said(slack, "U1", f"<@{slack.bot_user}> 연차는 며칠인가요?", 10)
    said(slack, slack.bot_user, "연차는 15일입니다. [1]", 10, root, bot_id="B0BOT")
    asked = said(slack, "U1", f"<@{slack.bot_user}> 반차는요?", 8)
    said(slack, slack.bot_user, "모르는 답", 8, asked, bot_id="B0BOT")
    said(slack, "U2", "반차는 4시간입니다", 7, asked)
    own = said(slack, slack.bot_user, "공유한 답", 6, bot_id="B0BOT")
    said(slack, "U2", "고맙습니다", 6, own)
    (file,) = await listed(slack)
    text = await text_of(file)
    assert file.title == "반차는요?"
    assert "반차는 4시간입니다" in text
    assert "모르는 답" not in text
    assert "@" not in text


async def test_joins_and_unanswered_messages_are_left_out(slack: SlackServer) -> None:
    said(slack, "U1", "<@U1>님이 참여했습니다", 10, subtype="channel_join")
    said(slack, "U1", "혼잣말", 10)
    root = said(slack, "U1", "질문", 9)
    said(slack, "U2", "답", 9, root)
    said(slack, "U2", "<@U2>님이 나갔습니다", 9, root, subtype="channel_leave")
    gone = said(slack, "USLACKBOT", "This message was deleted.", 8, subtype="tombstone")
    said(slack, "U2", "무엇이라고요?", 8, gone)
    (file,) = await listed(slack)
    assert "나갔습니다" not in await text_of(file)
    assert await listed(slack, min_replies=3) == []


async def test_unanswered_messages_may_be_one_page_a_day(slack: SlackServer) -> None:
    said(slack, "U1", "아침 공지", 10.1)
    said(slack, "U2", "점심 공지", 10)
    said(slack, slack.bot_user, "봇의 말", 10, bot_id="B0BOT")
    said(slack, "U1", "다음 날", 9)
    day = dt.date.fromtimestamp(NOW - 10 * DAY)
    first, second = await listed(slack, lone_messages=True)
    assert (first.path, first.identity, first.title) == (f"인사-질문/{day}", f"C1/{day}", f"#인사-질문 {day}")
    text = await text_of(first)
    assert "아침 공지" in text
    assert "점심 공지" in text
    assert "봇의 말" not in text
    assert "다음 날" in await text_of(second)


async def test_a_private_channels_threads_are_read_in_that_channel_only(slack: SlackServer) -> None:
    slack.channel("C2", "private", name="임원")
    for channel in ("C1", "C2"):
        root = said(slack, "U1", f"{channel} 질문", 10, channel=channel)
        said(slack, "U2", "답", 9, root)
    public, private = await listed(slack, channels=["C1", "C2"])
    pages = [
        to_page("슬랙", Audience.of(["직원"]), file, parse(await asyncio.to_thread(file.read), "page.html"))
        for file in (public, private)
    ]
    employee, in_channel = reader_of(["직원"]), reader_of(["직원", "slack:channel:C2"])
    assert [page.audience.admits(employee) for page in pages] == [True, False]
    assert [page.audience.admits(in_channel) for page in pages] == [True, True]
    assert not pages[1].audience.admits(reader_of(["slack:channel:C2"]))


async def test_a_channel_of_which_slack_does_not_say_that_it_is_public_counts_as_private(slack: SlackServer) -> None:
    root = said(slack, "U1", "질문", 10)
    said(slack, "U2", "답", 9, root)
    room = slack.workspace.channels["C1"]
    vague = type("Vague", (type(room),), {"as_json": lambda self: {"id": "C1", "name": "이름"}})
    slack.workspace.channels["C1"] = vague("C1", "public", "이름", members=room.members)
    (file,) = await listed(slack)
    assert file.audience == Audience.of(["slack:channel:C1"])


@pytest.mark.parametrize("kind", ["im", "mpim"])
async def test_direct_messages_are_refused_even_if_named(slack: SlackServer, kind: Any) -> None:
    slack.tokens.scopes |= {"mpim:read", "mpim:history"}
    slack.channel("G1", kind)
    with pytest.raises(ChannelNotReadable, match="G1"):
        await listed(slack, channels=["G1"])


async def test_every_page_of_a_long_history_is_read(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_client, "_PER_PAGE", 3)
    for number in range(8):
        root = said(slack, "U1", f"질문 {number}", 30 - number)
        for reply in range(5):
            said(slack, "U2", f"답 {number}-{reply}", 29.5 - number + reply / 100, root)
    files = await listed(slack)
    assert [file.title for file in files] == [f"질문 {number}" for number in range(8)]
    assert len(slack.calls_of("conversations.history")) == 3
    text = await text_of(files[7])
    assert all(f"답 7-{reply}" in text for reply in range(5))


async def test_a_listing_cut_off_in_the_middle_is_an_error(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_client, "_PER_PAGE", 1)
    for number in range(3):
        root = said(slack, "U1", f"질문 {number}", 10 - number)
        said(slack, "U2", "답", 9, root)
    slack.fault("conversations.history", error="internal_error", after=2)
    with pytest.raises(SourceUnreachable, match="internal_error"):
        await listed(slack)


async def test_more_is_promised_without_a_cursor(slack: SlackServer) -> None:
    slack.web_api._handlers = dict(slack.web_api._handlers) | {  # type: ignore[attr-defined]
        "conversations.history": lambda _: {"messages": [], "has_more": True}
    }
    with pytest.raises(SourceUnreachable, match="cut_off"):
        await listed(slack)


async def test_rate_limits_and_broken_connections_are_waited_out(slack: SlackServer) -> None:
    root = said(slack, "U1", "질문", 10)
    said(slack, "U2", "답", 9, root)
    slack.fault("conversations.history", status=429, retry_after=0, times=2)
    slack.fault("conversations.info", drop_connection=True)
    slack.fault("auth.test", status=503)
    (file,) = await listed(slack)
    slack.fault("conversations.replies", status=429, retry_after=0)
    assert "답" in await text_of(file)


async def test_a_pause_without_reason_is_not_waited_out(slack: SlackServer) -> None:
    slack.fault("conversations.history", status=429, retry_after=86_400)
    with pytest.raises(SourceUnreachable, match="ratelimited"):
        await listed(slack)


async def test_what_a_person_is_told_when_slack_refuses(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def told(kind: type[SourceError], **options: Any) -> str:
        with pytest.raises(kind) as caught:
            await listed(slack, **options)
        return caught.value.explain("ko")

    slack.channel("C3", bot=False)
    assert "C3" in await told(ChannelNotReadable, channels=["C3"])
    assert "C404" in await told(ChannelNotReadable, channels=["C404"])
    slack.withhold("channels:history")
    assert "missing_scope: channels:history" in await told(SourceDenied)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-wrong")
    refused = await told(SourceDenied)
    assert "invalid_auth" in refused
    assert "xoxb" not in refused
    monkeypatch.setenv("SLACK_BOT_TOKEN", " ")
    assert "SLACK_BOT_TOKEN" in await told(TokenMissing)
    monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
    slack.dark = True
    assert "unreachable" in await told(SourceUnreachable)


async def test_deleted_messages_and_threads_are_gone_at_the_next_run(slack: SlackServer) -> None:
    kept = said(slack, "U1", "질문 하나", 10)
    answer = said(slack, "U2", "틀린 답", 9, kept)
    said(slack, "U2", "맞는 답", 9, kept)
    gone = said(slack, "U1", "질문 둘", 8)
    said(slack, "U2", "답", 8, gone)
    before = await listed(slack)
    answer.deleted = True
    gone.deleted = True
    (after,) = await listed(slack)
    assert after.identity == before[0].identity
    assert after.version != before[0].version
    assert "틀린 답" not in await text_of(after)
    with pytest.raises(UnreadablePage):
        await text_of(before[1])


async def test_what_did_not_change_is_not_read_again_until_its_week_is_over(slack: SlackServer) -> None:
    root = said(slack, "U1", "질문", 30)
    reply = said(slack, "U2", "답", 29, root)
    recent = said(slack, "U1", "새 질문", 1)
    said(slack, "U2", "답", 0.5, recent)
    versions = [await listed(slack, now=NOW + day * DAY) for day in range(8)]
    olds = [files[0].version for files in versions]
    assert 2 <= len(set(olds)) <= 3  # no reply came, but one may have been edited
    assert versions[0][1].version is None
    reply.edits += 1
    said(slack, "U1", "하나 더", 5, root)
    assert (await listed(slack))[0].version != olds[0]
    assert (await listed(slack, people="names"))[0].version != (await listed(slack))[0].version


async def test_only_threads_begun_in_the_last_days_are_listed(slack: SlackServer) -> None:
    for age in (1, 50):
        root = said(slack, "U1", f"{age}일 전", age)
        said(slack, "U2", "답", age - 0.5, root)
    assert [file.title for file in await listed(slack, days=30)] == ["1일 전"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": []},
        {"channels": ["*"]},
        {"channels": ["#general"]},
        {"channels": ["D0123"]},
        {"channels": ["C1"], "days": 0},
        {"channels": ["C1"], "people": "all"},
        {"channels": ["C1"], "api_base_url": "http://slack.example/api/"},
    ],
)
def test_settings_that_would_read_too_much_or_unsafely_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        SourceSettings.of("슬랙", "slack", **wrong)


def test_the_kind_is_registered_under_its_name() -> None:
    options = SourceSettings.of("슬랙", "slack", channels=["C1", "G2"]).options
    assert (options.channels, options.days, options.people, options.token_env) == (
        ("C1", "G2"),
        365,
        "hidden",
        "SLACK_BOT_TOKEN",
    )
