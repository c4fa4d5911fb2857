"""The way of an answer: drafts, the one final message, dead tokens, closed channels, and what a crash leaves."""

from __future__ import annotations

import asyncio
import json

import discord
import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.delivery import DiscordDelivery
from adapters.discord.surfaces import ResponseSurface
from bot.conversation import Asked
from bot.settings import DiscordSettings
from tests.adapters.discord.desk import ScriptedDesk, answer
from tests.adapters.discord.office import GUILD, Office, shown, words

LONG = "연차는 1년에 15일이며 미사용 연차는 이월할 수 없습니다. [1]\n\n" * 150


def ours(office: Office) -> list[discord.Message]:
    """The bot's messages in the channel."""
    return [m for m in office.channel.history() if m.author.bot]


async def test_a_long_answer_is_one_shortened_message(office: Office, desk: ScriptedDesk) -> None:
    desk.say = answer(LONG)
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    messages = ours(office)
    assert len(messages) == 1
    text = shown(messages[0])
    assert "줄였습니다" in text
    assert "연차 규정" in text
    view = discord.ui.LayoutView.from_message(messages[0])
    assert 2_000 < view.content_length() <= 4_000


async def test_a_wait_shows_typing_then_a_draft_that_becomes_the_answer(office: Office, desk: ScriptedDesk) -> None:
    desk.gate = asyncio.Event()
    desk.writes = ("연차는 ", "1년에 15일입니다.")
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    typing = [r for r in office.env.http_requests if r.path.endswith("/typing")]
    assert len(typing) == 1
    await office.env.advance_time(4)
    drafts = ours(office)
    assert len(drafts) == 1
    assert "연차는 1년에 15일입니다. ⏳" in shown(drafts[0])
    assert json.loads(desk.notes["000000000001"])["message"] == drafts[0].id
    desk.gate.set()
    await office.env.settle()
    final = ours(office)
    assert [m.id for m in final] == [drafts[0].id]
    assert "⏳" not in shown(final[0])
    assert desk.posted == {f"{office.channel.id}:{final[0].id}": "0000000000000001"}


async def test_an_expired_token_becomes_a_channel_message_that_names_the_question(
    office: Office, desk: ScriptedDesk
) -> None:
    desk.gate = asyncio.Event()
    result = await office.kim.slash(office.channel, "ask", question="연차는 며칠입니까?")
    await office.env.advance_time(16 * 60)
    desk.gate.set()
    await office.env.settle()
    message = office.channel.last_message
    assert message is not None
    assert result.response is None or message.id != result.response.id
    assert "연차는 며칠입니까?" in shown(message)
    assert "15일" in shown(message)
    assert not message.mentions
    assert list(desk.posted) == [f"{office.channel.id}:{message.id}"]


async def test_an_expired_private_answer_goes_to_the_person_directly(office: Office, desk: ScriptedDesk) -> None:
    desk.gate = asyncio.Event()
    await office.kim.slash(office.channel, "ask", question="연봉 밴드는?", private=True)
    await office.env.advance_time(16 * 60)
    desk.gate.set()
    await office.env.settle()
    assert office.channel.history(viewer=office.lee) == []
    assert "15일" in shown(office.kim.user.dm_channel.last_message)
    assert "채널에 공유" not in shown(office.kim.user.dm_channel.last_message)  # it would share into this conversation


@pytest.mark.simcord(check_errors=False)
async def test_a_private_answer_that_cannot_be_delivered_says_nothing_in_the_channel(
    office: Office, desk: ScriptedDesk
) -> None:
    desk.gate = asyncio.Event()
    await office.kim.slash(office.channel, "ask", question="연봉 밴드는?", private=True)
    await office.env.advance_time(16 * 60)
    office.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    desk.gate.set()
    await office.env.settle()
    seen = office.channel.history(viewer=office.lee)
    assert len(seen) == 1
    assert "다시 질문해 주십시오" in shown(seen[0])
    assert "연봉" not in shown(seen[0])
    assert "15일" not in shown(seen[0])


async def test_a_token_that_dies_early_is_noticed(office: Office, desk: ScriptedDesk) -> None:
    desk.gate = asyncio.Event()
    await office.kim.slash(office.channel, "ask", question="연차는?")
    office.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=401, code=50027)
    desk.gate.set()
    await office.env.settle()
    assert "15일" in shown(office.channel.last_message)
    assert len(desk.posted) == 1


async def test_a_closed_channel_sends_the_answer_to_the_person(office: Office, desk: ScriptedDesk) -> None:
    office.env.inject_error("POST", f"/channels/{office.channel.id}/messages", status=403, code=50013)
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    assert "15일" in shown(office.kim.user.dm_channel.last_message)


async def test_nothing_got_through(office: Office, desk: ScriptedDesk) -> None:
    office.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=5)
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    assert desk.posted == {}
    assert "50013" in desk.failures[0].explain("ko")


