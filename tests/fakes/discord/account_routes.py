"""Routes about the bot itself, its servers, their members, and its commands."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tests.fakes.discord.places import Guild
from tests.fakes.discord.records import JSON, ApiError, refused, unknown
from tests.fakes.discord.rest import Call, Reply, Route, route

if TYPE_CHECKING:
    from tests.fakes.discord.server import DiscordServer


def guild_of(server: DiscordServer, call: Call) -> Guild:
    """The server named in the path. Raises ApiError when the bot is not in it."""
    guild = server.find_guild(call.id("guild_id"))
    if guild is None or not guild.bot_in:
        raise unknown("Guild")
    return guild


def me(server: DiscordServer, call: Call) -> JSON:
    """GET /users/@me."""
    return server.bot.payload() | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0}


def user(server: DiscordServer, call: Call) -> JSON:
    """GET /users/{id}."""
    found = server.users.get(call.id("user_id"))
    if found is None:
        raise unknown("User")
    return found.payload()


def application(server: DiscordServer, call: Call) -> JSON:
    """GET /applications/@me and /oauth2/applications/@me."""
    return {
        "id": str(server.application_id),
        "name": server.bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot": server.bot.payload(),
        "bot_public": False,
        "bot_require_code_grant": False,
        "integration_types_config": {"0": {"oauth2_install_params": {"scopes": ["bot"], "permissions": "0"}}},
        "verify_key": secrets.token_hex(32),
        "owner": server.users[server.owner_id].payload(),
        "team": None,
        "flags": server.application_flags,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "approximate_guild_count": sum(guild.bot_in for guild in server.guilds),
    }


def gateway(server: DiscordServer, call: Call) -> JSON:
    """GET /gateway."""
    return {"url": server.gateway_url}


def gateway_bot(server: DiscordServer, call: Call) -> JSON:
    """GET /gateway/bot. The budget shrinks with each IDENTIFY."""
    used = len(server.gateway.identifies)
    return {
        "url": server.gateway_url,
        "shards": 1,
        "session_start_limit": {
            "total": 1000,
            "remaining": max(0, server.identify_budget - used),
            "reset_after": 14_400_000,
            "max_concurrency": 1,
        },
    }


def my_guilds(server: DiscordServer, call: Call) -> list[JSON]:
    """GET /users/@me/guilds."""
    return [
        {
            "id": str(g.id),
            "name": g.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": "0",
            "features": [],
        }
        for g in server.guilds
        if g.bot_in
    ]


def leave(server: DiscordServer, call: Call) -> None:
    """DELETE /users/@me/guilds/{id}."""
    server.remove_bot(guild_of(server, call))


def guild(server: DiscordServer, call: Call) -> JSON:
    """GET /guilds/{id}."""
    found = guild_of(server, call)
    counts = {"approximate_member_count": len(found.members), "approximate_presence_count": 1}
    return found.payload(server.bot) | (counts if call.query.get("with_counts") in ("1", "true") else {})


def roles(server: DiscordServer, call: Call) -> list[JSON]:
    """GET /guilds/{id}/roles."""
    return [role.payload() for role in guild_of(server, call).roles]


def channels(server: DiscordServer, call: Call) -> list[JSON]:
    """GET /guilds/{id}/channels."""
    return [c.payload(server.bot) for c in guild_of(server, call).channels if not c.is_thread]


def active_threads(server: DiscordServer, call: Call) -> JSON:
    """GET /guilds/{id}/threads/active."""
    found = [c for c in guild_of(server, call).channels if c.is_thread and not c.archived and c.may("view_channel")]
    return {"threads": [c.payload(server.bot) for c in found], "members": []}


def member(server: DiscordServer, call: Call) -> JSON:
    """GET /guilds/{id}/members/{id}."""
    found = guild_of(server, call).members.get(call.id("user_id"))
    if found is None:
        raise unknown("Member")
    return found.payload()


def open_direct(server: DiscordServer, call: Call) -> JSON:
    """POST /users/@me/channels."""
    call.form.known(call.body or {}, ("recipient_id", "access_tokens", "nicks"))
    recipient = server.users.get(int((call.body or {}).get("recipient_id", 0)))
    if recipient is None:
        raise ApiError(400, 50033, "Invalid Recipient(s)")
    if recipient is server.bot:
        raise refused(50007)
    return server.direct_channel(recipient).payload(server.bot)


def _place(server: DiscordServer, call: Call) -> int | None:
    if call.id("application_id") != server.application_id:
        raise ApiError(403, 20012, "You are not authorized to perform this action on this application", violation=True)
    if "guild_id" not in call.args:
        return None
    guild_of_commands = server.find_guild(call.id("guild_id"))
    if guild_of_commands is None or not guild_of_commands.bot_in:
        raise refused(50001)
    return guild_of_commands.id


def list_commands(server: DiscordServer, call: Call) -> list[JSON]:
    """GET commands, global or of a server."""
    return server.commands.listed(_place(server, call))


def overwrite_commands(server: DiscordServer, call: Call) -> list[JSON]:
    """PUT commands."""
    return server.commands.overwrite(_place(server, call), call.body, call.form)


def create_command(server: DiscordServer, call: Call) -> Reply:
    """POST commands."""
    return Reply(201, server.commands.upsert(_place(server, call), call.body or {}, call.form))


def delete_command(server: DiscordServer, call: Call) -> None:
    """DELETE a command."""
    if not server.commands.remove(_place(server, call), call.args["command_id"]):
        raise unknown("application command")


def _commands(prefix: str) -> list[Route]:
    return [
        route("GET", prefix, list_commands),
        route("PUT", prefix, overwrite_commands),
        route("POST", prefix, create_command),
        route("DELETE", f"{prefix}/{{command_id}}", delete_command),
    ]


ROUTES = [
    route("GET", "/users/@me", me),
    route("GET", "/users/{user_id}", user),
    route("GET", "/oauth2/applications/@me", application),
    route("GET", "/applications/@me", application),
    route("GET", "/gateway", gateway, authorized=False),
    route("GET", "/gateway/bot", gateway_bot),
    route("GET", "/users/@me/guilds", my_guilds),
    route("DELETE", "/users/@me/guilds/{guild_id}", leave),
    route("GET", "/guilds/{guild_id}", guild),
    route("GET", "/guilds/{guild_id}/roles", roles),
    route("GET", "/guilds/{guild_id}/channels", channels),
    route("GET", "/guilds/{guild_id}/threads/active", active_threads),
    route("GET", "/guilds/{guild_id}/members/{user_id}", member),
    route("POST", "/users/@me/channels", open_direct),
    *_commands("/applications/{application_id}/commands"),
    *_commands("/applications/{application_id}/guilds/{guild_id}/commands"),
]
