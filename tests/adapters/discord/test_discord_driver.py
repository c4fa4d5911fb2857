"""The conformance driver sees what it should: otherwise the suite would judge nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.discord.adapter import DiscordAdapter
from tests.adapters.discord.desk import ScriptedDesk
from tests.conformance.discord_driver import DiscordDriver
from tests.conformance.driver import Driver


@pytest.fixture
async def driver(desk: ScriptedDesk) -> AsyncIterator[Driver]:
    """Open, with one running process."""
    made = DiscordDriver()
    await made.open()
    adapter = made.adapter(desk)
    assert isinstance(adapter, DiscordAdapter)
    desk.adapter = adapter
    await adapter.start()
    try:
        yield made
    finally:
        assert desk.adapter is not None
        await desk.adapter.close()
        await made.close()


async def test_ways_of_asking(driver: Driver, desk: ScriptedDesk) -> None:
    askings = [
        await driver.mention("연차는?"),
        await driver.direct("이월은?"),
        await driver.command("반차는?", private=False),
        await driver.command("연봉은?"),
        await driver.menu("신청은?"),
    ]
    for asking in askings:
        (seen,) = await driver.answers(asking)
        assert "15일" in seen.text
        assert seen.private == asking.private
        assert seen.can_vote
        assert seen.pings == frozenset()
        assert seen.links == {"https://wiki.example/leave"}
        assert all(0 <= seconds < 3 for seconds in await driver.signs(asking))
        await driver.deliver_again(asking)
    await driver.edit_and_delete(askings[0])
    assert len(desk.asked) == len(askings)
    assert driver.violations() == []


async def test_a_follow_up_leans_on_the_question(driver: Driver, desk: ScriptedDesk) -> None:
    asking = await driver.mention("연차는?")
    await driver.answers(asking)
    again = await driver.follow_up(asking, "그럼 이월은?")
    await driver.answers(again)
    assert desk.asked[1].turns == ("연차는?",)


async def test_votes(driver: Driver, desk: ScriptedDesk) -> None:
    (seen,) = await driver.answers(await driver.mention("연차는?"))
    await driver.press_thumb(seen, "down")
    await driver.explain(seen, reason="틀림", correction="16일")
    await driver.press_thumb(seen, "up", person="lee")
    await driver.react(seen, "up", person="lee", skin_tone=True)
    await driver.unreact(seen, "up", person="lee", skin_tone=True)
    (again,) = await driver.answers(await driver.mention("이월은?"))
    await driver.press_thumb(again, "up")
    assert [vote.direction for vote in desk.votes] == ["down", "up", "up", None, "up"]
    assert desk.explained[0][2:] == ("틀림", "16일")


@pytest.mark.parametrize("private", [False, True])
async def test_escalation(driver: Driver, desk: ScriptedDesk, private: bool) -> None:
    desk.contacts = (driver.contact("helper"),)
    (seen,) = await driver.answers(await driver.command("연차는?", private=private))
    call = await driver.escalate(seen)
    assert call.pings == {driver.person_id("helper")}
    await driver.resolve(call, answer="15일입니다.", consent=True)
    assert desk.resolved[0][2:] == ("15일입니다.", True)


async def test_sharing(driver: Driver, desk: ScriptedDesk) -> None:
    (seen,) = await driver.answers(await driver.command("연차는?"))
    shared = await driver.share(seen)
    assert shared is not None
    assert not shared.private
    assert await driver.share(shared) is None


async def test_trouble(driver: Driver, desk: ScriptedDesk) -> None:
    driver.break_posting(2)
    (seen,) = await driver.answers(await driver.mention("연차는?"))
    await driver.drop_connection()
    await driver.answers(await driver.mention("이월은?"))
    assert desk.adapter is not None
    await driver.kill(desk.adapter)
    asking = await driver.mention("죽었을 때 온 질문")
    desk.adapter = driver.adapter(desk)
    await desk.adapter.start()
    await driver.press_thumb(seen, "up")
    assert [vote.direction for vote in desk.votes] == ["up"]
    assert len(await driver.answers(asking)) == 1  # a new session of the gateway gets no old events: they are looked up
