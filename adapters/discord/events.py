"""Discord's objects → what the core knows. Pure: nothing here talks to Discord."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import discord

from adapters.discord.address import QUESTION_CHARACTERS, Address
from bot.conversation import Asked, Person, Place

PLATFORM = "discord"
MOST_TURNS = 10
_MARKS = re.compile(r"<@[!&]?\d+>|<#\d+>|<a?:\w+:\d+>|</[^:>]+:\d+>|<t:-?\d+(?::\w)?>|<id:\w+>")
"""Mentions, emoji, command links and timestamps (Discord docs, message formatting): no words to search for."""


def said(text: str) -> str:
    """What a person typed, without mentions and other marks."""
    return re.sub(r"[^\S\n]+", " ", _MARKS.sub(" ", text)).strip()


def roles_of(user: discord.abc.User) -> frozenset[str]:
    """Ids of the roles that an event about a member carries; @everyone is left out."""
    if not isinstance(user, discord.Member):
        return frozenset()
    return frozenset(str(role.id) for role in user.roles if not role.is_default())


def person_of(user: discord.abc.User, roles: frozenset[str] | None = None) -> Person:
    """`roles`: those looked up elsewhere, for a person outside a server."""
    return Person(PLATFORM, str(user.id), roles=roles_of(user) if roles is None else roles)


def place_of(channel: Any, guild: int | None) -> Place:
    """`channel`: anything with an id; of a thread, the parent channel is the place."""
    if guild is None:
        return Place(PLATFORM, str(channel.id), "direct")
    if isinstance(channel, discord.Thread):
        return Place(PLATFORM, str(channel.parent_id), "channel", str(guild), thread=str(channel.id))
    return Place(PLATFORM, str(channel.id), "channel", str(guild))


def asked_in_message(message: discord.Message, person: Person, turns: Sequence[str]) -> Asked:
    """A mention, a direct message or an overheard question."""
    text = said(message.content)
    direct = message.guild is None
    address = Address(
        channel=message.channel.id,
        asker=message.author.id,
        created=discord.utils.snowflake_time(message.id).timestamp(),
        message=message.id,
        direct=direct,
        question=text[:QUESTION_CHARACTERS],
    )
    place = place_of(message.channel, message.guild.id if message.guild else None)
    return Asked((f"discord:message:{message.id}",), place, person, text, address.to_json(), direct, tuple(turns))


def asked_in_interaction(
    interaction: discord.Interaction[Any],
    person: Person,
    text: str,
    *,
    private: bool,
    acknowledged: bool = True,
    turns: Sequence[str] = (),
) -> Asked:
    """A command. `acknowledged` False: Discord took no response, so the answer must go another way."""
    channel = interaction.channel
    place = place_of(
        channel if channel is not None else discord.Object(interaction.channel_id or 0), interaction.guild_id
    )
    direct = place.kind == "direct"
    address = Address(
        channel=interaction.channel_id or 0,
        asker=interaction.user.id,
        created=interaction.created_at.timestamp(),
        application=interaction.application_id,
        interaction=interaction.id,
        token=interaction.token if acknowledged else "",
        ephemeral=private and not direct,
        direct=direct,
        question=text[:QUESTION_CHARACTERS],
    )
    key = f"discord:interaction:{interaction.id}"
    return Asked((key,), place, person, text, address.to_json(), private or direct, tuple(turns))


def turns_of(earlier: Iterable[str]) -> list[str]:
    """Of what was said (oldest first) the last ten that hold words."""
    return [text for one in earlier if (text := said(one))][-MOST_TURNS:]
