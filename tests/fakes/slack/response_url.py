"""response_url: five messages within half an hour of an interaction, without a token."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web

from tests.fakes.slack.chat import Change, Chat
from tests.fakes.slack.records import JSON, Call, SlackError, Violation
from tests.fakes.slack.state import Message, ResponseUrl, Workspace

MOST_USES = 5
LIFE_SECONDS = 1800.0
_KEYS = {
    "text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "unfurl_links", "unfurl_media",
    "thread_ts", "metadata", "mrkdwn", "markdown_text", "username", "icon_emoji", "icon_url", "link_names", "parse",
}  # fmt: skip


class ResponseUrls:
    """Handles POSTs to `/response/<id>`."""

    def __init__(
        self,
        workspace: Workspace,
        chat: Chat,
        calls: list[Call],
        violations: list[Violation],
        changed: Callable[[], None],
        echo: Callable[[Change, Message, JSON | None], None],
    ) -> None:
        self.life_seconds = LIFE_SECONDS
        self._workspace = workspace
        self._chat = chat
        self._calls = calls
        self._violations = violations
        self._changed = changed
        self._echo = echo

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One use."""
        try:
            body = await request.json()
        except ValueError:
            body = None
        call = Call("response_url", body if isinstance(body, dict) else {}, time.monotonic())
        self._calls.append(call)
        try:
            self._use(request.match_info["id"], body)
        except SlackError as error:
            call.error = error.code
            if error.violation:
                self._violations.append(Violation("response_url", error.code, error.detail))
            status = 404 if error.code in ("used_url", "expired_url") else 400
            return web.json_response({"ok": False, "error": error.code}, status=status)
        finally:
            call.answered = True
            self._changed()
        return web.Response(text="ok")

    def _use(self, url_id: str, body: object) -> None:
        url = self._workspace.response_urls.get(url_id)
        if url is None or time.monotonic() - url.made > self.life_seconds:
            raise SlackError("expired_url")
        if url.uses >= MOST_USES:
            raise SlackError("used_url")
        url.uses += 1
        if not isinstance(body, dict):
            raise SlackError("invalid_payload", violation=True)
        unknown = sorted(set(body) - _KEYS)
        if unknown:
            raise SlackError("invalid_payload", f"unknown fields: {', '.join(unknown)}", violation=True)
        if body.get("delete_original"):
            self._delete(url)
            return
        self._chat.check(body)
        if body.get("replace_original") and url.message is not None:
            before = url.message.as_json()
            self._chat.replace(url.message, body)
            if url.message.ephemeral_to is None:
                self._echo("changed", url.message, before)
            return
        channel = self._workspace.channels[url.channel]
        public = body.get("response_type") == "in_channel"
        message = self._chat.add(
            channel,
            {"thread_ts": url.thread_ts} | body if url.thread_ts else body,
            ephemeral_to=None if public else url.user,
        )
        if public:
            self._echo("posted", message, None)

    def _delete(self, url: ResponseUrl) -> None:
        if url.message is None:
            raise SlackError("message_not_found")
        before = url.message.as_json()
        url.message.deleted = True
        if url.message.ephemeral_to is None:
            self._echo("deleted", url.message, before)
