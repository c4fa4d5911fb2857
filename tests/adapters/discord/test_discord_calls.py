"""Calling a contact, what they answer, and sharing, when Discord stumbles on the way."""

from __future__ import annotations

import pytest

from tests.adapters.discord.wire import World


@pytest.mark.parametrize(
    ("how", "called"),
    [
        ({"drop_connection": True, "applied": True}, True),
        ({"status": 403, "code": 50013}, False),
    ],
    ids=["reset", "refused"],
)
async def test_a_call_that_may_stand_is_not_taken_back(world: World, how: dict[str, object], *, called: bool) -> None:
    await world.start()
    world.desk.contacts = (f"user:{world.lee.id}",)
    await world.kim.say(world.channel, "연차는?", mention_bot=True)
    await world.answered()
    answer = world.answers()[0]
    world.server.fault("POST", "/webhooks/", **how)  # type: ignore[arg-type]
    pressed = await world.kim.press(answer, "담당자 부르기")
    await world.server.wait_for(lambda: any(m.ephemeral for m in pressed.followups), 20, "a sentence")
    said = next(message.text for message in pressed.followups if message.ephemeral)
    assert ("담당자에게 알렸습니다." in said) is called
    assert bool(world.desk.open) is called
    if called:
        [call] = [message for message in pressed.followups if not message.ephemeral]
        assert call.pings.users == {world.lee.id}


@pytest.mark.parametrize(
    ("how", "called"),
    [
        ({"drop_connection": True, "applied": True}, True),
        ({"status": 403, "code": 50007}, False),
    ],
    ids=["reset", "refused"],
)
async def test_a_direct_call_that_may_stand_is_not_taken_back(
    world: World, how: dict[str, object], *, called: bool
) -> None:
    await world.start()
    world.desk.contacts = (f"user:{world.lee.id}",)
    await world.kim.direct("연차는?")
    await world.answered()
    world.server.fault("POST", "/messages", **how)  # type: ignore[arg-type]
    pressed = await world.kim.press(world.server.sent(world.kim)[0], "담당자 부르기")
    await world.server.wait_for(lambda: pressed.followups, 20, "a sentence")
    assert ("담당자에게 알렸습니다." in pressed.followups[0].text) is called
    assert bool(world.desk.open) is called
    assert len(world.server.sent(world.lee)) == called


async def test_where_no_contact_can_be_written_to_the_asker_hears_that_and_may_try_again(world: World) -> None:
    await world.start()
    world.desk.contacts = ("role:2",)  # a role has no direct messages
    await world.kim.direct("연차는?")
    await world.answered()
    for _ in range(2):
        pressed = await world.kim.press(world.server.sent(world.kim)[0], "담당자 부르기")
        await world.server.wait_for(lambda one=pressed: one.followups, what="the sentence")  # type: ignore[misc]
        assert "담당자에게 알리지 못했습니다" in pressed.followups[0].text


@pytest.mark.parametrize("how", [{"status": 404, "code": 10062}, {"drop_connection": True}])
async def test_the_asker_hears_the_answer_whatever_becomes_of_the_response(
    world: World, how: dict[str, object]
) -> None:
    await world.start()
    world.desk.contacts = (f"user:{world.lee.id}",)
    await world.kim.direct("연차는?")
    await world.answered()
    await world.kim.press(world.server.sent(world.kim)[0], "담당자 부르기")
    await world.server.wait_for(lambda: world.server.sent(world.lee), what="the call")
    solving = await world.lee.press(world.server.sent(world.lee)[0], "해결")
    await world.server.wait_for(lambda: solving.modal, what="the form")
    world.server.fault("POST", "/callback", **how)  # type: ignore[arg-type]
    await world.lee.submit(solving, {"answer": "열닷새입니다.", "consent": "no"})
    await world.server.wait_for(
        lambda: any("열닷새입니다." in message.text for message in world.server.sent(world.kim)), 10, "the answer"
    )


async def test_an_answer_that_was_shared_unseen_is_not_shared_again(world: World) -> None:
    await world.start()
    asked = await world.kim.slash("ask", {"question": "연차는?", "private": True}, world.channel)
    await world.answered()
    world.server.fault("POST", "/webhooks/", drop_connection=True, applied=True)
    pressed = await world.kim.press(asked.messages[0], "채널에 공유")
    await world.server.wait_for(lambda: any("문제가" in m.text for m in pressed.followups), 20, "the error")
    again = await world.kim.press(asked.messages[0], "채널에 공유")
    await world.server.wait_for(lambda: again.followups, 20, "the sentence")
    assert "이미 채널에 공유한" in again.followups[0].text
    [shared] = [message for message in world.answers() if not message.ephemeral]
    assert world.desk.also_at == {f"{world.channel.id}:{shared.id}": "0000000000000001"}
