"""Users, roles, servers and channels, and how Discord describes them on the wire."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.discord.records import JSON

if TYPE_CHECKING:
    from tests.fakes.discord.messages import Message

PERMISSIONS = {  # docs: topics/permissions
    "add_reactions": 1 << 6,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "use_application_commands": 1 << 31,
    "create_public_threads": 1 << 35,
    "create_private_threads": 1 << 36,
    "send_messages_in_threads": 1 << 38,
}
EVERYBODY_MAY = sum(PERMISSIONS.values()) & ~PERMISSIONS["manage_messages"]
"""Of the `@everyone` role. `mention_everyone` is among them, so that a test sees every ping that a bot's text asks for."""

TEXT, DIRECT, CATEGORY, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 4, 11, 12
BIG_FILE = 10 * 1024 * 1024
"""Bytes of one file, and `attachment_size_limit` of an interaction."""


def timestamp(seconds: float) -> str:
    """ISO 8601 as Discord writes it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="microseconds")


@dataclass(eq=False)
class User:
    """An account."""

    id: int
    name: str
    bot: bool = False
    accepts_direct: bool = True
    """Whether the bot may write to them (403 50007 otherwise)."""

    @property
    def mention(self) -> str:
        """As it stands in a message's text."""
        return f"<@{self.id}>"

    def payload(self) -> JSON:
        """A user object."""
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": None if self.bot else self.name,
            "discriminator": "0001" if self.bot else "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "avatar_decoration_data": None,
            "primary_guild": None,
        }


@dataclass(eq=False)
class Role:
    """A role of a server."""

    id: int
    name: str
    permissions: int = 0
    position: int = 1
    mentionable: bool = True

    @property
    def mention(self) -> str:
        """As it stands in a message's text."""
        return f"<@&{self.id}>"

    def payload(self) -> JSON:
        """A role object."""
        return {
            "id": str(self.id),
            "name": self.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": self.position,
            "permissions": str(self.permissions),
            "managed": False,
            "mentionable": self.mentionable,
            "flags": 0,
        }


@dataclass(eq=False)
class Member:
    """An account in a server."""

    user: User
    roles: set[int]
    joined: float

    def payload(self, *, with_user: bool = True, permissions: int | None = None) -> JSON:
        """A member object; `permissions` only in interactions."""
        described: JSON = {
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": [str(role) for role in sorted(self.roles)],
            "joined_at": timestamp(self.joined),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }
        if with_user:
            described["user"] = self.user.payload()
        if permissions is not None:
            described["permissions"] = str(permissions)
        return described


@dataclass(eq=False)
class Channel:
    """A text channel, a thread, or a direct conversation."""

    id: int
    type: int
    name: str = ""
    guild: Guild | None = None
    parent: Channel | None = None
    owner: User | None = None
    recipients: list[User] = field(default_factory=list)
    created: float = 0.0
    denied: int = 0
    """Permissions that the bot lacks here."""
    archived: bool = False
    bot_joined: bool = False
    messages: dict[int, Message] = field(default_factory=dict)
    """All of them, with those only one person sees and the deleted ones."""
    typing: list[float] = field(default_factory=list)
    """When the bot was typing, `time.monotonic()`."""

    @property
    def is_thread(self) -> bool:
        """Threads have a parent channel."""
        return self.type in (PUBLIC_THREAD, PRIVATE_THREAD)

    @property
    def is_direct(self) -> bool:
        """Only the bot and one person read here."""
        return self.type == DIRECT

    def permissions(self) -> int:
        """What the bot may do here."""
        denied = self.denied | (self.parent.denied if self.parent is not None and self.is_thread else 0)
        return EVERYBODY_MAY & ~denied

    def may(self, *names: str) -> bool:
        """Whether the bot has all of these."""
        return self.is_direct or all(self.permissions() & PERMISSIONS[name] for name in names)

    def payload(self, bot: User, *, in_interaction: bool = False) -> JSON:
        """A channel object as the bot receives it."""
        last = max(self.messages, default=None)
        described: JSON = {
            "id": str(self.id),
            "type": self.type,
            "last_message_id": str(last) if last is not None else None,
            "flags": 0,
        }
        if self.is_direct:
            described["recipients"] = [person.payload() for person in self.recipients]
            return described
        assert self.guild is not None
        described |= {
            "guild_id": str(self.guild.id),
            "name": self.name,
            "parent_id": str(self.parent.id) if self.parent is not None else None,
            "rate_limit_per_user": 0,
        }
        if self.is_thread:
            described |= self._thread_fields(bot)
        else:
            described |= {
                "position": 0,
                "topic": None,
                "nsfw": False,
                "permission_overwrites": [
                    {"id": str(bot.id), "type": 1, "allow": "0", "deny": str(self.denied)},
                ]
                if self.denied
                else [],
            }
        if in_interaction:
            described["permissions"] = str(EVERYBODY_MAY)
        return described

    def _thread_fields(self, bot: User) -> JSON:
        assert self.owner is not None
        count = sum(not message.deleted for message in self.messages.values())
        fields: JSON = {
            "owner_id": str(self.owner.id),
            "message_count": count,
            "total_message_sent": count,
            "member_count": 1,
            "thread_metadata": {
                "archived": self.archived,
                "auto_archive_duration": 1440,
                "archive_timestamp": timestamp(self.created),
                "locked": False,
                "create_timestamp": timestamp(self.created),
            },
        }
        if self.bot_joined:
            fields["member"] = {
                "id": str(self.id),
                "user_id": str(bot.id),
                "join_timestamp": timestamp(self.created),
                "flags": 1,
            }
        return fields


@dataclass(eq=False)
class Guild:
    """A server. `bot_in`: whether the bot is a member."""

    id: int
    name: str
    owner: int
    channels: list[Channel] = field(default_factory=list)
    """Text channels and threads."""
    roles: list[Role] = field(default_factory=list)
    """The first is `@everyone`, with the server's own id."""
    members: dict[int, Member] = field(default_factory=dict)
    bot_in: bool = True
    locale: str = "ko"

    def channel(self, name: str) -> Channel:
        """The channel or thread of that name."""
        return next(channel for channel in self.channels if channel.name == name)

    def role(self, name: str) -> Role:
        """The role of that name."""
        return next(role for role in self.roles if role.name == name)

    def payload(self, bot: User) -> JSON:
        """The part that REST and GUILD_CREATE share."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "description": None,
            "owner_id": str(self.owner),
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "roles": [role.payload() for role in self.roles],
            "emojis": [],
            "stickers": [],
            "features": [],
            "mfa_level": 0,
            "application_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "max_members": 500000,
            "vanity_url_code": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": self.locale,
            "nsfw_level": 0,
            "premium_progress_bar_enabled": False,
        }

    def create_payload(self, bot: User, *, added: bool = False) -> JSON:
        """GUILD_CREATE: without the members intent it names only the bot itself. `added`: just now, not known from READY."""
        seen = [channel for channel in self.channels if channel.may("view_channel")]
        return (
            self.payload(bot)
            | ({} if added else {"unavailable": False})
            | {
                "joined_at": timestamp(self.members[bot.id].joined),
                "large": False,
                "member_count": len(self.members),
                "voice_states": [],
                "presences": [],
                "stage_instances": [],
                "guild_scheduled_events": [],
                "soundboard_sounds": [],
                "members": [self.members[bot.id].payload()],
                "channels": [channel.payload(bot) for channel in seen if not channel.is_thread],
                "threads": [channel.payload(bot) for channel in seen if channel.is_thread and not channel.archived],
            }
        )
