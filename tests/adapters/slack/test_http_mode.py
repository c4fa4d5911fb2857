"""HTTP mode: what Slack signed is taken, everything else is refused quietly."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.slack.adapter import SlackAdapter
from tests.adapters.slack.conftest import running
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer

BODY = '{"type":"url_verification","challenge":"abc","token":"t"}'


@pytest.fixture
async def http(slack: SlackServer, desk: ScriptedDesk) -> AsyncIterator[SlackAdapter]:
    async with running(slack, desk, mode="http", port=0) as adapter:
        slack.use_http(url(adapter))
        yield adapter


def url(adapter: SlackAdapter) -> str:
    return f"http://127.0.0.1:{adapter.port}/slack/events"


def signed(body: bytes, secret: str, timestamp: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


async def post(adapter: SlackAdapter, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url(adapter), data=body, headers={"Content-Type": "application/json"} | headers) as response,
    ):
        return response.status, await response.text()


async def test_events_commands_and_presses_come_through_one_path(
    slack: SlackServer, desk: ScriptedDesk, http: SlackAdapter
) -> None:
    kim = slack.user("U1")
    sent = await kim.mention("C1", "연차는?")
    assert sent.acked
    await slack.wait_for(lambda: desk.delivered)
    [answer] = slack.final_answers("C1", sent.ts)
    assert (await kim.press(answer, "answer_feedback", "up")).acked
    assert (await kim.slash("/wiki", "반차는?", "C1")).acked
    await slack.wait_for(lambda: desk.votes and len(desk.delivered) == 2)
    assert slack.calls_of("apps.connections.open") == []
    assert slack.violations == []
    assert http.health().connected


async def test_slack_verifies_the_url(slack: SlackServer, http: SlackAdapter) -> None:
    status, text = await post(http, BODY.encode(), signed(BODY.encode(), slack.signing_secret, str(int(time.time()))))
    assert status == 200
    assert "abc" in text


@pytest.mark.parametrize(
    ("secret", "timestamp", "signature"),
    [
        ("wrong", None, None),
        (None, "1000000000", None),
        (None, "soon", None),
        (None, "１２３", None),
        (None, "9" * 5000, None),
        (None, "-1", None),
        (None, None, "v0=서명"),
        (None, None, ""),
        (None, None, "v0=00"),
    ],
)
async def test_a_wrong_signature_is_401(
    slack: SlackServer,
    desk: ScriptedDesk,
    http: SlackAdapter,
    secret: str | None,
    timestamp: str | None,
    signature: str | None,
) -> None:
    at = timestamp or str(int(time.time()))
    headers = signed(BODY.encode(), secret or slack.signing_secret, at)
    if signature is not None:
        headers["X-Slack-Signature"] = signature
    assert (await post(http, BODY.encode(), headers))[0] == 401
    assert (await post(http, BODY.encode(), {}))[0] == 401


async def test_a_changed_or_broken_body_is_401(slack: SlackServer, http: SlackAdapter) -> None:
    now = str(int(time.time()))
    headers = signed(BODY.encode(), slack.signing_secret, now)
    assert (await post(http, BODY.replace("abc", "abd").encode(), headers))[0] == 401
    assert (await post(http, b"\xff\xfe", signed(b"\xff\xfe", slack.signing_secret, now)))[0] == 401


async def test_after_intake_stopped_slack_is_told_to_come_again(
    slack: SlackServer, desk: ScriptedDesk, http: SlackAdapter
) -> None:
    desk.hold_finish.clear()
    sent = await slack.user("U1").mention("C1", "연차는?")
    await slack.wait_for(lambda: desk.tasks)
    await http.stop_intake()
    headers = signed(BODY.encode(), slack.signing_secret, str(int(time.time())))
    assert (await post(http, BODY.encode(), headers))[0] == 503
    desk.hold_finish.set()
    await desk.settled()
    assert len(slack.final_answers("C1", sent.ts)) == 1


async def test_a_taken_port_says_so(slack: SlackServer, http: SlackAdapter) -> None:
    with pytest.raises(Exception, match="port"):
        async with running(slack, ScriptedDesk(), mode="http", port=http.port):
            pass
