"""App Home: what the bot can do, the person's own last questions, what answers come from; and suggested prompts."""

from __future__ import annotations

import logging
from typing import Any

from adapters.slack import log, render, texts, web
from adapters.slack.events import Payload
from adapters.slack.kit import Kit
from adapters.text import mrkdwn, plain, shorten
from bot.conversation import Past, Place, SourceInfo
from bot.messages import Language

_QUESTION_CHARACTERS = 150
_PROMPT_TITLE_CHARACTERS = 40
_MOST_SOURCES = 20
_logger = logging.getLogger(__name__)


class Home:
    """`app_home_opened`, which comes for the home tab and for the messages tab."""

    def __init__(self, kit: Kit, prompts: tuple[str, ...]) -> None:
        self._kit = kit
        self._prompts = prompts

    async def opened(self, body: Payload) -> None:
        """Publish the view, or suggest what to ask."""
        event = body["event"]
        user, channel = str(event.get("user")), str(event.get("channel") or "")
        try:
            if event.get("tab") == "messages":
                await self._suggest(channel)
            else:
                await self._publish(user, channel)
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_home_refused", tab=event.get("tab"), error=web.code(error))

    async def _suggest(self, channel: str) -> None:
        if not self._prompts:
            return
        await self._kit.clients.courtesies.assistant_threads_setSuggestedPrompts(
            channel_id=channel,
            title=texts.prompts_title(self._kit.language(channel)),
            prompts=[
                {"title": shorten(prompt, _PROMPT_TITLE_CHARACTERS), "message": prompt} for prompt in self._prompts
            ],
        )

    async def _publish(self, user: str, channel: str) -> None:
        desk = self._kit.desk
        person = await self._kit.directory.person(user)
        place = Place(platform="slack", id=channel, kind="direct", server=self._kit.workspace.team)
        language = desk.place_settings(place).language
        view = home_view(await desk.recent(person), await desk.sources(place, person, private=True), language=language)
        await self._kit.clients.courtesies.views_publish(user_id=user, view=view)


def home_view(past: tuple[Past, ...], sources: tuple[SourceInfo, ...], *, language: Language) -> dict[str, Any]:
    """The tab, as Slack's view."""
    lines = [
        f"• {mrkdwn(' '.join(shorten(plain(one.text), _QUESTION_CHARACTERS).split()))} "
        f"({mrkdwn(texts.outcome(one.outcome, language))})"
        for one in past
    ]
    listed = [texts.home_source(mrkdwn(one.name), one.pages, language) for one in sources[:_MOST_SOURCES]]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": texts.home_hello(language)}},
        render.section(texts.home_help(language)),
        {"type": "divider"},
        render.section(f"*{texts.home_recent(language)}*"),
        render.section("\n".join(lines) or texts.home_no_recent(language)),
    ]
    if listed:
        blocks += [
            {"type": "divider"},
            render.section(f"*{texts.home_sources(language)}*"),
            render.section("\n".join(listed)),
        ]
    return {"type": "home", "blocks": blocks}
