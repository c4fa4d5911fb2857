"""The discord.Client of Saseo: intents, allowed mentions, base addresses, and where each event goes."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import discord

from adapters.discord import commands, escalation, ids, listening, sync, texts, votes
from adapters.discord.catching_up import CatchingUp
from adapters.discord.endpoints import proxy_for
from adapters.discord.events import person_of, place_of
from adapters.discord.guard import UNREACHABLE, admit, tell_error
from adapters.discord.logs import record, where
from adapters.discord.members import Membership
from adapters.discord.render import Renderer
from adapters.discord.sharing import ShareButton
from bot.conversation import Person, Place
from bot.messages import Language
from bot.platforms import Desk
from bot.settings import DiscordSettings

logger = logging.getLogger(__name__)
LONGEST_WAIT_SECONDS = 60.0
"""A rate limit longer than this is an error (discord.py then raises RateLimited); shorter ones are waited for."""
_FORMS = ((re.compile(ids.WHY_FORM), "answer"), (re.compile(ids.SOLVE_FORM), "escalation"))


def intents(message_content: bool) -> discord.Intents:
    """What is received. Only `message_content` is privileged."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = wanted.dm_messages = True
    wanted.guild_reactions = wanted.dm_reactions = True
    wanted.message_content = message_content
    return wanted


