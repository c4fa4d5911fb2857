"""A message: what people read in it, whom it pings, and how Discord describes it on the wire."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.discord import components as parts
from tests.fakes.discord.places import Channel, Guild, User, timestamp
from tests.fakes.discord.records import JSON, Pings

if TYPE_CHECKING:
    from tests.fakes.discord.interactions import Interaction

SUPPRESS_EMBEDS, EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 2, 1 << 6, 1 << 7, 1 << 15
DEFAULT, REPLY, COMMAND_ANSWER, MENU_ANSWER = 0, 19, 20, 23

_EVERYONE = re.compile(r"@(?:everyone|here)")
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_BARE_URL = re.compile(r"(?<!<)\bhttps?://[^\s<>)\]]+")


def asked_for(text: str) -> Pings:
    """Whom a text would ping if nothing held it back, read strictly: code spans and backslashes do not protect."""
    return Pings(
        everyone=_EVERYONE.search(text) is not None,
        users=frozenset(map(int, _USER.findall(text))),
        roles=frozenset(map(int, _ROLE.findall(text))),
    )


def allowed(asked: Pings, allowance: JSON | None, default: Collection[str]) -> Pings:
    """What `allowed_mentions` leaves of it. `default`: what is parsed without it, which differs by endpoint."""
    if allowance is None:
        allowance = {"parse": list(default)}
    parse = allowance.get("parse") or []
    users = frozenset(map(int, allowance.get("users") or []))
    roles = frozenset(map(int, allowance.get("roles") or []))
    return Pings(
        everyone=asked.everyone and "everyone" in parse,
        users=asked.users if "users" in parse else asked.users & users,
        roles=asked.roles if "roles" in parse else asked.roles & roles,
    )


@dataclass(eq=False)
class Attachment:
    """A file on a message."""

    id: int
    filename: str
    data: bytes
    description: str | None = None
    url: str = ""

    def payload(self) -> JSON:
        """An attachment object."""
        described: JSON = {
            "id": str(self.id),
            "filename": self.filename,
            "size": len(self.data),
            "url": self.url,
            "proxy_url": self.url,
            "content_type": "application/octet-stream",
        }
        return described | ({"description": self.description} if self.description else {})


@dataclass(frozen=True)
class Version:
    """How a message stood at some time (`time.monotonic()`)."""

    at: float
    text: str


@dataclass(eq=False)
class Message:
    """One message; the object stays the same through edits."""

    id: int
    channel: Channel
    author: User
    created: float
    """Seconds since the epoch, by Discord's clock."""
    content: str = ""
    type: int = DEFAULT
    flags: int = 0
    embeds: list[JSON] = field(default_factory=list)
    components: list[JSON] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    reference: Message | None = None
    """What it replies to."""
    nonce: str | None = None
    pings: Pings = field(default_factory=Pings)
    """Whom it really pinged, over its whole life."""
    mentioned: frozenset[int] = frozenset()
    """Users in its `mentions`; a reply mentions the author of what it replies to unless told not to."""
    interaction: Interaction | None = None
    """Of an interaction's response and follow-ups."""
    seen_by: User | None = None
    """Ephemeral: the one person who sees it."""
    reactions: dict[str, list[int]] = field(default_factory=dict)
    """Emoji to the ids of those who reacted."""
    thread: Channel | None = None
    edited: float | None = None
    deleted: bool = False
    versions: list[Version] = field(default_factory=list)

    @property
    def guild(self) -> Guild | None:
        """The server it stands in."""
        return self.channel.guild

    @property
    def ephemeral(self) -> bool:
        """Only one person sees it."""
        return self.seen_by is not None

    @property
    def loading(self) -> bool:
        """ "… is thinking": a deferred response that has not come yet."""
        return bool(self.flags & LOADING)

    @property
    def v2(self) -> bool:
        """Made of Components V2."""
        return bool(self.flags & COMPONENTS_V2)

    @property
    def text(self) -> str:
        """All that people read in it, buttons aside."""
        pieces = [self.content]
        pieces += [c["content"] for c in parts.walk(self.components) if c["type"] == parts.TEXT_DISPLAY]
        for embed in self.embeds:
            pieces += [embed.get("title") or "", embed.get("description") or ""]
            for named in embed.get("fields", []):
                pieces += [named["name"], named["value"]]
            pieces.append((embed.get("footer") or {}).get("text", ""))
        return "\n".join(piece for piece in pieces if piece)

    @property
    def buttons(self) -> list[JSON]:
        """Its buttons in reading order."""
        return [c for c in parts.walk(self.components) if c["type"] == parts.BUTTON]

    @property
    def labels(self) -> list[str]:
        """What stands on its buttons: the label, or the emoji where there is no label."""
        return [b.get("label") or (b.get("emoji") or {}).get("name", "") for b in self.buttons]

    @property
    def custom_ids(self) -> list[str]:
        """Of everything that can be pressed or chosen."""
        return [c["custom_id"] for c in parts.walk(self.components) if "custom_id" in c]

    @property
    def mentions_in_text(self) -> Pings:
        """Whom its text asks to ping, whatever `allowed_mentions` held back. Embeds never ping."""
        displays = [c["content"] for c in parts.walk(self.components) if c["type"] == parts.TEXT_DISPLAY]
        return asked_for("\n".join([self.content, *displays]))

    @property
    def previews(self) -> list[str]:
        """Links for which Discord would fetch and show a preview."""
        return [] if self.flags & SUPPRESS_EMBEDS else _BARE_URL.findall(self.content)

    def note_version(self, at: float) -> None:
        """Remember how it stands now."""
        self.versions.append(Version(at, self.text))

    def payload(self, bot: User, *, full: bool = True, nested: bool = True) -> JSON:
        """A message object. `full` False: censored, as without the message-content intent."""
        described: JSON = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "channel_type": self.channel.type,
            "type": self.type,
            "author": self.author.payload(),
            "content": self.content if full else "",
            "timestamp": timestamp(self.created),
            "edited_timestamp": timestamp(self.edited) if self.edited is not None else None,
            "tts": False,
            "mention_everyone": self.pings.everyone,
            "mentions": self._mentions(),
            "mention_roles": [str(role) for role in sorted(self.pings.roles)],
            "attachments": [attachment.payload() for attachment in self.attachments] if full else [],
            "embeds": [embed | {"type": "rich"} for embed in self.embeds] if full else [],
            "components": self.components if full else [],
            "pinned": False,
            "flags": self.flags,
        }
        if self.reactions:
            described["reactions"] = [
                {
                    "emoji": {"id": None, "name": emoji},
                    "count": len(people),
                    "count_details": {"burst": 0, "normal": len(people)},
                    "burst_colors": [],
                    "me_burst": False,
                    "burst_me": False,
                    "burst_count": 0,
                    "me": bot.id in people,
                }
                for emoji, people in self.reactions.items()
                if people
            ]
        if self.nonce is not None:
            described["nonce"] = self.nonce
        if self.interaction is not None:
            described["webhook_id"] = described["application_id"] = str(self.interaction.application_id)
            described["interaction_metadata"] = self.interaction.metadata(of_original=self is self.interaction.original)
        if self.thread is not None:
            described["thread"] = self.thread.payload(bot)
        if self.reference is not None:
            described["message_reference"] = {
                "type": 0,
                "channel_id": str(self.reference.channel.id),
                "message_id": str(self.reference.id),
            }
            if self.guild is not None:
                described["message_reference"]["guild_id"] = str(self.guild.id)
            if nested and self.type == REPLY:
                referenced = self.reference
                described["referenced_message"] = (
                    None
                    if referenced.deleted
                    else referenced.payload(bot, full=full or referenced.readable_by(bot), nested=False)
                )
        return described

    def readable_by(self, bot: User) -> bool:
        """Whether the bot gets its content without the message-content intent (docs: gateway, message content)."""
        return self.author is bot or self.channel.is_direct or bot.id in self.mentioned

    def _mentions(self) -> list[JSON]:
        members = self.guild.members if self.guild is not None else {}
        people = {user.id: user for user in self.channel.recipients}
        people |= {id_: member.user for id_, member in members.items()}
        described = []
        for id_ in sorted(self.mentioned & people.keys()):
            person = people[id_].payload()
            if id_ in members:
                person["member"] = members[id_].payload(with_user=False)
            described.append(person)
        return described
