"""Slash commands and the message menu. English base names, Korean localisations: the payload always carries the base names."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import locale_str

from adapters.discord import admin, command_texts, texts
from adapters.discord.events import asked_in_interaction, person_of, said
from adapters.discord.guard import UNREACHABLE, acknowledge, admit, say, tell_error
from adapters.discord.listening import turns_in
from adapters.discord.logs import record
from adapters.discord.render import CONTENT_CHARACTERS, pages
from adapters.text import inline, plain, shorten
from bot import logs
from bot.conversation import Asked, Person, Receipt

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
MOST_CHOICES = 25
CHOICE_CHARACTERS = 100
QUESTION_CHARACTERS = 1_000
CLAIM_SECONDS = 1.0
"""Of the three seconds there are for the deferral, at most this much is given to the claim before it."""
SETTLE_SECONDS = 1.5
Question = app_commands.Range[str, 1, QUESTION_CHARACTERS]
Interaction = discord.Interaction[Any]


class Korean(app_commands.Translator):
    """The `ko` that a `locale_str` carries; a base name in Korean carries its `en`."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """None: the base name serves."""
        if locale is discord.Locale.korean:
            return string.extras.get("ko")
        if locale in (discord.Locale.american_english, discord.Locale.british_english):
            return string.extras.get("en")
        return None


def name(base: str) -> locale_str:
    """A command's name."""
    return locale_str(base, ko=command_texts.COMMANDS[base][0])


def told(base: str) -> locale_str:
    """A command's description."""
    return locale_str(command_texts.COMMANDS[base][1], ko=command_texts.COMMANDS[base][2])


def option(base: str) -> locale_str:
    """An option's name."""
    return locale_str(base, ko=command_texts.OPTIONS[base][0])


def hint(base: str) -> locale_str:
    """An option's description."""
    return locale_str(command_texts.OPTIONS[base][1], ko=command_texts.OPTIONS[base][2])


