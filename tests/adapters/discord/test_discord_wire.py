"""The unmodified client over real HTTP and WebSocket: connecting, losing the connection, dead tokens, duplicates, a new process."""

from __future__ import annotations

import asyncio

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.checks import checks
from adapters.discord.sync import sync_once
from bot.conversation import PlaceSettings
from bot.errors import AdapterError
from tests.adapters.discord.desk import answer
from tests.adapters.discord.wire import World, a_world
from tests.fakes.discord.places import PERMISSIONS


async def test_start_connects_to_the_configured_addresses_and_close_leaves(world: World) -> None:
    adapter = await world.start()
    health = adapter.health()
    assert health.connected
    assert health.last_event_seconds is not None
    assert world.server.gateway.connected
    await adapter.close()
    assert not world.server.gateway.connected
    assert not adapter.health().connected


async def test_a_refused_token_says_what_to_do(world: World) -> None:
    adapter = DiscordAdapter(world.settings(), "wrong.token", world.desk, language="ko")
    with pytest.raises(AdapterError) as caught:
        await adapter.start()
    assert "Reset Token" in caught.value.explain("ko")
    assert "wrong.token" not in caught.value.explain("ko")
    empty = DiscordAdapter(world.settings(), " ", world.desk, language="ko")
    with pytest.raises(AdapterError, match="DISCORD_TOKEN"):
        await empty.start()
    await empty.close()


async def test_a_missing_intent_says_what_to_switch_on(world: World) -> None:
    with pytest.raises(AdapterError) as caught:
        await world.start(message_content=True)
    assert "Message Content Intent" in caught.value.explain("ko")


async def test_an_unreachable_server_says_what_to_check(world: World) -> None:
    with pytest.raises(AdapterError) as caught:
        await world.start(api_base_url="http://127.0.0.1:9/api/v10")
    assert "방화벽" in caught.value.explain("ko")


async def test_commands_are_registered_by_hash(world: World) -> None:
    await (await world.start()).close()
    first = len(world.server.calls("PUT", "/commands"))
    assert first == 2
    await world.start()
    assert len(world.server.calls("PUT", "/commands")) == first


async def test_commands_by_their_own_command_line(world: World) -> None:
    assert await sync_once(world.settings(), world.server.token) == 9
    assert len(world.server.calls("PUT", "/commands")) == 2
    with pytest.raises(AdapterError):
        await sync_once(world.settings(guild_ids=(1,)), world.server.token)
    with pytest.raises(AdapterError):
        await sync_once(world.settings(), "wrong")


async def test_mention_command_menu_and_direct_message(world: World) -> None:
    await world.start()
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    await world.answered(1)
    slash = await world.kim.slash("질문", {"질문": "이월은?"}, world.channel)
    await world.answered(2)
    said = await world.lee.say(world.channel, "반차 아시는 분?")
    menu = await world.kim.context_menu("위키에서 찾기", said)
    await world.answered(3)
    await world.kim.direct("신청은 어디서 합니까?")
    await world.answered(4)
    await world.kim.slash("ask", {"question": "디엠에서도?"})
    await world.answered(5)
    assert [one.text for one in world.desk.asked] == [
        "연차는 며칠입니까?",
        "이월은?",
        "반차 아시는 분?",
        "신청은 어디서 합니까?",
        "디엠에서도?",
    ]
    assert [one.private for one in world.desk.asked] == [False, False, True, True, True]
    assert slash.callback_seconds is not None
    assert slash.callback_seconds < 3
    assert menu.ephemeral
    assert not slash.ephemeral
    assert "15일" in slash.text
    assert not any(message.pings for message in [*world.answers(), *world.server.sent(world.kim)])


async def test_nothing_pings_and_nothing_is_previewed(world: World) -> None:
    world.desk.say = answer(
        f"@everyone <@{world.lee.id}> https://evil.example/?q=비밀 ![x](https://evil.example/x.png) [1]"
    )
    for components in ("v2", "classic"):
        adapter = await world.start(components=components)
        count = len(world.desk.posted)
        await world.kim.say(world.channel, "연차는?", mention_bot=True)
        await world.answered(count + 1)
        await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
        await world.answered(count + 2)
        await adapter.close()
    for message in world.answers():
        assert not message.pings
        assert message.previews == []
        assert "evil.example/x.png" not in message.text.replace("\\", "") or "](https://evil" not in message.text


