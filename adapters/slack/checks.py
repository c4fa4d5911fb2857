"""What `saseo doctor` looks at in Slack: tokens, sign-in, scopes, and how events come in. Connects nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.client import WebClient

from adapters.slack import admin_texts, log
from adapters.slack.tokens import SlackTokens
from bot.messages import Language
from bot.settings import SlackSettings

Check = tuple[str, bool, str, str]
"""Name, whether all is well, what was found, what to do."""
NEEDED_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "reactions:read",
    "reactions:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
"""Those of deploy/slack/manifest.json; a test holds the two together, for an installed wheel carries no deploy folder."""
_SECONDS = 10
_logger = logging.getLogger(__name__)


def checks(settings: SlackSettings, tokens: SlackTokens, language: Language) -> Iterator[Check]:
    """Each check in turn; after a token that Slack refuses the ones that need it are left out."""
    names = admin_texts.check_names(language)
    yield from _tokens(names[0], settings, tokens, language)
    if not tokens.bot:
        return
    client = WebClient(
        token=tokens.bot, base_url=settings.api_base_url, timeout=_SECONDS, logger=log.sdk_logger(_logger)
    )
    try:
        answer = client.auth_test()
    except (SlackClientError, OSError, ValueError) as error:
        yield _refused(names[1], error, settings, language, admin_texts.reinstall(language))
        return
    yield names[1], True, f"{answer.get('team')} / @{answer.get('user')}", ""
    yield _scopes(names[2], dict(answer.headers), language)
    if settings.mode == "http":
        if tokens.signing_secret:
            yield names[3], True, admin_texts.http_listens(settings.host, settings.port, language), ""
        return
    if not tokens.app:
        return
    try:
        client.apps_connections_open(app_token=tokens.app)
    except (SlackClientError, OSError, ValueError) as error:
        yield _refused(names[3], error, settings, language, admin_texts.app_token(language))
    else:
        yield names[3], True, admin_texts.socket_opens(language), ""


def _tokens(name: str, settings: SlackSettings, tokens: SlackTokens, language: Language) -> Iterator[Check]:
    found, remedies = [], []
    if not tokens.bot.startswith("xoxb-"):
        found.append(admin_texts.malformed("SLACK_BOT_TOKEN", "xoxb-", language))
        remedies.append(admin_texts.reinstall(language))
    if settings.mode == "socket" and not tokens.app.startswith("xapp-"):
        found.append(admin_texts.malformed("SLACK_APP_TOKEN", "xapp-", language))
        remedies.append(admin_texts.app_token(language))
    if settings.mode == "http" and not tokens.signing_secret:
        found.append(admin_texts.missing("SLACK_SIGNING_SECRET", language))
        remedies.append(admin_texts.signing_secret(language))
    yield name, not found, ", ".join(found) or admin_texts.well_formed(language), " ".join(remedies)


def _scopes(name: str, headers: dict[str, object], language: Language) -> Check:
    """Slack names the granted scopes in a header of every answer."""
    value = next((value for key, value in headers.items() if key.lower() == "x-oauth-scopes"), None)
    if value is None:
        return name, True, admin_texts.unknown_scopes(language), ""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    granted = {scope.strip() for scope in text.split(",")}
    missing = [scope for scope in NEEDED_SCOPES if scope not in granted]
    if missing:
        return name, False, admin_texts.lacking(missing, language), admin_texts.scopes(missing, language)
    return name, True, admin_texts.granted(len(NEEDED_SCOPES), language), ""


def _refused(name: str, error: Exception, settings: SlackSettings, language: Language, remedy: str) -> Check:
    if isinstance(error, SlackApiError):
        data = getattr(error.response, "data", None)
        code = str(data.get("error")) if isinstance(data, dict) and data.get("error") else "unknown_error"
        return name, False, admin_texts.reason(code, language), remedy
    return (
        name,
        False,
        admin_texts.reason("unreachable", language),
        admin_texts.network(settings.api_base_url, language),
    )
