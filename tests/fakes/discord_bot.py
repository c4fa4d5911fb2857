"""A small discord.py bot for the tests of the loopback Discord: a command, a menu, buttons, a modal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.discord import DiscordServer


class Bot(discord.Client):
    """A small bot with one of everything."""

    def __init__(self, server: DiscordServer, **options: Any) -> None:
        intents = options.pop("intents", None) or discord.Intents(guilds=True, messages=True, reactions=True)
        super().__init__(intents=intents, guild_ready_timeout=0.1, **options)
        self.server = server
        self.tree = app_commands.CommandTree(self)
        self.seen: list[discord.Message] = []
        self.raw: list[Any] = []
        self.joined: list[discord.Guild] = []
        self.resumed = 0

    async def setup_hook(self) -> None:
        for define in DEFINITIONS:
            define(self)  # type: ignore[no-untyped-call]
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        self.seen.append(message)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.joined.append(guild)

    async def on_resumed(self) -> None:
        self.resumed += 1

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.raw.append(event)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        self.raw.append(event)


def ask_command(bot: Bot) -> None:
    @bot.tree.command(name="ask", description="Ask")
    @app_commands.describe(question="The question", private="Only you")
    async def ask(interaction: discord.Interaction, question: str, private: bool = False) -> None:
        await interaction.response.defer(thinking=True, ephemeral=private)
        await interaction.edit_original_response(content=f"answer to {question}", view=thumbs())
        await interaction.followup.send("more", ephemeral=private)

    @ask.autocomplete("question")
    async def offer(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed}차", value=f"{typed}차는?")]


def menu_command(bot: Bot) -> None:
    @bot.tree.context_menu(name="위키에서 찾기")
    async def find(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"found {message.content}", ephemeral=True)


class Why(discord.ui.Modal, title="왜?"):
    reason: discord.ui.Label[Any] = discord.ui.Label(
        text="이유", component=discord.ui.TextInput(style=discord.TextStyle.long, required=False)
    )
    correct: discord.ui.TextInput[Any] = discord.ui.TextInput(label="맞는 답", required=False)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.reason.component, discord.ui.TextInput)
        await interaction.response.send_message(f"{self.reason.component.value}|{self.correct.value}", ephemeral=True)


class Thumb(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"fb:(?P<v>up|down)"):
    def __init__(self, v: str) -> None:
        super().__init__(discord.ui.Button(label={"up": "도움됨", "down": "아쉬움"}[v], custom_id=f"fb:{v}"))
        self.v = v

    @classmethod
    async def from_custom_id(cls, interaction: Any, item: Any, match: Any) -> Thumb:
        return cls(match["v"])

    async def callback(self, interaction: discord.Interaction) -> None:
        if self.v == "down":
            await interaction.response.send_modal(Why())
        else:
            await interaction.response.send_message("thanks", ephemeral=True)


def thumbs() -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(Thumb("up"))
    view.add_item(Thumb("down"))
    return view


DEFINITIONS = [ask_command, menu_command, lambda bot: bot.add_dynamic_items(Thumb)]


class Card(discord.ui.LayoutView):
    def __init__(self, text: str) -> None:
        super().__init__(timeout=None)
        box: discord.ui.Container[Any] = discord.ui.Container()
        box.add_item(discord.ui.TextDisplay(text))
        box.add_item(discord.ui.Separator())
        box.add_item(discord.ui.ActionRow(Thumb("up"), Thumb("down")))
        self.add_item(box)


def point_at(server: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make discord.py talk to the loopback server."""
    monkeypatch.setattr(Route, "BASE", server.api_base_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))


@contextlib.asynccontextmanager
async def running(server: DiscordServer, **options: Any) -> AsyncIterator[Bot]:
    bot = Bot(server, **options)
    async with bot:
        runner = asyncio.create_task(bot.start(server.token))
        await server.wait_for(lambda: bot.is_ready() or runner.done(), what="readiness")
        if runner.done():
            runner.result()
        yield bot
    await asyncio.wait_for(runner, 10)
