"""Sign in to a workspace and build the Bolt app that its events run through."""

from __future__ import annotations

import asyncio
import logging

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import admin_texts, log, web
from adapters.slack.web import Clients, Workspace
from bot.errors import AdapterError
from bot.messages import Language

_TOKEN_ERRORS = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"}
)
_NETWORK_ERRORS = frozenset({"unreachable", "timeout", "http_5xx", "ratelimited"})
_SIGN_IN_SECONDS = 20.0
_logger = logging.getLogger(__name__)


async def sign_in(clients: Clients, base_url: str, language: Language) -> Workspace:
    """`auth.test`. Raises AdapterError with what to do."""
    try:
        async with asyncio.timeout(_SIGN_IN_SECONDS):
            found = await clients.promises.auth_test()
    except web.REFUSALS as error:
        raise explained(error, base_url, language) from None  # the SDK's text holds the whole response
    return Workspace(
        team=str(found.get("team_id") or ""),
        bot_user=str(found.get("user_id") or ""),
        bot_id=str(found.get("bot_id") or ""),
    )


def explained(error: BaseException, base_url: str, language: Language, *, socket: bool = False) -> AdapterError:
    """A failed start as ours. `socket`: the app-level token was used, not the bot's."""
    code = web.code(error)
    if code not in _NETWORK_ERRORS and (socket or code in _TOKEN_ERRORS):
        remedy = admin_texts.app_token(language) if socket else admin_texts.reinstall(language)
    else:
        remedy = admin_texts.network(base_url, language)
    return AdapterError(platform="Slack", reason=admin_texts.reason(code, language), remedy=remedy)


def bolt_app(token: str, client: AsyncWebClient, workspace: Workspace) -> AsyncApp:
    """An app for one workspace that knows already who it is: no `auth.test` in the way of the first event.

    Signatures are checked in front of it (http_mode.py).
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=workspace.team,
            bot_user_id=workspace.bot_user,
            bot_id=workspace.bot_id,
            bot_token=token,
        )

    logger = log.sdk_logger(_logger)
    return AsyncApp(
        name="slack_bolt.saseo",  # of loggers: under "saseo" it would set the level of everything that we log there
        logger=logger,
        client=AsyncWebClient(base_url=client.base_url, session=client.session, logger=logger),
        authorize=authorize,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        signing_secret="",
    )
