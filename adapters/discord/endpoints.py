"""Where Discord is: the base addresses of discord.py, from configuration."""

from __future__ import annotations

import logging

import discord
import yarl
from discord.gateway import DiscordWebSocket

from bot.settings import DiscordSettings

GATEWAY = "wss://gateway.discord.gg/"


def point_at(settings: DiscordSettings) -> None:
    """Set the addresses. They are class attributes of the library, so this comes before a client is made.

    The settings refuse addresses that are neither TLS nor loopback: the bot's token travels there.
    """
    discord.http.Route.BASE = settings.api_base_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url or GATEWAY)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody speaks: no warning about voice
    library = logging.getLogger("discord")
    if library.getEffectiveLevel() < logging.INFO:
        library.setLevel(logging.INFO)  # its DEBUG records hold messages and interaction tokens
