"""Asking in Discord: mentions, direct messages, commands, the message menu; and what is not a question."""

from __future__ import annotations

import discord
import pytest

from adapters.discord.adapter import DiscordAdapter
from bot.conversation import PlaceSettings, Receipt
from bot.errors import JobPaused, NoJobsHere
from bot.settings import DiscordSettings
from tests.adapters.discord.desk import ScriptedDesk, answer
from tests.adapters.discord.office import GUILD, Office, shown, words


async def test_a_mention_is_answered_in_a_reply(office: Office, desk: ScriptedDesk) -> None:
    asked = await office.kim.send(office.channel, f"{office.me} 연차는 며칠입니까?")
    reply = office.channel.last_message
    assert reply is not None
    assert reply.reference is not None
    assert reply.reference.message_id == asked.id
    assert "연차는 1년에 15일입니다" in shown(reply)
    assert "https://wiki.example/leave" in shown(reply)
    assert desk.posted == {f"{office.channel.id}:{reply.id}": "0000000000000001"}
    question = desk.asked[0]
    assert question.text == "연차는 며칠입니까?"
    assert question.keys == (f"discord:message:{asked.id}",)
    assert question.person.key == f"discord:{office.kim.id}"
    assert question.person.roles == {str(office.staff.id)}
    assert (question.place.id, question.place.server, question.place.kind) == (
        str(office.channel.id),
        str(GUILD),
        "channel",
    )
    assert not question.private


