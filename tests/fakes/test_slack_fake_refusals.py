"""What the fake Slack refuses, reads and keeps count of, asked by the real slack_sdk."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import SlackServer
from tests.fakes.slack.blocks import check_blocks, check_text
from tests.fakes.slack.sample_bot import FEEDBACK, MODAL
from tests.fakes.slack.web_api import METHODS


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with SlackServer() as server:
        server.channel("C1", members=["U1"])
        server.user("U1", email="alice@example.com")
        yield server


@pytest.fixture
def client(slack: SlackServer) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_base_url)


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.post", {}, "unknown_method"),
        ("chat.postMessage", {"channel": "C1", "text": "답", "colour": "red"}, "invalid_arguments"),
        ("chat.postMessage", {"text": "답"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "C1"}, "no_text"),
        ("chat.postMessage", {"channel": "C1", "text": "가" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": "C1", "text": "답", "markdown_text": "답"}, "markdown_text_conflict"),
        ("chat.postMessage", {"channel": "C1", "text": "답", "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "C1", "text": "답", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        (
            "chat.postMessage",
            {"channel": "C1", "text": "답", "blocks": [{"type": "markdown", "text": "가" * 6001}] * 2},
            "msg_blocks_too_long",
        ),
        (
            "chat.postMessage",
            {"channel": "C1", "text": "답", "metadata": {"event_type": "x"}},
            "invalid_metadata_schema",
        ),
        ("chat.startStream", {"channel": "C1", "thread_ts": "1.1"}, "missing_recipient_team_id"),
        (
            "chat.startStream",
            {"channel": "C1", "thread_ts": "1.1", "recipient_team_id": "T0TEAM"},
            "missing_recipient_user_id",
        ),
        ("views.open", {"trigger_id": "1.2.3", "view": MODAL}, "invalid_trigger_id"),
        ("views.publish", {"user_id": "U1", "view": {"type": "home", "blocks": [FEEDBACK]}}, "invalid_arguments"),
        ("reactions.add", {"channel": "C1", "timestamp": "1.1", "name": ""}, "invalid_arguments"),
    ],
)
async def test_what_slack_refuses(
    slack: SlackServer, client: AsyncWebClient, method: str, args: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, json=args)
    assert refused.value.response["error"] == error
    assert [(v.where, v.code) for v in slack.violations] == [(method, error)]
    assert slack.calls[-1].error == error


async def test_what_slack_refuses_without_it_being_the_bots_fault(slack: SlackServer, client: AsyncWebClient) -> None:
    alice = slack.user("U1")
    sent = await alice.say("C1", "질문")
    where = {"channel": "C1", "recipient_team_id": "T0TEAM", "recipient_user_id": "U1"}
    stream = await client.chat_startStream(thread_ts=sent.ts, markdown_text="답", **where)
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client.chat_update(channel="C1", ts=stream["ts"], text="다른 답")
    message = slack.workspace.find("C1", stream["ts"])
    assert message is not None
    slack.end_stream(message)
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(channel="C1", ts=stream["ts"], markdown_text="더")
    await client.chat_update(channel="C1", ts=stream["ts"], text="다른 답")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel="C1", ts=sent.ts, text="남의 글")
    slack.chat.unsupported.add("public")
    with pytest.raises(SlackApiError, match="channel_type_not_supported"):
        await client.chat_startStream(thread_ts=sent.ts, **where)
    slack.assistant.unsupported.add("public")
    with pytest.raises(SlackApiError, match="channel_type_not_supported"):
        await client.assistant_threads_setStatus(channel_id="C1", thread_ts=sent.ts, status="찾는 중…")
    slack.withhold("reactions:write")
    with pytest.raises(SlackApiError) as refused:
        await client.reactions_add(channel="C1", timestamp=sent.ts, name="eyes")
    assert refused.value.response["needed"] == "reactions:write"
    slack.views.trigger_seconds = 0.0
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=slack.office.trigger("U1"), view=MODAL)
    slack.channel("C2", bot=False)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel="C2", text="답")
    assert slack.violations == []


async def test_chat_update_takes_4000_characters(slack: SlackServer, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C1", text="답")
    await client.chat_update(channel="C1", ts=posted["ts"], text="가" * 4000)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_update(channel="C1", ts=posted["ts"], text="가" * 4001)


async def test_a_scope_that_was_never_granted_is_a_violation(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.use_manifest(
        {"oauth_config": {"scopes": {"bot": []}}, "settings": {"event_subscriptions": {"bot_events": []}}}
    )
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.conversations_info(channel="C1")
    assert [v.detail for v in slack.violations] == ["channels:read"]


async def test_reading(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.user("U3", is_restricted=True, email="guest@example.com")
    slack.usergroup("S1", ["U1"])
    alice = slack.user("U1")
    root = await alice.say("C1", "질문")
    metadata = {"event_type": "wiki_answer", "event_payload": {"answer_id": "a1"}}
    await client.chat_postMessage(channel="C1", thread_ts=root.ts, text="답", metadata=metadata)
    await client.chat_postEphemeral(channel="C1", user="U1", thread_ts=root.ts, text="비밀")
    first = await client.conversations_replies(channel="C1", ts=root.ts, limit=1)
    assert [m["text"] for m in first["messages"]] == ["질문"]
    rest = await client.conversations_replies(
        channel="C1", ts=root.ts, cursor=first["response_metadata"]["next_cursor"], include_all_metadata=True
    )
    assert [(m["text"], m["metadata"]) for m in rest["messages"]] == [("답", metadata)]
    plain = await client.conversations_replies(channel="C1", ts=root.ts)
    assert "metadata" not in plain["messages"][1]
    assert [m["text"] for m in (await client.conversations_history(channel="C1"))["messages"]] == ["질문"]
    guest = (await client.users_info(user="U3"))["user"]
    assert (guest["is_restricted"], guest["profile"]["email"]) == (True, "guest@example.com")
    slack.withhold("users:read.email")
    assert "email" not in (await client.users_info(user="U3"))["user"]["profile"]
    assert (await client.usergroups_users_list(usergroup="S1"))["users"] == ["U1"]
    assert (await client.bots_info(bot="B0BOT"))["bot"]["user_id"] == slack.bot_user
    slack.channel("C3", ext_shared=True)
    assert (await client.conversations_info(channel="C3"))["channel"]["is_ext_shared"] is True
    assert slack.violations == []


async def test_a_status_ends_with_the_reply_or_after_its_time(slack: SlackServer, client: AsyncWebClient) -> None:
    sent = await slack.user("U1").say("C1", "질문")
    await client.assistant_threads_setStatus(channel_id="C1", thread_ts=sent.ts, status="찾는 중…")
    assert slack.status("C1", sent.ts) == "찾는 중…"
    await client.chat_postMessage(channel="C1", thread_ts=sent.ts, text="답")
    assert slack.status("C1", sent.ts) == ""
    await client.assistant_threads_setStatus(channel_id="C1", thread_ts=sent.ts, status="찾는 중…")
    slack.assistant.status_seconds = 0.0
    assert slack.status("C1", sent.ts) == ""


async def test_pings_are_noted_also_across_the_pieces_of_a_stream(slack: SlackServer, client: AsyncWebClient) -> None:
    sent = await slack.user("U1").say("C1", "질문")
    where = {"channel": "C1", "recipient_team_id": "T0TEAM", "recipient_user_id": "U1"}
    stream = await client.chat_startStream(thread_ts=sent.ts, markdown_text="주의 <!chan", **where)
    assert slack.pings == []
    await client.chat_appendStream(channel="C1", ts=stream["ts"], markdown_text="nel> 끝")
    await client.chat_stopStream(channel="C1", ts=stream["ts"])
    await client.chat_postMessage(channel="C1", text="<@U1> &lt;!here&gt;")
    assert [ping.target for ping in slack.pings] == ["!channel", "@U1"]


def test_blocks_as_slack_takes_them() -> None:
    text = {"type": "mrkdwn", "text": "글"}
    option = {"text": {"type": "plain_text", "text": "하나"}, "value": "1"}
    menu = {"type": "static_select", "action_id": "m", "options": [option], "initial_option": option}
    good = [
        {"type": "section", "text": text, "accessory": menu},
        {"type": "context", "elements": [text] * 10},
        {"type": "header", "text": {"type": "plain_text", "text": "제목"}},
        FEEDBACK,
    ]
    assert check_blocks(good, "message") == []
    assert check_blocks("no", "message") == ["blocks must be an array"]


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"type": "section", "text": {"type": "mrkdwn", "text": "가" * 3001}}, "1 to 3000 characters"),
        ({"type": "section"}, "needs text or fields"),
        ({"type": "section", "text": {"type": "markdown", "text": "글"}}, "wrong type of text"),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "글"}, "colour": "red"}, "invalid additional property"),
        ({"type": "context", "elements": [{"type": "mrkdwn", "text": "글"}] * 11}, "1 to 10 elements"),
        ({"type": "context", "elements": [{"type": "button"}]}, "unsupported type here"),
        ({"type": "context_actions", "elements": FEEDBACK["elements"] * 6}, "1 to 5 elements"),
        ({"type": "context_actions", "elements": FEEDBACK["elements"] * 2}, "used twice"),
        ({"type": "context_actions", "elements": [{"type": "feedback_buttons"}]}, "positive_button is missing"),
        ({"type": "actions", "elements": FEEDBACK["elements"]}, "unsupported type here"),
        (
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "가" * 76}}]},
            "1 to 75 characters",
        ),
        (
            {
                "type": "actions",
                "elements": [{"type": "button", "text": {"type": "plain_text", "text": "단추"}, "value": "가" * 2001}],
            },
            "at most 2000 characters",
        ),
        (
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "text": {"type": "plain_text", "text": "단추"}, "action_id": "a" * 256}
                ],
            },
            "at most 255 characters",
        ),
        ({"type": "divider", "block_id": "b" * 256}, "block_id must have"),
        ({"type": "markdown", "text": ""}, "non-empty"),
    ],
)
def test_blocks_as_slack_refuses_them(block: dict[str, Any], problem: str) -> None:
    [found] = check_blocks([block], "message")[:1]
    assert problem in found


def test_views_are_checked_too() -> None:
    assert check_text({"type": "plain_text", "text": "가" * 25}, "view.title", 24)
    assert "cannot be used on a modal" in check_blocks([FEEDBACK], "modal")[0]


async def test_every_method_in_the_table_has_a_handler(slack: SlackServer) -> None:
    assert set(METHODS) == set(slack.web_api.methods)
    for facts in METHODS.values():
        assert set(facts["required"]) <= set(facts["args"])
        assert facts["tier"] in ("1", "2", "3", "4", "special")


def test_the_manifest_schema_tells_good_from_bad() -> None:
    schema = json.loads((Path(__file__).parent / "slack/data/manifest-schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    judge = jsonschema.Draft7Validator(schema)
    good = {
        "display_information": {"name": "사서"},
        "features": {
            "agent_view": {"agent_description": "위키", "suggested_prompts": [{"title": "연차", "message": "연차는?"}]},
            "slash_commands": [{"command": "/wiki", "description": "질문"}],
        },
        "settings": {"socket_mode_enabled": True},
    }
    assert judge.is_valid(good)
    for bad in (
        {},
        {"display_information": {"name": "가" * 36}},
        good | {"colour": "red"},
        good | {"features": {"agent_view": {"suggested_prompts": [{"title": "하나", "message": "둘"}] * 5}}},
        good | {"features": {"slash_commands": [{"command": "wiki", "description": "질문"}]}},
        good | {"settings": {"event_subscriptions": {"bot_events": ["message.im", "message.im"]}}},
    ):
        assert not judge.is_valid(bad), bad


async def test_views_have_a_hash_and_a_depth(slack: SlackServer, client: AsyncWebClient) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    first = (await client.views_publish(user_id="U1", view=home))["view"]["hash"]
    await client.views_publish(user_id="U1", view=home, hash=first)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id="U1", view=home, hash=first)
    await client.views_open(trigger_id=slack.office.trigger("U1"), view=MODAL)
    for _ in range(2):
        await client.views_push(trigger_id=slack.office.trigger("U1"), view=MODAL)
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=slack.office.trigger("U1"), view=MODAL)
    used = slack.office.trigger("U2")
    await client.views_open(trigger_id=used, view=MODAL)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=used, view=MODAL)


async def test_replies_and_links(slack: SlackServer, client: AsyncWebClient) -> None:
    root = await slack.user("U1").say("C1", "질문")
    reply = await client.chat_postMessage(channel="C1", thread_ts=root.ts, text="답")
    messages = (await client.conversations_replies(channel="C1", ts=reply["ts"]))["messages"]
    assert [(m.get("reply_count"), m.get("parent_user_id")) for m in messages] == [(1, None), (None, "U1")]
    link = (await client.chat_getPermalink(channel="C1", message_ts=reply["ts"]))["permalink"]
    assert link.endswith(f"/archives/C1/p{reply['ts'].replace('.', '')}?thread_ts={root.ts}&cid=C1")


async def test_arguments_may_come_as_form_json_or_query(slack: SlackServer) -> None:
    url = slack.api_base_url + "chat.postMessage"
    blocks = [{"type": "divider"}]
    async with aiohttp.ClientSession() as session:
        text = {"channel": "C1", "text": "답"}
        packed = text | {"blocks": json.dumps(blocks), "token": slack.bot_token}
        for request in (
            session.post(url, json=text | {"blocks": blocks}, headers={"Authorization": f"Bearer {slack.bot_token}"}),
            session.post(url, data=packed),
            session.post(url, params=packed),
            session.get(url, params=packed),
        ):
            async with request as response:
                assert (await response.json())["ok"]
        async with session.post(url, data=text) as response:
            assert (await response.json())["error"] == "not_authed"
    assert [(m.text, m.blocks[0]["type"]) for m in slack.messages("C1")] == [("답", "divider")] * 4


async def test_who_speaks_in_a_channel_is_a_member(slack: SlackServer, client: AsyncWebClient) -> None:
    bora = slack.user("U2")
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await client.chat_postEphemeral(channel="C1", user="U2", text="비밀")
    await bora.say("C1", "안녕하세요")
    await client.chat_postEphemeral(channel="C1", user="U2", text="비밀")
    assert [m.text for m in bora.sees("C1")] == ["비밀"]
