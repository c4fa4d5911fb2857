"""The fake Slack, driven by the real slack_bolt and slack_sdk: what people do. A fake that is not tested will lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.fakes.slack import SlackServer
from tests.fakes.slack.sample_bot import FEEDBACK, MODAL, Bot, running


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with SlackServer() as server:
        server.channel("C1", members=["U1"])
        server.user("U1", email="alice@example.com")
        yield server


@pytest.fixture
async def bot(slack: SlackServer) -> AsyncIterator[Bot]:
    async with running(slack) as made:
        yield made


@pytest.fixture
def client(slack: SlackServer) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_base_url)


async def test_a_mention_is_answered_by_a_stream_and_voted_on(slack: SlackServer, bot: Bot) -> None:
    alice = slack.user("U1")
    sent = await alice.mention("C1", "연차는 <며칠>인가요?")
    assert sent.acked
    assert bot.of("app_mention")[0]["event"]["text"] == f"<@{slack.bot_user}> 연차는 &lt;며칠&gt;인가요?"
    await slack.wait_for("chat.stopStream")
    [answer] = slack.final_answers("C1", sent.ts)
    assert answer.text == "연차는 15일입니다. [1]"
    assert answer.metadata == {"event_type": "wiki_answer", "event_payload": {"answer_id": "a1"}}
    assert slack.thread("C1", sent.ts) == [sent.message, answer]
    pressed = await alice.press(answer, "answer_feedback", "down")
    assert pressed.acked
    await slack.wait_for(lambda: alice.modal)
    assert bot.of("pressed")[0]["actions"][0]["type"] == "feedback_buttons"
    assert bot.of("pressed")[0]["container"]["is_ephemeral"] is False
    assert alice.modal is not None
    refused = await alice.submit(alice.modal, {"reason": "짧음"})
    assert refused.response == {"response_action": "errors", "errors": {"reason": "조금 더 적어 주십시오."}}
    assert alice.modal is not None
    await alice.submit(alice.modal, {"text": "표가 옛날 것입니다."})
    assert alice.modal is None
    assert slack.violations == []


async def test_a_direct_message_and_home(slack: SlackServer, bot: Bot, client: AsyncWebClient) -> None:
    alice = slack.user("U1")
    sent = await alice.direct("VPN이 안 됩니다")
    [body] = bot.of("message")
    assert (body["event"]["channel"], body["event"]["channel_type"]) == (alice.im, "im")
    stream = await client.chat_startStream(channel=alice.im, thread_ts=sent.ts, markdown_text="**답**")
    await client.chat_stopStream(channel=alice.im, ts=stream["ts"])
    assert [m.text for m in slack.messages(alice.im)] == ["**답**"]
    await alice.open_home("messages")
    assert bot.of("app_home_opened")[0]["event"]["tab"] == "messages"
    prompts = [{"title": "연차", "message": "연차는 며칠인가요?"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=alice.im, prompts=prompts)
    assert slack.assistant.prompts[alice.im] == prompts
    await client.views_publish(user_id="U1", view={"type": "home", "blocks": [{"type": "divider"}]})
    assert alice.home is not None
    await alice.open_home("home")
    assert bot.of("app_home_opened")[1]["event"]["view"]["id"] == alice.home.id


async def test_a_slash_command_outside_the_bots_channels(slack: SlackServer, bot: Bot, client: AsyncWebClient) -> None:
    slack.channel("G1", "private", bot=False)
    alice = slack.user("U1")
    sent = await alice.slash("/wiki", "연봉 & 성과급", "G1")
    assert sent.acked
    [body] = bot.of("command")
    assert body["text"] == "연봉 &amp; 성과급"
    await slack.wait_for(lambda: alice.sees("G1"))
    assert alice.sees("G1")[0].text == "찾는 중…"
    assert slack.user("U2").sees("G1") == []
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.chat_postMessage(channel="G1", text="안녕하십니까")


async def test_a_response_url_serves_five_times(slack: SlackServer, bot: Bot) -> None:
    alice = slack.user("U1")
    await alice.slash("/wiki", "연차", "C1")
    url = bot.of("command")[0]["response_url"]
    await slack.wait_for("response_url", count=1)
    webhook = AsyncWebhookClient(url)
    for _ in range(4):
        assert (await webhook.send(text="하나 더")).status_code == 200
    assert (await webhook.send(text="여섯째")).status_code == 404
    assert slack.calls[-1].error == "used_url"
    assert len(alice.sees("C1")) == 5


async def test_a_response_url_replaces_and_removes_the_message_it_came_from(
    slack: SlackServer, bot: Bot, client: AsyncWebClient
) -> None:
    alice = slack.user("U1")
    button = {
        "type": "button",
        "action_id": "button_share",
        "text": {"type": "plain_text", "text": "채널에 공유"},
        "value": "a1",
    }
    block = {"type": "actions", "elements": [button]}
    await client.chat_postEphemeral(channel="C1", user="U1", text="답", blocks=[block])
    [private] = alice.sees("C1")
    await alice.press(private, "button_share")
    [body] = bot.of("block_actions")
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    assert body["actions"][0]["value"] == "a1"
    webhook = AsyncWebhookClient(body["response_url"])
    await webhook.send(text="공유했습니다.", replace_original=True)
    assert alice.sees("C1") == [private]
    assert private.text == "공유했습니다."
    await webhook.send(delete_original=True)
    assert alice.sees("C1") == []
    assert slack.violations == []


async def test_shortcuts_reactions_and_edits_reach_the_bot(
    slack: SlackServer, bot: Bot, client: AsyncWebClient
) -> None:
    slack.subscriptions.add("message.channels")
    alice = slack.user("U1")
    sent = await alice.say("C1", "회의실 예약은 어떻게 합니까?")
    assert [body["event"]["channel_type"] for body in bot.of("message")] == ["channel"]
    assert (await alice.shortcut("ask_from_message", sent)).acked
    assert bot.of("message_action")[0]["message"]["text"] == "회의실 예약은 어떻게 합니까?"
    await alice.edit(sent, "회의실은요?")
    changed = bot.of("message")[1]["event"]
    assert (changed["subtype"], changed["message"]["text"]) == ("message_changed", "회의실은요?")
    await alice.delete(sent)
    assert bot.of("message")[2]["event"]["deleted_ts"] == sent.ts
    posted = await client.chat_postMessage(channel="C1", text="답")
    answer = slack.workspace.find("C1", posted["ts"])
    assert answer is not None
    await alice.react(answer, "+1::skin-tone-3")
    assert bot.of("reaction_added")[0]["event"]["item"] == {"type": "message", "channel": "C1", "ts": answer.ts}
    await alice.unreact(answer, "+1::skin-tone-3")
    assert bot.of("reaction_removed")[0]["event"]["reaction"] == "+1::skin-tone-3"
    assert answer.reactions == {}


async def test_a_mention_comes_twice_where_the_app_hears_the_channel(slack: SlackServer, bot: Bot) -> None:
    slack.subscriptions.add("message.channels")
    sent = await slack.user("U1").mention("C1", "연차는?")
    assert bot.of("message")[0]["event"]["ts"] == bot.of("app_mention")[0]["event"]["ts"] == sent.ts
    assert bot.of("message")[0]["event_id"] != bot.of("app_mention")[0]["event_id"]


async def test_the_bots_own_messages_come_back(slack: SlackServer, bot: Bot, client: AsyncWebClient) -> None:
    slack.subscriptions.add("message.channels")
    posted = await client.chat_postMessage(channel="C1", text="답")
    await slack.wait_for(lambda: [ack for ack in slack.acks if ack.name == "message"])
    assert bot.heard == []  # bolt drops what the bot itself wrote, and acknowledges it
    await client.chat_update(channel="C1", ts=posted["ts"], text="고친 답")
    await slack.wait_for(lambda: len([ack for ack in slack.acks if ack.name == "message"]) == 2)
    assert bot.heard == []


async def test_what_a_person_cannot_do_fails_the_test(slack: SlackServer, client: AsyncWebClient) -> None:
    alice, bora = slack.user("U1"), slack.user("U2")
    posted = await client.chat_postMessage(channel="C1", text="답")
    answer = slack.workspace.find("C1", posted["ts"])
    assert answer is not None
    with pytest.raises(AssertionError, match="nothing to press"):
        await alice.press(answer, "answer_feedback")
    await client.chat_postEphemeral(channel="C1", user="U1", text="비밀", blocks=[FEEDBACK])
    with pytest.raises(AssertionError, match="somebody else's"):
        await bora.press(alice.sees("C1")[0], "answer_feedback", "up")
    await client.views_open(trigger_id=slack.office.trigger("U1"), view=MODAL)
    assert alice.modal is not None
    with pytest.raises(AssertionError, match="is required"):
        await alice.submit(alice.modal, {})
    with pytest.raises(AssertionError, match="the modal has no"):
        await alice.submit(alice.modal, {"text": "이유", "other": "x"})


async def test_modals_change_as_the_bot_answers(slack: SlackServer) -> None:
    alice = slack.user("U1")
    answers: list[dict[str, Any]] = []
    async with scripted(slack, answers) as client:
        await client.views_open(trigger_id=slack.office.trigger("U1"), view=MODAL | {"external_id": "first"})
        first = alice.modal
        assert first is not None
        await client.views_update(external_id="first", view=MODAL | {"private_metadata": "둘째"})
        assert first.body["private_metadata"] == "둘째"
        answers.append({"response_action": "push", "view": MODAL | {"callback_id": "above"}})
        await alice.submit(first, {"text": "이유"})
        above = alice.modal
        assert above is not None
        assert (above.body["callback_id"], above.previous) == ("above", first.id)
        answers.append({"response_action": "update", "view": MODAL | {"callback_id": "changed"}})
        await alice.submit(above, {"text": "이유"})
        assert above.body["callback_id"] == "changed"
        answers.append({"response_action": "errors", "errors": {"nowhere": "없는 칸"}})
        await alice.submit(above, {"text": "이유"})
        assert [(v.where, v.code) for v in slack.violations] == [("view_submission", "invalid_errors")]
        answers.append({"response_action": "clear"})
        await alice.submit(above, {"text": "이유"})
        assert alice.modal is None
        await client.views_open(trigger_id=slack.office.trigger("U1"), view=MODAL | {"notify_on_close": True})
        assert alice.modal is not None
        answers.append({})
        assert (await alice.close_modal(alice.modal)).acked
        assert answers == []


async def test_people_and_bots_from_outside(slack: SlackServer, bot: Bot) -> None:
    slack.subscriptions |= {"message.channels"}
    slack.channel("C2", ext_shared=True)
    stranger = slack.user("U9", is_stranger=True)
    await stranger.mention("C2", "연차는?")
    [body] = bot.of("app_mention")
    assert (body["is_ext_shared_channel"], body["event"]["user_team"]) == (True, "T0OTHER")
    await slack.another_bot_says("C1", "배포했습니다")
    assert bot.of("message")[-1]["event"]["bot_id"] == "B0OTHER"
    assert bot.of("message")[-1]["event"]["subtype"] == "bot_message"


@asynccontextmanager
async def scripted(slack: SlackServer, answers: list[dict[str, Any]]) -> AsyncIterator[AsyncWebClient]:
    """A bot that answers the next interactions with `answers`, without bolt."""

    async def answer(ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            envelope = message.json()
            if "envelope_id" in envelope:
                await ws.send_json({"envelope_id": envelope["envelope_id"], "payload": answers.pop(0)})

    async with aiohttp.ClientSession() as session, session.ws_connect(slack.socket_mode.new_url()) as ws:
        task = asyncio.create_task(answer(ws))
        yield AsyncWebClient(slack.bot_token, slack.api_base_url)
        task.cancel()