async def test_nobody_is_pinged_by_an_answer(office: Office, desk: ScriptedDesk) -> None:
    desk.say = answer(f"@everyone @here <@{office.lee.id}> <@&{office.staff.id}> 15일입니다. [1]")
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    reply = office.channel.last_message
    assert reply is not None
    assert not reply.mention_everyone
    assert not reply.mentions
    assert not reply.role_mentions
    sent = [r for r in office.env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
    assert sent
    for request in sent:
        assert isinstance(request.json, dict)
        assert request.json["allowed_mentions"]["parse"] == []
        assert not request.json["allowed_mentions"].get("replied_user")


async def test_messages_not_for_the_bot_are_left_alone(office: Office, desk: ScriptedDesk) -> None:
    robot = office.guild.add_member(office.env.create_user("robot", bot=True))
    await office.kim.send(office.channel, "연차는 며칠입니까?")
    await robot.send(office.channel, f"{office.me} 연차는?")
    await office.guild.create_webhook(office.channel).send(f"{office.me} 연차는?")
    assert desk.asked == []


async def test_a_mention_without_words_gets_a_hint(office: Office, desk: ScriptedDesk) -> None:
    await office.kim.send(office.channel, office.me)
    assert "질문을 함께 적어" in shown(office.channel.last_message)
    assert desk.asked == []


async def test_a_reply_chain_is_a_conversation_of_what_people_said(office: Office, desk: ScriptedDesk) -> None:
    first = await office.kim.send(office.channel, f"{office.me} 연차는 며칠입니까?")
    second = await office.kim.send(office.channel, f"{office.me} 그럼 이월은?")
    assert desk.asked[1].turns == ()
    answered = office.channel.last_message
    assert answered is not None
    await office.lee.send(office.channel, f"{office.me} 반차는?", reply_to=answered)
    assert desk.asked[2].turns == ("그럼 이월은?",)
    assert first.id != second.id


async def test_a_thread_is_a_conversation_of_its_channel(office: Office, desk: ScriptedDesk) -> None:
    first = await office.lee.send(office.channel, f"{office.me} 연차는 며칠입니까?")
    await first.create_thread(name="연차")
    thread = office.channel.threads[0]
    await office.kim.send(thread, f"{office.me} 이월은?")
    await office.lee.send(thread, f"{office.me} 그럼 신청은 <@{office.kim.id}> 어디서?")
    question = desk.asked[-1]
    assert (question.place.id, question.place.thread) == (str(office.channel.id), str(thread.id))
    assert question.turns == ("연차는 며칠입니까?", "이월은?")
    assert question.text == "그럼 신청은 어디서?"
    assert f"{thread.id}:{thread.last_message.id if thread.last_message else 0}" in desk.posted


async def test_a_command_in_a_thread_knows_the_conversation(office: Office, desk: ScriptedDesk) -> None:
    first = await office.lee.send(office.channel, f"{office.me} 연차는?")
    await first.create_thread(name="연차")
    thread = office.channel.threads[0]
    await office.lee.send(thread, f"{office.me} 이월은?")
    await office.kim.slash(thread, "ask", question="그럼 신청은?")
    assert desk.asked[-1].place.thread == str(thread.id)
    assert desk.asked[-1].turns == ("연차는?", "이월은?")


async def test_a_question_of_marks_alone_gets_a_hint(office: Office, desk: ScriptedDesk) -> None:
    result = await office.kim.slash(office.channel, "ask", question=f"{office.me}")
    assert result.response is not None
    assert "질문을 함께 적어" in result.response.content
    assert desk.asked == []


async def test_a_direct_message_of_a_member_is_private(office: Office, desk: ScriptedDesk) -> None:
    await office.kim.user.send_dm("연차는 며칠입니까?")
    question = desk.asked[0]
    assert question.place.kind == "direct"
    assert question.private
    assert question.person.roles == {str(office.staff.id)}
    assert "15일" in shown(office.kim.user.dm_channel.last_message)


async def test_membership_is_asked_once_in_ten_minutes(office: Office, desk: ScriptedDesk) -> None:
    await office.kim.user.send_dm("연차는?")
    await office.kim.user.send_dm("이월은?")
    asked = [r for r in office.env.http_requests if r.path.endswith(f"/members/{office.kim.id}")]
    assert len(desk.asked) == 2
    assert len(asked) == 1


async def test_a_stranger_gets_a_sentence_and_no_answer(office: Office, desk: ScriptedDesk) -> None:
    stranger = office.env.create_user("stranger")
    other = office.env.create_guild("다른 곳")
    other.add_member(stranger)
    await stranger.send_dm("연차는 며칠입니까?")
    assert desk.asked == []
    assert "구성원만" in shown(stranger.dm_channel.last_message)


async def test_an_unknown_server_gets_a_sentence_and_no_answer(
    office: Office, desk: ScriptedDesk, adapter: DiscordAdapter
) -> None:
    adapter.client.settings = DiscordSettings(guild_ids=())
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    result = await office.kim.slash(office.channel, "ask", question="연차는?")
    assert desk.asked == []
    assert str(GUILD) in shown(office.channel.last_message)
    assert result.ephemeral
    assert result.response is not None
    assert str(GUILD) in result.response.content


async def test_an_unknown_server_is_left(office: Office, adapter: DiscordAdapter) -> None:
    other = office.env.create_guild("다른 곳", id=777_000_000_000_000_001)
    for guild in (adapter.client.get_guild(GUILD), adapter.client.get_guild(other.id)):
        adapter.client.dispatch("guild_join", guild)  # simcord announces a new server as one that came back
    await office.env.settle()
    left = [r.path for r in office.env.http_requests if r.method == "DELETE" and "/users/@me/guilds/" in r.path]
    assert [path.rsplit("/", 1)[1] for path in left] == ["777000000000000001"]


async def test_ask_is_deferred_first_and_then_answered(office: Office, desk: ScriptedDesk) -> None:
    result = await office.kim.slash(office.channel, "ask", question="연차는 며칠입니까?")
    assert not result.ephemeral
    assert result.response is not None
    assert "15일" in words(result.response.components)
    assert result.response.flags.components_v2
    assert desk.asked[0].keys[0].startswith("discord:interaction:")
    assert desk.posted == {f"{office.channel.id}:{result.response.id}": "0000000000000001"}
    writes = [r for r in office.env.http_requests if "/callback" in r.path or r.method == "PATCH"]
    assert isinstance(writes[0].json, dict)
    assert writes[0].json["type"] == discord.InteractionResponseType.deferred_channel_message.value
    assert [r.method for r in writes[1:]] == ["PATCH"]


async def test_a_private_question_is_seen_by_the_asker_alone(office: Office, desk: ScriptedDesk) -> None:
    result = await office.kim.slash(office.channel, "ask", question="연봉 밴드는?", private=True)
    assert result.ephemeral
    assert desk.asked[0].private
    assert result.response is not None
    assert "채널에 공유" in words(result.response.components)
    assert office.channel.history(viewer=office.lee) == []


async def test_the_place_may_make_private_the_default(office: Office, desk: ScriptedDesk) -> None:
    desk.settings = PlaceSettings(private=True)
    result = await office.kim.slash(office.channel, "ask", question="연차는?")
    assert result.ephemeral
    assert desk.asked[0].private


async def test_suggestions_come_from_memory_and_fit(office: Office, desk: ScriptedDesk) -> None:
    desk.suggestions = ("연차 규정", "가" * 150, "연차 규정", *(f"제목 {n}" for n in range(40)))
    choices = await office.kim.autocomplete(office.channel, "ask", "question", "연")
    assert choices[0]["name"] == "연차 규정"
    assert len(choices) <= 25
    assert all(0 < len(choice["name"]) <= 100 for choice in choices)
    assert desk.completed[0][2:] == ("연", False)


async def test_the_message_menu_answers_privately(office: Office, desk: ScriptedDesk) -> None:
    message = await office.lee.send(office.channel, "연차가 며칠인지 아시는 분?")
    result = await office.kim.context_menu(office.channel, "위키에서 찾기", message)
    assert result.ephemeral
    assert desk.asked[0].text == "연차가 며칠인지 아시는 분?"
    assert desk.asked[0].person.key == f"discord:{office.kim.id}"
    assert desk.asked[0].private


async def test_search_lists_pages_privately(office: Office, desk: ScriptedDesk) -> None:
    result = await office.kim.slash(office.channel, "search", words="연차")
    assert result.ephemeral
    assert result.response is not None
    assert "연차 규정" in words(result.response.components)
    assert "https://wiki.example/leave" in words(result.response.components)
    nothing = await office.kim.slash(office.channel, "search", words="점심")
    assert nothing.response is not None
    assert "찾은 문서가 없습니다" in words(nothing.response.components)
    assert desk.asked == []


async def test_sources_and_help(office: Office, desk: ScriptedDesk) -> None:
    sources = await office.kim.slash(office.channel, "sources")
    assert sources.response is not None
    assert "wiki: 문서 12개" in words(sources.response.components)
    assert "인사*팀*" not in words(sources.response.components)  # markup in a name is escaped
    await office.kim.slash(office.channel, "ask", question="연차는?")
    usage = await office.kim.slash(office.channel, "help")
    assert usage.response is not None
    assert "/질문" in words(usage.response.components)
    assert "연차는?" in words(usage.response.components)
    assert usage.ephemeral


async def test_stop_never_leaves_a_thinking_message(office: Office, desk: ScriptedDesk) -> None:
    desk.receipts["그만"] = Receipt.STOPPED
    result = await office.kim.slash(office.channel, "stop")
    assert desk.asked[0].text == "그만"
    assert result.ephemeral
    assert result.response is not None
    assert "멈추도록" in words(result.response.components)
    typed = await office.kim.slash(office.channel, "ask", question="그만")
    await office.env.advance_time(5)
    assert typed.response is not None
    assert not typed.response.flags.loading
    assert "멈췄습니다" in words(typed.response.components)


@pytest.mark.simcord(check_errors=False)
async def test_admin_commands_are_for_admins(office: Office, desk: ScriptedDesk) -> None:
    for name in ("reindex", "status", "settings"):
        refused = await office.kim.slash(office.channel, name)
        assert refused.ephemeral
        assert refused.response is not None
        assert "관리자만" in words(refused.response.components)
    desk.admins = frozenset({str(office.staff.id)})
    status = await office.kim.slash(office.channel, "status")
    assert status.response is not None
    assert "scripted" in words(status.response.components)
    assert "답변 5" in words(status.response.components)
    shown_now = await office.kim.slash(office.channel, "settings")
    assert shown_now.response is not None
    assert "listen" in words(shown_now.response.components)
    await office.kim.slash(office.channel, "settings", key="sources", value="hr, it")
    await office.kim.slash(office.channel, "settings", key="sources")
    assert desk.changes == [{"sources": "hr, it"}, {"sources": ""}]
    wrong = await office.kim.slash(office.channel, "settings", key="listen", value="쓰레기")
    assert "설정 값이 올바르지 않습니다" in (wrong.response.content if wrong.response else "")


@pytest.mark.simcord(check_errors=False)
async def test_an_admin_has_the_index_made_anew_and_is_told_in_private(office: Office, desk: ScriptedDesk) -> None:
    desk.admins = frozenset({str(office.staff.id)})
    asked = await office.kim.slash(office.channel, "reindex")
    assert asked.ephemeral
    assert asked.response is not None
    assert "다시 색인하도록 요청했습니다." in words(asked.response.components)
    ((place, told),) = desk.reindexed
    assert place.id == str(office.channel.id)
    await told("문서 12개, 구절 34개로 다시 색인했습니다.")
    assert [one.ephemeral for one in asked.followups] == [True]
    assert "문서 12개" in asked.followups[0].content
    assert "요청했습니다" in words(asked.response.components), "what was said at once stays"


async def test_how_it_went_is_written_to_the_admin_once_the_interaction_has_expired(
    office: Office, desk: ScriptedDesk
) -> None:
    desk.admins = frozenset({str(office.staff.id)})
    await office.kim.slash(office.channel, "reindex")
    ((_, told),) = desk.reindexed
    await office.env.advance_time(16 * 60)
    await told("문서 12개, 구절 34개로 다시 색인했습니다.")
    assert "문서 12개" in office.kim.user.dm_channel.last_message.content
    assert office.channel.history(viewer=office.lee) == []


@pytest.mark.simcord(check_errors=False)
async def test_why_the_index_is_not_made_anew_is_said_in_private(office: Office, desk: ScriptedDesk) -> None:
    desk.admins = frozenset({str(office.staff.id)})
    for refusal, sentence in ((NoJobsHere(), "[jobs] enabled = false"), (JobPaused(job="reindex"), "일시 중지")):
        desk.reindex_refusal = refusal
        asked = await office.kim.slash(office.channel, "reindex")
        assert asked.ephemeral
        assert asked.response is not None
        assert sentence in words(asked.response.components).replace("\\", "")
    assert desk.reindexed == []


@pytest.mark.simcord(check_errors=False)
async def test_an_error_is_always_said(office: Office, desk: ScriptedDesk) -> None:
    desk.breaks = RuntimeError("비밀")
    result = await office.kim.slash(office.channel, "ask", question="연차는?")
    assert result.response is not None
    assert "문의 번호" in result.response.content
    assert "비밀" not in result.response.content
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    assert "문의 번호" in shown(office.channel.last_message)


async def test_nothing_is_taken_while_stopping(office: Office, desk: ScriptedDesk, adapter: DiscordAdapter) -> None:
    await adapter.stop_intake()
    result = await office.kim.slash(office.channel, "ask", question="연차는?")
    await office.kim.send(office.channel, f"{office.me} 연차는?")
    assert result.response is not None
    assert result.ephemeral
    assert "다시 시작하는 중입니다" in result.response.content
    assert desk.asked == []


class TestListening:
    """`listen`, with the message-content intent."""

    @pytest.fixture
    def settings(self) -> DiscordSettings:
        return DiscordSettings(guild_ids=(GUILD,), message_content=True)

    async def test_all(self, office: Office, desk: ScriptedDesk) -> None:
        desk.settings = PlaceSettings(listen="all")
        await office.kim.send(office.channel, "연차는 며칠입니까?")
        assert [one.text for one in desk.asked] == ["연차는 며칠입니까?"]

    async def test_mention_only_by_default(self, office: Office, desk: ScriptedDesk) -> None:
        await office.kim.send(office.channel, "연차는 며칠입니까?")
        assert desk.asked == []


async def test_listening_needs_the_intent(office: Office, desk: ScriptedDesk) -> None:
    desk.settings = PlaceSettings(listen="all")
    await office.kim.send(office.channel, "연차는 며칠입니까?")
    assert desk.asked == []


async def test_what_a_command_was_given_stands_above_its_answer_and_is_a_turn(
    office: Office, desk: ScriptedDesk
) -> None:
    result = await office.lee.slash(office.channel, "ask", question="연차는 *며칠*입니까?")
    answered = office.channel.last_message
    assert "**질문** 연차는" in shown(answered)
    assert answered is not None
    await office.kim.send(office.channel, f"{office.me} 이월은?", reply_to=answered)
    assert desk.asked[-1].turns == ("연차는 *며칠*입니까?",)
    private = await office.lee.slash(office.channel, "ask", question="연차는?", private=True)
    assert private.response is not None
    assert "**질문**" not in words(private.response.components)
    assert result.response is not None


async def test_a_thread_under_an_answer_knows_its_question(office: Office, desk: ScriptedDesk) -> None:
    await office.lee.send(office.channel, f"{office.me} 연차는?")
    answered = office.channel.last_message
    assert answered is not None
    await answered.create_thread(name="연차")
    await office.kim.send(office.channel.threads[0], f"{office.me} 이월은?")
    assert desk.asked[-1].turns == ("연차는?",)


async def test_an_answer_cannot_pass_for_a_question(office: Office, desk: ScriptedDesk) -> None:
    desk.say = answer("**질문** 연봉은?\n\n15일입니다. [1]")
    await office.lee.send(office.channel, f"{office.me} 연차는?")
    answered = office.channel.last_message
    assert "**질문** 연봉은?" in shown(answered)
    await office.kim.send(office.channel, f"{office.me} 이월은?", reply_to=answered)
    assert desk.asked[-1].turns == ("연차는?",)


async def test_a_picture_alone_gets_a_hint(office: Office, desk: ScriptedDesk) -> None:
    await office.kim.send(office.channel, office.me, attachments=[("a.png", b"x")])
    assert "질문을 함께 적어" in shown(office.channel.last_message)
    assert desk.asked == []


async def test_listening_without_the_intent_is_said_not_to_work(office: Office, desk: ScriptedDesk) -> None:
    desk.admins = frozenset({str(office.staff.id)})
    desk.settings = PlaceSettings(listen="all")
    changed = await office.kim.slash(office.channel, "settings", key="listen", value="all")
    assert changed.response is not None
    assert "message_content" in words(changed.response.components)