async def test_a_rate_limit_is_waited_for(world: World) -> None:
    await world.start()
    world.server.fault("POST", "/messages", status=429, retry_after=0.3)
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()
    assert len(world.answers()) == 1


async def test_a_reset_after_the_message_was_made_makes_no_second_one(world: World) -> None:
    await world.start()
    world.server.fault("POST", "/messages", drop_connection=True, applied=True)
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()
    assert len(world.answers()) == 1
    assert len(world.server.calls("POST", "/messages")) == 2
    assert list(world.desk.posted) == [f"{world.channel.id}:{world.answers()[0].id}"]


async def test_resets_and_server_errors_on_a_response(world: World) -> None:
    await world.start()
    world.server.fault("PATCH", "/messages/@original", drop_connection=True)
    world.server.fault("PATCH", "/messages/@original", status=502)
    slash = await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    await world.answered()
    assert "15일" in slash.text
    assert len(world.answers()) == 1


@pytest.mark.parametrize("how", ["op 7", "close 4000", "reset"])
async def test_a_lost_connection_is_resumed_and_missed_questions_are_answered(world: World, how: str) -> None:
    adapter = await world.start()
    gateway = world.server.gateway
    gateway.refuse(1)
    {"op 7": gateway.ask_to_reconnect, "close 4000": gateway.close, "reset": gateway.reset}[how]()
    await world.server.wait_for(lambda: not gateway.connected, what="the loss")
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered(timeout=30)
    assert gateway.resumes == 1
    assert len(gateway.identifies) == 1
    await world.server.wait_for(lambda: adapter.health().connected, what="health")
    assert len(world.answers()) == 1


async def test_a_revoked_token_ends_the_session_and_shows_in_health(world: World) -> None:
    adapter = await world.start()
    world.server.token = "another"
    world.server.gateway.forget_sessions()
    world.server.gateway.ask_to_reconnect()
    await world.server.wait_for(lambda: adapter._session is not None and adapter._session.done(), 20, "the end")
    assert not adapter.health().connected


async def test_the_librarys_own_mistakes_do_not_end_the_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.discord.adapter.AGAIN_SECONDS", 0.1)
    adapter = await world.start()
    before = len(world.server.gateway.identifies)

    async def broken() -> None:
        raise AttributeError("a mistake")

    monkeypatch.setattr(adapter.client.ws, "poll_event", broken)
    world.server.gateway.dispatch("TYPING_START", {})  # wakes the loop, which then meets the mistake
    await world.server.wait_for(lambda: len(world.server.gateway.identifies) > before, 20, "a new session")
    await world.server.ready()
    await world.server.wait_for(lambda: adapter.health().connected, what="health")
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()


async def test_an_invalid_session_identifies_anew(world: World) -> None:
    await world.start()
    world.server.gateway.invalidate()
    await world.server.wait_for(lambda: len(world.server.gateway.identifies) == 2, 20, "a second identify")
    await world.server.ready()
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()
    assert len(world.answers()) == 1


async def test_the_same_event_twice_is_answered_once(world: World) -> None:
    await world.start()
    slash = await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    await world.answered()
    said = await world.kim.say(world.channel, "이월은?", mention_bot=True)
    await world.answered(2)
    world.server.repeat(slash)
    world.server.repeat(said)
    await world.kim.say(world.channel, "끝?", mention_bot=True)
    await world.answered(3)
    assert [one.text for one in world.desk.asked] == ["연차는?", "이월은?", "끝?"]
    assert len(world.answers()) == 3


async def test_an_interaction_acknowledged_too_late_is_answered_in_the_channel(world: World) -> None:
    await world.start()
    world.server.fault("POST", "/callback", delay=3.2)
    await world.kim.slash("ask", {"question": "연차는 며칠입니까?"}, world.channel)
    await world.answered(timeout=20)
    message = world.answers()[0]
    assert "연차는 며칠입니까?" in message.text
    assert "15일" in message.text


