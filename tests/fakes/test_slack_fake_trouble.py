"""The fake Slack when things go wrong: faults, redelivery, dead connections, a killed bot; and its HTTP mode."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import SlackServer
from tests.fakes.slack.sample_bot import FEEDBACK, Bot, running


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


async def test_faults(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.fault("chat.postMessage", status=429, retry_after=7, after=1)
    slack.fault("chat.postMessage", status=503)
    slack.fault("chat.postMessage", error="fatal_error", applied=True)
    await client.chat_postMessage(channel="C1", text="하나")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C1", text="둘")
    assert refused.value.response.headers["Retry-After"] == "7"
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C1", text="셋")
    with pytest.raises(SlackApiError, match="fatal_error"):
        await client.chat_postMessage(channel="C1", text="넷")
    assert [m.text for m in slack.messages("C1")] == ["하나", "넷"]
    assert [call.error for call in slack.calls] == ["", "ratelimited", "http_503", "fatal_error"]
    slack.fault("auth.test", drop_connection=True, times=2)
    with pytest.raises(aiohttp.ClientError):  # the client's own retry of a connection error fails too
        await client.auth_test()
    await client.auth_test()
    assert slack.violations == []


async def test_rate_limits_let_the_client_wait(slack: SlackServer) -> None:
    slack.web_api.limits.enabled = True
    slack.web_api.limits.window = 1.0
    slack.web_api.limits.per_window["3"] = 2
    client = AsyncWebClient(slack.bot_token, slack.api_base_url)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    for _ in range(3):
        await client.conversations_info(channel="C1")
    assert [call.error for call in slack.calls] == ["", "", "ratelimited", ""]


async def test_an_event_without_acknowledgement_comes_again(slack: SlackServer) -> None:
    slack.postman.ack_seconds = 0.3
    slack.postman.retry_delays = (0.05, 0.05)
    heard: list[tuple[int, str]] = []
    app = AsyncApp(client=AsyncWebClient(slack.bot_token, slack.api_base_url))

    @app.middleware
    async def count(req: Any, next: Any) -> Any:
        heard.append(
            (int(req.headers.get("x-slack-retry-num", ["0"])[0]), req.headers.get("x-slack-retry-reason", [""])[0])
        )
        return await next() if len(heard) > 2 else BoltResponse(status=500)

    @app.event("app_mention")
    async def mentioned() -> None:
        pass

    handler = AsyncSocketModeHandler(
        app, slack.app_token, web_client=AsyncWebClient(slack.app_token, slack.api_base_url)
    )
    await handler.connect_async()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await handler.close_async()
    assert heard == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert (sent.acked, sent.attempts) == (True, 3)
    assert [(ack.attempt, ack.late) for ack in slack.acks] == [(2, False)]


async def test_a_late_acknowledgement_is_noted(slack: SlackServer) -> None:
    slack.postman.ack_seconds = 0.1
    slack.postman.retry_delays = ()
    async with aiohttp.ClientSession() as session, session.ws_connect(slack.socket_mode.new_url()) as ws:
        assert (await ws.receive_json())["type"] == "hello"
        sent = await slack.user("U1").mention("C1", "연차는?")
        assert not sent.acked
        envelope = await ws.receive_json()
        assert (envelope["type"], envelope["retry_attempt"]) == ("events_api", 0)
        await ws.send_json({"envelope_id": envelope["envelope_id"]})
        await slack.wait_for(lambda: slack.acks)
        assert slack.acks[0].late
        assert slack.acks[0].seconds > 0.1
        await ws.send_json({"envelope_id": "never sent"})
        await slack.wait_for(lambda: slack.violations)
        assert slack.violations[0].code == "unknown_envelope"


async def test_nobody_connected(slack: SlackServer) -> None:
    slack.postman.retry_delays = (0.01,)
    sent = await slack.user("U1").mention("C1", "연차는?")
    assert (sent.acked, sent.attempts) == (False, 2)
    unheard = await slack.user("U1").say("C1", "혼잣말")
    assert (unheard.acked, unheard.attempts) == (True, 0)


async def test_one_event_twice_over_two_connections(slack: SlackServer, bot: Bot) -> None:
    await slack.user("U1").mention("C1", "연차는?", copies=2)
    ids = [body["event_id"] for body in bot.of("app_mention")]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert [connection.received for connection in slack.socket_mode.connections] == [1, 1]
    again = await slack.send_again(await slack.user("U1").mention("C1", "또"))
    assert again.event_id == bot.of("app_mention")[-1]["event_id"]


async def test_a_refresh_loses_nothing(slack: SlackServer, bot: Bot) -> None:
    first = slack.socket_mode.connections[0]
    refresh = asyncio.create_task(first.refresh())
    sent = await asyncio.gather(*(slack.user("U1").mention("C1", f"질문 {n}") for n in range(5)))
    await refresh
    assert all(one.acked for one in sent)
    await slack.wait_for(lambda: slack.socket_mode.opened == 3 and len(slack.socket_mode.live) == 2)


async def test_a_reset_connection_is_opened_anew(slack: SlackServer, bot: Bot) -> None:
    slack.socket_mode.connections[0].reset()
    await slack.wait_for(lambda: len(slack.socket_mode.live) == 1)
    assert (await slack.user("U1").mention("C1", "연차는?")).acked
    await slack.wait_connected(2)


async def test_a_frozen_connection_hears_nothing(slack: SlackServer, bot: Bot) -> None:
    slack.postman.ack_seconds = 0.2
    slack.postman.retry_delays = (0.05,)
    slack.socket_mode.connections[0].freeze()
    sent = [await slack.user("U1").mention("C1", f"질문 {n}") for n in range(2)]
    assert all(one.acked for one in sent)
    assert sum(one.attempts for one in sent) == 3


async def test_a_ticket_opens_one_connection_once(slack: SlackServer) -> None:
    slack.socket_mode.refuse_next = 1
    url = slack.socket_mode.new_url()
    async with aiohttp.ClientSession() as session:
        for status in (503, 404, 404):  # a refused ticket is dead for ever
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(url)
            assert refused.value.status == status
        async with session.ws_connect(slack.socket_mode.new_url()) as ws:
            assert (await ws.receive_json())["type"] == "hello"
    assert slack.socket_mode.refused == 3


async def test_no_more_than_ten_connections(slack: SlackServer) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(slack.socket_mode.new_url()) for _ in range(10)]
        late = await session.ws_connect(slack.socket_mode.new_url())
        assert (await late.receive_json())["reason"] == "too_many_websockets"
        for ws in [*sockets, late]:
            await ws.close()


async def test_the_dark_and_uninstalling(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.dark = True
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    slack.dark = False
    await client.auth_test()
    await slack.uninstall()
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await client.auth_test()


async def test_waiting_says_what_came_instead(slack: SlackServer, client: AsyncWebClient) -> None:
    await client.auth_test()
    with pytest.raises(AssertionError, match=r"chat.stopStream did not come within .*auth.test"):
        await slack.wait_for("chat.stopStream", timeout=0.05)


async def test_http_mode_signs_retries_and_verifies(slack: SlackServer) -> None:
    heard: list[str] = []
    app = AsyncApp(client=AsyncWebClient(slack.bot_token, slack.api_base_url), signing_secret=slack.signing_secret)

    @app.event("app_mention")
    async def mentioned(body: dict[str, Any]) -> None:
        heard.append(body["event_id"])

    @app.command("/wiki")
    async def command(ack: Any, body: dict[str, Any]) -> None:
        heard.append(body["text"])
        await ack("찾는 중…")

    @app.action("answer_feedback")
    async def pressed(ack: Any, body: dict[str, Any]) -> None:
        heard.append(body["actions"][0]["value"])
        await ack()

    site = TestServer(app.web_app(path="/slack/events"))
    await site.start_server()
    http = slack.use_http(str(site.make_url("/slack/events")))
    assert await http.verify_url()
    alice = slack.user("U1")
    sent = await alice.mention("C1", "연차는?")
    assert (sent.acked, slack.acks[-1].name) == (True, "app_mention")
    await alice.slash("/wiki", "연차", "C1")
    assert [m.text for m in alice.sees("C1")] == ["찾는 중…"]
    posted = await AsyncWebClient(slack.bot_token, slack.api_base_url).chat_postMessage(
        channel="C1", text="답", blocks=[FEEDBACK]
    )
    answer = slack.workspace.find("C1", posted["ts"])
    assert answer is not None
    await alice.press(answer, "answer_feedback", "up")
    assert heard == [sent.event_id, "연차", "a1:up"]
    status, _ = await http.post(b"{}", "application/json", {"X-Slack-Signature": "v0=00"})
    assert status == 401
    status, _ = await http.post(b"{}", "application/json", signed=False)
    assert status == 401
    unhandled = await alice.react(answer, "+1")
    assert (unhandled.acked, unhandled.attempts) == (False, 4)
    await site.close()
    slack.postman.retry_delays = (0.01,)
    assert (await alice.mention("C1", "또")).attempts == 2


BOT_PROCESS = """
import asyncio, os, sys
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

