"""Around every button and form: may it be used now and here, and a sentence for the person whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import discord

from adapters.discord import texts
from adapters.discord.logs import record, where
from bot.messages import Language

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
ALREADY_ACKNOWLEDGED = 40060
ACKNOWLEDGE_SECONDS = 10.0
"""Discord waits for three; what takes longer than this has hung."""
UNREACHABLE = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""What a request to Discord may raise."""


def may_pass(error: BaseException) -> bool:
    """Whether the same request may do in a while. Otherwise Discord refused it for good."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return isinstance(error, (discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError))


def may_have_happened(error: BaseException) -> bool:
    """Whether the request may have taken effect although it failed: nobody told us, and it did get to Discord."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return not isinstance(error, discord.RateLimited | aiohttp.ClientConnectorError)


def guarded(
    callback: Callable[[Item, discord.Interaction[Any]], Awaitable[None]],
) -> Callable[[Item, discord.Interaction[Any]], Coroutine[Any, Any, None]]:
    """Admit the interaction first; answer an error with a sentence."""

    async def run(item: Item, interaction: discord.Interaction[Any]) -> None:
        try:
            if await admit(interaction):
                await callback(item, interaction)
        except Exception as error:  # noqa: BLE001 - the person must hear of it, whatever it is
            await tell_error(interaction, error)

    return run


async def admit(interaction: discord.Interaction[Any]) -> bool:
    """False after a polite sentence: the service is stopping, or this server is not set up."""
    client: SaseoClient = interaction.client
    language = client.language_at(interaction)
    refusal = client.refusal(interaction.guild_id, language)
    if interaction.context.private_channel:  # a group of people, perhaps from outside; guild installs never get here
        refusal = texts.no_direct_messages(language)
    if not refusal:
        return True
    if interaction.type is discord.InteractionType.autocomplete:
        await interaction.response.autocomplete([])
    else:
        await say(interaction, refusal)
    return False


async def acknowledge(interaction: discord.Interaction[Any], *, thinking: bool = True, ephemeral: bool = False) -> None:
    """Show "thinking…", or after a click nothing. Raises what Discord or the way to it raises.

    When the answer to it got lost on the way it is sent once more: that it stands already (also by a replay of the gateway, or
    another process) is as good as done, for what follows is claimed or may be repeated.
    """
    async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
        try:
            try:
                await interaction.response.defer(thinking=thinking, ephemeral=ephemeral)
            except (aiohttp.ClientError, OSError):
                await interaction.response.defer(thinking=thinking, ephemeral=ephemeral)
        except discord.HTTPException as error:
            if error.code != ALREADY_ACKNOWLEDGED:
                raise
            record(logger, "interaction_already_acknowledged", interaction=interaction.id)


async def say(interaction: discord.Interaction[Any], text: str, view: discord.ui.View | None = None) -> None:
    """A sentence to the person alone, as the response or after it; nothing where a response stands that we do not know of."""
    arguments: dict[str, Any] = {"ephemeral": True, "suppress_embeds": True}
    if view is not None:
        arguments["view"] = view
    if interaction.response.is_done():
        await interaction.followup.send(text, **arguments)
        return
    try:
        await interaction.response.send_message(text, **arguments)
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:
            raise
        record(logger, "interaction_already_acknowledged", interaction=interaction.id)


def sentence_of(error: BaseException, language: Language) -> str:
    """The error's own words for a person; empty where it has none (see `ExplainedError.explain`)."""
    explain = getattr(error, "explain", None)
    return str(explain(language)) if callable(explain) else ""


async def tell_error(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Say what went wrong: in the response, after it, or in the channel when the interaction's token is of no use."""
    client: SaseoClient = interaction.client
    language = client.language_at(interaction)
    reference = secrets.token_hex(4)
    code = getattr(error, "code", None)
    record(
        logger,
        "interaction_failed",
        logging.WARNING,
        reference=reference,
        interaction=interaction.id,
        error=type(error).__name__,
        code=code,
        where=where(error),
    )
    if interaction.type is discord.InteractionType.autocomplete or code == ALREADY_ACKNOWLEDGED:
        return  # delivered twice, or the answer to the response got lost: one stands
    text = sentence_of(error, language) or texts.failed(reference, language)
    ways: list[Callable[[], Awaitable[object]]] = []
    if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
        ways.append(lambda: interaction.edit_original_response(content=text))  # ends "thinking…"
    ways.append(lambda: say(interaction, text))
    if interaction.channel_id:
        channel = client.get_partial_messageable(interaction.channel_id)
        ways.append(lambda: channel.send(text, suppress_embeds=True))
    for way in ways:
        try:
            await way()
            return
        except UNREACHABLE as failure:
            record(logger, "error_not_shown", reference=reference, code=getattr(failure, "code", None))
