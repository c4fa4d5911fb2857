"""Posting to a `response_url`: no token, five uses, thirty minutes."""

from __future__ import annotations

from typing import Any

from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.slack import web


class Unanswered(OSError):
    """The url refused. Counts among `web.REFUSALS`; holds the status only, for the url is a secret."""


async def respond(
    clients: web.Clients, url: str, *, text: str, blocks: list[dict[str, Any]] | None = None, replace: bool = False
) -> None:
    """An ephemeral message to whoever caused the payload. Raises `web.REFUSALS`."""
    if clients.promises.closed:
        raise web.Closed("response_url")
    client = AsyncWebhookClient(
        url,
        session=clients.promises.session,
        logger=clients.promises.logger,
        retry_handlers=[AsyncRateLimitErrorRetryHandler()],
    )
    response = await client.send(text=text, blocks=blocks, response_type="ephemeral", replace_original=replace)
    if response.status_code != 200:
        raise Unanswered(f"status {response.status_code}")
