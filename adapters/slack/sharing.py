"""The button 채널에 공유: a private answer, shown to everyone by the one who asked, once."""

from __future__ import annotations

import asyncio
import logging

from adapters.slack import log, render, replies, texts, web
from adapters.slack.events import Payload
from adapters.slack.kit import Kit, Spot, spot
from adapters.slack.votes import answer_id

_EVENT = "saseo_share"
_DONE = "shared"
_UNSURE = "unsure"
"""Nobody told us whether it was posted: the next press looks first."""
_PAUSE_SECONDS = 0.5
"""Before a look whether it got through after all."""
_logger = logging.getLogger(__name__)


class Sharing:
    """Payload → `Desk.share` → a message in the channel."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._busy: set[str] = set()
        """Answers being posted now: a double click is one wish."""

    async def pressed(self, body: Payload) -> None:
        """The button."""
        answer = answer_id(body["actions"][0].get("value"))
        if answer is None or answer in self._busy:
            return
        self._busy.add(answer)
        try:
            await self._share(body, answer)
        finally:
            self._busy.discard(answer)

    async def _share(self, body: Payload, answer: str) -> None:
        at = spot(body)
        language = self._kit.language(at.channel)
        person, place = await asyncio.gather(self._kit.person(body), self._kit.place(at.channel))
        reply = await self._kit.desk.share(answer, person, external=place.external)
        if reply is None:
            await self._kit.whisper(at, texts.not_shareable(language))
            return
        key = f"slack:shared:{answer}"
        if await self._kit.desk.remembered(key) == _DONE:
            await self._kit.whisper(at, texts.already_shared(language))
            return
        head = texts.shared_by(f"<@{at.user}>", language)
        if reply.question:
            head += f"\n> {render.quoted(reply.question)}"
        rendered = render.reply(reply, event_type=_EVENT, head=head)
        try:
            ts = await self._posted(at, answer, key, rendered)
        except web.REFUSALS as error:
            log.event(
                _logger, logging.WARNING, "slack_share_refused", question=reply.question_id, error=web.code(error)
            )
            await self._kit.whisper(at, texts.could_not_share(language))
            return
        await self._kit.desk.remember(key, _DONE)
        await self._kit.desk.shown_at(answer, f"{at.channel}:{ts}")
        await self._kit.whisper(at, texts.was_shared(language))

    async def _posted(self, at: Spot, answer: str, key: str, rendered: render.Rendered) -> str:
        """ts of the message, which may stand there although the try that made it failed. Raises `web.REFUSALS`."""
        if await self._kit.desk.remembered(key) == _UNSURE and (ts := await self._standing(at, answer)):
            return ts
        try:
            posted = await self._kit.clients.promises.chat_postMessage(
                channel=at.channel,
                thread_ts=at.thread or None,
                text=rendered.text,
                blocks=rendered.blocks,
                metadata=rendered.metadata,
                unfurl_links=False,
                unfurl_media=False,
            )
        except web.REFUSALS as error:
            if not web.may_have_happened(error):
                raise
            await self._kit.desk.remember(key, _UNSURE)
            await asyncio.sleep(_PAUSE_SECONDS)
            if ts := await self._standing(at, answer):
                return ts
            raise
        return str(posted["ts"])

    async def _standing(self, at: Spot, answer: str) -> str:
        """ts of the shared answer; empty when it does not stand there, or we may never look. Raises `web.REFUSALS`."""
        client = self._kit.clients.promises
        try:
            if at.thread:
                said = await replies.thread(client, at.channel, at.thread, since=at.ts, metadata=True)
            else:
                said = await replies.recent(client, at.channel)
        except web.REFUSALS as error:
            if web.may_have_happened(error) or web.code(error) == "ratelimited":
                raise
            return ""
        return next((str(m["ts"]) for m in said if replies.carries(m, _EVENT, "answer_id", answer)), "")
