"""Where Discord is: the base addresses of discord.py, from configuration."""

from __future__ import annotations

import logging
import urllib.request

import discord
import yarl
from discord.gateway import DiscordWebSocket

from bot.settings import DiscordSettings

GATEWAY = "wss://gateway.discord.gg/"


def proxy_for(settings: DiscordSettings) -> str | None:
    """The way out by HTTPS_PROXY and NO_PROXY, which discord.py does not read by itself; None: none is needed."""
    url = yarl.URL(settings.api_base_url)
    host = url.host or ""
    if host in _LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(url.scheme)


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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
