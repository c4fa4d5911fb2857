"""Nothing is lost when Discord stumbles: an acknowledgement whose answer got lost, a channel that takes no message."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from adapters.discord.catching_up import DIRECTS
from bot.conversation import PlaceSettings, Receipt
from tests.adapters.discord.desk import answer
from tests.adapters.discord.wire import World, a_world
from tests.fakes.discord.places import Member

LONG = "연차는 1년에 15일이며 미사용 연차는 이월할 수 없습니다. [1]\n\n" * 150


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


async def drafted(world: World) -> None:
    """Ask in the channel, and wait for the draft."""
    world.desk.gate = asyncio.Event()
    await world.start()
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    await world.server.wait_for(lambda: world.desk.notes, what="the draft")


async def test_an_answer_that_may_stand_under_its_question_goes_nowhere_else(world: World) -> None:
    await drafted(world)
    world.server.fault("PATCH", f"/channels/{world.channel.id}/messages", status=503, times=None)
    assert world.desk.gate is not None
    world.desk.gate.set()
    await world.answered()
    assert len(world.desk.failures) == 1
    assert world.server.sent(world.kim) == []
    world.server.faults.clear()
    again = world.desk.delivery(1, world.desk.notes["000000000001"])
    assert await again.find() is None
    await again.finish(world.desk.reply_to(1))
    assert ["15일" in message.text for message in world.answers()] == [True]


async def test_an_answer_that_took_effect_unseen_stands_once(world: World) -> None:
    await world.start()
    path = f"/channels/{world.channel.id}/messages"
    world.server.fault("POST", path, drop_connection=True, applied=True, times=None)
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    await world.answered()
    assert len(world.desk.failures) == 1
    world.server.faults.clear()
    again = world.desk.delivery(1)
    assert await again.find() == f"{world.channel.id}:{world.answers()[0].id}"
    assert len(world.answers()) == 1
    assert world.server.sent(world.kim) == []


@pytest.mark.parametrize("private", [False, True])
async def test_a_late_answer_whose_place_stumbles_goes_nowhere_else(world: World, private: bool) -> None:
    world.desk.gate = asyncio.Event()
    await world.start()
    await world.kim.slash("ask", {"question": "연차는?", "private": private}, world.channel)
    await world.server.wait_for(lambda: world.desk.asked, what="the question")
    world.server.clock.advance(16 * 60)
    place = world.server.direct_channel(world.kim) if private else world.channel
    world.server.fault("POST", f"/channels/{place.id}/messages", status=503, times=None)
    before = world.answers()
    world.desk.gate.set()
    await world.answered()
    assert len(world.desk.failures) == 1
    assert world.answers() == before
    assert world.server.sent(world.kim) == []


@pytest.mark.parametrize("more", [(), ("한 가지를 더 봅니다.",)])
async def test_a_draft_that_took_effect_unseen_becomes_the_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setattr("adapters.discord.pace.FIRST_GAP_SECONDS", 0.1)
    world.desk.receipts["연차는?"] = Receipt.DUPLICATE  # delivered by hand here
    await world.start()
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.server.wait_for(lambda: world.desk.asked, what="the question")
    world.server.fault("POST", f"/channels/{world.channel.id}/messages", drop_connection=True, applied=True)
    delivery = world.desk.delivery(1)
    await delivery.status("찾는 중입니다.")
    await world.server.wait_for(world.answers, what="the draft")
    draft = world.answers()[0]
    for text in more:
        await delivery.status(text)
        await world.server.wait_for(lambda t=text: t in draft.text, what="the next draft")  # type: ignore[misc]
    await delivery.finish(world.desk.reply_to(1))
    assert world.answers() == [draft]
    assert "15일" in draft.text
    assert "⏳" not in draft.text


async def test_where_the_history_may_not_be_read_the_draft_becomes_the_answer_of_the_next_process(world: World) -> None:
    await drafted(world)
    draft = world.answers()[0]
    for task in world.desk.tasks:
        task.cancel()
    world.server.deny(world.channel, "read_message_history")
    again = world.desk.delivery(1, world.desk.notes["000000000001"])
    assert await again.find() is None
    assert await again.finish(world.desk.reply_to(1)) == f"{world.channel.id}:{draft.id}"
    assert world.answers() == [draft]
    assert "15일" in draft.text


@pytest.mark.parametrize("way", ["mention", "command"])
async def test_what_cannot_be_looked_at_just_now_is_not_taken_for_missing(world: World, way: str) -> None:
    await world.start()
    if way == "mention":
        await world.kim.say(world.channel, "연차는?", mention_bot=True)
    else:
        await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    await world.answered()
    again = world.desk.delivery(1)
    world.server.fault("GET", "/messages", drop_connection=True, times=None)
    with pytest.raises(aiohttp.ClientError):
        await again.find()
    world.server.faults.clear()
    assert await again.find() == next(iter(world.desk.posted))


@pytest.mark.parametrize("way", ["mention", "draft", "command"])
async def test_the_first_of_two_messages_is_not_taken_for_the_whole(world: World, way: str) -> None:
    world.desk.say = answer(LONG)
    world.desk.gate = asyncio.Event()
    await world.start(components="classic")
    if way == "command":
        world.server.fault("POST", "/webhooks/", drop_connection=True, times=None)
        await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
        await world.server.wait_for(lambda: world.desk.asked, what="the question")
    else:
        await world.kim.say(world.channel, "연차는?", mention_bot=True)
        await world.server.wait_for(lambda: world.desk.notes or way == "mention", what="the draft")
        after = 0 if world.desk.notes else 1
        path = f"/channels/{world.channel.id}/messages"
        world.server.fault("POST", path, drop_connection=True, times=None, after=after)
    world.desk.gate.set()
    await world.answered()
    assert len(world.desk.failures) == 1
    assert len(world.answers()) == 1
    first = world.answers()[0]
    world.server.faults.clear()
    again = world.desk.delivery(1, world.desk.notes.get("000000000001", ""))
    assert await again.find() is None
    await again.finish(world.desk.reply_to(1))
    assert world.answers()[0] is first
    assert [bool(message.buttons) for message in world.answers()] == [False, True]
    assert await world.desk.delivery(1).find() == f"{world.channel.id}:{world.answers()[1].id}"
    assert len(world.answers()) == 2


@pytest.mark.parametrize("way", ["mention", "command"])
async def test_the_second_of_two_messages_stands_once(world: World, way: str) -> None:
    world.desk.say = answer(LONG)
    await world.start(components="classic")
    if way == "command":
        world.server.fault("POST", "/webhooks/", drop_connection=True, applied=True)
        await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    else:
        path = f"/channels/{world.channel.id}/messages"
        world.server.fault("POST", path, drop_connection=True, applied=True, after=1)
        await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()
    assert [bool(message.buttons) for message in world.answers()] == [False, True]
    assert list(world.desk.posted) == [f"{world.channel.id}:{world.answers()[1].id}"]


async def test_the_draft_of_an_answer_that_goes_elsewhere_is_deleted_in_spite_of_a_stumble(world: World) -> None:
    await drafted(world)
    path = f"/channels/{world.channel.id}/messages"
    world.server.fault("PATCH", path, status=403, code=50013, times=None)
    world.server.fault("DELETE", path, status=503)
    assert world.desk.gate is not None
    world.desk.gate.set()
    await world.answered()
    assert "15일" in world.server.sent(world.kim)[0].text
    assert world.answers() == []


async def test_what_is_said_while_stopping_is_left_to_the_next_process_which_answers_once(world: World) -> None:
    adapter = await world.start()
    await adapter.stop_intake()
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.lee.direct("반차는?")
    await world.server.wait_for(lambda: DIRECTS in world.desk.facts)
    assert (world.answers(), world.desk.asked) == ([], [])
    await adapter.close()
    await world.start()
    await world.answered(2)
    assert sorted(one.text for one in world.desk.asked) == ["반차는?", "연차는?"]
    assert len(world.answers()) == 1


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
        await world.kim.say(thread, "감사합니다 ㅎㅎ")  # nobody waits for an answer to that
        await world.kim.say(thread, "이월은?")
        await world.answered(2)
        assert [one.text for one in world.desk.asked] == ["연차는?", "이월은?"]
        assert world.desk.asked[1].turns[0] == "연차는?"
