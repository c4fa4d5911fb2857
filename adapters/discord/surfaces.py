"""The two places an answer can stand: a message in a channel, or the response of an interaction.

Both do the same four things for a delivery (show a draft, complete it, find what a crash left, say where it stands); how,
is Discord's own business and written here once.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import discord

from adapters.discord import ids
from adapters.discord.address import Address, Draft
from adapters.discord.guard import UNREACHABLE, may_pass
from adapters.discord.logs import record
from adapters.discord.render import CONTINUED, UNFINISHED, Post
from adapters.discord.response import Response

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
Remember = Callable[[str], Awaitable[None]]
RECENT_MESSAGES = 50
UNKNOWN_MESSAGE = 10008


class Surface(Protocol):
    """Where one answer stands."""

    delay: float
    """Seconds before the first draft: until then something else shows that the bot is at work."""

    @property
    def v2(self) -> bool:
        """Which form its message has, or will have."""

    @property
    def left(self) -> Draft | None:
        """The draft that others may see, if there is one."""

    async def wait(self) -> None:
        """Show at once that the bot is at work."""

    async def draft(self, post: Post) -> None:
        """Show something unfinished."""

    async def complete(self, posts: Sequence[Post], question: str) -> str:
        """Make it the final message; returns its reference."""

    async def find(self, question: str) -> str | None:
        """The finished message, if it stands there; otherwise clear a draft away."""


def reference(message: discord.Message) -> str:
    """`<channel>:<message>`, as reactions name it."""
    return f"{message.channel.id}:{message.id}"


def finished(message: discord.Message, question: str) -> bool:
    """Whether this message of ours is a final one, or the last of two: by its buttons, or because nothing marks it unfinished."""
    if ids.answers(message.components, question):
        return True
    words = text_of(message).rstrip()
    return not message.flags.loading and bool(words) and not words.endswith((UNFINISHED, CONTINUED))


def text_of(message: discord.Message) -> str:
    """What a message says, in either form."""
    return "".join(_words(message.components)) or message.content


def _words(components: Any) -> list[str]:
    found: list[str] = []
    for component in components:
        if isinstance(component, discord.TextDisplay):
            found.append(component.content)
        found += _words(getattr(component, "children", ()))
    return found


class ChannelSurface:
    """A reply to a message; a draft is posted only when the wait is felt."""

    delay = 2.5

    def __init__(self, client: SaseoClient, address: Address, draft: str, remember: Remember) -> None:
        self._client = client
        self._address = address
        self._channel = client.get_partial_messageable(address.channel)
        self._remember = remember
        self._draft = Draft.from_json(draft)
        self._nonce = ""
        """Of a draft that was asked for, while it is not known whether it stands. With it Discord gives the same one back."""

    @property
    def v2(self) -> bool:
        """The draft's form, once there is one."""
        return self._draft.v2 if self._draft else self._client.renderer.v2

    @property
    def left(self) -> Draft | None:
        """The draft, if there is one."""
        return self._draft

    async def wait(self) -> None:
        """The typing indicator stands for ten seconds."""
        await self._channel.typing()

    async def draft(self, post: Post) -> None:
        """Post it once, then edit it."""
        if self._draft is None or not self._draft.message:
            may_stand = bool(self._nonce)
            self._draft = await self._post_draft(post)
            await self._remember(self._draft.to_json())
            if not may_stand:
                return
        await self._partial(self._draft).edit(**post.editing())

    async def complete(self, posts: Sequence[Post], question: str) -> str:
        """Edit the draft, or reply. A repeated create with the same nonce gives the first message again (Discord docs)."""
        last: discord.Message | None = None
        for number, post in enumerate(posts):
            if number == 0 and self._nonce:
                self._draft = await self._post_draft(post)
            if number == 0 and self._draft is not None and self._draft.message:
                try:
                    last = await self._partial(self._draft).edit(**post.editing())
                    continue
                except discord.NotFound:
                    self._draft = None  # somebody deleted it
            last = await self._send(post, nonce=f"{question}f{number}"[:25])
        if last is None:
            raise ValueError("nothing to post")
        return reference(last)

    async def find(self, question: str) -> str | None:
        """The remembered draft first, then what follows the question in the channel."""
        left: dict[int, discord.Message] = {}
        if (draft := self._draft) is not None and draft.message:
            try:
                message = await self._client.get_partial_messageable(draft.channel).fetch_message(draft.message)
            except discord.NotFound:
                self._draft = None
            except discord.Forbidden:
                pass  # without the history it cannot be read, but still be edited
            else:
                if finished(message, question):
                    return reference(message)
                left[message.id] = message
        me = self._client.user
        after = discord.Object(self._address.message)
        async for message in self._channel.history(limit=RECENT_MESSAGES, after=after, oldest_first=True):
            if me is None or message.author.id != me.id:
                continue
            if ids.answers(message.components, question):
                return reference(message)
            if message.reference is not None and message.reference.message_id == self._address.message:
                if finished(message, question):
                    return reference(message)
                left[message.id] = message  # perhaps a draft that was posted but not yet remembered
        await self._clear(left.values())
        return None

    async def _clear(self, left: Iterable[discord.Message]) -> None:
        """The first of two final messages stays and is edited: another with its nonce would not be made."""
        for message in left:
            if text_of(message).rstrip().endswith(CONTINUED):
                self._draft = Draft(message.flags.components_v2, message.channel.id, message.id)
                continue
            await message.delete()
            self._nonce = ""
            if self._draft is not None and self._draft.message == message.id:
                self._draft = None

    async def _post_draft(self, post: Post) -> Draft:
        self._nonce = self._nonce or secrets.token_hex(12)
        message = await self._send(post, nonce=self._nonce)
        self._nonce = ""
        return Draft(post.v2, message.channel.id, message.id)

    def _partial(self, draft: Draft) -> discord.PartialMessage:
        return self._client.get_partial_messageable(draft.channel).get_partial_message(draft.message)

    async def _send(self, post: Post, nonce: str) -> discord.Message:
        arguments = post.creating() | {"nonce": nonce, "mention_author": False}
        if self._address.message:
            arguments["reference"] = discord.MessageReference(
                message_id=self._address.message, channel_id=self._address.channel, fail_if_not_exists=False
            )
        try:
            return await self._channel.send(**arguments)
        except discord.HTTPException as error:
            if error.code != 160002 or "reference" not in arguments:  # cannot reply without reading the history
                raise
            del arguments["reference"]
            return await self._channel.send(**arguments)


