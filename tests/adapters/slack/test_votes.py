"""Thumbs by button and by reaction, and the form that asks why."""

from __future__ import annotations

import pytest

from adapters.slack import events
from adapters.slack.adapter import SlackAdapter
from bot.conversation import Vote
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import Message, SlackServer

ANSWER = "a000000000000001"


@pytest.fixture
async def answered(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> Message:
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.delivered)
    [found] = slack.final_answers("C1", sent.ts)
    return found


async def test_a_thumb_up_is_stored_and_thanked_for_in_private(
    slack: SlackServer, desk: ScriptedDesk, answered: Message
) -> None:
    lee = slack.user("U2")
    assert (await lee.press(answered, "answer_feedback", "up")).acked
    await slack.wait_for(lambda: lee.sees("C1"))
    assert [(v.answer_id, v.person.key, v.direction, v.via) for v in desk.votes] == [
        (ANSWER, "slack:U2", "up", "button")
    ]
    [thanks] = lee.sees("C1")
    assert thanks.text == "의견 고맙습니다."
    assert thanks.thread_ts == answered.thread_ts
    assert lee.modal is None
    assert slack.violations == []


async def test_a_thumb_down_asks_why_first_and_then_votes(
    slack: SlackServer, desk: ScriptedDesk, answered: Message
) -> None:
    desk.may_call = True
    kim = slack.user("U1")
    await kim.press(answered, "answer_feedback", "down")
    await slack.wait_for(lambda: kim.modal and desk.votes and kim.sees("C1"))
    assert slack.calls_of("views.open")[0].time < slack.calls_of("chat.postEphemeral")[0].time
    assert desk.votes[0].direction == "down"
    [offer] = kim.sees("C1")
    assert [element["action_id"] for _, element in offer.elements()] == ["answer_escalate"]
    assert kim.modal is not None
    assert "U1" not in kim.modal.body["private_metadata"]
    assert "http" not in kim.modal.body["private_metadata"]
    await kim.submit(
        kim.modal, {"why_reason": "outdated", "why_text": "작년 규정입니다.", "why_correction": "16일입니다."}
    )
    await slack.wait_for(lambda: desk.explained)
    assert desk.explained == [(ANSWER, "U1", "outdated: 작년 규정입니다.", "16일입니다.")]
    await slack.wait_for(lambda: len(kim.sees("C1")) == 2)
    assert "자세한 의견 고맙습니다." in kim.sees("C1")[1].text
    assert slack.violations == []


async def test_the_form_may_be_sent_empty(slack: SlackServer, desk: ScriptedDesk, answered: Message) -> None:
    kim = slack.user("U1")
    await kim.press(answered, "answer_feedback", "down")
    await slack.wait_for(lambda: kim.modal)
    assert kim.modal is not None
    await kim.submit(kim.modal, {})
    await slack.wait_for(lambda: desk.explained)
    assert desk.explained == [(ANSWER, "U1", "", "")]


async def test_a_changed_mind_is_two_votes_of_one_person(
    slack: SlackServer, desk: ScriptedDesk, answered: Message
) -> None:
    kim = slack.user("U1")
    await kim.press(answered, "answer_feedback", "up")
    await kim.press(answered, "answer_feedback", "down")
    await slack.wait_for(lambda: len(desk.votes) == 2)
    assert sorted(str(vote.direction) for vote in desk.votes) == ["down", "up"]


async def test_a_vote_counts_although_the_form_cannot_open(
    slack: SlackServer, desk: ScriptedDesk, answered: Message
) -> None:
    slack.fault("views.open", error="expired_trigger_id")
    await slack.user("U1").press(answered, "answer_feedback", "down")
    await slack.wait_for(lambda: desk.votes)
    assert desk.votes[0].direction == "down"


@pytest.mark.parametrize("value", ["", "x:up", f"{ANSWER}:sideways", f"{ANSWER}:up\n", "' OR 1=1 --:up", "A" * 2000])
async def test_a_forged_value_reaches_nothing(
    slack: SlackServer, desk: ScriptedDesk, answered: Message, adapter: SlackAdapter, value: str
) -> None:
    [element] = [element for _, element in answered.elements() if element["action_id"] == "answer_feedback"]
    element["positive_button"]["value"] = value
    assert (await slack.user("U1").press(answered, "answer_feedback", value)).acked
    await adapter.drained(5)
    assert desk.votes == []


@pytest.mark.parametrize(
    ("name", "direction"),
    [("+1", "up"), ("thumbsup", "up"), ("-1", "down"), ("thumbsdown", "down")]
    + [(f"+1::skin-tone-{tone}", "up") for tone in range(2, 7)]
    + [(f"-1::skin-tone-{tone}", "down") for tone in range(2, 7)]
    + [("tada", None), ("+100", None), ("eyes", None)],
)
def test_names_of_reactions(name: str, direction: str | None) -> None:
    assert events.thumb(name) == direction


async def test_reactions_are_votes_and_taking_them_away_withdraws(
    slack: SlackServer, desk: ScriptedDesk, answered: Message
) -> None:
    lee = slack.user("U2")
    await lee.react(answered, "+1::skin-tone-3", copies=2)
    await lee.react(answered, "tada")
    await lee.unreact(answered, "+1::skin-tone-3")
    await slack.wait_for(lambda: len(desk.votes) == 3)
    assert {vote.person.key for vote in desk.votes} == {"slack:U2"}
    assert desk.votes[:2] == [Vote(ANSWER, desk.votes[0].person, "up", "reaction")] * 2
    assert (desk.votes[2].direction, desk.votes[2].withdrawn, desk.votes[2].via) == (None, "up", "reaction")


async def test_reactions_to_other_messages_and_the_bots_own_do_not_count(
    slack: SlackServer, desk: ScriptedDesk, answered: Message, adapter: SlackAdapter
) -> None:
    lee = slack.user("U2")
    other = await lee.say("C1", "점심 뭐 먹죠?")
    assert (await lee.react(other, "+1")).acked
    await adapter.drained(5)
    assert desk.votes == []
