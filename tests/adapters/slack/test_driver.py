"""The conformance suite's driver sees and does what it says, against a desk without a store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.conversation import Receipt
from tests.adapters.slack.desk import ScriptedDesk
from tests.conformance.slack_driver import SlackDriver


@pytest.fixture
async def driver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackDriver]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = SlackDriver()
    await made.open()
    yield made
    await made.close()


async def start(driver: SlackDriver, desk: ScriptedDesk) -> None:
    desk.adapter = driver.adapter(desk)
    desk.contacts = (driver.contact("helper"),)
    desk.closers = {driver.person_id("helper")}
    await desk.adapter.start()


async def test_asking_in_every_way(driver: SlackDriver, desk: ScriptedDesk) -> None:
    await start(driver, desk)
    askings = []
    for ask in (
        lambda: driver.mention("하나?"),
        lambda: driver.mention("둘?", person="guest", outside=True),
        lambda: driver.direct("셋?"),
        lambda: driver.command("넷?"),
        lambda: driver.menu("다섯?"),
    ):
        asking = await ask()
        askings.append(asking)
        [seen] = await driver.answers(asking)
        assert "연차는 15일입니다." in seen.text
        assert seen.private == asking.private
        assert seen.can_vote
        first, acked = await driver.signs(asking)
        assert 0 <= acked < 3
        assert 0 <= first < 5
    assert [asked.text for asked in desk.asked] == ["하나?", "둘?", "셋?", "넷?", "다섯?"]
    assert desk.asked[1].person.guest
    follow = await driver.follow_up(askings[0], "여섯?", person="lee")
    await driver.answers(follow)
    assert desk.asked[-1].turns == ("하나?",)
    await driver.deliver_again(askings[0])
    await driver.deliver_again(askings[3])
    assert desk.receipts[-2:] == [Receipt.DUPLICATE] * 2
    await driver.edit_and_delete(askings[2])
    assert len(desk.asked) == 6
    assert driver.violations() == []


async def test_acting_on_an_answer(driver: SlackDriver, desk: ScriptedDesk) -> None:
    desk.options = {"can_vote": True, "can_escalate": True, "can_share": True}
    desk.may_call = True
    await start(driver, desk)
    [seen] = await driver.answers(await driver.mention("하나?"))
    assert seen.links == {"https://wiki.example.com/hr/leave"}
    await driver.press_thumb(seen, "down")
    await driver.explain(seen, reason="틀림", correction="16일")
    await driver.react(seen, "up", person="lee", skin_tone=True)
    await driver.unreact(seen, "up", person="lee", skin_tone=True)
    assert [(v.direction, v.withdrawn) for v in desk.votes] == [("down", None), ("up", None), (None, "up")]
    assert desk.explained[0][2:] == ("틀림", "16일")
    call = await driver.escalate(seen)
    assert call.pings == {driver.person_id("helper")}
    await driver.resolve(call, answer="15일", consent=True)
    assert desk.resolved[0][2:] == ("15일", True)
    [private] = await driver.answers(await driver.command("둘?"))
    shared = await driver.share(private)
    assert shared is not None
    assert not shared.private
    assert await driver.share(private) is None


async def test_trouble(driver: SlackDriver, desk: ScriptedDesk) -> None:
    await start(driver, desk)
    driver.break_posting(1)
    [seen] = await driver.answers(await driver.mention("하나?"))
    assert seen.text.count("연차는 15일입니다.") == 1
    await driver.drop_connection()
    await driver.answers(await driver.mention("둘?"))
    assert desk.adapter is not None
    desk.hold_finish.clear()
    asking = await driver.mention("셋?")
    await driver.slack.wait_for(lambda: len(desk.asked) == 3)
    await driver.kill(desk.adapter)
    desk.hold_finish.set()
    await desk.settled()
    await start(driver, desk)
    question = list(desk.questions)[-1]
    draft = (desk.drafts.get(question) or [""])[-1]
    assert await desk.delivery(question, draft).find() is None
    await desk.deliver(question)
    [seen] = await driver.answers(asking)
    assert len([m for m in driver.slack.thread(asking.raw.channel, asking.raw.root) if m.by_bot]) == 1