class ResponseSurface:
    """The deferred response of an interaction ("thinking…"), edited until it is the answer."""

    delay = 1.0

    def __init__(self, client: SaseoClient, address: Address, draft: str, remember: Remember) -> None:
        self._client = client
        self._address = address
        self._remember = remember
        self._draft = Draft.from_json(draft)
        self._response = Response(client, address)
        self._followed = False
        """Whether something was sent after the response; where the answer to that got lost, it may stand."""

    @property
    def v2(self) -> bool:
        """The draft's form, once there is one."""
        return self._draft.v2 if self._draft else self._client.renderer.v2

    @property
    def left(self) -> Draft | None:
        """The response, once a draft stands in it."""
        return self._draft

    async def wait(self) -> None:
        """The deferral shows already."""

    async def draft(self, post: Post) -> None:
        """Edit the response. Which form it then has must outlive a crash, so it is remembered first."""
        await self._client.deferred(self._address.interaction)
        if self._draft is None:
            self._draft = Draft(post.v2)
            await self._remember(self._draft.to_json())
        channel, message = await self._response.edit(post)
        if not self._draft.message:
            self._draft = Draft(post.v2, channel, message)
            await self._remember(self._draft.to_json())

    async def complete(self, posts: Sequence[Post], question: str) -> str:
        """Edit the response; a second message follows it. A response that was deleted is followed by a new one."""
        await self._client.deferred(self._address.interaction)
        stands = ""
        for number, post in enumerate(posts):
            if number == 0:
                try:
                    channel, message = await self._response.edit(post)
                except discord.NotFound as error:
                    if error.code != UNKNOWN_MESSAGE:
                        raise
                else:
                    stands = f"{channel}:{message}"
                    continue
            if self._followed and number == len(posts) - 1 and (found := await self._in_channel(question)):
                return found
            self._followed = True
            arguments = post.creating() | {"ephemeral": self._address.ephemeral, "wait": True}
            stands = reference(await self._response.webhook.send(**arguments))
        return stands

    async def find(self, question: str) -> str | None:
        """The response itself; for a public one also what follows it. A draft needs no clearing: the next edit replaces it."""
        if self._address.usable:
            try:
                message = await self._response.fetch()
            except discord.HTTPException as error:
                if may_pass(error):
                    raise
                record(logger, "response_not_found", interaction=self._address.interaction, code=error.code)
            else:
                if finished(message, question):
                    return reference(message)
        return await self._in_channel(question)

    async def _in_channel(self, question: str) -> str | None:
        me = self._client.user
        if self._address.ephemeral or me is None:
            return None
        channel = self._client.get_partial_messageable(self._address.channel)
        after = discord.Object(self._address.interaction)
        try:
            async for message in channel.history(limit=RECENT_MESSAGES, after=after, oldest_first=True):
                if message.author.id == me.id and ids.answers(message.components, question):
                    return reference(message)
        except UNREACHABLE as error:
            if may_pass(error):
                raise
            record(logger, "history_unread", interaction=self._address.interaction, code=getattr(error, "code", None))
        return None
