"""Routes about channels: messages, threads, typing, reactions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.fakes.discord import forms
from tests.fakes.discord.messages import REPLY, Message
from tests.fakes.discord.places import PRIVATE_THREAD, PUBLIC_THREAD, Channel
from tests.fakes.discord.records import JSON, ApiError, refused, unknown
from tests.fakes.discord.rest import Call, Reply, route

if TYPE_CHECKING:
    from tests.fakes.discord.server import DiscordServer

NONCE_SECONDS = 5 * 60.0
"""docs: "checked for uniqueness in the past few minutes"."""


def channel_of(server: DiscordServer, call: Call, *needed: str) -> Channel:
    """The channel in the path. Raises ApiError when the bot may not see it or lacks what is needed."""
    channel = server.channels.get(call.id("channel_id"))
    if channel is None or (channel.guild is not None and not channel.guild.bot_in):
        raise unknown("Channel")
    if not channel.may("view_channel"):
        raise refused(50001)
    if not channel.may(*needed):
        raise refused(50013)
    return channel


def message_of(server: DiscordServer, call: Call, channel: Channel) -> Message:
    """The message in the path, as far as the bot's own token sees it: not an ephemeral one."""
    message = channel.messages.get(call.id("message_id"))
    if message is None or message.deleted or message.ephemeral:
        raise unknown("Message")
    return message


def _sending(channel: Channel) -> str:
    return "send_messages_in_threads" if channel.is_thread else "send_messages"


def get_channel(server: DiscordServer, call: Call) -> JSON:
    """GET a channel."""
    return channel_of(server, call).payload(server.bot)


def create_message(server: DiscordServer, call: Call) -> JSON:
    """POST a message."""
    channel = channel_of(server, call)
    if not channel.may(_sending(channel)):
        raise refused(50013)
    if channel.is_direct and not server.may_write_to(channel.recipients[0]):
        raise refused(50007)
    body = call.body or {}
    content = forms.read(body, call.files, forms.CHANNEL_CREATE, call.form, server.clock)
    if content.attachments and not channel.may("attach_files"):
        raise refused(50013)
    nonce = _nonce(body, call)
    if nonce is not None and body.get("enforce_nonce"):
        since = server.clock.now() - NONCE_SECONDS
        for earlier in channel.messages.values():
            if earlier.author is server.bot and earlier.nonce == nonce and earlier.created > since:
                return server.payload(earlier)
    reference = _reference(body, channel, call)
    message = server.new_message(channel, server.bot, nonce=nonce)
    content.apply(message)
    if reference is not None:
        message.type, message.reference = REPLY, reference
        if content.replied_user:
            message.mentioned |= {reference.author.id}
            if reference.author is not server.bot:
                message.pings |= type(message.pings)(users=frozenset({reference.author.id}))
    server.post(message)
    return server.payload(message)


def _nonce(body: JSON, call: Call) -> str | None:
    nonce = body.get("nonce")
    if nonce is None:
        return None
    call.form.length(str(nonce), ("nonce",), most=25)
    call.form.close()
    return str(nonce)


