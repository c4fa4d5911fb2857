"""/reindex, /status, /settings: for those whom config.toml names. The Desk judges; this only asks and shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from adapters.discord import command_texts
from adapters.discord.guard import UNREACHABLE, acknowledge, sentence_of
from adapters.discord.logs import record
from adapters.text import inline
from bot.conversation import Person

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
Interaction = discord.Interaction[Any]
Words = Callable[[str], locale_str]
VALUE_CHARACTERS = 200


def add_commands(tree: app_commands.CommandTree[Any], name: Words, told: Words, option: Words, hint: Words) -> None:
    """Register the three."""

    @tree.command(name=name("reindex"), description=told("reindex"))
    async def reindex(interaction: Interaction) -> None:
        person = await _admin(interaction)
        if person is None:
            return
        client: SaseoClient = interaction.client

        async def went(sentence: str) -> None:
            await _show_late(interaction, inline(sentence, "discord"))

        try:
            sentence = await client.desk.reindex(client.place(interaction), person, went)
        except Exception as error:
            sentence = sentence_of(error, client.language_at(interaction))
            if not sentence:
                raise
        await _show(interaction, inline(sentence, "discord"))

    @tree.command(name=name("status"), description=told("status"))
    async def status(interaction: Interaction) -> None:
        person = await _admin(interaction)
        if person is None:
            return
        client: SaseoClient = interaction.client
        now = await client.desk.status(person)
        await _show(interaction, command_texts.service_status(now, client.language_at(interaction)))

    @tree.command(name=name("settings"), description=told("settings"))
    @app_commands.rename(key=option("key"), value=option("value"))
    @app_commands.describe(key=hint("key"), value=hint("value"))
    @app_commands.choices(
        key=[
            Choice(name=locale_str(key, ko=f"{words[1]} ({key})"), value=key)
            for key, words in command_texts.SETTINGS.items()
        ]
    )
    async def settings(
        interaction: Interaction,
        key: str | None = None,
        value: app_commands.Range[str, 0, VALUE_CHARACTERS] | None = None,
    ) -> None:
        person = await _admin(interaction)
        if person is None:
            return
        client: SaseoClient = interaction.client
        place = client.place(interaction)
        if key is None:
            now, head = client.desk.place_settings(place), ""
        else:
            now = await client.desk.change_place(place, person, {key: value or ""})
            head = f"{command_texts.changed(now.language)}\n"
        if now.listen != "mention" and not client.settings.message_content:
            head += f"{command_texts.cannot_listen(now.language)}\n"
        await _show(interaction, head + command_texts.place_settings(now, now.language))


async def _admin(interaction: Interaction) -> Person | None:
    """Acknowledge; the person if they are an admin, else None after a sentence."""
    client: SaseoClient = interaction.client
    await acknowledge(interaction, ephemeral=True)
    if interaction.guild_id is None:
        await client.members.roles(interaction.user.id)  # so that `person` knows their roles
    person = client.person(interaction)
    if client.desk.is_admin(person):
        return person
    await _show(interaction, command_texts.admins_only(client.language_at(interaction)))
    return None


async def _show(interaction: Interaction, text: str) -> None:
    client: SaseoClient = interaction.client
    await interaction.edit_original_response(**client.renderer.text(text).editing())


async def _show_late(interaction: Interaction, text: str) -> None:
    """Beside what was said at once. Minutes may have passed: where the interaction's token is dead, the admin is written to."""
    client: SaseoClient = interaction.client
    try:
        await interaction.followup.send(text, ephemeral=True, suppress_embeds=True)
    except UNREACHABLE as error:
        record(logger, "late_result", interaction=interaction.id, code=getattr(error, "code", None))
        channel = await client.create_dm(interaction.user)
        await channel.send(text, suppress_embeds=True)