class SaseoClient(discord.Client):
    """Hands events to the core's Desk. Made after `endpoints.point_at`."""

    def __init__(self, settings: DiscordSettings, desk: Desk, language: Language) -> None:
        super().__init__(
            intents=intents(settings.message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # no message is kept in memory
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_ratelimit_timeout=LONGEST_WAIT_SECONDS,
            proxy=proxy_for(settings),
        )
        self.settings = settings
        self.desk = desk
        self.language = language
        self.renderer = Renderer(settings.components == "v2")
        self.members = Membership(self._fetch_roles, settings.guild_ids)
        self.tree = commands.make_tree(self)
        self.catching_up = CatchingUp(self)
        self._deferrals: dict[int, asyncio.Event] = {}
        """Interactions whose deferral is on its way."""
        self.sharing: set[str] = set()
        """Answers that are being shared now: a double click is one wish."""
        self.taking = True
        """False: new events are turned away."""
        self.online = False
        self.last_event = 0.0
        """`monotonic` of the last event of the gateway; 0 before the first."""

    async def setup_hook(self) -> None:
        """After login, before the gateway: old buttons work from here on, and the commands are registered if they changed."""
        self.add_dynamic_items(votes.ThumbButton, escalation.CallButton, escalation.SolveButton, ShareButton)
        await self.tree.set_translator(commands.Korean())
        if self.application_id is not None:
            await sync.sync_if_changed(self, self.tree, self.settings, self.desk)

    @contextmanager
    def deferring(self, interaction: int) -> Iterator[asyncio.Event]:
        """Until the event is set, or the block is left, nothing is sent into the interaction's response."""
        told = self._deferrals[interaction] = asyncio.Event()
        try:
            yield told
        finally:
            told.set()
            self._deferrals.pop(interaction, None)

    async def deferred(self, interaction: int) -> None:
        """Wait for a deferral that this process is just sending."""
        if told := self._deferrals.get(interaction):
            await told.wait()

    # ---- who and where

    def person(self, interaction: discord.Interaction[Any]) -> Person:
        """The person of an interaction in a server, or one whose membership is known."""
        roles = None if interaction.guild_id else self.members.known(interaction.user.id) or frozenset()
        return person_of(interaction.user, roles)

    def place(self, interaction: discord.Interaction[Any]) -> Place:
        """Where an interaction happens."""
        channel = interaction.channel
        here = channel if channel is not None else discord.Object(interaction.channel_id or 0)
        return place_of(here, interaction.guild_id)

    def language_at(self, interaction: discord.Interaction[Any]) -> Language:
        """What is spoken there."""
        return self.desk.place_settings(self.place(interaction)).language

    def refusal(self, guild: int | None, language: Language) -> str:
        """Why nothing is taken from there now; empty: all is well."""
        if not self.taking:
            return texts.restarting(language)
        if guild is not None and guild not in self.settings.guild_ids:
            return texts.not_set_up(guild, language)
        if guild is None and not self.settings.direct_messages:
            return texts.no_direct_messages(language)
        return ""

    async def _fetch_roles(self, server: int, person: int) -> frozenset[str] | None:
        guild = self.get_guild(server)
        if guild is None:
            return None
        try:
            member = await guild.fetch_member(person)
        except discord.NotFound:
            return None
        return person_of(member).roles

    # ---- events

    async def on_message(self, message: discord.Message) -> None:
        """Mentions, direct messages and, where it is allowed, what is overheard."""
        await listening.heard(self, message)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Forms come back here: they are told by their id, so one opened before a restart still counts."""
        if interaction.type is not discord.InteractionType.modal_submit or interaction.data is None:
            return
        form = str(interaction.data.get("custom_id", ""))
        for pattern, name in _FORMS:
            if match := pattern.fullmatch(form):
                handle = votes.why_submitted if name == "answer" else escalation.solve_submitted
                try:
                    if await admit(interaction):
                        await handle(interaction, match[name], fields_of(interaction.data.get("components", ())))
                except Exception as error:  # noqa: BLE001 - the person must hear of it, whatever it is
                    await tell_error(interaction, error)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """A thumb, perhaps."""
        if self.taking and self._set_up(payload.guild_id):
            await votes.reacted(self, payload, added=True)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        """A thumb taken back, perhaps."""
        if self.taking and self._set_up(payload.guild_id):
            await votes.reacted(self, payload, added=False)

    def _set_up(self, guild: int | None) -> bool:
        return guild is None or guild in self.settings.guild_ids

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Leave a server that config.toml does not name, unless it names none yet: its id is then needed to set it up."""
        known = guild.id in self.settings.guild_ids
        record(logger, "guild_joined", guild=guild.id, known=known)
        if known:  # invited after the start, or again: it has no commands yet
            await sync.register_in(self, guild.id, await sync.payload_of(self.tree))
        elif self.settings.guild_ids:
            try:
                await guild.leave()
                record(logger, "unknown_guild_left", logging.WARNING, guild=guild.id)
            except UNREACHABLE as error:
                record(logger, "guild_not_left", logging.WARNING, guild=guild.id, code=getattr(error, "code", None))

    async def on_socket_event_type(self, event_type: str) -> None:
        """Every event of the gateway, for health."""
        self.last_event = monotonic()

    async def on_ready(self) -> None:
        """Identified anew."""
        self.online = True
        record(logger, "gateway_ready", guilds=len(self.guilds))
        self.catching_up.connected()

    async def on_resumed(self) -> None:
        """Missed events were replayed."""
        self.online = True
        record(logger, "gateway_resumed")

    async def on_disconnect(self) -> None:
        """The library reconnects by itself."""
        if self.online:
            record(logger, "gateway_lost", logging.WARNING)
        self.online = False

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """An event's handler failed: its arguments are not logged, they hold what people wrote."""
        error = sys.exc_info()[1]
        reference = secrets.token_hex(4)
        record(
            logger,
            "event_failed",
            logging.ERROR,
            handler=event_method,
            reference=reference,
            error=type(error).__name__,
            where=where(error) if error else [],
        )


def fields_of(components: Any) -> dict[str, str]:
    """custom id → value of a submitted form; of a selection the first value."""
    found: dict[str, str] = {}
    for component in components:
        inner = [component["component"]] if "component" in component else component.get("components", [])
        found |= fields_of(inner)
        if name := component.get("custom_id"):
            values = component.get("values") or [component.get("value") or ""]
            found[name] = str(values[0])
    return found
