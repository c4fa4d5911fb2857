"""A message in a channel or a direct conversation → a question for the Desk, when it is one."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING, Any

import discord

from adapters.discord import texts
from adapters.discord.events import MOST_TURNS, asked_in_message, person_of, place_of, said, turns_of
from adapters.discord.guard import UNREACHABLE, sentence_of
from adapters.discord.logs import record, where
from adapters.discord.render import question_above
from adapters.discord.surfaces import text_of
from bot import logs
from bot.conversation import Place
from bot.messages import Language
from bot.small_talk import is_small_talk

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
_KINDS = (discord.MessageType.default, discord.MessageType.reply)
HISTORY_SECONDS = 2.0
"""What was said before is waited for no longer than this: the question is not claimed yet, and the person sees nothing."""
THREAD_MESSAGES = 40
"""How far back a thread is read for what people said before."""
REPLY_STEPS = 2 * MOST_TURNS
"""A reply chain alternates between a person and the bot."""


async def heard(client: SaseoClient, message: discord.Message) -> None:
    """Bots, web hooks and Discord's own notices are not heard."""
    if message.author.bot or message.webhook_id or message.type not in _KINDS:
        return
    guild = message.guild.id if message.guild else None
    place = place_of(message.channel, guild)
    language = client.desk.place_settings(place).language
    try:
        addressed = guild is None or is_addressed(client, message)
        if not addressed and not await _is_overheard(client, message, place):
            return
        if not client.taking:
            # The process that comes next reads it back (catching_up.py) and answers: a sentence now would have it asked twice.
            record(logger, "left_for_the_next", message=message.id)
            if guild is None:
                await client.catching_up.remember_direct(message.channel.id)
            return
        if refusal := client.refusal(guild, language):
            await _reply(message, refusal)
            return
        roles = None
        if guild is None:
            roles = await client.members.roles(message.author.id)
            if roles is None:
                record(logger, "stranger_refused", message=message.id)
                await _reply(message, texts.members_only(language))
                return
        if not said(message.content):
            if addressed:
                await _reply(message, texts.empty_question(language))
            return
        asked = asked_in_message(message, person_of(message.author, roles), await turns_before(client, message))
        with logs.about():
            receipt = await client.desk.ask(asked)
            record(logger, "asked", key=asked.keys[0], receipt=receipt)
        if guild is None:
            await client.catching_up.remember_direct(message.channel.id)
    except Exception as error:  # noqa: BLE001 - the person must hear of it, whatever it is
        await _failed(message, error, language)


def is_addressed(client: SaseoClient, message: discord.Message) -> bool:
    """The bot is mentioned, or the role of the same name that Discord offers beside it, or its message is answered to."""
    if client.user is not None and any(user.id == client.user.id for user in message.mentions):
        return True
    own = message.guild.self_role if message.guild else None
    if own is not None and own in message.role_mentions:
        return True
    answered = message.reference.resolved if message.reference else None
    if not isinstance(answered, discord.Message) or not message.content:  # unreadable without a mention or the intent
        return False
    return client.user is not None and answered.author.id == client.user.id


async def _is_overheard(client: SaseoClient, message: discord.Message, place: Place) -> bool:
    """`listen`: needs the message-content intent, and a server that is set up. Thanks and nods are between people."""
    if (
        not client.settings.message_content
        or not message.content
        or is_small_talk(message.content)
        or place.server not in map(str, client.settings.guild_ids)
    ):
        return False
    listen = client.desk.place_settings(place).listen
    if listen == "all":
        return True
    if listen != "threads" or not isinstance(message.channel, discord.Thread) or message.mentions:
        return False  # people who name each other are talking to each other
    me = client.user
    if me is None or message.channel.owner_id == me.id:
        return me is not None
    try:
        async with asyncio.timeout(HISTORY_SECONDS):
            earlier = [m async for m in message.channel.history(limit=THREAD_MESSAGES, before=message)]
            return any(m.author.id == me.id for m in earlier + await _begun_by(message.channel))
    except UNREACHABLE as error:  # nobody asked us: no reason to speak up
        record(logger, "history_unread", event_id=message.id, code=getattr(error, "code", None))
        return False


async def turns_before(client: SaseoClient, message: discord.Message) -> list[str]:
    """What people said earlier in this thread or reply chain; empty where it may not be read: a courtesy, not a condition."""
    if isinstance(message.channel, discord.Thread):
        return await turns_in(client, message.channel, message.id)
    try:
        async with asyncio.timeout(HISTORY_SECONDS):
            return turns_of(_asked(client, one) for one in reversed(await _answered_to(message)))
    except UNREACHABLE as error:
        record(logger, "history_unread", event_id=message.id, code=getattr(error, "code", None))
        return []


async def turns_in(client: SaseoClient, thread: discord.Thread, before: int) -> list[str]:
    """What people said in a thread before an event. Empty where the history may not be read."""
    try:
        async with asyncio.timeout(HISTORY_SECONDS):
            earlier = [m async for m in thread.history(limit=THREAD_MESSAGES, before=discord.Object(before))]
            if len(earlier) < THREAD_MESSAGES:
                earlier += await _begun_by(thread)
    except UNREACHABLE as error:
        record(logger, "history_unread", event_id=before, code=getattr(error, "code", None))
        return []
    return turns_of(_asked(client, one) for one in reversed(earlier))


def _asked(client: SaseoClient, message: discord.Message) -> str:
    """What a person said there. Our own answer to a command or a menu names the question that nobody else sees."""
    if not message.author.bot:
        return message.content
    me = client.user
    if me is None or message.author.id != me.id or message.reference is not None:  # under a message it names nothing
        return ""
    return question_above(text_of(message))


async def _begun_by(thread: discord.Thread) -> list[discord.Message]:
    """The message that a thread hangs on, with what it answered; newest first. It stands in the channel, under the thread's own id."""
    parent = thread.parent
    if not isinstance(parent, discord.TextChannel):  # a forum's posts hold their first message themselves
        return []
    try:
        first = await parent.fetch_message(thread.id)
    except discord.HTTPException:
        return []  # a thread that was made without one, or one that we may not read
    above = first.reference.resolved if first.reference else None
    return [first, above] if isinstance(above, discord.Message) else [first]


async def _answered_to(message: discord.Message) -> list[discord.Message]:
    """The reply chain upwards, newest first. The event carries the first step; each further one is a request."""
    chain: list[discord.Message] = []
    people = 0
    current = message
    while current.reference is not None and current.reference.message_id and len(chain) < REPLY_STEPS:
        above: Any = current.reference.resolved
        if isinstance(above, discord.DeletedReferencedMessage):
            break
        if above is None:
            try:
                above = await message.channel.fetch_message(current.reference.message_id)
            except discord.HTTPException:
                break  # gone, or never to be seen by us: what stands below it is still known
        chain.append(above)
        people += not above.author.bot
        if people == MOST_TURNS:
            break
        current = above
    return chain


async def _reply(message: discord.Message, text: str) -> None:
    await message.reply(text, mention_author=False, suppress_embeds=True)


async def _failed(message: discord.Message, error: Exception, language: Language) -> None:
    reference = secrets.token_hex(4)
    record(
        logger,
        "message_failed",
        logging.WARNING,
        reference=reference,
        message=message.id,
        error=type(error).__name__,
        code=getattr(error, "code", None),
        where=where(error),
    )
    try:
        await _reply(message, sentence_of(error, language) or texts.failed(reference, language))
    except UNREACHABLE as failure:
        record(logger, "error_not_shown", reference=reference, code=getattr(failure, "code", None))
