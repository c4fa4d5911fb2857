"""Nothing is lost when Discord stumbles: an acknowledgement whose answer got lost, a channel that takes no message."""

from __future__ import annotations

import asyncio

import pytest

from bot.conversation import PlaceSettings
from tests.adapters.discord.wire import World, a_world
from tests.fakes.discord.places import Member


@pytest.mark.parametrize("how", [{"status": 502}, {"drop_connection": True}])
async def test_a_deferral_that_took_effect_unseen_is_answered_in_place(world: World, how: dict[str, object]) -> None:
    await world.start()
    world.server.fault("POST", "/callback", applied=True, **how)  # type: ignore[arg-type]
    slash = await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    await world.answered(timeout=20)
    assert "15일" in slash.text
    assert len(world.answers()) == 1


async def test_a_command_that_took_effect_unseen_is_answered_in_place(world: World) -> None:
    await world.start()
    world.server.fault("POST", "/callback", applied=True, status=502)
    slash = await world.kim.slash("search", {"words": "연차"}, world.channel)
    await world.server.wait_for(lambda: "연차 규정" in slash.text, 20, "the pages")
    assert world.answers() == [] or "문제가" not in world.answers()[-1].text


async def test_a_late_answer_to_a_channel_that_takes_none_goes_to_the_asker(world: World) -> None:
    world.desk.gate = asyncio.Event()
    await world.start()
    await world.kim.slash("ask", {"question": "연차는 며칠입니까?"}, world.channel)
    await world.server.wait_for(lambda: world.desk.asked, what="the question")
    world.server.clock.advance(16 * 60)
    world.server.fault("POST", f"/channels/{world.channel.id}/messages", status=403, code=50001, times=None)
    world.desk.gate.set()
    await world.answered()
    assert world.desk.failures == []
    assert "15일" in world.server.sent(world.kim)[0].text


async def test_a_mention_while_stopping_gets_a_sentence(world: World) -> None:
    adapter = await world.start()
    await adapter.stop_intake()
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.server.wait_for(world.answers, what="the sentence")
    assert "다시 시작하는 중입니다" in world.answers()[0].text
    assert world.desk.asked == []


async def test_a_history_that_hangs_costs_no_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.discord.listening.HISTORY_SECONDS", 0.3)
    await world.start()
    thread = await world.kim.thread(world.channel, "연차")
    world.server.fault("GET", "/messages", delay=20.0)
    await world.kim.say(thread, "연차는?", mention_bot=True)
    await world.answered(timeout=8)


async def test_a_joiner_is_soon_no_stranger(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.discord.members.STRANGER_SECONDS", 0.0)
    world.server.guild(name="다른 곳")
    await world.start()
    park = world.server.user(name="park", guilds=[world.server.guilds[-1]])
    await park.direct("연차는?")
    await world.server.wait_for(lambda: world.server.sent(park), what="the refusal")
    world.guild.members[park.id] = Member(park, set(), world.server.clock.now())
    await park.direct("연차는?")
    await world.answered(timeout=8)


@pytest.mark.parametrize("how", [{"status": 502}, {"drop_connection": True}])
async def test_a_thumb_down_counts_whatever_becomes_of_its_form(world: World, how: dict[str, object]) -> None:
    await world.start()
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()
    world.server.fault("POST", "/callback", applied=True, **how)  # type: ignore[arg-type]
    await world.lee.press(world.answers()[0], "아쉬움")
    await world.server.wait_for(lambda: world.desk.votes, 20, "the vote")
    assert [vote.direction for vote in world.desk.votes] == ["down"]


async def test_a_click_delivered_again_is_no_trouble(world: World) -> None:
    await world.start()
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()
    for label in ("도움됨", "아쉬움"):
        pressed = await world.lee.press(world.answers()[0], label)
        await world.server.wait_for(lambda p=pressed: p.acknowledged, what="the answer")  # type: ignore[misc]
        count = len(world.server.calls("POST", "/callback"))
        world.server.repeat(pressed)
        await world.server.wait_for(
            lambda c=count: len(world.server.calls("POST", "/callback")) > c,  # type: ignore[misc]
            what="the second try",
        )
    await world.kim.say(world.channel, "이월은?", mention_bot=True)
    await world.answered(2)
    assert not any("문제가 생겼습니다" in message.text for message in world.answers())


async def test_a_thread_that_cannot_be_read_is_left_in_peace() -> None:
    async with a_world(message_content=True) as world:
        world.desk.settings = PlaceSettings(listen="threads")
        await world.start(message_content=True)
        thread = await world.kim.thread(world.channel, "연차")
        world.server.fault("GET", "/messages", status=403, code=50001, times=None)
        await world.kim.say(thread, "우리끼리 하는 말")
        await world.kim.say(thread, "연차는?", mention_bot=True)
        await world.answered()
        assert [one.text for one in world.desk.asked] == ["연차는?"]
        assert len(world.server.sent(thread)) == 1


async def test_a_thread_under_an_answer_is_listened_to() -> None:
    async with a_world(message_content=True) as world:
        world.desk.settings = PlaceSettings(listen="threads")
        await world.start(message_content=True)
        await world.kim.say(world.channel, "연차는?", mention_bot=True)
        await world.answered()
        thread = await world.kim.thread(world.answers()[0], "연차")
        await world.kim.say(thread, "이월은?")
        await world.answered(2)
        assert world.desk.asked[1].turns == ("연차는?",)
