"""Questions written while nobody was connected are answered by the process that starts next, each once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.catching_up import DIRECTS, HEARD, MOST_DIRECTS, OVERLAP_SECONDS
from adapters.discord.snowflakes import snowflake_at
from tests.adapters.discord.wire import World


async def test_a_mention_and_a_direct_message_written_meanwhile_are_answered(world: World) -> None:
    first = await world.start()
    await world.kim.direct("연차는 며칠입니까?")
    await world.answered(1)
    await world.server.wait_for(lambda: DIRECTS in world.desk.facts)
    await first.stop_intake()
    await first.close()
    assert HEARD in world.desk.facts
    await world.kim.say(world.channel, "이월은 며칠까지 됩니까?", mention_bot=True)
    await world.lee.say(world.channel, "점심 뭐 먹을까요?")
    await world.kim.direct("반차는 어떻게 신청합니까?")
    await world.start()
    await world.answered(3)
    asked = [one.text for one in world.desk.asked]
    assert asked == ["연차는 며칠입니까?", "이월은 며칠까지 됩니까?", "반차는 어떻게 신청합니까?"]


async def test_a_process_killed_right_after_its_first_start_is_caught_up_with(world: World) -> None:
    await world.start()
    await world.server.wait_for(lambda: HEARD in world.desk.facts)  # at once, not after the first ten seconds
    world.server.gateway.reset()
    for task in (world.adapters[0]._session, world.adapters[0].client.catching_up._keeping):
        assert task is not None
        task.cancel()
    world.server.gateway.forget_sessions()
    await world.kim.say(world.channel, "이월은 며칠까지 됩니까?", mention_bot=True)
    await world.start()
    await world.answered(1)
    assert [one.text for one in world.desk.asked] == ["이월은 며칠까지 됩니까?"]


async def test_what_was_heard_is_not_asked_again(world: World) -> None:
    first = await world.start()
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    await world.answered(1)
    await first.close()
    await world.start()
    await world.server.wait_for(lambda: world.server.calls("GET", f"/channels/{world.channel.id}/messages"))
    assert len(world.desk.asked) == 1  # looked at twice, a duplicate to the core


@pytest.mark.parametrize("heard", [None, "", "not a number"])
async def test_the_first_start_answers_nothing_that_was_said_before(world: World, heard: str | None) -> None:
    if heard is not None:
        world.desk.facts[HEARD] = heard
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    await world.start()
    await world.kim.say(world.channel, "이월은?", mention_bot=True)
    await world.answered(1)
    assert [one.text for one in world.desk.asked] == ["이월은?"]


async def test_after_a_long_absence_old_questions_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.desk.facts[HEARD] = str(snowflake_at(time.time() - 86_400))
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    monkeypatch.setattr("adapters.discord.catching_up.LONGEST_SECONDS", -60.0)  # as if it had been written long ago
    await world.start()
    await world.kim.say(world.channel, "이월은?", mention_bot=True)
    await world.answered(1)
    assert [one.text for one in world.desk.asked] == ["이월은?"]


async def test_a_mention_after_a_long_conversation_of_others_is_found(world: World) -> None:
    first = await world.start()
    await world.server.wait_for(lambda: HEARD in world.desk.facts)
    await first.close()
    for number in range(101):  # one more than a page of the history
        await world.lee.say(world.channel, f"잡담 {number}")
    await world.kim.say(world.channel, "이월은 며칠까지 됩니까?", mention_bot=True)
    await world.start()
    await world.answered(1)
    assert [one.text for one in world.desk.asked] == ["이월은 며칠까지 됩니까?"]


async def test_a_channel_that_may_not_be_read_costs_nothing_else(world: World) -> None:
    world.desk.facts[HEARD] = str(snowflake_at(time.time() - 60))
    world.desk.facts[DIRECTS] = "999"
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    world.server.fault("GET", "/messages", status=403, times=1)
    await world.start()
    await world.kim.say(world.channel, "이월은?", mention_bot=True)
    await world.answered(1)
    assert "이월은?" in [one.text for one in world.desk.asked]


async def test_what_was_asked_while_the_gateway_was_lost_is_answered_by_the_next_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.catching_up.OVERLAP_SECONDS", 0.0)  # as if it had been lost for minutes
    heard = world.desk.facts[HEARD] = str(snowflake_at(time.time() - 120))
    first = await world.start()
    world.server.gateway.refuse(1_000)
    world.server.gateway.reset()
    await world.server.wait_for(lambda: not first.client.online, what="the loss")
    await world.kim.say(world.channel, "이월은 며칠까지 됩니까?", mention_bot=True)
    await asyncio.sleep(0.05)  # asked before the process stopped, by Discord's clock too
    await first.stop_intake()
    await first.close()
    assert world.desk.facts[HEARD] == heard
    world.server.gateway.forget_sessions()
    world.server.gateway.refuse(0)
    await world.start()
    await world.answered(1)
    assert [one.text for one in world.desk.asked] == ["이월은 며칠까지 됩니까?"]


@pytest.mark.parametrize("how", [{"drop_connection": True}, {"status": 503}, {"status": 429, "retry_after": 90.0}])
async def test_a_channel_that_cannot_be_read_just_now_is_read_later(
    world: World, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    monkeypatch.setattr("adapters.discord.catching_up.FIRST_PAUSE_SECONDS", 0.1)
    world.desk.facts[HEARD] = str(snowflake_at(time.time() - 120))
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    world.server.fault("GET", f"/channels/{world.channel.id}/messages", times=2, **how)  # aiohttp repeats a reset once
    await world.start()
    await world.answered(1)
    assert [one.text for one in world.desk.asked] == ["연차는 며칠입니까?"]


async def test_nothing_counts_as_heard_until_all_was_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.discord.catching_up.EVERY_SECONDS", 0.05)
    monkeypatch.setattr("adapters.discord.catching_up.FIRST_PAUSE_SECONDS", 0.1)
    heard = world.desk.facts[HEARD] = str(snowflake_at(time.time() - 120))
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    world.server.fault("GET", "/messages", status=503, times=None)
    first = await world.start()
    await world.server.wait_for(lambda: len(world.server.calls("GET", "/messages")) > 1, what="a second look")
    await asyncio.sleep(0.2)
    await first.close()
    assert world.desk.facts[HEARD] == heard


def test_more_is_looked_at_twice_than_a_dead_connection_can_hide(world: World) -> None:
    adapter = DiscordAdapter(world.settings(), "token", world.desk, language="ko")
    assert adapter.client._connection.heartbeat_timeout < OVERLAP_SECONDS


async def test_a_mention_alone_gets_its_sentence_once(world: World) -> None:
    first = await world.start()
    await world.kim.say(world.channel, "", mention_bot=True)
    await world.server.wait_for(world.answers, what="the sentence")
    await first.close()
    await world.kim.say(world.channel, "연차는 며칠입니까?", mention_bot=True)
    await world.start()
    await world.answered(1)
    assert len(world.answers()) == 2


async def test_only_the_latest_direct_channels_are_kept(world: World) -> None:
    adapter = await world.start()
    for number in range(MOST_DIRECTS + 5):
        await adapter.client.catching_up.remember_direct(number)
    await adapter.client.catching_up.remember_direct(50)
    kept = world.desk.facts[DIRECTS].split()
    assert len(kept) == MOST_DIRECTS
    assert kept[-1] == "50"
    assert kept[0] == "5"


def test_a_snowflake_holds_its_time() -> None:
    # The example of Discord's own reference: id 175928847299117063 was made at 1462015105.796.
    assert snowflake_at(1462015105.796) <= 175928847299117063 < snowflake_at(1462015105.798)
    assert snowflake_at(0) == 0


async def test_a_command_is_claimed_before_it_is_deferred_and_answered_after(world: World) -> None:
    adapter = await world.start()
    seen: list[bool] = []
    ask = world.desk.ask

    async def claim(asked: Any) -> Any:
        seen.append(bool(world.server.calls("POST", "/callback")))
        return await ask(asked)

    world.desk.ask = claim  # type: ignore[method-assign]
    world.server.fault("POST", "/callback", delay=0.5, times=1)  # the answer is ready before the deferral stands
    slash = await world.kim.slash("ask", {"question": "연차는?"}, world.channel)
    await world.answered(1)
    await world.server.wait_for(lambda: slash.finished)
    assert seen == [False]
    assert slash.callback_type == 5
    assert not world.desk.failures
    assert len(world.answers()) == 1  # in the response, not beside it
    assert adapter.client._deferrals == {}
