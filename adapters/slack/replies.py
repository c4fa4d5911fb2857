"""Reading a thread: what people said before, and what we posted ourselves (after a crash)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import events, log, web

ANSWER_EVENT = "saseo_answer"
DRAFT_EVENT = "saseo_draft"
_OURS = "saseo_"
_PAGE = 200
_PAGES = 5
_logger = logging.getLogger(__name__)


async def thread(
    client: AsyncWebClient, channel: str, root: str, *, since: str = "", metadata: bool = False
) -> list[dict[str, Any]]:
    """The messages of a thread, its root first, at most a thousand: from the beginning, or of those after `since`.

    Raises `web.REFUSALS`.
    """
    found: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(_PAGES):
        response = await client.conversations_replies(
            channel=channel,
            ts=root,
            limit=_PAGE,
            oldest=since or None,
            include_all_metadata=metadata or None,
            cursor=cursor or None,
        )
        found += response.get("messages") or []
        cursor = (response.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            break
    else:
        log.event(_logger, logging.WARNING, "slack_thread_cut", messages=len(found))
    return found


async def recent(client: AsyncWebClient, channel: str) -> list[dict[str, Any]]:
    """The newest messages of a conversation, for an answer that hangs in no thread. Raises `web.REFUSALS`."""
    response = await client.conversations_history(channel=channel, limit=_PAGE, include_all_metadata=True)
    return response.get("messages") or []


def carries(message: Mapping[str, Any], event: str, key: str, value: str) -> bool:
    """Whether its metadata is of this event and says so."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return metadata.get("event_type") == event and payload.get(key) == value


def is_answer(message: Mapping[str, Any], question_id: str) -> bool:
    """Whether this is the finished answer: metadata comes only with the final form."""
    return carries(message, ANSWER_EVENT, "question_id", question_id)


def is_draft(message: Mapping[str, Any], question_id: str, *, in_thread: bool) -> bool:
    """A message of ours that nobody finished: an interim note of this question, or in a thread a stream, which has no
    metadata yet. (All else that we post into threads has some.)
    """
    metadata = message.get("metadata") or {}
    kind = str(metadata.get("event_type") or "")
    if kind == DRAFT_EVENT:
        return bool((metadata.get("event_payload") or {}).get("question_id") == question_id)
    return in_thread and not kind.startswith(_OURS)


def by_us(message: Mapping[str, Any], workspace: web.Workspace) -> bool:
    """Whether the bot posted it."""
    return message.get("user") == workspace.bot_user or (
        bool(workspace.bot_id) and message.get("bot_id") == workspace.bot_id
    )


def later(message: Mapping[str, Any], than: str) -> bool:
    """Whether it was posted after the message `than`."""
    return events.later(str(message.get("ts")), than)