@pytest.mark.parametrize("code", [50027, 10015])
async def test_an_expired_token_is_noticed_and_the_draft_removed(world: World, code: int) -> None:
    world.server.expired_token_code = code
    world.desk.gate = asyncio.Event()
    await world.start()
    slash = await world.kim.slash("ask", {"question": "연차는 며칠입니까?"}, world.channel)
    await world.server.wait_for(lambda: slash.original is not None and "⏳" in slash.original.text, what="a draft")
    world.server.clock.advance(16 * 60)
    world.desk.gate.set()
    await world.answered()
    assert len(world.answers()) == 1
    assert "연차는 며칠입니까?" in world.answers()[0].text
    assert slash.original is not None
    assert slash.original.deleted


async def test_an_expired_private_answer(world: World) -> None:
    world.desk.gate = asyncio.Event()
    await world.start()
    for _ in range(2):
        await world.kim.slash("ask", {"question": "연봉 밴드는?", "private": True}, world.channel)
    await world.server.wait_for(lambda: len(world.desk.asked) == 2, what="both questions")
    world.server.clock.advance(16 * 60)
    world.desk.gate.set()
    await world.answered(2)
    assert world.answers() == []
    assert len(world.server.sent(world.kim)) == 2
    world.desk.gate.clear()
    world.kim.accepts_direct = False
    await world.kim.slash("ask", {"question": "연봉 밴드는?", "private": True}, world.channel)
    await world.server.wait_for(lambda: len(world.desk.asked) == 3, what="the question")
    world.server.clock.advance(16 * 60)
    world.desk.gate.set()
    await world.answered(3)
    assert len(world.answers()) == 1
    assert "다시 질문해" in world.answers()[0].text
    assert "연봉" not in world.answers()[0].text


async def test_buttons_and_answers_in_a_new_process(world: World) -> None:
    first = await world.start()
    world.desk.gate = asyncio.Event()
    slash = await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    said = await world.kim.say(world.channel, "이월은?", mention_bot=True)
    await world.server.wait_for(lambda: len(world.answers()) == 2, what="drafts")
    for task in world.desk.tasks:
        task.cancel()
    await first.close()
    world.desk.gate = None
    await world.start()
    notes = world.desk.notes
    await asyncio.gather(*(world.desk.spawn(n, draft=notes.get(f"{n:012x}", ""), find=True) for n in (1, 2)))
    assert world.desk.found == [None, None]
    assert "15일" in slash.text
    assert len(world.answers()) == 2
    assert [m.reference for m in world.answers() if m.reference] == [said]
    up = await world.lee.press(world.answers()[0], "도움됨")
    down = await world.lee.press(world.answers()[1], "아쉬움")
    await world.server.wait_for(lambda: len(world.desk.votes) == 2 and down.modal, what="votes")
    await world.server.wait_for(lambda: up.acknowledged, what="thanks")
    sent = await world.lee.submit(down, {"reason": "틀렸습니다"})
    await world.server.wait_for(lambda: sent.acknowledged, what="thanks")
    assert world.desk.explained[0][2] == "틀렸습니다"
    await world.lee.react(world.answers()[0], "👍🏽")
    await world.server.wait_for(lambda: len(world.desk.votes) == 3, what="the reaction")


async def test_a_call_pings_the_contacts_alone(world: World) -> None:
    await world.start()
    world.desk.contacts = (f"user:{world.lee.id}", f"role:{world.guild.roles[1].id}")
    await world.kim.say(world.channel, f"@everyone {world.kim.mention} 연차는?", mention_bot=True)
    await world.answered()
    pressed = await world.kim.press(world.answers()[0], "담당자 부르기")
    await world.server.wait_for(lambda: pressed.followups, what="the call")
    call = pressed.followups[0]
    assert call.pings.users == {world.lee.id}
    assert call.pings.roles == {world.guild.roles[1].id}
    assert not call.pings.everyone
    solving = await world.lee.press(call, "해결")
    await world.server.wait_for(lambda: solving.modal, what="the form")
    done = await world.lee.submit(solving, {"answer": f"15일 @everyone {world.kim.mention}", "consent": "yes"})
    await world.server.wait_for(lambda: done.finished, what="the answer")
    assert not done.messages[0].pings
    assert world.desk.resolved[0][3] is True


async def test_an_unknown_server_is_left_on_joining(world: World) -> None:
    await world.start()
    other = world.server.guild(name="다른 곳")
    await world.server.wait_for(lambda: not other.bot_in, what="leaving")
    assert world.guild.bot_in


