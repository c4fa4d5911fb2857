"""What may stand in the body of a message: checks it as Discord does and works out whom it pings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tests.fakes.discord import components as parts
from tests.fakes.discord.messages import (
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    SUPPRESS_EMBEDS,
    Attachment,
    Message,
    allowed,
    asked_for,
)
from tests.fakes.discord.places import BIG_FILE
from tests.fakes.discord.records import JSON, ApiError, Clock, Form, Pings, Step

SUPPRESS_NOTIFICATIONS = 1 << 12
EVERYTHING = ("everyone", "roles", "users")
"""What an ordinary message's text pings without `allowed_mentions`."""
USERS_ONLY = ("users",)
"""The same of interactions and webhooks."""

# Polls and stickers are not in this fake: they are written down as unknown.
_SHARED = {"content", "embeds", "allowed_mentions", "components", "attachments", "flags", "tts"}
CREATE = _SHARED | {"nonce", "enforce_nonce", "message_reference"}
EDIT = _SHARED
FOLLOW_UP = _SHARED | {"username", "avatar_url", "thread_name", "applied_tags"}
RESPONSE = _SHARED
EMBED = {
    "title", "type", "description", "url", "timestamp", "color", "footer", "image", "thumbnail", "video", "provider",
    "author", "fields",
}  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """How the endpoints differ."""

    fields: Collection[str]
    flags: int
    """Those that the bot may set."""
    parse: Collection[str]
    prefix: tuple[str, ...] = ()
    """Where the message stands in the body."""


CHANNEL_CREATE = Rules(CREATE, SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2, EVERYTHING)
CHANNEL_EDIT = Rules(EDIT, SUPPRESS_EMBEDS | COMPONENTS_V2, EVERYTHING)
WEBHOOK_CREATE = Rules(FOLLOW_UP, EPHEMERAL | SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2, USERS_ONLY)
WEBHOOK_EDIT = Rules(EDIT, SUPPRESS_EMBEDS | COMPONENTS_V2, USERS_ONLY)
CALLBACK = Rules(RESPONSE, EPHEMERAL | SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2, USERS_ONLY, ("data",))


@dataclass
class Content:
    """What a message holds once the body was accepted."""

    content: str
    embeds: list[JSON]
    components: list[JSON]
    attachments: list[Attachment]
    flags: int
    pings: Pings
    replied_user: bool
    """Whether a reply pings the author of what it replies to."""

    def apply(self, message: Message) -> None:
        """Make the message so."""
        message.content = self.content
        message.embeds = self.embeds
        message.components = self.components
        message.attachments = self.attachments
        message.flags = self.flags
        message.pings |= self.pings
        message.mentioned |= self.pings.users