class SaseoTree(app_commands.CommandTree[Any]):
    """Turns away what cannot be taken, and never leaves an error unsaid."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """The same rule as for buttons."""
        return await admit(interaction)

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """The cause, where the library wrapped one."""
        await tell_error(interaction, getattr(error, "original", error))


def make_tree(client: discord.Client) -> SaseoTree:
    """All commands, for servers and direct messages, never for servers the bot is not in."""
    tree = SaseoTree(
        client,
        fallback_to_global=True,
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )
    _add_questions(tree)
    _add_lists(tree)
    admin.add_commands(tree, name, told, option, hint)
    return tree


def _add_questions(tree: SaseoTree) -> None:
    @tree.command(name=name("ask"), description=told("ask"))
    @app_commands.rename(question=option("question"), private=option("private"))
    @app_commands.describe(question=hint("question"), private=hint("private"))
    async def ask_command(interaction: Interaction, question: Question, private: bool | None = None) -> None:
        client: SaseoClient = interaction.client
        chosen = client.desk.place_settings(client.place(interaction)).private if private is None else private
        await ask(interaction, question, private=chosen)

    @ask_command.autocomplete("question")
    async def complete(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        client: SaseoClient = interaction.client
        place = client.place(interaction)
        if place.kind == "direct" and client.members.known(interaction.user.id) is None:
            return []  # asking Discord who it is could take longer than the three seconds there are
        private = place.kind == "direct" or bool(getattr(interaction.namespace, "private", False))
        found = await client.desk.complete(place, client.person(interaction), typed, private=private, most=MOST_CHOICES)
        names = [shorten(plain(text), CHOICE_CHARACTERS) for text in found[:MOST_CHOICES]]
        return [app_commands.Choice(name=text, value=text) for text in dict.fromkeys(names) if text]

    @tree.context_menu(name=locale_str(command_texts.CONTEXT_MENU[0], en=command_texts.CONTEXT_MENU[1]))
    async def find_in_wiki(interaction: Interaction, message: discord.Message) -> None:
        text = shorten(said(message.content), QUESTION_CHARACTERS)
        if not text:
            client: SaseoClient = interaction.client
            await say(interaction, texts.empty_message(client.language_at(interaction)))
            return
        await ask(interaction, text, private=True)

    @tree.command(name=name("stop"), description=told("stop"))
    async def stop(interaction: Interaction) -> None:
        client: SaseoClient = interaction.client
        # A sentence rather than "thinking…": when something was stopped, nothing more comes for this interaction.
        shown = client.renderer.text(command_texts.stop_sent(client.language_at(interaction)))
        await interaction.response.send_message(**shown.creating(), ephemeral=True)
        person = await _member(interaction)
        if person is not None:
            await client.desk.ask(asked_in_interaction(interaction, person, "그만", private=True))


async def ask(interaction: Interaction, text: str, *, private: bool) -> None:
    """Claim and acknowledge (three seconds); the answer comes through a delivery.

    Where nothing has to be looked up the claim comes first: a process killed after the deferral but before the claim would leave the
    person with "thinking…" for ever, since Discord delivers no command again. Killed the other way round, the question is
    answered in the channel by the next process.
    """
    with logs.about():
        await _ask(interaction, text, private=private)


async def _ask(interaction: Interaction, text: str, *, private: bool) -> None:
    client: SaseoClient = interaction.client
    direct = interaction.guild_id is None
    question = said(text)
    if not question:
        await say(interaction, texts.empty_question(client.language_at(interaction)))
        return
    channel = interaction.channel
    if not direct and not isinstance(channel, discord.Thread):
        asked = asked_in_interaction(
            interaction, client.person(interaction), question, private=private, acknowledged=True
        )
        receipt, acknowledged = await _claimed_first(interaction, asked, ephemeral=private)
    else:
        acknowledged = await _acknowledged(interaction, ephemeral=private and not direct)
        person = await _member(interaction)
        if person is None:
            return
        turns = await turns_in(client, channel, interaction.id) if isinstance(channel, discord.Thread) else []
        asked = asked_in_interaction(
            interaction, person, question, private=private, acknowledged=acknowledged, turns=turns
        )
        receipt = await client.desk.ask(asked)
    record(logger, "asked", key=asked.keys[0], receipt=receipt)
    if receipt is Receipt.STOPPED and acknowledged:
        await _end_thinking(interaction)


async def _claimed_first(interaction: Interaction, asked: Asked, *, ephemeral: bool) -> tuple[Receipt, bool]:
    """What became of the question, and whether the deferral stands. Deliveries wait until that is known."""
    client: SaseoClient = interaction.client
    with client.deferring(interaction.id) as told:
        claiming = asyncio.create_task(client.desk.ask(asked))
        await asyncio.wait({claiming}, timeout=CLAIM_SECONDS)  # a store that is slow must not cost the three seconds
        acknowledged = await _acknowledged(interaction, ephemeral=ephemeral)
        told.set()
        return await claiming, acknowledged


async def _acknowledged(interaction: Interaction, *, ephemeral: bool) -> bool:
    try:
        await acknowledge(interaction, ephemeral=ephemeral)
    except UNREACHABLE as error:
        code = getattr(error, "code", None)
        record(logger, "interaction_not_acknowledged", logging.WARNING, interaction=interaction.id, code=code)
        return False
    return True


async def _member(interaction: Interaction) -> Person | None:
    """The person; None after telling a stranger in a direct message. The interaction has been responded to."""
    client: SaseoClient = interaction.client
    if interaction.guild_id is not None:
        return client.person(interaction)
    roles = await client.members.roles(interaction.user.id)
    if roles is None:
        record(logger, "stranger_refused", interaction=interaction.id)
        refusal = client.renderer.text(texts.members_only(client.language_at(interaction)))
        await interaction.edit_original_response(**refusal.editing())
        return None
    return person_of(interaction.user, roles)


async def _end_thinking(interaction: Interaction) -> None:
    """A stop word that stopped something gets no delivery of its own: do not leave "thinking…" standing."""
    client: SaseoClient = interaction.client
    await asyncio.sleep(SETTLE_SECONDS)
    original = await interaction.original_response()
    if original.flags.loading:
        shown = client.renderer.text(command_texts.stopped(client.language_at(interaction)))
        await interaction.edit_original_response(**shown.editing())


def _add_lists(tree: SaseoTree) -> None:
    @tree.command(name=name("search"), description=told("search"))
    @app_commands.rename(words=option("words"))
    @app_commands.describe(words=hint("words"))
    async def search(interaction: Interaction, words: Question) -> None:
        client: SaseoClient = interaction.client
        language = client.language_at(interaction)
        await acknowledge(interaction, ephemeral=True)
        if (person := await _member(interaction)) is None:
            return
        hits = await client.desk.search(Asked((), client.place(interaction), person, said(words), "", private=True))
        text = command_texts.nothing_found(language)
        if hits:
            head = command_texts.found(language)
            text = f"{head}\n{pages(hits, CONTENT_CHARACTERS - len(head) - 1, language)}"
        await interaction.edit_original_response(**client.renderer.text(text).editing())

    @tree.command(name=name("sources"), description=told("sources"))
    async def sources(interaction: Interaction) -> None:
        client: SaseoClient = interaction.client
        await acknowledge(interaction, ephemeral=True)
        if (person := await _member(interaction)) is None:
            return
        known = await client.desk.sources(client.place(interaction), person, private=True)
        lines = [(inline(source.name, "discord"), source.pages) for source in known]
        text = command_texts.source_list(lines, client.language_at(interaction))
        await interaction.edit_original_response(**client.renderer.text(text).editing())

    @tree.command(name=name("help"), description=told("help"))
    async def usage(interaction: Interaction) -> None:
        client: SaseoClient = interaction.client
        language = client.language_at(interaction)
        await acknowledge(interaction, ephemeral=True)
        if (person := await _member(interaction)) is None:
            return
        text = command_texts.usage(language)
        if past := await client.desk.recent(person):
            lines = [(inline(shorten(one.text, CHOICE_CHARACTERS), "discord"), one.at) for one in past]
            text += f"\n\n{command_texts.recent(lines, language)}"
        await interaction.edit_original_response(**client.renderer.text(text).editing())
