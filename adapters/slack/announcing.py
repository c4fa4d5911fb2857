"""Announcements into a Slack channel, from any process: one session, no events. They carry their mark as metadata."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any, Self

import aiohttp

from adapters.slack import connect, log, render, replies, web
from adapters.slack.tokens import SlackTokens
from adapters.text import Markdown, mrkdwn, safe_url
from bot.conversation import Announcement, Place
from bot.errors import AdapterError, DeliveryFailed
from bot.messages import Language
from bot.settings import SlackSettings

ANNOUNCEMENT_EVENT = "saseo_announcement"
_CALL_SECONDS = 30.0
_PAGE = 200
_PAGES = 5
_logger = logging.getLogger(__name__)


class SlackAnnouncer:
    """See bot.platforms.Announcer."""

    def __init__(self, settings: SlackSettings, tokens: SlackTokens, *, language: Language) -> None:
        """`language`: of what the operator reads."""
        self._settings = settings
        self._tokens = tokens
        self._language = language
        self._session: aiohttp.ClientSession | None = None
        self._clients: web.Clients | None = None
        self._workspace = web.Workspace("", "", "")

    async def __aenter__(self) -> Self:
        """`auth.test`. Raises AdapterError."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS))
        clients = web.Clients.make(self._tokens.bot, self._settings.api_base_url, self._session)
        try:
            self._workspace = await connect.sign_in(clients, self._settings.api_base_url, self._language)
        except AdapterError:
            await self._session.close()
            raise
        self._clients = clients
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def place(self, place: str) -> Place:
        """conversations.info. Raises DeliveryFailed."""
        found = (await self._call("conversations_info", channel=place)).get("channel") or {}
        return Place(
            platform="slack",
            id=place,
            kind="direct" if found.get("is_im") else "channel",
            server=self._workspace.team,
            external=bool(found.get("is_ext_shared") or found.get("is_pending_ext_shared")),
        )

    async def find(self, place: str, mark: str, since: float) -> str | None:
        """In the channel's history since then. Raises DeliveryFailed when it cannot be read to its end."""
        cursor = ""
        for _ in range(_PAGES):
            response = await self._call(
                "conversations_history",
                channel=place,
                oldest=f"{since:.6f}",
                limit=_PAGE,
                include_all_metadata=True,
                cursor=cursor or None,
            )
            for message in response.get("messages") or []:
                metadata = message.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                ours = replies.by_us(message, self._workspace) and metadata.get("event_type") == ANNOUNCEMENT_EVENT
                if ours and payload.get("mark") == mark:
                    return f"{place}:{message['ts']}"
            cursor = (response.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        raise DeliveryFailed(platform="Slack", reason="history_too_long")

    async def post(self, place: str, announcement: Announcement) -> str:
        """chat.postMessage, once: a repeat of a call whose fate is unknown would post twice. Raises DeliveryFailed."""
        response = await self._call("chat_postMessage", channel=place, **message(announcement))
        return f"{response['channel']}:{response['ts']}"

    async def _call(self, method: str, **arguments: Any) -> Any:
        if self._clients is None:
            raise DeliveryFailed(platform="Slack", reason="closed")
        try:
            return await getattr(self._clients.promises, method)(**arguments)
        except web.REFUSALS as error:
            reason = web.code(error)
            log.event(_logger, logging.WARNING, "slack_announcement_refused", method=method, error=reason)
            raise DeliveryFailed(platform="Slack", reason=reason) from None


def message(announcement: Announcement) -> dict[str, Any]:
    """Arguments of chat.postMessage."""
    blocks: list[render.Block] = [
        {"type": "markdown", "text": Markdown("slack").render(announcement.text, {})[: render.MARKDOWN_CHARACTERS]}
    ]
    if url := safe_url(announcement.url):
        blocks.append(render.context(f"<{render.address(url)}|{mrkdwn(announcement.label)}>"))
    return {
        "text": render.fallback(announcement.text),
        "blocks": blocks,
        "metadata": {"event_type": ANNOUNCEMENT_EVENT, "event_payload": {"mark": announcement.mark}},
        "unfurl_links": False,
        "unfurl_media": False,
    }
