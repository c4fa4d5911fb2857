"""One answer on its way to Discord: paced drafts, then the one final message, wherever it can still go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import discord

from adapters.discord import texts
from adapters.discord.address import Address, Draft
from adapters.discord.guard import UNREACHABLE, may_pass
from adapters.discord.logs import record
from adapters.discord.pace import Pace
from adapters.discord.surfaces import ChannelSurface, Remember, ResponseSurface, Surface
from adapters.text import SafeStream, inline
from bot.conversation import Reply
from bot.errors import DeliveryFailed

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 120.0
FORM_REFUSED = 50035
Result = TypeVar("Result")


class DiscordDelivery:
    """See `bot.platforms.Delivery`."""

    def __init__(self, client: SaseoClient, question_id: str, reply_to: str, draft: str, remember: Remember) -> None:
        self._client = client
        self._question = question_id
        self._address = Address.from_json(reply_to)
        self._remember = remember
        self._note = draft
        self._surface: Surface | None = self._make_surface(draft)
        self._stream = SafeStream("discord", {})
        self._written = ""
        self._waited = False
        self._pace = self._new_pace()

    def _new_pace(self) -> Pace:
        return Pace(self._show, self._surface.delay if self._surface else 0.0)

    def _make_surface(self, draft: str) -> Surface | None:
        if self._address.message:
            return ChannelSurface(self._client, self._address, draft, self._remember)
        if self._address.usable:
            return ResponseSurface(self._client, self._address, draft, self._remember)
        return None

    async def status(self, text: str) -> None:
        """Shown in a draft unless the answer has begun."""
        if self._surface is None:
            return
        if not self._waited:
            self._waited = True
            self._pace.at_once(self._surface.wait)
        if not self._written:
            self._pace.want(inline(text, "discord"))

    async def write(self, text: str) -> None:
        """Collected; shown at the pace of the platform."""
        self._written += self._stream.feed(text)
        if self._surface is not None and self._written.strip():
            self._pace.want(self._written.lstrip())

    async def _show(self, text: str) -> None:
        surface = self._surface
        if surface is None:
            return
        await surface.draft(self._client.renderer.draft(text, surface.v2))

    async def finish(self, reply: Reply) -> str:
        """The final message, elsewhere only where Discord refuses it for good: after a stumble it may stand unseen.

        Raises DeliveryFailed when nothing got through, as far as can be seen.
        """
        await self._pace.stop()
        failure: BaseException | None = None
        if self._surface is not None and (self._address.message or self._address.usable):
            try:
                return await self._complete(self._surface, reply)
            except UNREACHABLE as error:
                if may_pass(error) or (self._address.direct and self._address.message):
                    raise DeliveryFailed(platform="Discord", reason=_reason(error)) from error
                failure = error
                code = getattr(error, "code", None)
                record(logger, "answer_not_placed", logging.WARNING, question=self._question, code=code)
        try:
            return await self._elsewhere(reply)
        except UNREACHABLE as error:
            reason = _reason(failure or error)
            record(logger, "delivery_failed", logging.ERROR, question=self._question, reason=reason)
            raise DeliveryFailed(platform="Discord", reason=reason) from error

    async def _complete(self, surface: Surface, reply: Reply) -> str:
        renderer, address = self._client.renderer, self._address
        # A message stands above its answer; what a command was given, others do not see.
        about = "" if address.message or address.ephemeral or address.direct else address.question
        try:
            return await persist(lambda: surface.complete(renderer.final(reply, surface.v2, about), self._question))
        except discord.HTTPException as error:
            if error.code != FORM_REFUSED:
                raise
            record(logger, "form_refused", logging.ERROR, question=self._question, reason=_reason(error))
            return await persist(lambda: surface.complete((renderer.bare(reply, surface.v2),), self._question))

    async def _elsewhere(self, reply: Reply) -> str:
        """Where the answer cannot stand under the question: in the channel, or for the person alone if it was private."""
        address = self._address
        await self._clear_draft()
        if not (address.message or address.ephemeral):
            try:
                return await self._post(address.channel, reply)
            except UNREACHABLE as error:  # commands work also where the bot may not post
                if address.direct or may_pass(error):
                    raise
                code = getattr(error, "code", None)
                record(logger, "channel_closed", logging.WARNING, question=self._question, code=code)
        # A channel that takes no message, or a private answer: written to the person directly.
        try:
            channel = await persist(lambda: self._client.create_dm(discord.Object(address.asker)))
            return await self._post(channel.id, reply)
        except UNREACHABLE as error:
            code = getattr(error, "code", None)
            record(logger, "asker_not_reached", logging.WARNING, question=self._question, code=code)
            if not address.ephemeral or may_pass(error):
                raise
        words = self._client.renderer.text(texts.ask_again(reply.language))
        to = ChannelSurface(self._client, _only(address.channel, address), "", _forget)
        return await persist(lambda: to.complete((words,), self._question))

    async def _clear_draft(self) -> None:
        """The half-written response of a public interaction outlives its token; as our own message it can be deleted."""
        left = self._surface.left if self._surface else Draft.from_json(self._note)
        if left is None or not left.message or self._address.ephemeral:
            return
        message = self._client.get_partial_messageable(left.channel).get_partial_message(left.message)
        try:
            await persist(message.delete)
        except UNREACHABLE as error:
            record(logger, "draft_left", question=self._question, code=getattr(error, "code", None))

    async def _post(self, channel: int, reply: Reply) -> str:
        surface = ChannelSurface(self._client, _only(channel, self._address), "", _forget)
        if channel != self._address.channel:
            reply = replace(reply, can_share=False)  # the button shares in the channel that it stands in
        posts = self._client.renderer.final(reply, about=self._address.question)
        return await persist(lambda: surface.complete(posts, self._question))

    async def find(self) -> str | None:
        """What a crash left behind. A channel that may not be read holds nothing that could be found.

        Raises what may pass: then it can be looked for later.
        """
        await self._pace.stop()  # a draft that is due would be written over what is found
        surface = self._surface or ResponseSurface(self._client, self._address, "", self._remember)
        found: str | None = None
        try:
            found = await persist(lambda: surface.find(self._question))
        except UNREACHABLE as error:
            if may_pass(error):
                raise
            record(logger, "nothing_found", question=self._question, code=getattr(error, "code", None))
        if found is None:
            self._pace = self._new_pace()
        return found

    async def leave(self) -> None:
        """Nothing is shown from here any more."""
        self._pace.leave()


def _only(channel: int, address: Address) -> Address:
    return Address(channel=channel, asker=address.asker, created=address.created)


async def _forget(note: str) -> None:
    """A message without a draft has nothing to remember."""


async def persist(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Try again what may pass: a reset connection, a server error, a long rate limit. Raises the last error.

    discord.py retries 429 and 5xx by itself, but a reset connection only by the error numbers of Windows and macOS.
    """
    pause = FIRST_PAUSE_SECONDS
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt()
        except discord.RateLimited as error:
            await asyncio.sleep(min(error.retry_after, LONGEST_PAUSE_SECONDS))
        except UNREACHABLE as error:
            if not may_pass(error):
                raise
            await asyncio.sleep(pause)
        pause *= 2
    return await attempt()


def _reason(error: BaseException) -> str:
    """Discord's own code; the kind of error where there is none."""
    code = getattr(error, "code", 0)
    status = getattr(error, "status", 0)
    return f"{status} {code}" if status else type(error).__name__
