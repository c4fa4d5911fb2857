"""Registering the commands: only when their hash changed. `tree.sync()` at every start would spend Discord's daily budget.

Every configured server gets all commands (effective at once). The same commands are registered globally for direct messages
only, so that no server lists them twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from typing import Any

import discord
from discord import AppCommandType
from discord.app_commands import CommandTree

from adapters.discord import operator_texts
from adapters.discord.commands import Korean, make_tree
from adapters.discord.endpoints import point_at, proxy_for
from adapters.discord.guard import UNREACHABLE
from adapters.discord.login import login_error
from adapters.discord.logs import record
from bot.errors import AdapterError
from bot.platforms import Desk
from bot.settings import DiscordSettings

logger = logging.getLogger(__name__)
GLOBAL_ONLY = ("contexts", "integration_types", "dm_permission")
"""Fields of globally registered commands alone (Discord docs, application command object)."""
DIRECT_CONTEXT = 1
"""`BOT_DM` of the interaction context types."""


async def payload_of(tree: CommandTree[Any]) -> list[dict[str, Any]]:
    """The commands with their localisations, as Discord takes them."""
    translator = tree.translator
    found: list[dict[str, Any]] = []
    for command in (
        *tree.get_commands(type=AppCommandType.chat_input),
        *tree.get_commands(type=AppCommandType.message),
    ):
        if translator is None:
            found.append(command.to_dict(tree))
        else:
            found.append(await command.get_translated_payload(tree, translator))
    return found


def for_server(payload: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As one server's own commands."""
    return [{key: value for key, value in command.items() if key not in GLOBAL_ONLY} for command in payload]


def for_direct(payload: list[dict[str, Any]], settings: DiscordSettings) -> list[dict[str, Any]]:
    """As global commands that show in direct messages alone."""
    if not settings.direct_messages or not settings.guild_ids:
        return []
    return [
        {**{key: value for key, value in command.items() if key != "dm_permission"}, "contexts": [DIRECT_CONTEXT]}
        for command in payload
    ]


def fingerprint(payload: list[dict[str, Any]], settings: DiscordSettings) -> str:
    """Changes when a command changes, or where they are registered."""
    all_of_it = [payload, sorted(settings.guild_ids), settings.direct_messages]
    return hashlib.sha256(json.dumps(all_of_it, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


async def sync_if_changed(
    client: discord.Client, tree: CommandTree[Any], settings: DiscordSettings, desk: Desk
) -> bool:
    """Register if need be. True: done. What failed is logged and tried again at the next start: answers do not depend on it."""
    payload = await payload_of(tree)
    now = fingerprint(payload, settings)
    key = f"discord:commands:{client.application_id}"
    if await desk.remembered(key) == now:
        return False
    if not await register(client, settings, payload):
        return False
    await desk.remember(key, now)
    return True


async def register(client: discord.Client, settings: DiscordSettings, payload: list[dict[str, Any]]) -> bool:
    """Overwrite the commands everywhere. False: not everywhere. The client is logged in."""
    application = client.application_id
    if application is None:
        return False
    complete = True
    for guild in settings.guild_ids:
        complete &= await register_in(client, guild, payload)
    try:
        await client.http.bulk_upsert_global_commands(application, for_direct(payload, settings))
    except UNREACHABLE as error:
        complete = False
        record(logger, "commands_not_registered", logging.WARNING, guild=None, code=getattr(error, "code", None))
    record(logger, "commands_registered", guilds=len(settings.guild_ids), commands=len(payload), complete=complete)
    return complete


async def register_in(client: discord.Client, guild: int, payload: list[dict[str, Any]]) -> bool:
    """Overwrite the commands of one server. False: Discord did not take them."""
    if client.application_id is None:
        return False
    try:
        await client.http.bulk_upsert_guild_commands(client.application_id, guild, for_server(payload))
    except UNREACHABLE as error:  # usually 50001: invited without applications.commands, or not there yet
        record(logger, "commands_not_registered", logging.WARNING, guild=guild, code=getattr(error, "code", None))
        return False
    return True


async def sync_once(settings: DiscordSettings, token: str) -> int:
    """Log in, register, log out; returns how many commands there are.

    Raises AdapterError when Discord refuses the token or a server cannot be reached.
    """
    point_at(settings)
    async with discord.Client(intents=discord.Intents.none(), proxy=proxy_for(settings)) as client:
        tree = make_tree(client)
        await tree.set_translator(Korean())
        try:
            await client.login(token)
        except UNREACHABLE as error:
            raise login_error(error) from error
        payload = await payload_of(tree)
        if not await register(client, settings, payload):
            raise AdapterError(
                platform="Discord",
                reason=operator_texts.not_registered("ko"),
                remedy=operator_texts.invite_again("ko"),
            )
        return len(payload)


def sync_now(settings: DiscordSettings, token: str) -> int:
    """`sync_once` for a command line, which has no event loop."""
    return asyncio.run(sync_once(settings, token))
