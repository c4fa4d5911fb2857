"""When Slack hears that an event was taken: once its question is claimed, so that a process that dies before leaves it to the next."""

from __future__ import annotations

import pytest

from adapters.slack import taking
from tests.adapters.slack.conftest import running
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer

MODES = pytest.mark.parametrize("mode", [{}, {"mode": "http", "port": 0}], ids=["socket", "http"])


@MODES
async def test_an_event_is_acknowledged_once_its_question_is_claimed(
    slack: SlackServer, desk: ScriptedDesk, mode: dict[str, object]
) -> None:
    desk.ask_seconds = 0.4
    async with running(slack, desk, **mode) as adapter:
        if mode:
            slack.use_http(f"http://127.0.0.1:{adapter.port}/slack/events")
        await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: slack.acks)
        assert len(desk.asked) == 1  # already, when the acknowledgement arrives
        assert slack.acks[0].seconds >= 0.4
        assert not slack.acks[0].late


@MODES
async def test_what_takes_longer_than_slack_waits_is_acknowledged_before_and_answered_once(
    slack: SlackServer, desk: ScriptedDesk, mode: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "LONGEST_SECONDS", 0.1)
    desk.ask_seconds = 1.0
    async with running(slack, desk, **mode) as adapter:
        if mode:
            slack.use_http(f"http://127.0.0.1:{adapter.port}/slack/events")
        await slack.user("U1").mention("C1", "연차는?")
        await slack.wait_for(lambda: slack.acks)
        assert desk.asked == []
        await slack.wait_for(lambda: desk.delivered)
        assert len(desk.asked) == 1


async def test_a_command_is_acknowledged_at_once_since_slack_sends_it_only_once(
    slack: SlackServer, desk: ScriptedDesk
) -> None:
    desk.ask_seconds = 0.5
    async with running(slack, desk):
        await slack.user("U1").slash("/wiki", "연차는?", "C1")
        await slack.wait_for(lambda: slack.acks)
        assert desk.asked == []


async def test_what_the_handler_raises_is_no_reason_to_be_sent_again(
    slack: SlackServer, desk: ScriptedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(desk, "ask", broken)
    async with running(slack, desk):
        sent = await slack.user("U1").mention("C1", "연차는?")
        assert sent.acked
        assert [ack.attempt for ack in slack.acks] == [0]
