"""What went wrong while connecting, as an AdapterError with a remedy."""

from __future__ import annotations

import discord

from adapters.discord import operator_texts
from bot.errors import AdapterError
from bot.messages import Language

AUTHENTICATION_FAILED = 4004
"""Discord docs, gateway close event codes. The others that end a session for good (4010 to 4013) are about the program."""


def login_error(error: BaseException, language: Language = "ko") -> AdapterError:
    """Translate what discord.py or aiohttp raised."""
    if isinstance(error, discord.LoginFailure):
        reason, remedy = operator_texts.bad_token(language), operator_texts.new_token(language)
    elif isinstance(error, discord.PrivilegedIntentsRequired):
        reason, remedy = operator_texts.intent_refused(language), operator_texts.allow_intent(language)
    elif isinstance(error, discord.ConnectionClosed) and error.code == AUTHENTICATION_FAILED:
        reason, remedy = operator_texts.bad_token(language), operator_texts.new_token(language)
    elif isinstance(error, discord.ConnectionClosed):
        reason, remedy = operator_texts.closed(error.code or 0, language), operator_texts.check_version(language)
    else:
        reason = operator_texts.unreachable(type(error).__name__, language)
        remedy = operator_texts.check_network(language)
    return AdapterError(platform="Discord", reason=reason, remedy=remedy)
