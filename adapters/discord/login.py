"""What went wrong while connecting, as an AdapterError with a remedy."""

from __future__ import annotations

import discord

from adapters.discord import texts
from bot.errors import AdapterError
from bot.messages import Language


def login_error(error: BaseException, language: Language = "ko") -> AdapterError:
    """Translate what discord.py or aiohttp raised."""
    if isinstance(error, discord.LoginFailure):
        reason, remedy = texts.bad_token(language), texts.new_token(language)
    elif isinstance(error, discord.PrivilegedIntentsRequired):
        reason, remedy = texts.intent_refused(language), texts.allow_intent(language)
    elif isinstance(error, discord.ConnectionClosed):
        reason, remedy = texts.closed(error.code or 0, language), texts.new_token(language)
    else:
        reason = texts.unreachable(type(error).__name__, language)
        remedy = texts.check_network(language)
    return AdapterError(platform="Discord", reason=reason, remedy=remedy)