async def test_stopping_turns_interactions_away_and_lets_answers_through(world: World) -> None:
    world.desk.gate = asyncio.Event()
    adapter = await world.start()
    running = await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    await world.server.wait_for(lambda: world.desk.asked, what="the question")
    await adapter.stop_intake()
    refused = await world.lee.slash("ask", {"question": "이월은?"}, world.channel)
    await world.server.wait_for(lambda: refused.finished, what="the sentence")
    assert refused.ephemeral
    assert "다시 시작하는 중입니다" in refused.text
    world.desk.gate.set()
    await world.answered()
    assert "15일" in running.text
    assert len(world.desk.asked) == 1


async def test_threads_are_listened_to_with_the_intent() -> None:
    async with a_world(message_content=True) as world:
        world.desk.settings = PlaceSettings(listen="threads")
        await world.start(message_content=True)
        thread = await world.kim.thread(world.channel, "연차")
        await world.lee.say(thread, "우리끼리 하는 말")
        await world.kim.say(thread, "연차는?", mention_bot=True)
        await world.answered()
        await world.kim.say(thread, f"{world.lee.mention} 보셨어요?")
        await world.kim.say(thread, "이월은?")
        await world.answered(2)
        await world.kim.say(world.channel, "채널에서 하는 말")
        await world.kim.say(thread, "끝?")
        await world.answered(3)
        assert [one.text for one in world.desk.asked] == ["연차는?", "이월은?", "끝?"]
        assert world.desk.asked[1].place.thread == str(thread.id)
        assert world.desk.asked[0].turns == ("우리끼리 하는 말",)


async def test_checks(world: World) -> None:
    found = await asyncio.to_thread(lambda: list(checks(world.settings(), world.server.token, "ko")))
    assert all(ok for _, ok, _, _ in found), found
    assert [name.split()[0] for name, *_ in found] == [
        "discord.token",
        "discord.login",
        "discord.guild",
        "discord.sessions",
        "discord.message_content",
    ]
    assert world.server.token not in str(found)


@pytest.mark.parametrize(
    ("changes", "token", "failing", "remedy"),
    [
        ({}, "", "discord.token", "Reset Token"),
        ({}, "wrong", "discord.login", "Reset Token"),
        ({"guild_ids": ()}, None, "discord.guild_ids", "개발자 모드"),
        ({"guild_ids": (1,)}, None, "discord.guild 1", "URL Generator"),
        ({"message_content": True}, None, "discord.message_content", "Privileged Gateway Intents"),
        ({"api_base_url": "http://127.0.0.1:9"}, None, "discord.login", "방화벽"),
    ],
)
async def test_checks_that_fail(
    world: World, changes: dict[str, object], token: str | None, failing: str, remedy: str
) -> None:
    used = world.server.token if token is None else token
    found = await asyncio.to_thread(lambda: list(checks(world.settings(**changes), used, "ko")))
    wrong = [(name, told) for name, ok, _, told in found if not ok]
    assert [name for name, _ in wrong] == [failing]
    assert remedy in wrong[0][1]


async def test_checks_see_the_session_budget(world: World) -> None:
    world.server.identify_budget = 3
    found = await asyncio.to_thread(lambda: list(checks(world.settings(), world.server.token, "ko")))
    assert [(name, "240분" in told) for name, ok, _, told in found if not ok] == [("discord.sessions", True)]


async def test_checks_name_missing_permissions(world: World) -> None:
    everyone = world.guild.roles[0]
    everyone.permissions &= ~PERMISSIONS["send_messages_in_threads"]
    found = await asyncio.to_thread(lambda: list(checks(world.settings(), world.server.token, "ko")))
    wrong = [(name.split()[0], what, told) for name, ok, what, told in found if not ok]
    assert [name for name, _, _ in wrong] == ["discord.guild"]
    assert wrong[0][1].endswith(": 스레드에서 메시지 보내기")
    assert "역할" in wrong[0][2]
    everyone.permissions = 1 << 3  # an administrator may everything
    found = await asyncio.to_thread(lambda: list(checks(world.settings(), world.server.token, "ko")))
    assert all(ok for _, ok, _, _ in found)
