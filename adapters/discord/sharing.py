"""채널에 공유: a private answer, shown once to everyone in the channel it was asked in."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from adapters.discord import ids, texts
from adapters.discord.guard import UNREACHABLE, acknowledge, guarded, say
from adapters.discord.logs import record
from bot.messages import Language

if TYPE_CHECKING:
    from adapters.discord.client import SaseoClient

logger = logging.getLogger(__name__)
_DONE = "shared"
_LOOKED_THROUGH = 50
"""Messages, the newest first."""


class ShareButton(ui.DynamicItem[ui.Button[Any]], template=ids.SHARE):
    """Under a private answer whose pages everyone in the channel may read."""

    def __init__(self, answer: str, language: Language) -> None:
        label = texts.share(language)
        super().__init__(
            ui.Button(style=discord.ButtonStyle.secondary, label=label, emoji="📢", custom_id=ids.share(answer))
        )
        self.answer = answer

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """From a click, in whatever process."""
        return cls(match["answer"], interaction.client.language_at(interaction))

    @guarded
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """The core decides; the follow-up of a deferred update may be public although the answer was not."""
        client: SaseoClient = interaction.client
        language = client.language_at(interaction)
        await acknowledge(interaction, thinking=False)
        if self.answer in client.sharing:
            return
        client.sharing.add(self.answer)
        try:
            await self._share(client, interaction, language)
        finally:
            client.sharing.discard(self.answer)

    async def _share(self, client: SaseoClient, interaction: discord.Interaction[Any], language: Language) -> None:
        reply = await client.desk.share(self.answer, client.person(interaction))
        if reply is None:
            await say(interaction, texts.cannot_share(language))
            return
        key = f"discord:shared:{self.answer}"
        if await client.desk.remembered(key) == _DONE:
            await say(interaction, texts.already_shared(language))
            return
        if stands := await self._standing(client, interaction):
            await client.desk.shown_at(self.answer, stands)
            await client.desk.remember(key, _DONE)
            await say(interaction, texts.already_shared(language))
            return
        for post in client.renderer.final(reply, about=reply.question):
            message = await interaction.followup.send(**post.creating(), ephemeral=False, wait=True)
            await client.desk.shown_at(self.answer, f"{message.channel.id}:{message.id}")
        await client.desk.remember(key, _DONE)
        record(logger, "shared", answer=self.answer)
        await say(interaction, texts.shared(language))

    async def _standing(self, client: SaseoClient, interaction: discord.Interaction[Any]) -> str:
        """An earlier press may have shared it although nobody wrote that down: the process was killed, or Discord's answer got
        lost. The message's reference; empty when it does not stand there, or we may not look."""
        channel = client.get_partial_messageable(interaction.channel_id or 0)
        try:
            async for message in channel.history(limit=_LOOKED_THROUGH):
                mine = client.user is not None and message.author.id == client.user.id
                if mine and ids.shows(message.components, self.answer):
                    return f"{message.channel.id}:{message.id}"
        except UNREACHABLE as error:
            record(logger, "history_unread", answer=self.answer, code=getattr(error, "code", None))
        return ""