def _reference(body: JSON, channel: Channel, call: Call) -> Message | None:
    reference = body.get("message_reference")
    if not reference:
        return None
    call.form.known(
        reference, ("type", "message_id", "channel_id", "guild_id", "fail_if_not_exists"), ("message_reference",)
    )
    found = channel.messages.get(int(reference["message_id"]))
    if int(reference.get("channel_id") or channel.id) != channel.id:
        call.form.bad(
            ("message_reference",), "REPLIES_CANNOT_REPLY_TO_OTHER_CHANNEL", "Cannot reply to another channel"
        )
    elif found is None or found.deleted or found.ephemeral:
        if not reference.get("fail_if_not_exists", True):
            return None
        call.form.bad(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        # The message may have been deleted a moment ago, so this alone is no violation.
        raise ApiError(400, 50035, "Invalid Form Body", errors=_only_unknown_reference())
    call.form.close()
    return found


def _only_unknown_reference() -> JSON:
    error = {"code": "REPLIES_UNKNOWN_MESSAGE", "message": "Unknown message"}
    return {"message_reference": {"_errors": [error]}}


def list_messages(server: DiscordServer, call: Call) -> list[JSON]:
    """GET messages, the newest first."""
    channel = channel_of(server, call)
    if not channel.may("read_message_history"):
        return []
    limit = int(call.query.get("limit", 50))
    if not 1 <= limit <= 100:
        call.form.bad(("limit",), "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        call.form.close()
    visible = [m for m in channel.messages.values() if not m.deleted and not m.ephemeral]
    visible.sort(key=lambda message: message.id, reverse=True)
    if "before" in call.query:
        visible = [m for m in visible if m.id < int(call.query["before"])][:limit]
    elif "after" in call.query:
        visible = [m for m in visible if m.id > int(call.query["after"])][-limit:]
    elif "around" in call.query:
        middle = int(call.query["around"])
        newer = sum(message.id > middle for message in visible)
        visible = visible[max(0, newer - limit // 2) :]
    return [server.payload(message) for message in visible[:limit]]


def get_message(server: DiscordServer, call: Call) -> JSON:
    """GET a message."""
    return server.payload(message_of(server, call, channel_of(server, call, "read_message_history")))


def edit_message(server: DiscordServer, call: Call) -> JSON:
    """PATCH a message of the bot."""
    message = message_of(server, call, channel_of(server, call))
    if message.author is not server.bot:
        raise refused(50005)
    content = forms.read(call.body or {}, call.files, forms.CHANNEL_EDIT, call.form, server.clock, before=message)
    content.apply(message)
    server.edited(message)
    return server.payload(message)


def delete_message(server: DiscordServer, call: Call) -> None:
    """DELETE a message."""
    channel = channel_of(server, call)
    message = message_of(server, call, channel)
    if message.author is not server.bot and not channel.may("manage_messages"):
        raise refused(50013)
    server.delete(message)


def typing(server: DiscordServer, call: Call) -> None:
    """POST typing."""
    channel = channel_of(server, call)
    if not channel.may(_sending(channel)):
        raise refused(50013)
    channel.typing.append(time.monotonic())


def start_thread(server: DiscordServer, call: Call) -> Reply:
    """POST a thread, from a message or without one."""
    private = (call.body or {}).get("type") == PRIVATE_THREAD and "message_id" not in call.args
    channel = channel_of(server, call, "create_private_threads" if private else "create_public_threads")
    body = call.body or {}
    fields = ("name", "auto_archive_duration", "rate_limit_per_user", "type", "invitable", "message", "applied_tags")
    call.form.known(body, fields)
    call.form.length(body.get("name"), ("name",), least=1, most=100)
    if body.get("auto_archive_duration") not in (None, 60, 1440, 4320, 10080):
        call.form.bad(("auto_archive_duration",), "BASE_TYPE_CHOICES", "Must be one of (60, 1440, 4320, 10080).")
    call.form.close()
    if channel.is_thread or channel.is_direct:
        raise ApiError(400, 50024, "Cannot execute action on this channel type", violation=True)
    message = message_of(server, call, channel) if "message_id" in call.args else None
    if message is not None and message.thread is not None:
        raise ApiError(400, 160004, "A thread has already been created for this message")
    kind = PRIVATE_THREAD if private else PUBLIC_THREAD
    thread = server.new_thread(channel, body["name"], owner=server.bot, kind=kind, message=message)
    return Reply(201, thread.payload(server.bot))


def edit_channel(server: DiscordServer, call: Call) -> JSON:
    """PATCH a thread: its name, archived or not."""
    channel = channel_of(server, call)
    body = call.body or {}
    call.form.known(body, ("name", "archived", "locked", "auto_archive_duration", "rate_limit_per_user", "invitable"))
    if not channel.is_thread:
        raise refused(50013)
    if "name" in body:
        call.form.length(body["name"], ("name",), least=1, most=100)
        call.form.close()
        channel.name = body["name"]
    channel.archived = bool(body.get("archived", channel.archived))
    server.channel_changed(channel)
    return channel.payload(server.bot)


def join_thread(server: DiscordServer, call: Call) -> None:
    """PUT the bot itself into a thread."""
    channel_of(server, call).bot_joined = True


def add_reaction(server: DiscordServer, call: Call) -> None:
    """PUT a reaction of the bot."""
    channel = channel_of(server, call, "read_message_history")
    message = message_of(server, call, channel)
    emoji = unquote(call.args["emoji"])
    if emoji.isascii() and ":" not in emoji:
        raise unknown("Emoji")
    if emoji not in message.reactions and not channel.may("add_reactions"):
        raise refused(50013)
    server.react(message, server.bot, emoji)


def remove_reaction(server: DiscordServer, call: Call) -> None:
    """DELETE a reaction of the bot."""
    message = message_of(server, call, channel_of(server, call))
    server.unreact(message, server.bot, unquote(call.args["emoji"]))


def reactions(server: DiscordServer, call: Call) -> list[JSON]:
    """GET who reacted."""
    message = message_of(server, call, channel_of(server, call))
    people = message.reactions.get(unquote(call.args["emoji"]), [])
    return [server.users[person].payload() for person in people]


_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
ROUTES = [
    route("GET", "/channels/{channel_id}", get_channel),
    route("PATCH", "/channels/{channel_id}", edit_channel),
    route("GET", "/channels/{channel_id}/messages", list_messages),
    route("POST", "/channels/{channel_id}/messages", create_message),
    route("GET", _MESSAGE, get_message),
    route("PATCH", _MESSAGE, edit_message),
    route("DELETE", _MESSAGE, delete_message),
    route("POST", "/channels/{channel_id}/typing", typing),
    route("POST", "/channels/{channel_id}/threads", start_thread),
    route("POST", f"{_MESSAGE}/threads", start_thread),
    route("PUT", "/channels/{channel_id}/thread-members/@me", join_thread),
    route("PUT", f"{_MESSAGE}/reactions/{{emoji}}/@me", add_reaction),
    route("DELETE", f"{_MESSAGE}/reactions/{{emoji}}/@me", remove_reaction),
    route("GET", f"{_MESSAGE}/reactions/{{emoji}}", reactions),
]