base = sys.argv[1]
app = AsyncApp(client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base))

@app.middleware
async def stall(next):
    if sys.argv[2] == "stall":
        await asyncio.sleep(60)
    return await next()

@app.event("app_mention")
async def mentioned(event, client):
    await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="답")

async def main():
    token = os.environ["SLACK_APP_TOKEN"]
    await AsyncSocketModeHandler(app, token, web_client=AsyncWebClient(token, base)).start_async()

asyncio.run(main())
"""


async def test_a_bot_killed_before_its_acknowledgement_gets_the_event_again(slack: SlackServer) -> None:
    slack.postman.patience = 30.0

    async def start(how: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", BOT_PROCESS, slack.api_base_url, how, env=os.environ | slack.environment()
        )

    first = await start("stall")
    await slack.wait_connected(timeout=30)
    asking = asyncio.create_task(slack.user("U1").mention("C1", "연차는?"))
    await slack.wait_for(lambda: slack.socket_mode.connections[0].received)
    first.kill()
    await first.wait()
    second = await start("answer")
    sent = await asyncio.wait_for(asking, 60)
    assert sent.acked
    assert sent.attempts > 1
    await slack.wait_for("chat.postMessage", timeout=30)
    assert [m.text for m in slack.thread("C1", sent.ts)[1:]] == ["답"]
    second.kill()
    await second.wait()


async def test_a_stream_dies_midway(slack: SlackServer, client: AsyncWebClient) -> None:
    sent = await slack.user("U1").say("C1", "질문")
    slack.fault("chat.appendStream", error="message_not_in_streaming_state", after=1, times=None)
    where = {"channel": "C1", "recipient_team_id": "T0TEAM", "recipient_user_id": "U1"}
    stream = await client.chat_startStream(thread_ts=sent.ts, markdown_text="하나 ", **where)
    await client.chat_appendStream(channel="C1", ts=stream["ts"], markdown_text="둘 ")
    for _ in range(2):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await client.chat_appendStream(channel="C1", ts=stream["ts"], markdown_text="셋")
    [message] = slack.messages("C1")
    assert (message.text, message.appends, message.finished) == ("하나 둘 ", ["하나 ", "둘 "], False)
    assert slack.final_answers() == []


async def test_interactions_are_sent_once_unless_asked(slack: SlackServer) -> None:
    slack.postman.retry_delays = (0.01, 0.01)
    assert (await slack.user("U1").slash("/wiki", "연차", "C1")).attempts == 1
    slack.postman.retry_interactions = True
    assert (await slack.user("U1").slash("/wiki", "연차", "C1")).attempts == 3
