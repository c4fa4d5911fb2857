"""Sockets that break, tokens that are wrong, processes that stop: nothing is lost and nothing is answered twice."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from adapters.slack.adapter import SlackAdapter, SlackTokens
from bot.errors import AdapterError
from bot.settings import SlackSettings
from tests.adapters.slack.conftest import TIMING, running
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer


def made(slack: SlackServer, desk: ScriptedDesk, tokens: SlackTokens, **settings: object) -> SlackAdapter:
    return SlackAdapter(
        SlackSettings.model_validate({"api_base_url": slack.api_base_url, **settings}),
        tokens,
        desk,
        language="ko",
        timing=TIMING,
    )


async def test_all_connections_are_opened_and_closed(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk, connections=3) as adapter:
        assert len(slack.socket_mode.live) == 3
        assert (adapter.health().connected, adapter.health().detail) == (True, "sockets 3/3")
        assert adapter.health().last_event_seconds is None
        await slack.user("U1").mention("C1", "연차는?")
        assert adapter.health().last_event_seconds is not None
    await slack.wait_for(lambda: not slack.socket_mode.live)
    assert not adapter.health().connected


async def test_a_wrong_token_says_what_to_click(slack: SlackServer, desk: ScriptedDesk) -> None:
    for tokens, words in (
        (SlackTokens("xoxb-wrong", slack.app_token), ("invalid_auth", "OAuth & Permissions", "SLACK_BOT_TOKEN")),
        (SlackTokens(slack.bot_token, "xapp-wrong"), ("invalid_auth", "App-Level Tokens", "SLACK_APP_TOKEN")),
        (SlackTokens("", slack.app_token), ("SLACK_BOT_TOKEN", "Install to Workspace")),
        (SlackTokens(slack.bot_token), ("SLACK_APP_TOKEN", "connections:write")),
    ):
        with pytest.raises(AdapterError) as caught:
            await made(slack, desk, tokens).start()
        explained = caught.value.explain("ko")
        assert all(word in explained for word in words), explained
        assert "wrong" not in explained
    with pytest.raises(AdapterError, match="SLACK_SIGNING_SECRET"):
        await made(slack, desk, SlackTokens(slack.bot_token), mode="http").start()


async def test_a_slack_that_cannot_be_reached_says_so(slack: SlackServer, desk: ScriptedDesk) -> None:
    slack.dark = True
    with pytest.raises(AdapterError) as caught:
        await made(slack, desk, SlackTokens(slack.bot_token, slack.app_token)).start()
    assert "방화벽" in caught.value.explain("ko")


async def test_a_start_that_is_tried_again_hears_as_if_it_had_been_the_first(
    slack: SlackServer, desk: ScriptedDesk
) -> None:
    slack.dark = True
    adapter = made(slack, desk, SlackTokens(slack.bot_token, slack.app_token))
    with pytest.raises(AdapterError):
        await adapter.start()
    slack.dark = False
    desk.adapter = adapter
    await adapter.start()
    try:
        assert (await slack.user("U1").mention("C1", "연차는?")).acked
        await slack.wait_for(lambda: desk.delivered)
    finally:
        await adapter.close()


async def test_a_refresh_loses_nothing(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk, connections=2):
        kim = slack.user("U1")
        asking = [asyncio.create_task(kim.mention("C1", f"{n}번 질문?")) for n in range(5)]
        await slack.socket_mode.live[0].refresh()
        asking += [asyncio.create_task(kim.mention("C1", f"{n}번 질문?")) for n in range(5, 10)]
        sent = await asyncio.gather(*asking)
        assert all(one.acked for one in sent)
        await slack.wait_connected(2)
        await slack.wait_for(lambda: len(desk.delivered) == 10, timeout=40)
        await desk.settled()
        assert len(slack.final_answers("C1")) == 10


async def test_a_connection_that_is_reset_comes_back(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk) as adapter:
        slack.socket_mode.live[0].reset()
        await slack.wait_for(lambda: not slack.socket_mode.live)
        await slack.wait_connected(1)
        assert (await slack.user("U1").mention("C1", "연차는?")).acked
        await slack.wait_for(lambda: desk.delivered)
        await slack.wait_for(lambda: adapter.health().connected)


async def test_dead_tickets_are_thrown_away(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk):
        opened = len(slack.calls_of("apps.connections.open"))
        slack.socket_mode.refuse_next = 1
        slack.socket_mode.live[0].reset()
        await slack.wait_for(lambda: not slack.socket_mode.live)
        await slack.wait_connected(1, timeout=40)
        assert len(slack.calls_of("apps.connections.open")) >= opened + 2
        assert (await slack.user("U1").mention("C1", "연차는?")).acked


async def test_a_frozen_connection_is_noticed(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk) as adapter:
        slack.socket_mode.live[0].freeze()
        await slack.wait_for(lambda: len(slack.calls_of("apps.connections.open")) >= 2, timeout=20)
        await slack.wait_for(lambda: adapter.health().connected, timeout=40)


async def test_stopping_intake_finishes_what_was_taken_and_leaves_the_rest_to_slack(
    slack: SlackServer, desk: ScriptedDesk
) -> None:
    async with running(slack, desk) as adapter:
        desk.hold_finish.clear()
        sent = await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: desk.tasks)
        await adapter.stop_intake()
        assert slack.socket_mode.live == []
        assert not adapter.health().connected
        slack.postman.retry_delays = ()
        slack.postman.ack_seconds = 0.2
        late = await slack.user("U1").mention("C1", "반차는?")
        assert not late.acked
        desk.hold_finish.set()
        await desk.settled()
        assert len(slack.final_answers("C1", sent.ts)) == 1
        assert len(desk.asked) == 1


async def test_two_instances_with_one_store_answer_once(slack: SlackServer) -> None:
    claims: set[str] = set()
    one, two = ScriptedDesk(claims=claims, number=1), ScriptedDesk(claims=claims, number=2)
    async with running(slack, one), running(slack, two):
        await slack.wait_connected(2)
        for number in range(4):
            await slack.user("U1").mention("C1", f"{number}번 질문?", copies=2)
        await slack.wait_for(lambda: len(one.delivered) + len(two.delivered) == 4)
        assert len(slack.final_answers("C1")) == 4


async def test_an_event_from_before_the_start_is_answered_when_it_is_delivered_again(
    slack: SlackServer, desk: ScriptedDesk
) -> None:
    slack.postman.ack_seconds = 0.3
    slack.postman.retry_delays = (0.5, 1.0, 2.0)
    asking = asyncio.create_task(slack.user("U1").mention("C1", "연차는?"))
    async with running(slack, desk):
        sent = await asking
        assert sent.acked
        await slack.wait_for(lambda: desk.delivered)


async def test_more_than_can_be_taken_is_left_to_slack(slack: SlackServer, desk: ScriptedDesk) -> None:
    desk.ask_seconds = 0.3
    slack.postman.ack_seconds = 0.5
    async with running(slack, desk) as adapter:
        adapter._intake._most = 2
        sent = await asyncio.gather(*(slack.user("U1").mention("C1", f"{n}번 질문?") for n in range(6)))
        assert all(one.acked for one in sent)
        assert any(ack.attempt > 0 for ack in slack.acks)
        await slack.wait_for(lambda: len(desk.delivered) == 6, timeout=40)


async def test_an_uninstalled_app_is_unwell(slack: SlackServer, desk: ScriptedDesk) -> None:
    slack.subscriptions.update({"tokens_revoked", "app_uninstalled"})
    async with running(slack, desk) as adapter:
        of_a_person = {
            "type": "tokens_revoked",
            "tokens": {"oauth": ["U1"], "bot": []},
            "event_ts": "1700000000.000100",
        }
        assert (await slack.office.events([of_a_person], None)).acked
        await adapter.drained(5.0)
        assert adapter.health().connected
        await slack.uninstall()
        await slack.wait_for(lambda: not adapter.health().connected)
        assert adapter.health().detail in ("tokens_revoked", "app_uninstalled")


async def test_being_connected_changes_no_level_of_our_own_logs(slack: SlackServer, desk: ScriptedDesk) -> None:
    async with running(slack, desk):
        assert {logging.getLogger(name).level for name in ("saseo", "saseo.answering", "bot", "adapters")} == {0}


async def test_logs_hold_no_secret_and_no_text(
    slack: SlackServer, desk: ScriptedDesk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for noisy in ("asyncio", "aiohttp"):
        logging.getLogger(noisy).setLevel(logging.INFO)
    async with running(slack, desk):
        slack.socket_mode.refuse_next = 2
        slack.socket_mode.live[0].reset()
        await slack.wait_for(lambda: not slack.socket_mode.live)
        await slack.wait_connected(1, timeout=40)
        kim = slack.user("U1")
        slack.fault("chat.startStream", status=500)
        await kim.mention("C1", "비밀질문?")
        await kim.slash("/wiki", "비밀질문?", "C1")
        await slack.wait_for(lambda: len(desk.delivered) == 2)
    ours = [record for record in caplog.records if record.name.startswith("adapters.slack")]
    assert any("slack_sdk" in record.getMessage() for record in ours)
    for record in ours:
        assert "event" in json.loads(record.getMessage())
        assert record.exc_info is None
    written = "\n".join(record.getMessage() for record in caplog.records)
    for secret in ("비밀질문", "연차", "fake-bot-token", "fake-app-token", "ticket=", "/response/", "ws://"):
        assert secret not in written, secret


async def test_nothing_is_delivered_after_close(slack: SlackServer, desk: ScriptedDesk) -> None:
    desk.hold_status.clear()
    async with running(slack, desk) as adapter:
        sent = await slack.user("U1").mention("C1", "연차는?")
        await slack.user("U1").slash("/wiki", "연차는?", "C1")
        await slack.wait_for(lambda: len(desk.asked) == 2)
        await adapter.close()
        count = len(slack.calls)
        desk.hold_status.set()
        await desk.settled()
        assert len(desk.failed) == 2
        assert len(slack.calls) == count
        assert slack.final_answers("C1", sent.ts) == []
        with pytest.raises(AdapterError):
            desk.delivery("000000000001")


def test_tokens_hide_their_values() -> None:
    tokens = SlackTokens("xoxb-1", "xapp-2", "secret-3")
    assert not any(value in f"{tokens!r} {tokens}" for value in ("xoxb-1", "xapp-2", "secret-3"))
    assert "bot" in repr(tokens)