async def test_server_errors_pass(office: Office, desk: ScriptedDesk) -> None:
    office.env.inject_error("POST", f"/channels/{office.channel.id}/messages", status=503, code=0, times=2)
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    await office.env.advance_time(10)
    assert len(ours(office)) == 1
    assert len(desk.posted) == 1
    posts = [r.json for r in office.env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
    nonces = {post["nonce"] for post in posts if isinstance(post, dict)}
    assert len(posts) == 3
    assert len(nonces) == 1  # so that Discord gives back the first message rather than make a second
    assert all(post["enforce_nonce"] for post in posts if isinstance(post, dict))
    assert all(len(nonce) <= 25 for nonce in nonces)


async def test_a_finished_message_is_found_after_a_crash(office: Office, desk: ScriptedDesk) -> None:
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    result = await office.kim.slash(office.channel, "ask", question="이월은?")
    private = await office.kim.slash(office.channel, "ask", question="연봉은?", private=True)
    known = list(desk.posted)
    for number in (1, 2, 3):
        await desk.spawn(number, find=True)
    assert desk.found == known
    assert result.response is not None
    assert private.response is not None
    assert list(desk.posted) == known


async def test_a_draft_that_is_due_is_not_written_over_what_is_found(office: Office, desk: ScriptedDesk) -> None:
    result = await office.kim.slash(office.channel, "ask", question="이월은?")
    assert result.response is not None
    answer = words(result.response.components)
    again = desk.delivery(1)
    await again.status("찾는 중입니다")
    assert await again.find() == next(iter(desk.posted))
    await asyncio.sleep(2 * ResponseSurface.delay + 0.2)
    assert words(result.response.components) == answer


async def test_whoever_has_left_writes_no_draft_over_the_answer(office: Office, desk: ScriptedDesk) -> None:
    desk.gate = asyncio.Event()
    result = await office.kim.slash(office.channel, "ask", question="이월은?")
    old = desk.delivery(1)
    assert isinstance(old, DiscordDelivery)
    await old.status("찾는 중입니다")
    desk.gate.set()
    await office.env.settle()
    assert result.response is not None
    answer = words(result.response.components)
    assert "15일" in answer
    await old.leave()
    await old.status("이어서 찾는 중입니다")
    await asyncio.sleep(2 * ResponseSurface.delay + 0.2)
    assert words(result.response.components) == answer


async def test_a_draft_is_cleared_away_after_a_crash(office: Office, desk: ScriptedDesk) -> None:
    desk.gate = asyncio.Event()
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    await office.env.advance_time(4)
    note = desk.notes["000000000001"]
    draft = ours(office)[0]
    for task in desk.tasks:
        task.cancel()
    desk.gate = None
    await desk.spawn(1, draft=note, find=True)
    assert desk.found == [None]
    final = ours(office)
    assert len(final) == 1
    assert final[0].id != draft.id
    assert "15일" in shown(final[0])


async def test_a_draft_nobody_remembered_is_cleared_away_too(office: Office, desk: ScriptedDesk) -> None:
    desk.gate = asyncio.Event()
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    await office.env.advance_time(4)
    for task in desk.tasks:
        task.cancel()
    desk.gate = None
    await desk.spawn(1, draft="", find=True)
    assert desk.found == [None]
    assert len(ours(office)) == 1


async def test_a_half_written_response_is_completed_after_a_crash(office: Office, desk: ScriptedDesk) -> None:
    desk.gate = asyncio.Event()
    result = await office.kim.slash(office.channel, "ask", question="연차는?")
    await office.env.advance_time(3)
    assert result.response is not None
    assert "⏳" in words(result.response.components)
    for task in desk.tasks:
        task.cancel()
    desk.gate = None
    await desk.spawn(1, draft=desk.notes["000000000001"], find=True)
    assert desk.found == [None]
    assert "15일" in words(result.response.components)
    assert len(office.channel.history()) == 1


async def test_the_same_interaction_twice_is_answered_once(office: Office, desk: ScriptedDesk) -> None:
    await office.kim.slash(office.channel, "ask", question="연차는?")
    again = Asked(desk.asked[0].keys, desk.asked[0].place, desk.asked[0].person, "연차는?", desk.asked[0].reply_to)
    assert (await desk.ask(again)).value == "duplicate"
    assert len(ours(office)) == 1


def test_the_token_is_not_in_the_address_repr(adapter: DiscordAdapter) -> None:
    from adapters.discord.address import Address

    address = Address(1, 2, 3.0, application=4, interaction=5, token="secret-token", question="비밀")
    assert "secret-token" not in repr(address)
    assert Address.from_json(address.to_json()) == address


class TestClassic:
    """Plain content, for servers whose people use old clients."""

    @pytest.fixture
    def settings(self) -> DiscordSettings:
        return DiscordSettings(guild_ids=(GUILD,), components="classic")

    async def test_one_message(self, office: Office, desk: ScriptedDesk) -> None:
        result = await office.kim.slash(office.channel, "ask", question="연차는?")
        assert result.response is not None
        assert "15일" in result.response.content
        assert "연차 규정" in result.response.content
        assert "도움됨" in words(result.response.components)
        assert not result.response.flags.components_v2

    async def test_at_most_two(self, office: Office, desk: ScriptedDesk) -> None:
        desk.say = answer(LONG)
        await office.kim.send(office.channel, f"{office.me} 연차는?")
        first, second = sorted(ours(office), key=lambda m: m.id)
        assert len(first.content) <= 2_000
        assert "줄였습니다" in first.content
        assert not first.components
        assert "연차 규정" in second.content
        assert "도움됨" in shown(second)
        assert list(desk.posted) == [f"{office.channel.id}:{second.id}"]
        result = await office.kim.slash(office.channel, "ask", question="연차는?")
        assert len(result.followups) == 1

    async def test_a_draft_keeps_its_form(self, office: Office, desk: ScriptedDesk, adapter: DiscordAdapter) -> None:
        desk.gate = asyncio.Event()
        result = await office.kim.slash(office.channel, "ask", question="연차는?")
        await office.env.advance_time(3)
        for task in desk.tasks:
            task.cancel()
        desk.gate = None
        adapter.client.renderer.v2 = True  # the configuration changed before the restart
        await desk.spawn(1, draft=desk.notes["000000000001"], find=True)
        assert result.response is not None
        assert "15일" in result.response.content
        assert not result.response.flags.components_v2
