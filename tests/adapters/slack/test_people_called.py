"""Calling a person, their answer, and sharing a private answer."""

from __future__ import annotations

import pytest

from adapters.slack.adapter import SlackAdapter
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import Message, SlackServer
from tests.fakes.slack.people import Person


async def ask(slack: SlackServer, desk: ScriptedDesk, text: str = "연차는?") -> Message:
    sent = await slack.user("U1").mention("C1", text)
    await slack.wait_for(lambda: desk.delivered)
    [found] = slack.final_answers("C1", sent.ts)
    return found


async def test_exactly_the_contacts_are_pinged_with_the_question_made_safe(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call, desk.contacts = True, ("U9", "S1", "nonsense <!channel>")
    answer = await ask(slack, desk, "연차 <!channel> *급함* <@U2> & @here?")
    await slack.user("U1").press(answer, "answer_escalate")
    await slack.wait_for("chat.postMessage")
    call = slack.messages("C1")[-1] if not slack.messages("C1")[-1].ephemeral_to else slack.messages("C1")[-2]
    assert call.thread_ts == answer.thread_ts
    assert {ping.target for ping in slack.pings} == {"@U9", "!subteam^S1"}
    assert "급함" in call.body
    await slack.wait_for(lambda: slack.user("U1").sees("C1"))
    assert slack.user("U1").sees("C1")[-1].text == "담당자를 불렀습니다."
    assert slack.violations == []


async def test_a_contact_resolves_with_an_answer(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call = True
    answer = await ask(slack, desk)
    await slack.user("U1").press(answer, "answer_escalate")
    await slack.wait_for("chat.postMessage")
    [call] = [m for m in slack.messages("C1") if any(e["action_id"] == "escalation_resolve" for _, e in m.elements())]
    stranger, helper = slack.user("U2"), slack.user("U9")
    await stranger.press(call, "escalation_resolve")
    await slack.wait_for(lambda: stranger.modal)
    assert stranger.modal is not None
    await stranger.submit(stranger.modal, {"resolve_answer": "모르겠습니다."})
    await slack.wait_for(lambda: stranger.sees("C1"))
    assert "담당자·관리자·질문하신 분만" in stranger.sees("C1")[-1].text
    await helper.press(call, "escalation_resolve")
    await slack.wait_for(lambda: helper.modal)
    assert helper.modal is not None
    await helper.submit(helper.modal, {"resolve_answer": "15일 <!here> 입니다.", "resolve_consent": ["yes"]})
    await slack.wait_for("chat.update")
    assert [(person, text, consent) for _, person, text, consent in desk.resolved] == [
        ("U9", "15일 <!here> 입니다.", True)
    ]
    assert "<@U9> 님이 해결했습니다." in call.body
    assert "15일" in call.body
    assert [e for _, e in call.elements()] == []
    assert {ping.target for ping in slack.pings} == {"@U9"}
    assert slack.violations == []


@pytest.mark.parametrize(
    ("stands", "seen", "called"),
    [(True, True, True), (False, True, False), (True, False, True)],
    ids=["it stands", "it does not stand", "nobody can look"],
)
async def test_a_call_whose_fate_is_unknown_is_looked_for(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter, *, stands: bool, seen: bool, called: bool
) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call = True
    answer = await ask(slack, desk)
    slack.fault("chat.postMessage", status=503, applied=stands)
    if not seen:
        slack.fault("conversations.replies", status=503)
    kim = slack.user("U1")
    await kim.press(answer, "answer_escalate")
    await slack.wait_for(lambda: kim.sees("C1"))
    assert kim.sees("C1")[-1].text.startswith("담당자를 불렀습니다." if called else "담당자에게 알리지 못했습니다.")
    assert desk.may_call is not called
    assert len(slack.pings) == stands
    assert slack.violations == []


async def test_a_private_call_whose_fate_is_unknown_counts(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call = True
    kim, helper = slack.user("U1"), slack.user("U9")
    await kim.slash("/wiki", "제 연봉은?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    slack.fault("chat.postMessage", drop_connection=True, applied=True)
    await kim.press(kim.sees("C1")[-1], "answer_escalate_quietly")
    await slack.wait_for(lambda: any("담당자" in m.text for m in kim.sees("C1")))
    assert kim.sees("C1")[-1].text == "담당자를 불렀습니다."
    assert len(slack.messages(helper.im)) == 1
    assert list(desk.calls) == ["e000000000000000"]


async def test_nobody_to_call(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    answer = await ask(slack, desk)
    await slack.user("U1").press(answer, "answer_escalate")
    await slack.wait_for(lambda: slack.user("U1").sees("C1"))
    assert "담당자가 정해져 있지 않거나" in slack.user("U1").sees("C1")[-1].text
    assert slack.pings == []


async def test_a_question_asked_in_private_is_shown_to_the_contacts_alone(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call, desk.contacts = True, ("S1",)
    slack.usergroup("S1", ["U9"])
    kim, helper = slack.user("U1"), slack.user("U9")
    await kim.slash("/wiki", "제 연봉은?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    await kim.press(kim.sees("C1")[-1], "answer_escalate_quietly")
    await slack.wait_for(lambda: slack.messages(helper.im))
    assert [m for m in slack.messages("C1") if m.ephemeral_to is None] == []
    [call] = slack.messages(helper.im)
    assert "제 연봉은?" in call.body
    await helper.press(call, "escalation_resolve")
    await slack.wait_for(lambda: helper.modal)
    assert helper.modal is not None
    with pytest.raises(AssertionError, match="is required"):  # or the asker would hear nothing
        await helper.submit(helper.modal, {})
    await helper.submit(helper.modal, {"resolve_answer": "계약서에 있습니다."})
    await slack.wait_for(lambda: any("계약서에 있습니다." in m.body for m in slack.messages(kim.im)))
    assert desk.resolved[0][3] is False
    assert slack.violations == []


async def test_who_comes_too_late_to_a_private_question_hears_it_before_writing(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call, desk.contacts, desk.closers = True, ("S1",), {"U8", "U9"}
    slack.usergroup("S1", ["U8", "U9"])
    kim, first, late = slack.user("U1"), slack.user("U9"), slack.user("U8")
    await kim.slash("/wiki", "제 연봉은?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    await kim.press(kim.sees("C1")[-1], "answer_escalate_quietly")
    await slack.wait_for(lambda: slack.messages(first.im) and slack.messages(late.im))
    [call], [other] = slack.messages(first.im), slack.messages(late.im)
    await first.press(call, "escalation_resolve")
    await slack.wait_for(lambda: first.modal)
    assert first.modal is not None
    await first.submit(first.modal, {"resolve_answer": "계약서에 있습니다."})
    await slack.wait_for(lambda: desk.resolved)
    await late.press(other, "escalation_resolve")
    await slack.wait_for(lambda: "이미 해결" in slack.messages(late.im)[-1].text)
    assert late.modal is None


async def test_where_no_contact_could_be_told_in_private_nobody_was_called(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call, desk.contacts = True, ("S404",)
    kim = slack.user("U1")
    await kim.slash("/wiki", "제 연봉은?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    await kim.press(kim.sees("C1")[-1], "answer_escalate_quietly")
    await slack.wait_for(lambda: "관리자에게 문의해" in kim.sees("C1")[-1].text)
    assert desk.may_call
    assert slack.pings == []


async def privately_answered(slack: SlackServer, desk: ScriptedDesk) -> tuple[Person, Message]:
    """Who asked in private, and the answer that they may share."""
    desk.options = {"can_vote": True, "can_share": True}
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    private = kim.sees("C1")[-1]
    return kim, private


async def test_the_asker_shares_a_private_answer_once(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim, private = await privately_answered(slack, desk)
    await kim.press(private, "answer_share")
    await slack.wait_for("chat.postMessage")
    await slack.wait_for(lambda: desk.kept)
    await kim.press(private, "answer_share")
    await slack.wait_for(lambda: any("이미 채널에 공유한" in m.text for m in kim.sees("C1")))
    [shared] = [m for m in slack.messages("C1") if m.ephemeral_to is None]
    assert "<@U1> 님이 공유한 답변입니다." in shared.body
    assert "연차는 15일입니다." in shared.body
    assert {e["action_id"] for _, e in shared.elements()} == {"answer_feedback"}
    assert slack.violations == []


@pytest.mark.parametrize("thread", [False, True])
async def test_what_was_shared_although_slack_did_not_say_so_is_not_shared_again(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter, *, thread: bool
) -> None:
    desk.options = {"can_vote": True, "can_share": True}
    kim = slack.user("U1")
    root = await kim.say("C1", "휴가 이야기")
    if thread:
        slack.response_urls.life_seconds = 0.0
        await kim.shortcut("ask_from_message", await kim.say("C1", "연차는?", root.ts))
    else:
        await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    private = kim.sees("C1")[-1]
    slack.fault("chat.postMessage", status=503, applied=True)
    for method in ("conversations.replies", "conversations.history"):
        slack.fault(method, status=503)
    await kim.press(private, "answer_share")
    await slack.wait_for(lambda: any("공유하지 못했습니다" in m.text for m in kim.sees("C1")))
    await kim.press(private, "answer_share")
    await slack.wait_for(lambda: any("채널에 공유했습니다." in m.text for m in kim.sees("C1")))
    [shared] = [m for m in slack.messages("C1") if m.ephemeral_to is None and m.by_bot]
    assert desk.also_at == {f"C1:{shared.ts}": "a000000000000001"}
    assert shared.thread_ts == (root.ts if thread else None)
    assert slack.violations == []


async def test_what_was_not_shared_may_be_shared_again(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim, private = await privately_answered(slack, desk)
    slack.fault("chat.postMessage", status=503)
    await kim.press(private, "answer_share")
    await slack.wait_for(lambda: any("공유하지 못했습니다" in m.text for m in kim.sees("C1")))
    await kim.press(private, "answer_share")
    await slack.wait_for(lambda: any("채널에 공유했습니다." in m.text for m in kim.sees("C1")))
    assert len([m for m in slack.messages("C1") if m.ephemeral_to is None]) == 1


async def test_what_may_not_be_shared_is_not(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    desk.options = {"can_vote": True, "can_share": True}
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    desk.replies.clear()
    await kim.press(kim.sees("C1")[-1], "answer_share")
    await slack.wait_for(lambda: any("공유할 수 없습니다" in m.text for m in kim.sees("C1")))
    assert [m for m in slack.messages("C1") if m.ephemeral_to is None] == []


async def test_sharing_says_whether_outsiders_read_there_by_now(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_share": True}
    slack.channel("C2", members=["U1"], ext_shared=True)
    kim = slack.user("U1")
    for number, channel in enumerate(("C1", "C2"), start=1):
        await kim.slash("/wiki", "연차는?", channel)
        await slack.wait_for(lambda: len(desk.delivered) == number)  # noqa: B023
        await kim.press(kim.sees(channel)[-1], "answer_share")
        await slack.wait_for(lambda: len(desk.shared_outside) == number)  # noqa: B023
    assert desk.shared_outside == [False, True]


async def test_a_private_answer_that_came_as_a_direct_message_cannot_be_shared_into_it(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    desk.options = {"can_vote": True, "can_share": True}
    kim = slack.user("U1")
    slack.response_urls.life_seconds = 0.0
    slack.fault("chat.postEphemeral", error="user_not_in_channel", times=9)
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)
    [direct] = [m for m in slack.messages(kim.im) if "연차는 15일입니다." in m.body]
    assert {e["action_id"] for _, e in direct.elements()} == {"answer_feedback"}


async def test_sharing_where_the_bot_is_no_member_says_what_to_do(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    slack.channel("C3", members=["U1"], bot=False)
    desk.options = {"can_vote": True, "can_share": True}
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C3")
    await slack.wait_for(lambda: desk.delivered)
    await kim.press(kim.sees("C3")[-1], "answer_share")
    await slack.wait_for(lambda: any("앱을 초대한 뒤" in m.text for m in kim.sees("C3")))
    assert desk.kept == {}
