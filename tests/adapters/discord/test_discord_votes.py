"""Thumbs, forms, reactions, calls for help, sharing; also in a process that did not post the message."""

from __future__ import annotations

import discord
import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.escalation import Contacts
from adapters.discord.votes import direction_of
from bot.settings import DiscordSettings
from tests.adapters.discord.desk import ScriptedDesk
from tests.adapters.discord.office import Office, shown, words

ANSWER = "0000000000000001"


async def asked(office: Office) -> discord.Message:
    """One answered question in the channel."""
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    message = office.channel.last_message
    assert message is not None
    return message


async def test_up_is_stored_and_thanked(office: Office, desk: ScriptedDesk) -> None:
    message = await asked(office)
    result = await office.lee.click(message, label="도움됨")
    assert result.ephemeral
    assert result.response is not None
    assert "고맙습니다" in result.response.content
    assert [(v.answer_id, v.direction, v.via, v.person.id) for v in desk.votes] == [
        (ANSWER, "up", "button", str(office.lee.id))
    ]


async def test_down_opens_a_form_and_is_stored_even_without_it(office: Office, desk: ScriptedDesk) -> None:
    message = await asked(office)
    result = await office.kim.click(message, label="아쉬움")
    assert result.modal is not None
    assert [v.direction for v in desk.votes] == ["down"]
    assert desk.explained == []
    sent = await office.kim.submit_modal(result, {"reason": "날짜가 틀립니다", "correction": "16일입니다"})
    assert desk.explained == [(ANSWER, f"discord:{office.kim.id}", "날짜가 틀립니다", "16일입니다")]
    assert sent.response is not None
    assert sent.ephemeral


async def test_a_vote_can_change(office: Office, desk: ScriptedDesk) -> None:
    message = await asked(office)
    await office.kim.click(message, label="도움됨")
    await office.kim.click(message, label="아쉬움")
    assert [(v.person.key, v.direction) for v in desk.votes] == [
        (f"discord:{office.kim.id}", "up"),
        (f"discord:{office.kim.id}", "down"),
    ]


async def test_buttons_and_open_forms_outlive_the_process(
    office: Office, desk: ScriptedDesk, settings: DiscordSettings
) -> None:
    message = await asked(office)
    opened = await office.kim.click(message, label="아쉬움")
    again = DiscordAdapter(settings, "token", desk, language="ko")
    await office.env.restart_bot(again.client)
    await office.kim.submit_modal(opened, {"reason": "늦게 보냅니다", "correction": ""})
    await office.lee.click(message, label="도움됨")
    assert [v.direction for v in desk.votes] == ["down", "up"]
    assert desk.explained == [(ANSWER, f"discord:{office.kim.id}", "늦게 보냅니다", "")]


async def test_no_vote_is_taken_while_stopping(office: Office, desk: ScriptedDesk, adapter: DiscordAdapter) -> None:
    message = await asked(office)
    opened = await office.kim.click(message, label="아쉬움")
    desk.votes.clear()
    await adapter.stop_intake()
    refused = await office.lee.click(message, label="도움됨")
    sent = await office.kim.submit_modal(opened, {"reason": "이유", "correction": ""})
    await office.lee.react(message, "👍")
    for result in (refused, sent):
        assert result.response is not None
        assert "다시 시작하는 중입니다" in result.response.content
    assert desk.votes == []
    assert desk.explained == []


async def test_answered_messages_are_not_kept_in_memory(office: Office, desk: ScriptedDesk) -> None:
    desk.contacts = (str(office.lee.id),)
    message = await asked(office)
    await office.kim.slash(office.channel, "ask", question="이월은?", private=True)
    await office.kim.click(message, label="도움됨")
    await office.kim.click(message, label="담당자 부르기")
    assert list(office.env.bot.persistent_views) == []
    assert list(office.env.bot.cached_messages) == []


async def test_reactions_in_every_skin_tone(office: Office, desk: ScriptedDesk) -> None:
    message = await asked(office)
    await office.kim.react(message, "👍🏽")
    await office.kim.unreact(message, "👍🏽")
    await office.lee.react(message, "👎")
    await office.lee.react(message, "🎉")
    assert [(v.direction, v.withdrawn, v.via) for v in desk.votes] == [
        ("up", None, "reaction"),
        (None, "up", "reaction"),
        ("down", None, "reaction"),
    ]


async def test_reactions_elsewhere_and_of_bots_are_no_votes(office: Office, desk: ScriptedDesk) -> None:
    message = await asked(office)
    robot = office.guild.add_member(office.env.create_user("robot", bot=True))
    await robot.react(message, "👍")
    other = await office.lee.send(office.channel, "점심 드실 분?")
    await office.kim.react(other, "👍")
    assert desk.votes == []


@pytest.mark.parametrize(
    ("emoji", "direction"), [("👍", "up"), ("👍🏿", "up"), ("👎🏻", "down"), ("👎", "down"), ("🎉", None), ("", None)]
)
def test_emoji(emoji: str, direction: str | None) -> None:
    assert direction_of(emoji) == direction


