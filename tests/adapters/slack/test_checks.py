"""What `saseo doctor` says about Slack."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.slack.checks import NEEDED_SCOPES, Check, checks
from adapters.slack.tokens import SlackTokens
from bot.settings import SlackSettings
from tests.fakes.slack import SlackServer


async def look(slack: SlackServer, tokens: SlackTokens | None = None, **settings: Any) -> dict[str, Check]:
    """The checks by name. They are synchronous, and the fake answers from this loop: so on a thread."""
    tokens = tokens or SlackTokens(slack.bot_token, slack.app_token, slack.signing_secret)
    given = SlackSettings(**({"api_base_url": slack.api_base_url} | settings))
    found = await asyncio.to_thread(lambda: list(checks(given, tokens, "ko")))
    return {check[0]: check for check in found}


async def test_all_is_well(slack: SlackServer) -> None:
    slack.tokens.scopes = set(NEEDED_SCOPES)
    found = await look(slack)
    assert list(found) == ["Slack 토큰", "Slack 인증", "Slack 권한", "Slack 이벤트 수신"]
    assert all(ok and not remedy for _, ok, _, remedy in found.values()), found
    assert found["Slack 권한"][2] == f"필요한 권한 {len(NEEDED_SCOPES)}개가 모두 있습니다"
    assert slack.violations == []


async def test_tokens_are_looked_at_before_they_are_used(slack: SlackServer) -> None:
    found = await look(slack, SlackTokens(""))
    assert list(found) == ["Slack 토큰"]
    _, ok, text, remedy = found["Slack 토큰"]
    assert not ok
    assert "SLACK_BOT_TOKEN" in text
    assert "SLACK_APP_TOKEN" in text
    assert "Install to Workspace" in remedy
    assert slack.calls == []


async def test_a_refused_token(slack: SlackServer) -> None:
    found = await look(slack, SlackTokens("xoxb-wrong", slack.app_token))
    _, ok, text, remedy = found["Slack 인증"]
    assert (ok, "invalid_auth" in text, "Reinstall" in remedy) == (False, True, True)
    assert "wrong" not in str(found)


async def test_missing_scopes_are_named(slack: SlackServer) -> None:
    slack.tokens.scopes = set(NEEDED_SCOPES) - {"reactions:read", "im:history"}
    _, ok, text, remedy = (await look(slack))["Slack 권한"]
    assert not ok
    assert text == "없는 권한: im:history, reactions:read"
    assert "Bot Token Scopes" in remedy


async def test_a_refused_app_token(slack: SlackServer) -> None:
    _, ok, _, remedy = (await look(slack, SlackTokens(slack.bot_token, "xapp-wrong")))["Slack 이벤트 수신"]
    assert not ok
    assert "connections:write" in remedy


async def test_http_mode_needs_the_secret_instead(slack: SlackServer) -> None:
    found = await look(slack, SlackTokens(slack.bot_token, "", "secret"), mode="http")
    assert found["Slack 이벤트 수신"][1]
    assert slack.calls_of("apps.connections.open") == []
    _, ok, text, remedy = (await look(slack, SlackTokens(slack.bot_token), mode="http"))["Slack 토큰"]
    assert not ok
    assert "SLACK_SIGNING_SECRET" in text
    assert "App Credentials" in remedy


async def test_an_unreachable_slack(slack: SlackServer) -> None:
    slack.dark = True
    _, ok, text, remedy = (await look(slack))["Slack 인증"]
    assert not ok
    assert "닿지 않습니다" in text
    assert "방화벽" in remedy
