"""Every way to ask, over real sockets: what reaches the desk, and what the person sees."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.slack import asking
from adapters.slack.adapter import SlackAdapter
from bot.conversation import Listen, PlaceSettings, Receipt
from tests.adapters.slack.conftest import running
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer


async def test_a_mention_is_answered_in_its_thread(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    sent = await kim.mention("C1", "연차는 며칠인가요?")
    assert sent.acked
    await slack.wait_for("chat.stopStream")
    await desk.settled()
    [asked] = desk.asked
    assert asked.text == "연차는 며칠인가요?"
    assert asked.keys == (f"slack:event:{sent.payload['event_id']}", f"slack:message:T0TEAM:C1:{sent.ts}")
    assert (asked.place.id, asked.place.kind, asked.place.server) == ("C1", "channel", "T0TEAM")
    assert (asked.place.thread, asked.place.external, asked.private) == (sent.ts, False, False)
    assert (asked.person.key, asked.person.email, asked.person.guest) == ("slack:U1", "kim@example.com", False)
    [found] = slack.final_answers("C1", sent.ts)
    assert found.text == "연차는 15일입니다. [1] 신청은 인사 시스템에서 합니다. [2]"
    assert "<https://wiki.example.com/hr/leave|연차 규정 &gt; 일수>" in found.body
    assert "hr/how.md" in found.body.replace("\u200a", "")  # the path must not become a link by itself
    assert "AI가 생성한 답변입니다." in found.body
    assert found.metadata == {
        "event_type": "saseo_answer",
        "event_payload": {"question_id": "000000000001", "answer_id": "a000000000000001"},
    }
    assert desk.delivered == {"000000000001": f"C1:{found.ts}"}
    assert slack.status("C1", sent.ts) == ""
    assert desk.drafts["000000000001"] == [f"C1:{found.ts}"]
    assert slack.violations == []


async def test_a_direct_message_is_private_and_answered_in_a_thread(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    sent = await kim.direct("VPN이 <안> 됩니다 & 급합니다")
    await slack.wait_for("chat.stopStream")
    await desk.settled()
    [asked] = desk.asked
    assert asked.text == "VPN이 <안> 됩니다 & 급합니다"
    assert (asked.place.kind, asked.private) == ("direct", True)
    assert len(slack.final_answers(kim.im, sent.ts)) == 1
    assert slack.violations == []


async def test_a_follow_up_brings_what_people_said_before(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim, lee = slack.user("U1"), slack.user("U2")
    first = await kim.mention("C1", "연차는 며칠인가요?")
    await slack.wait_for("chat.stopStream")
    await desk.settled()
    await lee.say("C1", "저도 궁금합니다", first.ts)
    await lee.mention("C1", "반차는요?", first.ts)
    await slack.wait_for("chat.stopStream", count=2)
    await desk.settled()
    assert desk.asked[1].text == "반차는요?"
    assert desk.asked[1].turns == ("연차는 며칠인가요?", "저도 궁금합니다")
    assert desk.asked[1].place.conversation == desk.asked[0].place.conversation


async def test_a_command_is_answered_to_the_asker_alone(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_share": True}
    kim = slack.user("U1")
    sent = await kim.slash("/wiki", "연차는 며칠인가요?", "C1")
    assert sent.acked
    assert not sent.response
    await slack.wait_for(lambda: desk.delivered)
    [asked] = desk.asked
    assert (asked.text, asked.private, asked.place.kind) == ("연차는 며칠인가요?", True, "channel")
    shown = kim.sees("C1")
    assert "연차는 15일입니다." in shown[-1].body
    assert {element["action_id"] for _, element in shown[-1].elements()} == {"answer_feedback", "answer_share"}
    assert [m for m in slack.messages("C1") if m.ephemeral_to is None] == []
    assert slack.user("U2").sees("C1") == []
    assert slack.violations == []


async def test_a_command_where_the_bot_is_no_member_is_answered_and_counts_as_read_by_outsiders(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.channel("G1", "private", bot=False)
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "G1")
    await slack.wait_for(lambda: desk.delivered)
    assert desk.asked[0].place.external
    assert "연차는 15일입니다." in kim.sees("G1")[-1].body


async def test_the_same_command_twice_is_two_questions_but_redelivered_it_is_one(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    first = await kim.slash("/wiki", "연차는?", "C1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.postman.deliver("slash_commands", first.payload)
    await slack.wait_for(lambda: len(desk.delivered) == 2 and len(desk.receipts) == 3)
    assert desk.receipts == [Receipt.ACCEPTED, Receipt.ACCEPTED, Receipt.DUPLICATE]
    assert desk.asked[0].keys[0].startswith("slack:interaction:")


async def test_the_shortcut_asks_with_somebodys_message(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim, lee = slack.user("U1"), slack.user("U2")
    sent = await lee.say("C1", "출장비는 어떻게 정산하나요?")
    desk.hold_status.clear()
    assert (await kim.shortcut("ask_from_message", sent)).acked
    await slack.wait_for(lambda: kim.sees("C1"))
    desk.hold_status.set()
    await slack.wait_for(lambda: desk.delivered)
    assert sent.message is not None
    assert sent.message.text == "출장비는 어떻게 정산하나요?"
    [asked] = desk.asked
    assert (asked.text, asked.private, asked.person.id) == ("출장비는 어떻게 정산하나요?", True, "U1")
    assert "연차는 15일입니다." in kim.sees("C1")[-1].body
    assert lee.sees("C1") == []
    assert slack.violations == []


async def test_edits_deletions_and_other_bots_are_acknowledged_and_ignored(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen="all")
    kim = slack.user("U1")
    sent = await kim.mention("C1", "연차는?")
    await slack.wait_for("chat.stopStream")
    await desk.settled()
    assert (await kim.edit(sent, "연차가 며칠이죠?")).acked
    assert (await kim.delete(sent)).acked
    assert (await slack.another_bot_says("C1", f"<@{slack.bot_user}> 연차는?")).acked
    assert len(desk.asked) == 1
    assert all(ack.attempt == 0 and not ack.late for ack in slack.acks)


async def test_an_event_that_nobody_handles_is_acknowledged(slack: SlackServer, adapter: SlackAdapter) -> None:
    sent = await slack.office.events([{"type": "channel_rename", "channel": {"id": "C1", "name": "x"}}], None)
    assert sent.acked
    assert [ack.attempt for ack in slack.acks] == [0]


async def test_one_message_that_arrives_as_two_events_and_twice_is_answered_once(
    slack: SlackServer, desk: ScriptedDesk
) -> None:
    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen="all")
    async with running(slack, desk, connections=2):
        sent = await slack.user("U1").mention("C1", "연차는?", copies=2)
        await slack.wait_for("chat.stopStream")
        await slack.send_again(sent)
        await desk.settled()
        assert len(desk.asked) == 1
        assert Receipt.DUPLICATE in desk.receipts
        assert len(slack.final_answers("C1", sent.ts)) == 1


async def test_threads_are_listened_to_only_where_the_bot_takes_part(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen="threads")
    kim, lee = slack.user("U1"), slack.user("U2")
    await kim.say("C1", "점심 뭐 먹죠?")
    other = await kim.say("C1", "회의 몇 시죠?")
    await lee.say("C1", "세 시요", other.ts)
    first = await kim.mention("C1", "연차는?")
    await slack.wait_for("chat.stopStream")
    await desk.settled()
    await lee.say("C1", "반차는요?", first.ts)
    await slack.wait_for("chat.stopStream", count=2)
    assert [asked.text for asked in desk.asked] == ["연차는?", "반차는요?"]
    desk.settings = replace(desk.settings, listen="mention")
    sent = await lee.say("C1", "고맙습니다", first.ts)
    assert sent.acked
    await adapter.drained(5)
    assert len(desk.asked) == 2


@pytest.mark.parametrize("listen", ["threads", "all"])
@pytest.mark.parametrize("trouble", [{"delay": 1.0}, {"status": 429, "retry_after": 1}])
async def test_a_thread_that_cannot_be_read_at_once_is_read_later(
    slack: SlackServer,
    desk: ScriptedDesk,
    adapter: SlackAdapter,
    monkeypatch: pytest.MonkeyPatch,
    listen: Listen,
    trouble: dict[str, Any],
) -> None:
    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen=listen)
    monkeypatch.setattr(asking, "_THREAD_SECONDS", 0.3)
    kim, lee = slack.user("U1"), slack.user("U2")
    first = await kim.mention("C1", "연차는?")
    await slack.wait_for("chat.stopStream")
    await desk.settled()
    slack.fault("conversations.replies", **trouble)
    await lee.say("C1", "반차는요?", first.ts)
    await slack.wait_for(lambda: len(desk.asked) == 2)
    assert desk.asked[1].text == "반차는요?"
    assert desk.asked[1].turns == ("연차는?",)


async def test_everything_is_a_question_where_all_is_listened_to(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen="all")
    await slack.user("U1").say("C1", "넵 감사합니다!")  # between people
    await slack.user("U1").say("C1", "연차는 며칠이죠?")
    await slack.wait_for("chat.stopStream")
    assert [asked.text for asked in desk.asked] == ["연차는 며칠이죠?"]


async def test_outsiders_are_known_as_such(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    slack.channel("C2", members=["U1"], ext_shared=True)
    await slack.user("U1").mention("C2", "연차는?")
    await slack.user("U3", is_stranger=True).mention("C2", "연차는?")
    await slack.user("U4", is_restricted=True).mention("C1", "연차는?")
    await slack.user("U1").slash("/wiki", "연차는?", "C2")
    await slack.wait_for(lambda: len(desk.asked) == 4)
    assert [(a.person.id, a.place.external, a.person.guest) for a in desk.asked] == [
        ("U1", True, False),
        ("U3", True, True),
        ("U4", False, True),
        ("U1", True, False),
    ]


async def test_user_groups_are_roles_and_lookups_are_cached(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.usergroup("S1", ["U1"])
    for text in ("하나?", "둘?"):
        await slack.user("U1").mention("C1", text)
    await slack.wait_for(lambda: len(desk.asked) == 2)
    assert [asked.person.roles for asked in desk.asked] == [frozenset({"S1"})] * 2
    assert all(asked.person.roles_known for asked in desk.asked)
    assert len(slack.calls_of("users.info")) == 1
    assert len(slack.calls_of("usergroups.list")) == 1


async def test_missing_scopes_are_not_fatal(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    slack.withhold("users:read", "usergroups:read", "channels:history", "channels:read", "groups:read", "im:read")
    kim = slack.user("U1")
    first = await kim.mention("C1", "연차는?")
    await kim.mention("C1", "반차는?", first.ts)
    await slack.wait_for(lambda: len(desk.delivered) == 2)
    assert [(a.person.email, a.person.roles, a.turns) for a in desk.asked] == [("", frozenset(), ())] * 2
    assert [(a.person.guest, a.person.roles_known) for a in desk.asked] == [(True, False)] * 2  # for all that is known
    assert len(slack.calls_of("users.info")) == 1
    assert slack.violations == []


async def test_a_slow_lookup_does_not_hold_a_question_up(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.fault("users.info", delay=30)
    await slack.user("U1").mention("C1", "연차는?")
    async with asyncio.timeout(40):
        await slack.wait_for(lambda: desk.asked)
    assert desk.asked[0].person.email == ""


async def test_a_picture_in_a_channel_that_is_listened_to_is_no_question(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen="all")
    kim = slack.user("U1")
    await kim.say("C1", "", subtype="file_share")
    await kim.say("C1", "<@U2>")
    await kim.say("C1", "연차는 며칠이죠?")
    await slack.wait_for("chat.stopStream")
    assert [asked.text for asked in desk.asked] == ["연차는 며칠이죠?"]
    await kim.mention("C1", "")
    await slack.wait_for(lambda: len(desk.asked) == 2)  # who addresses the bot is told to type something


async def test_a_conversation_without_its_scope_closes_no_other(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.channel("G7", "mpim", bot=False)
    slack.fault("conversations.info", error="missing_scope")  # `mpim:read` is not asked for
    kim = slack.user("U1")
    for channel in ("G7", "C1", "G7"):
        await kim.slash("/wiki", f"{channel}에서 연차는?", channel)
        await slack.wait_for(lambda: len(desk.delivered) == len(desk.asked) > 0)
    await slack.wait_for(lambda: len(desk.delivered) == 3)
    assert {a.place.id: a.place.external for a in desk.asked} == {"G7": True, "C1": False}
    assert len(slack.calls_of("conversations.info")) == 2


async def test_a_burst_of_questions_shares_its_lookups_and_a_slow_one_helps_the_next(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.usergroup("S1", ["U1", "U2"])
    slack.fault("usergroups.list", delay=2.5)
    await asyncio.gather(*(slack.user(user).mention("C1", "연차는?") for user in ("U1", "U2", "U1", "U2")))
    await slack.wait_for(lambda: len(desk.asked) == 4)
    assert {asked.person.roles for asked in desk.asked} == {frozenset()}
    await slack.wait_for(lambda: slack.calls_of("usergroups.list")[0].answered)
    await asyncio.sleep(0.2)
    await slack.user("U1").mention("C1", "반차는?")
    await slack.wait_for(lambda: len(desk.asked) == 5)
    assert desk.asked[4].person.roles == {"S1"}
    assert len(slack.calls_of("usergroups.list")) == 1
    assert len(slack.calls_of("users.info")) == 2


async def test_where_threads_are_listened_to_people_may_talk_to_one_another(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen="threads")
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call = True
    kim, helper = slack.user("U1"), slack.user("U9")
    sent = await kim.mention("C1", "연차는?")
    await desk.settled()
    await slack.wait_for("chat.stopStream")
    await kim.say("C1", "<@U9> 이 답이 맞나요?", sent.ts)
    answered = next(m for m in slack.thread("C1", sent.ts) if m.by_bot)
    await kim.press(answered, "answer_escalate")
    await slack.wait_for(lambda: slack.pings)
    await helper.say("C1", "네, 그런데 올해부터 16일입니다.", sent.ts)
    call = next(
        m for m in slack.thread("C1", sent.ts) if any(e["action_id"] == "escalation_resolve" for _, e in m.elements())
    )
    await helper.press(call, "escalation_resolve")
    await slack.wait_for(lambda: helper.modal)
    assert helper.modal is not None
    await helper.submit(helper.modal, {"resolve_answer": "16일입니다."})
    await slack.wait_for(lambda: desk.resolved)
    await slack.wait_for("chat.update")
    await kim.say("C1", "반차는요?", sent.ts)
    await slack.wait_for(lambda: len(desk.asked) == 2)
    assert [asked.text for asked in desk.asked] == ["연차는?", "반차는요?"]


async def test_a_question_that_breaks_down_is_not_met_with_silence(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> Receipt:
        raise RuntimeError("연차 비밀")

    slack.subscriptions.add("message.channels")
    desk.settings = PlaceSettings(listen="all")
    desk.ask = broken  # type: ignore[assignment, method-assign]
    kim = slack.user("U1")
    sent = await kim.mention("C1", "연차는?")
    await slack.wait_for(lambda: kim.sees("C1"))
    [told] = kim.sees("C1")
    assert told.thread_ts == sent.ts
    assert "문제가 생겼습니다" in told.text
    reference = told.text.rpartition(" ")[2].rstrip(")")
    assert f'"id": "{reference}"' in caplog.text
    assert "연차 비밀" not in caplog.text
    await kim.direct("연차는?")
    await slack.wait_for(lambda: kim.sees(kim.im))
    await kim.say("C1", "점심은?")
    await adapter.drained(5.0)
    assert len(kim.sees("C1")) == 1, "who did not speak to the bot is not bothered"
