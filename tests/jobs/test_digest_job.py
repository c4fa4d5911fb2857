"""The weekly report in real channels of the loopback platforms, which refuse what the real ones refuse: once, and only what may be told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import discord
import pytest
from discord.gateway import DiscordWebSocket
from sqlalchemy import update

from adapters.discord.announcing import DiscordAnnouncer
from adapters.discord.announcing import content as discord_content
from adapters.slack.announcing import SlackAnnouncer, message
from adapters.slack.tokens import SlackTokens
from bot.conversation import Announcement, Place
from bot.errors import AdapterError, DeliveryFailed
from bot.gap_settings import GapsSettings
from bot.gaps.digest import DigestOptions
from bot.messages import Outcome
from bot.settings import DiscordSettings, SlackSettings
from bot.store import digests, gaps
from bot.store.database import Store
from bot.store.schema import digests as digest_rows
from jobs import digest
from jobs.gap_parts import GapParts
from tests.bot.gaps.rows import DAY, KIM, LEE, PARK, miss, near, thumb
from tests.fakes.discord import DiscordServer
from tests.fakes.slack import SlackServer
from tests.jobs.gap_jobs import gap_parts, job_parts, run_job

SALARY = near("연봉 밴드", 0.9, (("hr",),))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with SlackServer() as server:
        server.channel("C1", members=["U1"])
        server.channel("C2", members=["U1"], ext_shared=True)
        server.channel("C3", members=["U1"], bot=False)
        yield server


@pytest.fixture
async def discord_server() -> AsyncIterator[DiscordServer]:
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with DiscordServer() as server:
        server.guild()
        yield server
        assert [str(one) for one in server.violations] == []
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture
def asked(store: Store) -> Store:
    """A week: two answers, a gap of three people, one of private questions, one whose nearest page is restricted."""
    now = time.time()
    thumb(store, miss(store, "연차는?", KIM, outcome=Outcome.ANSWERED, now=now - DAY), LEE, "up", now=now - DAY)
    for person in (KIM, LEE, PARK):
        miss(store, f"주차 <@U1> @everyone {person.id}", person, now=now - DAY)
        miss(store, f"비밀 퇴직 {person.id}", person, private=True, now=now - DAY)
    known = {one.text: one for one in store.run_now(gaps.missed, since=0.0, most=99)}
    for word, open_name, nearest in (("주차", "주차 <@U1> @everyone 등록", (SALARY,)), ("비밀", "", ())):
        mine = [one for text, one in known.items() if word in text]
        added = {one.id: (one.reason, one.asked_at, b"", "none") for one in mine}
        grown = gaps.Grown("", f"{word} 이름", open_name, nearest, added, {one.id: 0.5 for one in mine})
        store.run_now(gaps.keep, [grown], now=now)
    return store


def to_slack(slack: SlackServer, place: str = "C1", **changes: Any) -> GapParts:
    settings = SlackSettings(enabled=True, api_base_url=slack.api_base_url)
    tokens = SlackTokens(slack.bot_token, slack.app_token, slack.signing_secret)
    return gap_parts(
        **{
            "platform": "slack",
            "place": place,
            "announcer": lambda: SlackAnnouncer(settings, tokens, language="ko"),
            "digest": DigestOptions(url="https://saseo.example/gaps?a=1&b=2"),
            **changes,
        }
    )


def to_discord(server: DiscordServer, **changes: Any) -> GapParts:
    guild = server.guilds[0]
    settings = DiscordSettings(
        enabled=True, guild_ids=(guild.id,), api_base_url=server.api_base_url, gateway_url=server.gateway_url
    )
    return gap_parts(
        **{
            "platform": "discord",
            "place": str(guild.channels[0].id),
            "announcer": lambda: DiscordAnnouncer(settings, server.token, language="ko"),
            "digest": DigestOptions(url="https://saseo.example/gaps"),
            **changes,
        }
    )


async def test_slack_gets_the_report_once_however_often_the_job_runs(
    slack: SlackServer, asked: Store, tmp_path: Path
) -> None:
    parts = job_parts(asked, to_slack(slack))
    first = await run_job(digest.post_digest, parts, tmp_path)
    assert first["posted"]
    (posted,) = slack.messages("C1")
    assert first["message"] == f"C1:{posted.ts}"
    assert "사서 주간 보고" in posted.body
    assert "질문 7건, 3명" in posted.body
    assert "https://saseo.example/gaps?a=1&amp;b=2" in str(posted.blocks)
    for number in range(3):
        again = await run_job(digest.post_digest, parts, tmp_path, run=f"run-{number + 2}")
        assert (again["posted"], again["why"]) == (False, "posted already")
    assert len(slack.messages("C1")) == 1


async def test_discord_gets_the_report_once_however_often_the_job_runs(
    discord_server: DiscordServer, asked: Store, tmp_path: Path
) -> None:
    channel = discord_server.guilds[0].channels[0]
    parts = job_parts(asked, to_discord(discord_server))
    for number in range(3):
        result = await run_job(digest.post_digest, parts, tmp_path, run=f"run-{number}")
        assert result["posted"] is (number == 0)
    (posted,) = discord_server.sent(channel)
    assert "사서 주간 보고" in posted.text
    assert "질문 7건, 3명" in posted.text
    assert "https://saseo.example/gaps" in posted.text


async def test_nobody_is_pinged_no_private_word_and_no_restricted_title_leaves(
    slack: SlackServer, discord_server: DiscordServer, asked: Store, tmp_path: Path
) -> None:
    await run_job(digest.post_digest, job_parts(asked, to_slack(slack)), tmp_path)
    await run_job(digest.post_digest, job_parts(asked, to_discord(discord_server)), tmp_path, run="other")
    (in_slack,) = slack.messages("C1")
    (in_discord,) = discord_server.sent(discord_server.guilds[0].channels[0])
    for text in (f"{in_slack.text} {in_slack.blocks}", in_discord.text):
        assert "비밀" not in text
        assert "퇴직" not in text
        assert "연봉" not in text
        assert "<@U1>" not in text
        assert "비공개로 물은 주제" in text
    assert not in_discord.pings


async def test_a_channel_whose_people_may_read_a_page_is_told_its_title(
    slack: SlackServer, asked: Store, tmp_path: Path
) -> None:
    seen: list[Place] = []

    def readable(place: Place) -> frozenset[str]:
        seen.append(place)
        return frozenset() if place.external else frozenset({"hr"})

    parts = job_parts(asked, to_slack(slack, readable=lambda: readable))
    await run_job(digest.post_digest, parts, tmp_path)
    assert "연봉 밴드" in slack.messages("C1")[0].body
    shared = job_parts(asked, to_slack(slack, "C2", readable=lambda: readable))
    await run_job(digest.post_digest, shared, tmp_path, run="other")
    assert "연봉" not in slack.messages("C2")[0].body
    assert [one.external for one in seen] == [False, True]


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_what_was_posted_by_a_process_that_died_before_it_could_say_so_is_found(
    slack: SlackServer, discord_server: DiscordServer, asked: Store, tmp_path: Path, platform: str
) -> None:
    wanted = to_slack(slack) if platform == "slack" else to_discord(discord_server)
    parts = job_parts(asked, wanted)
    first = await run_job(digest.post_digest, parts, tmp_path)
    week = digest.week_of(time.time(), ZoneInfo("Asia/Seoul"))
    _forget_the_post(asked, week, wanted)
    again = await run_job(digest.post_digest, parts, tmp_path, run="heir")
    assert (again["posted"], again["message"]) == (True, first["message"])
    count = (
        len(slack.messages("C1"))
        if platform == "slack"
        else len(discord_server.sent(discord_server.guilds[0].channels[0]))
    )
    assert count == 1


def _forget_the_post(store: Store, week: str, wanted: GapParts) -> None:
    """As if the holder had died right after posting: the claim has run out."""
    store.run_now(
        lambda connection: connection.execute(update(digest_rows).values(state="claimed", message="", until=0.0))
    )
    assert not store.run_now(digests.is_posted, week, wanted.platform, wanted.place)


async def test_a_post_whose_answer_got_lost_is_looked_for_before_it_is_tried_again(
    slack: SlackServer, asked: Store, tmp_path: Path
) -> None:
    slack.fault("chat.postMessage", drop_connection=True, applied=True)
    result = await run_job(digest.post_digest, job_parts(asked, to_slack(slack)), tmp_path)
    (posted,) = slack.messages("C1")
    assert result["message"] == f"C1:{posted.ts}"


async def test_a_hiccup_is_tried_again_and_a_limit_waited_out(
    slack: SlackServer, discord_server: DiscordServer, asked: Store, tmp_path: Path
) -> None:
    slack.fault("chat.postMessage", status=503)
    slack.fault("auth.test", status=429, retry_after=1)
    assert (await run_job(digest.post_digest, job_parts(asked, to_slack(slack)), tmp_path))["posted"]
    assert len(slack.messages("C1")) == 1
    discord_server.fault("POST", "/messages", status=500, times=2)
    result = await run_job(digest.post_digest, job_parts(asked, to_discord(discord_server)), tmp_path, run="other")
    assert result["posted"]
    assert len(discord_server.sent(discord_server.guilds[0].channels[0])) == 1


async def test_a_channel_that_cannot_be_posted_to_is_told_and_can_be_tried_again(
    slack: SlackServer, asked: Store, tmp_path: Path
) -> None:
    parts = job_parts(asked, to_slack(slack, "C3"))
    with pytest.raises(DeliveryFailed):
        await run_job(digest.post_digest, parts, tmp_path)
    slack.channel("C3", members=["U1"])  # the bot was invited
    assert (await run_job(digest.post_digest, parts, tmp_path, run="later"))["posted"]


async def test_a_channel_of_another_server_and_one_that_is_none_are_refused(
    discord_server: DiscordServer, asked: Store, tmp_path: Path
) -> None:
    other = discord_server.guild(name="다른 회사")
    for place in (str(other.channels[0].id), "1"):
        parts = job_parts(asked, to_discord(discord_server, place=place))
        with pytest.raises(DeliveryFailed):
            await run_job(digest.post_digest, parts, tmp_path, run=place)
    assert discord_server.sent(other.channels[0]) == []


async def test_a_bad_token_is_told_with_what_to_do(discord_server: DiscordServer, asked: Store, tmp_path: Path) -> None:
    settings = DiscordSettings(api_base_url=discord_server.api_base_url, gateway_url=discord_server.gateway_url)
    for token in ("", "wrong"):
        announcer = lambda token=token: DiscordAnnouncer(settings, token, language="ko")  # noqa: E731
        with pytest.raises(AdapterError) as told:
            await run_job(
                digest.post_digest,
                job_parts(asked, to_discord(discord_server, announcer=announcer)),
                tmp_path,
                run=f"t{token}",
            )
        assert told.value.explain("ko")


async def test_without_a_place_nothing_is_asked_or_sent(store: Store, tmp_path: Path) -> None:
    result = await run_job(digest.post_digest, job_parts(store, gap_parts()), tmp_path)
    assert result == {"posted": False, "why": "no place"}


async def test_two_processes_at_once_post_one_report(slack: SlackServer, asked: Store, tmp_path: Path) -> None:
    parts = job_parts(asked, to_slack(slack))
    slack.fault("chat.postMessage", delay=0.5)
    results = await asyncio.gather(
        *(run_job(digest.post_digest, parts, tmp_path, run=f"run-{number}") for number in range(3))
    )
    assert sorted(one["posted"] for one in results) == [False, False, True]
    assert len(slack.messages("C1")) == 1


def test_a_long_report_is_cut_and_keeps_its_link_and_its_mark() -> None:
    long = Announcement("사서 주간 보고 2026-W47", "가" * 5000, "콘솔", "https://saseo.example/gaps")
    made = discord_content(long)
    assert len(made) <= 2000
    assert made.endswith("-# 사서 주간 보고 2026-W47")
    assert "https://saseo.example/gaps" in made
    assert len(message(long)["blocks"][0]["text"]) <= 12_000


def test_a_platform_needs_a_place_and_a_discord_place_is_a_number() -> None:
    for given in (
        {"digest_platform": "slack"},
        {"digest_place": "C1"},
        {"digest_platform": "discord", "digest_place": "일반"},
    ):
        with pytest.raises(ValueError, match="digest_place"):
            GapsSettings.model_validate(given)
    assert GapsSettings(digest_platform="discord", digest_place="123").digest_place == "123"