def read(
    body: JSON, files: dict[str, bytes], rules: Rules, form: Form, clock: Clock, *, before: Message | None = None
) -> Content:
    """Check a body. `before`: the message that it edits. Raises ApiError."""
    at = rules.prefix
    form.known(body, rules.fields, at)
    content = _given(body, "content", before.content if before is not None else "")
    form.length(content, (*at, "content"), most=2000)
    embeds = _given(body, "embeds", before.embeds if before is not None else [])
    _embeds(embeds, form, at)
    flags = _flags(body, rules, form, before)
    v2 = bool(flags & COMPONENTS_V2)
    inspector = parts.Inspector(form)
    components = body.get("components") or [] if "components" in body else (before.components if before else [])
    inspector.message(components, v2=v2)
    if v2:
        for name, value in (("content", content), ("embeds", embeds)):
            if value:
                form.bad(
                    (*at, name),
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
    allowance = body.get("allowed_mentions")
    _allowance(allowance, form, at)
    form.close()
    attachments = _attachments(body, files, clock, before)
    if not (content or embeds or components or attachments):
        raise ApiError(400, 50006, "Cannot send an empty message", violation=True)
    displays = [c["content"] for c in parts.walk(components) if c["type"] == parts.TEXT_DISPLAY]
    changed = before is None or "content" in body or "components" in body
    asked = asked_for("\n".join([content, *displays])) if changed else Pings()
    return Content(
        content=content,
        embeds=embeds,
        components=parts.number(components),
        attachments=attachments,
        flags=flags,
        pings=allowed(asked, allowance, rules.parse),
        replied_user=True if allowance is None else bool(allowance.get("replied_user", False)),
    )


def _given(body: JSON, key: str, otherwise: Any) -> Any:
    """A null empties the field; a missing key leaves it."""
    if key not in body:
        return otherwise
    return body[key] if body[key] is not None else type(otherwise)()


def _flags(body: JSON, rules: Rules, form: Form, before: Message | None) -> int:
    at = (*rules.prefix, "flags")
    flags = body.get("flags")
    kept = before.flags & ~LOADING if before is not None else 0
    if flags is None:
        return kept
    if not isinstance(flags, int):
        form.bad(at, "NUMBER_TYPE_COERCE", "Must be an integer.")
        return kept
    if flags & ~(rules.flags | (EPHEMERAL if before is not None and before.ephemeral else 0)):
        form.unknown_fields.append(f"flags: {flags & ~rules.flags} may not be set here")
    if kept & COMPONENTS_V2 and not flags & COMPONENTS_V2:
        form.bad(
            at, "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", "The components v2 flag cannot be removed from a message."
        )
    return kept & ~SUPPRESS_EMBEDS | flags & rules.flags


def _embeds(embeds: Any, form: Form, at: tuple[str, ...]) -> None:
    path = (*at, "embeds")
    if not isinstance(embeds, list) or len(embeds) > 10:
        form.bad(path, "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
        return
    total = 0
    for index, embed in enumerate(embeds):
        here: tuple[Step, ...] = (*path, index)
        form.known(embed, EMBED, here)
        footer, author = embed.get("footer") or {}, embed.get("author") or {}
        limits = [
            (embed.get("title"), ("title",), 256),
            (embed.get("description"), ("description",), 4096),
            (footer.get("text"), ("footer", "text"), 2048),
            (author.get("name"), ("author", "name"), 256),
        ]
        fields = embed.get("fields") or []
        if len(fields) > 25:
            form.bad((*here, "fields"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        for number, named in enumerate(fields):
            form.known(named, ("name", "value", "inline"), (*here, "fields", number))
            limits.append((named.get("name") or "", ("fields", str(number), "name"), 256))
            limits.append((named.get("value") or "", ("fields", str(number), "value"), 1024))
        for text, place, most in limits:
            if text is not None:
                form.length(text, (*here, *place), most=most, least=1 if place[0] == "fields" else 0)
                total += len(text)
    if total > 6000:
        form.bad(path, "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _allowance(allowance: Any, form: Form, at: tuple[str, ...]) -> None:
    if allowance is None:
        return
    path = (*at, "allowed_mentions")
    if not isinstance(allowance, dict):
        form.bad(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return
    form.known(allowance, ("parse", "users", "roles", "replied_user"), path)
    parse = allowance.get("parse") or []
    for value in parse:
        if value not in EVERYTHING:
            form.bad((*path, "parse"), "BASE_TYPE_CHOICES", "Value must be one of ('everyone', 'users', 'roles').")
    for key in ("users", "roles"):
        listed = allowance.get(key) or []
        if listed and key in parse:
            form.bad(
                path,
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{key}"] and {key}: [ids...] are mutually exclusive.',
            )
        if len(listed) > 100:
            form.bad((*path, key), "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")


def _attachments(body: JSON, files: dict[str, bytes], clock: Clock, before: Message | None) -> list[Attachment]:
    for data in files.values():
        if len(data) > BIG_FILE:
            raise ApiError(413, 40005, "Request entity too large", violation=True)
    listed = body.get("attachments")
    kept = before.attachments if before is not None else []
    if listed is not None:
        ids = {str(described["id"]) for described in listed}
        kept = [attachment for attachment in kept if str(attachment.id) in ids]
    described = {str(entry["id"]): entry for entry in listed or []}
    new = []
    for name, data in files.items():
        key, _, filename = name.partition("/")
        entry = described.get(key, {})
        new.append(Attachment(clock.snowflake(), entry.get("filename") or filename, data, entry.get("description")))
    return [*kept, *new]
