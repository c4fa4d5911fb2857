"""The ways to ask: a mention, a direct message, a thread the bot listens in, `/wiki`, and "위키에서 찾기" on a message."""

from __future__ import annotations

import asyncio
import logging
import time

from adapters.slack import events, log, replies, texts, web
from adapters.slack.events import Message, Payload
from adapters.slack.kit import Kit, spot
from adapters.slack.target import RESPONSE_URL_SECONDS, Target
from bot.conversation import Asked, Place, Receipt

_THREAD_SECONDS = 2.0
_logger = logging.getLogger(__name__)


class Asking:
    """Platform payload → `Desk.ask`. Slack has its acknowledgement before any of this runs."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def mentioned(self, body: Payload) -> None:
        """An `app_mention`."""
        found = events.message(body["event"])
        if found is not None:
            await self._message(body, found)

    async def said(self, body: Payload) -> None:
        """A `message`: every one in a direct conversation, elsewhere what the place's settings say."""
        found = events.message(body["event"])
        if found is None:
            return
        if found.direct:
            await self._message(body, found)
        elif not events.mentions(found.text, self._kit.workspace.bot_user):  # else its app_mention comes, too
            await self._overheard(body, found)

    async def command(self, body: Payload, text: str) -> None:
        """`/wiki 질문`: for the asker's eyes, with a button to share."""
        at = spot(body)
        place = await self._kit.place(at.channel)
        target = Target(
            channel=at.channel,
            user=at.user,
            team=self._kit.workspace.team,
            language=self._kit.desk.place_settings(place).language,
            direct=place.kind == "direct",
            private=True,
            response_url=at.response_url,
            response_until=time.time() + RESPONSE_URL_SECONDS,
        )
        await self._ask(body, place, text, target, keys=(events.interaction_key(body),), private=True)

    async def shortcut(self, body: Payload) -> None:
        """The message that "위키에서 찾기" was chosen on is the question; the answer is for the chooser's eyes."""
        at = spot(body)
        place = await self._kit.place(at.channel, at.thread)
        target = Target(
            channel=at.channel,
            user=at.user,
            team=self._kit.workspace.team,
            language=self._kit.desk.place_settings(place).language,
            thread=at.thread or (at.ts if place.kind == "direct" else ""),
            direct=place.kind == "direct",
            private=True,
            response_url=at.response_url,
            response_until=time.time() + RESPONSE_URL_SECONDS,
        )
        text = str((body.get("message") or {}).get("text") or "")
        await self._ask(body, place, text, target, keys=(events.interaction_key(body),), private=True)

    async def _overheard(self, body: Payload, found: Message) -> None:
        """A channel message that does not address the bot."""
        place = await self._where(body, found)
        listen = self._kit.desk.place_settings(place).listen
        if listen == "mention" or (listen == "threads" and not found.thread):
            return
        if not found.thread:
            await self._message(body, found, place)
            return
        thread = await self._thread(found)
        if any(replies.by_us(reply, self._kit.workspace) for reply in thread):
            await self._message(body, found, place, thread)

    async def _message(
        self, body: Payload, found: Message, place: Place | None = None, thread: list[dict[str, object]] | None = None
    ) -> None:
        place = place or await self._where(body, found)
        if thread is None:
            thread = await self._thread(found)
        target = Target(
            channel=found.channel,
            user=found.user,
            team=place.server,
            language=self._kit.desk.place_settings(place).language,
            thread=found.root,
            asked=found.ts,
            direct=found.direct,
            private=found.direct,
        )
        turns = events.turns(thread, found.ts, self._kit.workspace.bot_user)
        await self._ask(
            body,
            place,
            found.text,
            target,
            keys=events.message_keys(body, found),
            private=found.direct,
            turns=turns,
            team=str(body["event"].get("user_team") or body["event"].get("team") or ""),
        )

    async def _where(self, body: Payload, found: Message) -> Place:
        external = events.external(body)
        if external is None and not found.direct:
            external = (await self._kit.directory.channel(found.channel)).external
        return events.place(found, body, external=bool(external))

    async def _thread(self, found: Message) -> list[dict[str, object]]:
        """The thread so far. Without it the question still stands on its own, so a refusal is no failure."""
        if not found.thread or found.thread == found.ts:
            return []
        try:
            async with asyncio.timeout(_THREAD_SECONDS):
                return await replies.thread(self._kit.clients.courtesies, found.channel, found.thread)
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_thread_unread", error=web.code(error))
            return []

    async def _ask(
        self,
        body: Payload,
        place: Place,
        text: str,
        target: Target,
        *,
        keys: tuple[str, ...],
        private: bool,
        turns: tuple[str, ...] = (),
        team: str = "",
    ) -> None:
        person = await (self._kit.directory.person(target.user, team) if target.asked else self._kit.person(body))
        receipt = await self._kit.desk.ask(
            Asked(
                keys=keys,
                place=place,
                person=person,
                text=events.spoken(text, self._kit.workspace.bot_user),
                reply_to=target.dump(),
                private=private,
                turns=turns,
            )
        )
        level = logging.DEBUG if receipt is Receipt.DUPLICATE else logging.INFO
        log.event(_logger, level, "slack_asked", receipt=receipt.value, key=keys[0])


def command_words(text: str) -> tuple[str, list[str]]:
    """`settings`, `stop` or `ask`, and the words after the verb."""
    words = text.split()
    first = words[0].lower() if words else ""
    if first in texts.settings_words():
        return "settings", words[1:]
    return "ask", words
