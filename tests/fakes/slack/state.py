"""The workspace: users, channels, messages, views, and the secrets handed out with them. No protocol here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.slack.records import JSON

ChannelKind = Literal["public", "private", "im", "mpim"]

TEAM = "T0TEAM"
DOMAIN = "saseo-test"
APP = "A0APP"
BOT_USER = "U0BOT"
BOT = "B0BOT"
BOT_NAME = "saseo"


@dataclass(slots=True)
class User:
    """A member of the workspace, a guest (`is_restricted`) or somebody from another company (`is_stranger`)."""

    id: str
    name: str
    email: str = ""
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_admin: bool = False
    is_bot: bool = False
    deleted: bool = False
    locale: str = "ko-KR"
    team: str = TEAM

    def as_json(self, *, with_email: bool, with_locale: bool) -> JSON:
        """As `users.info` gives it; the address needs the scope `users:read.email`."""
        profile: JSON = {"real_name": self.name, "display_name": self.name, "team": self.team}
        if with_email and self.email:
            profile["email"] = self.email
        body: JSON = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "real_name": self.name,
            "deleted": self.deleted,
            "tz": "Asia/Seoul",
            "profile": profile,
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1700000000,
        }
        if self.is_stranger:
            body["is_stranger"] = True
        if with_locale:
            body["locale"] = self.locale
        return body


@dataclass(slots=True)
class Channel:
    """A conversation."""

    id: str
    kind: ChannelKind
    name: str
    ext_shared: bool = False
    archived: bool = False
    members: set[str] = field(default_factory=set)
    user: str = ""
    """Of an `im`: the person."""

    @property
    def event_type(self) -> str:
        """`channel_type` of a message event."""
        return {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}[self.kind]

    def as_json(self) -> JSON:
        """As `conversations.info` gives it."""
        body: JSON = {
            "id": self.id,
            "created": 1700000000,
            "is_archived": self.archived,
            "is_channel": self.kind == "public",
            "is_group": self.kind == "private",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "public",
            "is_org_shared": False,
            "is_ext_shared": self.ext_shared,
            "is_shared": self.ext_shared,
            "context_team_id": TEAM,
        }
        if self.kind == "im":
            return body | {"user": self.user}
        return body | {"name": self.name, "name_normalized": self.name, "is_member": BOT_USER in self.members}


@dataclass(eq=False, slots=True)
class Message:
    """A message as it stands now."""

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[JSON] = field(default_factory=list)
    metadata: JSON | None = None
    bot_id: str | None = None
    subtype: str | None = None
    ephemeral_to: str | None = None
    """The only person who sees it."""
    streaming: bool = False
    streamed: bool = False
    """It is or was a stream."""
    appends: list[str] = field(default_factory=list)
    """The pieces of streamed Markdown as they came."""
    chunks: list[JSON] = field(default_factory=list)
    """Chunks that are not text: task_update, plan_update."""
    args: JSON = field(default_factory=dict)
    """How it was posted: unfurl_links and so on."""
    files: list[JSON] = field(default_factory=list)
    edits: int = 0
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Name → users."""

    @property
    def by_bot(self) -> bool:
        """Posted by the app under test."""
        return self.bot_id == BOT

    @property
    def finished(self) -> bool:
        """Stands there, complete."""
        return not self.streaming and not self.deleted

    @property
    def body(self) -> str:
        """Everything a person reads: the blocks' texts, or `text` where there is none; streamed text first."""
        texts = list(_texts(self.blocks))
        if self.streamed or not texts:
            texts.insert(0, self.text)
        return "\n".join(texts)

    def elements(self) -> Iterator[tuple[JSON, JSON]]:
        """Every interactive element with its block."""
        for block in self.blocks:
            accessory = block.get("accessory")
            for element in [*block.get("elements", []), *([accessory] if accessory else [])]:
                if isinstance(element, dict) and "action_id" in element:
                    yield block, element

    def as_json(self, *, with_metadata: bool = True) -> JSON:
        """As `conversations.replies` gives it."""
        body: JSON = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts, "team": TEAM}
        if self.bot_id is not None:
            body |= {"bot_id": self.bot_id, "app_id": APP if self.by_bot else "A0OTHER"}
        for key, value in (("subtype", self.subtype), ("thread_ts", self.thread_ts), ("blocks", self.blocks)):
            if value:
                body[key] = value
        if self.files:
            body["files"] = self.files
        if self.metadata and with_metadata:
            body["metadata"] = self.metadata
        if self.edits:
            body["edited"] = {"user": self.user, "ts": self.ts}
        if self.reactions:
            body["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)} for name, users in self.reactions.items()
            ]
        return body


