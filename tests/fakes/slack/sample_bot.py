"""A small Slack app on the real bolt, which the fake's own tests drive it with."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.server import SlackServer

FEEDBACK = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "answer_feedback",
            "positive_button": {"text": {"type": "plain_text", "text": "도움됨"}, "value": "a1:up"},
            "negative_button": {"text": {"type": "plain_text", "text": "아쉬움"}, "value": "a1:down"},
        }
    ],
}
MODAL = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "의견"},
    "submit": {"type": "plain_text", "text": "보내기"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "이유"},
            "element": {"type": "plain_text_input", "action_id": "text", "multiline": True},
        }
    ],
}


class Bot:
    """A small Slack app that notes what it hears and answers as Saseo does."""

    def __init__(self, slack: SlackServer) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_base_url))
        self.handlers = [
            AsyncSocketModeHandler(
                self.app,
                slack.app_token,
                web_client=AsyncWebClient(slack.app_token, slack.api_base_url),
                ping_interval=1,
            )
            for _ in range(2)
        ]
        self.app.event("app_mention")(self.mentioned)
        self.app.event("message")(self.note)
        self.app.event("app_home_opened")(self.note)
        self.app.event("reaction_added")(self.note)
        self.app.event("reaction_removed")(self.note)
        self.app.command("/wiki")(self.command)
        self.app.shortcut("ask_from_message")(self.interaction)
        self.app.action("answer_feedback")(self.pressed)
        self.app.action(re.compile("button_.*"))(self.interaction)
        self.app.view("why")(self.submitted)

    async def note(self, body: dict[str, Any]) -> None:
        self.heard.append((body["event"]["type"], body))

    async def mentioned(self, body: dict[str, Any], event: dict[str, Any], say_stream: Any, set_status: Any) -> None:
        self.heard.append(("app_mention", body))
        await set_status("찾는 중…")
        stream = await say_stream(buffer_size=5)
        await stream.append(markdown_text="연차는 15일입니다. ")
        await stream.stop(
            markdown_text="[1]",
            blocks=[FEEDBACK],
            metadata={"event_type": "wiki_answer", "event_payload": {"answer_id": "a1"}},
        )

    async def command(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        await ack()
        self.heard.append(("command", body))
        await respond("찾는 중…")

    async def interaction(self, ack: Any, body: dict[str, Any]) -> None:
        await ack()
        self.heard.append((body["type"], body))

    async def pressed(self, ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        self.heard.append(("pressed", body))
        if body["actions"][0]["value"].endswith(":down"):
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    async def submitted(self, ack: Any, body: dict[str, Any]) -> None:
        self.heard.append(("submitted", body))
        reason = body["view"]["state"]["values"]["reason"]["text"]["value"]
        if reason == "짧음":
            await ack(response_action="errors", errors={"reason": "조금 더 적어 주십시오."})
        else:
            await ack()

    def of(self, name: str) -> list[dict[str, Any]]:
        return [body for heard, body in self.heard if heard == name]


@asynccontextmanager
async def running(slack: SlackServer) -> AsyncIterator[Bot]:
    """The bot, connected twice."""
    bot = Bot(slack)
    for handler in bot.handlers:
        await handler.connect_async()
    await slack.wait_connected(2)
    yield bot
    for handler in bot.handlers:
        await handler.close_async()
