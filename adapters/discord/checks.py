"""What `saseo doctor` asks of Discord: token, servers, permissions, session budget, intent. Plain HTTP, no gateway session.

Sources: Discord docs, topics/gateway (session start limit), resources/application (flags), resources/guild.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from adapters.discord import operator_texts
from bot.messages import Language
from bot.settings import DiscordSettings

Check = tuple[str, bool, str, str]
"""(name, whether it is well, what was found, what to do)."""
MESSAGE_CONTENT_FLAGS = 1 << 18 | 1 << 19
"""`GATEWAY_MESSAGE_CONTENT` and its limited form for apps in fewer than a hundred servers."""
ADMINISTRATOR = 1 << 3
FEW_SESSIONS = 20
SECONDS = 10.0


def checks(settings: DiscordSettings, token: str, language: Language) -> Iterator[Check]:
    """One after the other; what makes the following ones pointless ends the list. Raises nothing for what Discord says."""
    if not token.strip():
        yield "discord.token", False, operator_texts.no_token(language), operator_texts.new_token(language)
        return
    yield "discord.token", True, operator_texts.present(language), ""
    headers = {"Authorization": f"Bot {token.strip()}", "User-Agent": "DiscordBot (https://saseo.invalid, 1)"}
    with httpx.Client(base_url=settings.api_base_url.rstrip("/"), headers=headers, timeout=SECONDS) as client:
        me, why = _get(client, "/users/@me")
        if me is None:
            refused = why == "401"
            found = operator_texts.bad_token(language) if refused else operator_texts.unreachable(why, language)
            yield (
                "discord.login",
                False,
                found,
                (operator_texts.new_token if refused else operator_texts.check_network)(language),
            )
            return
        yield "discord.login", True, str(me.get("username", "")), ""
        yield from _servers(client, settings, str(me.get("id", "")), language)
        yield from _sessions(client, language)
        yield from _intent(client, settings, language)


def _servers(client: httpx.Client, settings: DiscordSettings, bot: str, language: Language) -> Iterator[Check]:
    if not settings.guild_ids:
        yield "discord.guild_ids", False, operator_texts.no_servers(language), operator_texts.copy_server_id(language)
    for guild in settings.guild_ids:
        found, why = _get(client, f"/guilds/{guild}")
        if found is None:
            yield (
                f"discord.guild {guild}",
                False,
                operator_texts.server_unreachable(why, language),
                operator_texts.invite_again(language),
            )
        elif missing := _missing(client, found, bot):
            told = operator_texts.permissions_missing(str(found.get("name", "")), missing, language)
            yield f"discord.guild {guild}", False, told, operator_texts.give_permissions(language)
        else:
            yield f"discord.guild {guild}", True, str(found.get("name", "")), ""


def _missing(client: httpx.Client, guild: dict[str, Any], bot: str) -> list[int]:
    """Permissions that none of the bot's roles gives it; a channel may still take some away. None where it cannot be told."""
    member, _ = _get(client, f"/guilds/{guild.get('id')}/members/{bot}")
    if member is None:
        return []
    own = {str(guild.get("id")), *map(str, member.get("roles", ()))}  # @everyone has the server's id
    allowed = 0
    for role in guild.get("roles", ()):
        if str(role.get("id")) in own:
            allowed |= int(role.get("permissions", 0))
    return [] if allowed & ADMINISTRATOR else [bit for bit in operator_texts.PERMISSIONS if not allowed & bit]


def _sessions(client: httpx.Client, language: Language) -> Iterator[Check]:
    found, why = _get(client, "/gateway/bot")
    if found is None:
        yield (
            "discord.sessions",
            False,
            operator_texts.unreachable(why, language),
            operator_texts.check_network(language),
        )
        return
    limit = found.get("session_start_limit", {})
    left, total = int(limit.get("remaining", 0)), int(limit.get("total", 0))
    well = left >= FEW_SESSIONS
    remedy = "" if well else operator_texts.wait_for_sessions(int(limit.get("reset_after", 0)) // 60_000, language)
    yield "discord.sessions", well, operator_texts.sessions(left, total, language), remedy


def _intent(client: httpx.Client, settings: DiscordSettings, language: Language) -> Iterator[Check]:
    found, why = _get(client, "/applications/@me")
    if found is None:
        yield (
            "discord.message_content",
            False,
            operator_texts.unreachable(why, language),
            operator_texts.check_network(language),
        )
        return
    allowed = bool(int(found.get("flags") or 0) & MESSAGE_CONTENT_FLAGS)
    if settings.message_content and not allowed:
        yield (
            "discord.message_content",
            False,
            operator_texts.intent_refused(language),
            operator_texts.allow_intent(language),
        )
    else:
        yield "discord.message_content", True, operator_texts.intent(settings.message_content, allowed, language), ""


def _get(client: httpx.Client, path: str) -> tuple[dict[str, Any] | None, str]:
    """The object, or None and why: a status, or the kind of error."""
    try:
        response = client.get(path)
        if response.status_code != httpx.codes.OK:
            return None, str(response.status_code)
        found = response.json()
    except (httpx.HTTPError, ValueError) as error:
        return None, type(error).__name__
    return (found, "") if isinstance(found, dict) else (None, type(found).__name__)
