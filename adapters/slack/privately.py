"""A final answer for one person's eyes in a place where others read: ephemeral, else as a direct message.

Whichever way Slack refuses the blocks, the bare text goes out: an answer without its buttons is better than none.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack import log, render, web
from adapters.slack.respond import respond
from adapters.slack.target import Target
from bot.conversation import Reply
from bot.errors import DeliveryFailed

_logger = logging.getLogger(__name__)


async def post(clients: web.Clients, target: Target, reply: Reply, *, replaces: bool) -> str:
    """By the `response_url` while it lives, else chat.postEphemeral, else a direct message; returns `<channel>:<ts>`.

    `replaces`: take the place of what was posted by the `response_url` before. Raises DeliveryFailed.
    """
    rendered = render.reply(reply)
    content: dict[str, Any] = {"text": rendered.text, "blocks": rendered.blocks}
    if target.can_respond():
        try:
            await respond(clients, target.response_url, **content, replace=replaces)
        except web.REFUSALS as error:
            _log("slack_respond_refused", reply, error)
        else:
            return f"{target.channel}:private-{reply.question_id}"  # Slack names no ts here
    where = {"channel": target.channel, "user": target.user, "thread_ts": target.thread or None}
    try:
        response = await _plainer(clients.promises.chat_postEphemeral, reply, **where, **content)
    except web.REFUSALS as error:
        _log("slack_ephemeral_refused", reply, error)
    else:
        return f"{target.channel}:{response['message_ts']}"
    rendered = render.reply(replace(reply, can_share=False))  # the button shares in the channel that it stands in
    try:
        response = await _plainer(
            clients.promises.chat_postMessage,
            reply,
            channel=target.user,
            text=rendered.text,
            blocks=rendered.blocks,
            metadata=rendered.metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
    except web.REFUSALS as error:
        _log("slack_direct_refused", reply, error)
        raise DeliveryFailed(platform="Slack", reason=web.code(error)) from error
    return f"{response['channel']}:{response['ts']}"


async def _plainer(call: Callable[..., Awaitable[AsyncSlackResponse]], reply: Reply, **message: Any) -> Any:
    """The call, and without blocks when it is them that Slack refuses. Raises `web.REFUSALS`."""
    try:
        return await call(**message)
    except web.REFUSALS as error:
        if web.code(error) not in web.BAD_BLOCKS:
            raise
        _log("slack_blocks_refused", reply, error)
    return await call(**message | {"blocks": None})


def _log(name: str, reply: Reply, error: BaseException) -> None:
    log.event(_logger, logging.WARNING, name, question=reply.question_id, error=web.code(error))
