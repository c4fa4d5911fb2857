"""What exists at the loopback Discord, and how the bot learns of what happens there."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from tests.fakes.discord import gateway as gw
from tests.fakes.discord.commands import Registry
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Person
from tests.fakes.discord.places import (
    DIRECT,
    EVERYBODY_MAY,
    PERMISSIONS,
    PUBLIC_THREAD,
    TEXT,
    Channel,
    Guild,
    Member,
    Role,
    User,
)
from tests.fakes.discord.records import JSON, Clock


class World:
    """Users, servers, channels, messages, commands. The server that listens is made of it."""

    gateway: gw.Gateway
    port: int

    def __init__(self, *, message_content: bool, members: bool, bot_name: str) -> None:
        self.clock = Clock()
        self.token = f"fake.{secrets.token_urlsafe(24)}"
        self.application_id = self.clock.snowflake()
        self.bot = User(self.application_id, bot_name, bot=True)
        self.owner_id = self.clock.snowflake()
        self.users: dict[int, User] = {self.bot.id: self.bot, self.owner_id: User(self.owner_id, "owner")}
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
        self.interactions: dict[int, Interaction] = {}
        self.commands = Registry(self.application_id, self.clock)
        self.files: dict[int, bytes] = {}
        """Contents of attachments, by id."""
        self.allowed_intents = gw.ALL_INTENTS & ~(gw.GUILD_MEMBERS | gw.GUILD_PRESENCES | gw.MESSAGE_CONTENT)
        self.allowed_intents |= (gw.MESSAGE_CONTENT if message_content else 0) | (gw.GUILD_MEMBERS if members else 0)

    def changed(self) -> None:
        """Something happened: look again, whoever waits."""
        raise NotImplementedError

    def guild(
        self,
        id: int | None = None,
        *,
        name: str = "회사",
        channels: Sequence[str] = ("일반",),
        roles: Sequence[str] = ("직원",),
    ) -> Guild:
        """A new server with the bot in it. A bot that is connected gets told that it was added."""
        guild = Guild(id or self.clock.snowflake(), name, self.owner_id)
        guild.roles.append(Role(guild.id, "@everyone", permissions=EVERYBODY_MAY, position=0))
        guild.roles += [Role(self.clock.snowflake(), role, position=n) for n, role in enumerate(roles, 1)]
        for user in (self.bot, self.users[self.owner_id]):
            guild.members[user.id] = Member(user, set(), self.clock.now())
        self.guilds.append(guild)
        for channel in channels:
            self.channel(guild, channel)
        self.gateway.dispatch("GUILD_CREATE", lambda _: guild.create_payload(self.bot, added=True), gw.GUILDS)
        return guild

    def channel(self, guild: Guild, name: str) -> Channel:
        """A new text channel."""
        channel = Channel(self.clock.snowflake(), TEXT, name, guild, created=self.clock.now())
        self.channels[channel.id] = channel
        guild.channels.append(channel)
        return channel

    def user(
        self,
        id: int | None = None,
        *,
        name: str = "",
        roles: Sequence[str | int | Role] = (),
        guilds: Sequence[Guild] | None = None,
        locale: str = "ko",
        bot: bool = False,
    ) -> Person:
        """A new person, a member of every server there is now, or of those named. Roles by name, id or object."""
        id = id or self.clock.snowflake()
        person = Person(id, name or f"person{len(self.users)}", bot=bot, server=self, locale=locale)
        self.users[id] = person
        for guild in self.guilds if guilds is None else guilds:
            wanted = {role.id if isinstance(role, Role) else role for role in roles}
            ids = {role.id for role in guild.roles if role.id in wanted or role.name in wanted}
            guild.members[id] = Member(person, ids, self.clock.now())
        return person

    def find_guild(self, id: int) -> Guild | None:
        """By id."""
        return next((guild for guild in self.guilds if guild.id == id), None)

    def remove_bot(self, guild: Guild) -> None:
        """The bot left or was thrown out."""
        guild.bot_in = False
        guild.members.pop(self.bot.id, None)
        self.gateway.dispatch("GUILD_DELETE", {"id": str(guild.id)}, gw.GUILDS)

    def deny(self, channel: Channel, *permissions: str) -> None:
        """The bot may no longer do this in the channel: `view_channel`, `send_messages`, `attach_files`, …"""
        channel.denied |= sum(PERMISSIONS[name] for name in permissions)
        self.channel_changed(channel)

    def allow(self, channel: Channel, *permissions: str) -> None:
        """The bot may do this again."""
        channel.denied &= ~sum(PERMISSIONS[name] for name in permissions)
        self.channel_changed(channel)

    def channel_changed(self, channel: Channel) -> None:
        """Tell the bot."""
        event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        self.gateway.dispatch(event, channel.payload(self.bot), gw.GUILDS)

    def delete_channel(self, channel: Channel) -> None:
        """The channel or thread is gone: 10003 for the bot."""
        del self.channels[channel.id]
        assert channel.guild is not None
        channel.guild.channels.remove(channel)
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        self.gateway.dispatch(event, channel.payload(self.bot), gw.GUILDS)

    def direct_channel(self, user: User) -> Channel:
        """The bot's conversation with one person."""
        for channel in self.channels.values():
            if channel.type == DIRECT and user in channel.recipients:
                return channel
        channel = Channel(self.clock.snowflake(), DIRECT, recipients=[user], created=self.clock.now())
        self.channels[channel.id] = channel
        return channel

    def may_write_to(self, user: User) -> bool:
        """Whether the bot may: they allow it and share a server with it."""
        return user.accepts_direct and any(guild.bot_in and user.id in guild.members for guild in self.guilds)

    def new_thread(
        self, channel: Channel, name: str, *, owner: User, kind: int = PUBLIC_THREAD, message: Message | None = None
    ) -> Channel:
        """A thread in the channel; one that starts from a message has its id."""
        id = message.id if message is not None else self.clock.snowflake()
        thread = Channel(id, kind, name, channel.guild, channel, owner, created=self.clock.now())
        thread.bot_joined = owner is self.bot
        self.channels[id] = thread
        assert channel.guild is not None
        channel.guild.channels.append(thread)
        if message is not None:
            message.thread = thread
        self.gateway.dispatch("THREAD_CREATE", thread.payload(self.bot) | {"newly_created": True}, gw.GUILDS)
        return thread

    # Messages

    def messages(self, channel: Channel | User, *, by: User | None = None) -> list[Message]:
        """What everybody in the channel (or in the direct conversation) sees, the oldest first."""
        place = self.direct_channel(channel) if isinstance(channel, User) else channel
        visible = [m for m in place.messages.values() if not m.deleted and not m.ephemeral]
        return [m for m in visible if by is None or m.author is by]

    def sent(self, channel: Channel | User) -> list[Message]:
        """Those of the bot."""
        return self.messages(channel, by=self.bot)

    def new_message(self, channel: Channel, author: User, *, nonce: str | None = None) -> Message:
        """A message that nobody sees yet."""
        return Message(self.clock.snowflake(), channel, author, self.clock.now(), nonce=nonce)

    def post(self, message: Message) -> None:
        """Put it into its channel and tell the bot."""
        channel = message.channel
        channel.messages[message.id] = message
        if channel.archived:  # docs: threads, a new message takes them out of the archive
            channel.archived = False
            self.channel_changed(channel)
        self._settle(message)
        self._tell("MESSAGE_CREATE", message)

    def edited(self, message: Message) -> None:
        """It was changed: tell the bot."""
        message.edited = self.clock.now()
        self._settle(message)
        self._tell("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        """Take it away and tell the bot."""
        message.deleted = True
        if not message.ephemeral and message.channel.may("view_channel"):
            data: JSON = {"id": str(message.id), "channel_id": str(message.channel.id)}
            self.gateway.dispatch("MESSAGE_DELETE", data | self._guild_id(message), self._intent(message))
        self.changed()

    def react(self, message: Message, user: User, emoji: str) -> None:
        """Add somebody's reaction; a second one is nothing new."""
        people = message.reactions.setdefault(emoji, [])
        if user.id in people:
            return
        people.append(user.id)
        data = self._reaction(message, user, emoji) | {"message_author_id": str(message.author.id)}
        if message.guild is not None:
            data["member"] = message.guild.members[user.id].payload()
        self.gateway.dispatch("MESSAGE_REACTION_ADD", data, self._intent(message, reaction=True))

    def unreact(self, message: Message, user: User, emoji: str) -> None:
        """Take somebody's reaction away."""
        if user.id in message.reactions.get(emoji, []):
            message.reactions[emoji].remove(user.id)
            data = self._reaction(message, user, emoji)
            self.gateway.dispatch("MESSAGE_REACTION_REMOVE", data, self._intent(message, reaction=True))

    def payload(self, message: Message, *, full: bool | None = None) -> JSON:
        """As REST shows it to the bot: `full` by default as the portal allows."""
        if full is None:
            full = bool(self.allowed_intents & gw.MESSAGE_CONTENT) or message.readable_by(self.bot)
        return message.payload(self.bot, full=full)

    def repeat(self, thing: Message | Interaction) -> None:
        """Deliver the same event once more, as a resume may."""
        if isinstance(thing, Interaction):
            self.gateway.dispatch("INTERACTION_CREATE", thing.payload)
        else:
            self._tell("MESSAGE_CREATE", thing)

    def _settle(self, message: Message) -> None:
        message.note_version(time.monotonic())
        for attachment in message.attachments:
            attachment.url = attachment.url or f"http://127.0.0.1:{self.port}/attachments/{attachment.id}"
            self.files[attachment.id] = attachment.data

    def _tell(self, event: str, message: Message) -> None:
        if message.ephemeral or not message.channel.may("view_channel"):
            self.changed()
            return
        guild = message.guild
        extra = self._guild_id(message)
        if guild is not None and message.author.id in guild.members and message.interaction is None:
            extra["member"] = guild.members[message.author.id].payload(with_user=False)

        def describe(session: gw.Session) -> JSON:
            full = bool(session.intents & gw.MESSAGE_CONTENT) or message.readable_by(self.bot)
            return message.payload(self.bot, full=full) | extra

        self.gateway.dispatch(event, describe, self._intent(message))

    def _guild_id(self, message: Message) -> JSON:
        return {} if message.guild is None else {"guild_id": str(message.guild.id)}

    def _reaction(self, message: Message, user: User, emoji: str) -> JSON:
        return {
            "user_id": str(user.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "burst_colors": [],
            "type": 0,
        } | self._guild_id(message)

    def _intent(self, message: Message, *, reaction: bool = False) -> int:
        if message.channel.is_direct:
            return gw.DIRECT_REACTIONS if reaction else gw.DIRECT_MESSAGES
        return gw.GUILD_REACTIONS if reaction else gw.GUILD_MESSAGES