def _texts(blocks: list[JSON]) -> Iterator[str]:
    """Every text a person reads in blocks, in their order; not ids and values."""
    for block in blocks:
        yield from _texts_of(block)


def _texts_of(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _texts_of(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("text", "alt_text") and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from _texts_of(value)


@dataclass(eq=False, slots=True)
class View:
    """A modal or a Home tab."""

    id: str
    user: str
    body: JSON
    open: bool = True
    hash: str = "1.0"
    previous: str | None = None
    root: str | None = None

    def as_json(self, state: JSON | None = None) -> JSON:
        """As in the answer of `views.open` and in payloads."""
        body: JSON = {
            "id": self.id,
            "team_id": TEAM,
            "app_id": APP,
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
            "type": self.body["type"],
            "title": self.body.get("title"),
            "submit": self.body.get("submit"),
            "close": self.body.get("close"),
            "blocks": self.body["blocks"],
            "callback_id": self.body.get("callback_id", ""),
            "private_metadata": self.body.get("private_metadata", ""),
            "external_id": self.body.get("external_id", ""),
            "clear_on_close": self.body.get("clear_on_close", False),
            "notify_on_close": self.body.get("notify_on_close", False),
            "state": {"values": state or {}},
            "hash": self.hash,
            "root_view_id": self.root or self.id,
            "previous_view_id": self.previous,
        }
        return body


@dataclass(slots=True)
class Trigger:
    """Opens one modal, within three seconds."""

    user: str
    made: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Five uses within half an hour."""

    user: str
    channel: str
    message: Message | None
    made: float
    thread_ts: str | None = None
    uses: int = 0


class Workspace:
    """All state of the fake."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {BOT_USER: User(BOT_USER, BOT_NAME, is_bot=True)}
        self.channels: dict[str, Channel] = {}
        self.messages: list[Message] = []
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.usergroups: dict[str, set[str]] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.statuses: dict[tuple[str, str], tuple[str, float]] = {}
        """(channel, thread) → text and when it was set, `time.monotonic()`."""
        self._last = int(time.time() * 1_000_000)
        self._count = 0

    def new_ts(self) -> str:
        """A timestamp that no other message has, later than every one before."""
        self._last = max(self._last + 100, int(time.time() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def new_id(self, letter: str) -> str:
        """`Ev0000000001` and so on."""
        self._count += 1
        return f"{letter}{self._count:010d}"

    def find(self, channel: str, ts: str, *, ephemeral: bool = False) -> Message | None:
        """The message, if it stands there."""
        for message in reversed(self.messages):
            if (message.channel, message.ts) == (channel, ts) and not message.deleted:
                return message if ephemeral or message.ephemeral_to is None else None
        return None

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The root and its replies, oldest first, with what only one person sees; nothing deleted."""
        found = [m for m in self.messages if m.channel == channel and not m.deleted and ts in (m.ts, m.thread_ts)]
        return sorted(found, key=lambda m: m.ts)

    def im(self, user: str) -> Channel:
        """The direct conversation of a person with the bot."""
        channel_id = f"D{user[1:]}"
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(channel_id, "im", "", members={user, BOT_USER}, user=user)
        return self.channels[channel_id]