async def test_a_call_pings_exactly_the_contacts(office: Office, desk: ScriptedDesk) -> None:
    helpers = office.guild.create_role("담당")
    desk.contacts = (f"user:{office.lee.id}", f"role:{helpers.id}", "U123SLACK")
    await office.kim.send(office.channel, f"{office.me} @everyone 연차 **규정**은? https://evil.example")
    message = office.channel.last_message
    assert message is not None
    await office.kim.click(message, label="담당자 부르기")
    call = office.channel.last_message
    assert call is not None
    assert f"<@{office.lee.id}> <@&{helpers.id}>" in call.content
    assert not call.mention_everyone
    sent = [
        r.json for r in office.env.http_requests if isinstance(r.json, dict) and "<@&" in str(r.json.get("content"))
    ]
    allowed = sent[0]["allowed_mentions"]
    assert allowed["users"] == [office.lee.id]
    assert allowed["roles"] == [helpers.id]
    assert not allowed.get("parse")
    refused = await office.kim.click(message, label="담당자 부르기")
    assert "이미 담당자를" in refused.followups[0].content

    opened = await office.lee.click(call, label="해결")
    assert opened.modal is not None
    done = await office.lee.submit_modal(opened, {"answer": "15일입니다.\n@everyone", "consent": ["yes"]})
    assert desk.resolved == [("e" * 16, f"discord:{office.lee.id}", "15일입니다.\n@everyone", True)]
    assert done.response is not None
    assert "15일입니다" in done.response.content
    assert not done.ephemeral
    twice = await office.lee.click(call, label="해결")
    assert twice.ephemeral
    assert twice.modal is None


async def test_help_is_offered_after_a_thumb_down(office: Office, desk: ScriptedDesk) -> None:
    message = await asked(office)
    desk.contacts = (str(office.lee.id),)
    result = await office.kim.click(message, label="아쉬움")
    offer = result.followups[0]
    assert offer.ephemeral
    assert "담당자 부르기" in words(offer.components)
    await office.kim.click(offer, label="담당자 부르기")
    assert f"<@{office.lee.id}>" in shown(office.channel.last_message)


async def test_a_private_question_is_not_shown_to_contacts_unasked(office: Office, desk: ScriptedDesk) -> None:
    desk.contacts = (str(office.lee.id),)
    result = await office.kim.slash(office.channel, "ask", question="육아 휴직은?", private=True)
    assert result.response is not None
    warned = await office.kim.click(result.response, label="담당자 부르기")
    assert warned.ephemeral
    assert warned.response is not None
    assert desk.open == {}
    await office.kim.click(warned.response, label="담당자 부르기")
    assert "육아 휴직은?" in shown(office.channel.last_message)


async def test_contacts_of_a_direct_question_are_written_to_and_answer_back(office: Office, desk: ScriptedDesk) -> None:
    desk.contacts = (str(office.lee.id),)
    await office.kim.user.send_dm("연차는?")
    message = office.kim.user.dm_channel.last_message
    assert message is not None
    await office.kim.user.click(message, label="담당자 부르기")
    call = office.lee.user.dm_channel.last_message
    assert "연차는?" in shown(call)
    assert call is not None
    opened = await office.lee.user.click(call, label="해결")
    await office.lee.user.submit_modal(opened, {"answer": "15일입니다.", "consent": ["no"]})
    assert desk.resolved[0][3] is False
    assert "15일입니다" in shown(office.kim.user.dm_channel.last_message)


async def test_sharing_shows_a_private_answer_to_the_channel(office: Office, desk: ScriptedDesk) -> None:
    result = await office.kim.slash(office.channel, "ask", question="연차는?", private=True)
    assert result.response is not None
    assert not office.channel.history(viewer=office.lee)
    await office.kim.click(result.response, label="채널에 공유")
    seen = office.channel.history(viewer=office.lee)
    assert len(seen) == 1
    assert "15일" in shown(seen[0])
    assert "채널에 공유" not in shown(seen[0])
    again = await office.kim.click(result.response, label="채널에 공유")
    assert "이미 채널에 공유한" in again.followups[-1].content
    assert len(office.channel.history(viewer=office.lee)) == 1


def test_contacts() -> None:
    contacts = Contacts.of(["user:1", "role:2", "3", "U123", "S9", "channel:4", "everyone", ""])
    assert (contacts.users, contacts.roles) == ((1, 3), (2,))
    assert contacts.allowed.to_dict() == {"parse": [], "users": [1, 3], "roles": [2]}


async def test_a_vote_on_a_forgotten_answer_is_said(office: Office, desk: ScriptedDesk) -> None:
    message = await asked(office)
    desk.posted.clear()
    result = await office.kim.click(message, label="도움됨")
    assert result.response is not None
    assert "기록이 남아 있지 않은" in result.response.content


@pytest.mark.simcord(check_errors=False)
async def test_a_broken_vote_is_said(office: Office, desk: ScriptedDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    message = await asked(office)

    async def broken(vote: object) -> None:
        raise RuntimeError("비밀")

    monkeypatch.setattr(desk, "vote", broken)
    result = await office.kim.click(message, label="도움됨")
    assert result.response is not None
    assert "문의 번호" in result.response.content
    assert "비밀" not in result.response.content
