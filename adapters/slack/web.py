"""Calls to Slack's Web API: two clients with different patience, and errors as short codes.

`promises` waits out a 429 (`Retry-After`), because a final answer must get through. `courtesies` never waits: a status line
or a reaction that comes a minute late is worth nothing. Neither repeats a call whose fate is unknown (a broken connection):
a blind repeat of chat.postMessage would post twice; delivery.py looks first.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack import log

REFUSALS = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
"""Everything a call can raise when Slack refuses or cannot be reached."""
BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
"""Codes that say that a message's form, not its place, is refused."""
_RATE_LIMIT_RETRIES = 4
_UNKNOWN_FATE = frozenset(
    {"unreachable", "timeout", "internal_error", "fatal_error", "service_unavailable", "http_5xx"}
)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Who we are there, as `auth.test` said."""

    team: str
    bot_user: str
    bot_id: str


class Closed(SlackClientError):
    """The adapter was closed: nothing is sent any more."""


class Client(AsyncWebClient):
    """Can be shut. (With its session closed, slack_sdk's own client quietly opens a new one for each call.)"""

    closed = False

    def shut(self) -> None:
        """Every call from now on raises Closed."""
        self.closed = True

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """See AsyncBaseClient. Raises `REFUSALS`."""
        if self.closed:
            raise Closed(api_method)
        return await super().api_call(api_method, **arguments)


@dataclass(frozen=True, slots=True)
class Clients:
    """Share one session; closed by whoever made it."""

    promises: Client
    courtesies: Client

    def shut(self) -> None:
        """Nothing is sent any more."""
        self.promises.shut()
        self.courtesies.shut()

    @classmethod
    def make(cls, token: str, base_url: str, session: aiohttp.ClientSession) -> Clients:
        """Both for one bot token."""
        logger = log.sdk_logger(logging.getLogger(__name__))

        def client(*handlers: AsyncRateLimitErrorRetryHandler) -> Client:
            return Client(token=token, base_url=base_url, session=session, logger=logger, retry_handlers=list(handlers))

        return cls(client(AsyncRateLimitErrorRetryHandler(max_retry_count=_RATE_LIMIT_RETRIES)), client())


def code(error: BaseException) -> str:
    """Slack's error code, or one of ours: `timeout`, `unreachable`, `http_5xx`, `closed`. Holds no text of anybody."""
    if isinstance(error, Closed):
        return "closed"
    if isinstance(error, SlackApiError):
        response = error.response
        status = getattr(response, "status_code", getattr(response, "status", 0))
        if isinstance(status, int) and status >= 500:
            return "http_5xx"
        data = getattr(response, "data", None)
        found = data.get("error") if isinstance(data, dict) else None
        return str(found) if found else ("ratelimited" if status == 429 else "unknown_error")
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "timeout"
    return "unreachable"


def may_have_happened(error: BaseException) -> bool:
    """Whether the call may have had its effect although it failed."""
    return code(error) in _UNKNOWN_FATE
