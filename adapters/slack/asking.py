"""The ways to ask: a mention, a direct message, a thread the bot listens in, `/wiki`, and "위키에서 찾기" on a message."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import TypeVar

from adapters.slack import admin_texts, events, log, render, replies, web
from adapters.slack.events import Message, Payload
from adapters.slack.kit import Kit, spot
from adapters.slack.target import RESPONSE_URL_SECONDS, Target
from bot import logs
from bot.conversation import Asked, Person, Place
from bot.small_talk import is_small_talk

_THREAD_SECONDS = 1.5
_THREAD_AGAIN_SECONDS = 90.0
"""Slack may ask to wait a minute before it shows a thread."""
_SETTINGS = frozenset(name.lower() for key, pair in admin_texts.SETTING_NAMES.items() for name in (key, *pair))
_logger = logging.getLogger(__name__)
T = TypeVar("T")


class Asking:
    """Platform payload → `Desk.ask`. Slack has its acknowledgement before any of this runs for a command, and after it for an event."""

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
        await self._quietly(body, text, command=True)

    async def shortcut(self, body: Payload) -> None:
        """The message that "위키에서 찾기" was chosen on is the question; the answer is for the chooser's eyes."""
        await self._quietly(body, str((body.get("message") or {}).get("text") or ""), command=False)

    async def _quietly(self, body: Payload, text: str, *, command: bool) -> None:
        at = spot(body)
        place, person = await asyncio.gather(self._kit.place(at.channel, at.thread), self._kit.person(body))
        direct = place.kind == "direct"
        target = Target(
            channel=at.channel,
            user=at.user,
            team=self._kit.workspace.team,
            language=self._kit.desk.place_settings(place).language,
            thread=at.thread or (at.ts if direct else ""),
            direct=direct,
            private=True,
            command=command,
            response_url=at.response_url,
            response_until=time.time() + RESPONSE_URL_SECONDS,
        )
        await self._ask((events.interaction_key(body),), place, person, text, target)

    async def _overheard(self, body: Payload, found: Message) -> None:
        """A channel message that does not address the bot."""
        place = await self._where(body, found)
        listen = self._kit.desk.place_settings(place).listen
        if listen == "mention" or (listen == "threads" and not found.thread):
            return
        if not events.spoken(found.text) or events.addresses_another(found.text) or is_small_talk(found.text):
            return  # a picture, a word to somebody else, thanks: nothing was asked of us
        if not found.thread:
            await self._message(body, found, place)
            return
        thread = await self._thread(found)
        if thread is None:  # Slack heard already that the event was taken (taking.py): nobody waits for this
            thread = await self._thread(found, patient=True) or []
        ours = [reply for reply in thread if replies.by_us(reply, self._kit.workspace)]
        if ours and not any(_waits_for_a_person(reply) for reply in ours):
            await self._message(body, found, place, thread)

    async def _message(
        self, body: Payload, found: Message, place: Place | None = None, thread: Sequence[Payload] | None = None
    ) -> None:
        """All look-ups at once: the asker sees nothing before they are done."""
        event = body["event"]
        where, before, person = await asyncio.gather(
            _known(place) if place is not None else self._where(body, found),
            _known(thread) if thread is not None else self._thread(found),
            self._kit.directory.person(found.user, str(event.get("user_team") or event.get("team") or "")),
        )
        target = Target(
            channel=found.channel,
            user=found.user,
            team=where.server,
            language=self._kit.desk.place_settings(where).language,
            thread=found.root,
            asked=found.ts,
            direct=found.direct,
            private=found.direct,
        )
        turns = events.turns(before or (), found.ts, self._kit.workspace.bot_user)
        await self._ask(events.message_keys(body, found), where, person, found.text, target, turns)

    async def _where(self, body: Payload, found: Message) -> Place:
        external = events.external(body)
        if external is None and not found.direct:
            external = (await self._kit.directory.channel(found.channel)).external
        return events.place(found, body, external=bool(external))

    async def _thread(self, found: Message, *, patient: bool = False) -> Sequence[Payload] | None:
        """The thread so far; None: it could not be read. Without it a question still stands on its own, so that is no failure.

        `patient`: also after the wait that Slack asks for.
        """
        if not found.thread or found.thread == found.ts:
            return []
        try:
            async with asyncio.timeout(_THREAD_AGAIN_SECONDS if patient else _THREAD_SECONDS):
                client = self._kit.clients.promises if patient else self._kit.clients.courtesies
                return await replies.thread(client, found.channel, found.thread)
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_thread_unread", error=web.code(error))
            return None

    async def _ask(
        self,
        keys: tuple[str, ...],
        place: Place,
        person: Person,
        text: str,
        target: Target,
        turns: tuple[str, ...] = (),
    ) -> None:
        asked = Asked(
            keys=keys,
            place=place,
            person=person,
            text=events.spoken(text),
            reply_to=target.dump(),
            private=target.private,
            turns=turns,
        )
        with logs.about():
            receipt = await self._kit.desk.ask(asked)
            log.event(_logger, logging.INFO, "slack_asked", receipt=receipt.value, key=keys[0])


def _waits_for_a_person(ours: Payload) -> bool:
    """An open call for help: what is said below it is between the people, until it is resolved."""
    elements = (element for block in ours.get("blocks") or () for element in block.get("elements") or ())
    return any(element.get("action_id") == render.RESOLVE for element in elements)


async def _known(value: T) -> T:
    return value


def command_words(text: str) -> tuple[str, list[str]]:
    """`settings`, `reindex` or `ask`, and the words that belong to it. "설정 방법을 알려 줘" is a question like any other."""
    words = text.split()
    rest = words[1:]
    means_settings = not rest or "=" in rest[0] or rest[0].lower() in _SETTINGS
    if words and words[0].lower() in admin_texts.SETTINGS_WORDS and means_settings:
        return "settings", rest
    if len(words) == 1 and words[0].lower() in admin_texts.REINDEX_WORDS:
        return "reindex", []
    return "ask", words
