"""Routes that answer an interaction (docs: interactions/receiving-and-responding): the callback and its webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.discord import forms
from tests.fakes.discord import interactions as kinds
from tests.fakes.discord.commands import check_choice
from tests.fakes.discord.components import Inspector
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.messages import (
    COMMAND_ANSWER,
    DEFAULT,
    EPHEMERAL,
    LOADING,
    MENU_ANSWER,
    REPLY,
    Message,
)
from tests.fakes.discord.records import JSON, ApiError, unknown
from tests.fakes.discord.rest import Call, Reply, route

if TYPE_CHECKING:
    from tests.fakes.discord.server import DiscordServer

_MAY_ANSWER = {
    kinds.COMMAND: {kinds.ANSWER, kinds.DEFER, kinds.MODAL},
    kinds.COMPONENT: {kinds.ANSWER, kinds.DEFER, kinds.DEFER_UPDATE, kinds.UPDATE, kinds.MODAL},
    kinds.AUTOCOMPLETE: {kinds.CHOICES},
    kinds.MODAL_SUBMIT: {kinds.ANSWER, kinds.DEFER, kinds.DEFER_UPDATE, kinds.UPDATE},
}


def callback(server: DiscordServer, call: Call) -> Reply:
    """POST the first response."""
    interaction = server.interactions.get(call.id("interaction_id"))
    if interaction is None or interaction.token != call.args["token"]:
        raise unknown("Interaction")
    elapsed = server.clock.elapsed() - interaction.sent
    if interaction.callback is not None:
        raise ApiError(400, 40060, "Interaction has already been acknowledged.")
    if elapsed > kinds.FIRST_ANSWER_SECONDS:
        raise unknown("Interaction")
    body = call.body or {}
    call.form.known(body, ("type", "data"))
    may = set(_MAY_ANSWER[interaction.type])
    if interaction.type == kinds.MODAL_SUBMIT and interaction.message is None:
        may -= {kinds.DEFER_UPDATE, kinds.UPDATE}
    if body.get("type") not in may:
        call.form.bad(("type",), "BASE_TYPE_CHOICES", f"Must be one of {sorted(may)} for this interaction.")
        call.form.close()
    _ACTIONS[body["type"]](server, call, interaction, body.get("data") or {})
    interaction.callback = body
    interaction.callback_seconds = elapsed
    server.changed()
    if call.query.get("with_response") not in ("1", "true", "True"):
        return Reply(204)
    return Reply(200, _described(server, interaction))


def _described(server: DiscordServer, interaction: Interaction) -> JSON:
    described: JSON = {"interaction": {"id": str(interaction.id), "type": interaction.type}}
    original = interaction.original
    if (
        interaction.callback_type in (kinds.ANSWER, kinds.DEFER, kinds.DEFER_UPDATE, kinds.UPDATE)
        and original is not None
    ):
        described["interaction"] |= {
            "response_message_id": str(original.id),
            "response_message_loading": original.loading,
            "response_message_ephemeral": original.ephemeral,
            "channel_id": str(interaction.channel.id),
        }
        if interaction.callback_type != kinds.DEFER_UPDATE:
            described["resource"] = {"type": interaction.callback_type, "message": server.payload(original, full=True)}
    else:
        described["resource"] = {"type": interaction.callback_type}
    return described


def _new(server: DiscordServer, interaction: Interaction, *, ephemeral: bool) -> Message:
    message = server.new_message(interaction.channel, server.bot)
    message.interaction = interaction
    message.seen_by = interaction.user if ephemeral else None
    return message


def _answer(server: DiscordServer, call: Call, interaction: Interaction, data: JSON) -> None:
    content = forms.read(data, call.files, forms.CALLBACK, call.form, server.clock)
    message = _new(server, interaction, ephemeral=bool(content.flags & EPHEMERAL))
    message.type = _type(interaction)
    content.apply(message)
    interaction.original = message
    server.post(message)


def _type(interaction: Interaction) -> int:
    if interaction.type != kinds.COMMAND:
        return DEFAULT
    return COMMAND_ANSWER if interaction.payload["data"]["type"] == 1 else MENU_ANSWER


def _defer(server: DiscordServer, call: Call, interaction: Interaction, data: JSON) -> None:
    call.form.known(data, ("flags",), ("data",))
    flags = data.get("flags") or 0
    if flags & ~EPHEMERAL:
        call.form.unknown_fields.append(f"data.flags: {flags & ~EPHEMERAL} may not be set by a deferral")
    message = _new(server, interaction, ephemeral=bool(flags & EPHEMERAL))
    message.type = _type(interaction)
    message.flags = LOADING | (flags & EPHEMERAL)
    interaction.original = message
    server.post(message)


def _defer_update(server: DiscordServer, call: Call, interaction: Interaction, data: JSON) -> None:
    interaction.original = interaction.message


def _update(server: DiscordServer, call: Call, interaction: Interaction, data: JSON) -> None:
    message = interaction.message
    assert message is not None
    content = forms.read(data, call.files, forms.CALLBACK, call.form, server.clock, before=message)
    content.apply(message)
    interaction.original = message
    server.edited(message)


def _choices(server: DiscordServer, call: Call, interaction: Interaction, data: JSON) -> None:
    call.form.known(data, ("choices",), ("data",))
    choices = data.get("choices")
    if not isinstance(choices, list) or len(choices) > 25:
        call.form.bad(("data", "choices"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    else:
        for index, choice in enumerate(choices):
            check_choice(choice, call.form, ("data", "choices", index))
    call.form.close()


def _modal(server: DiscordServer, call: Call, interaction: Interaction, data: JSON) -> None:
    Inspector(call.form).modal(data)
    call.form.close()


_ACTIONS = {
    kinds.ANSWER: _answer,
    kinds.DEFER: _defer,
    kinds.DEFER_UPDATE: _defer_update,
    kinds.UPDATE: _update,
    kinds.CHOICES: _choices,
    kinds.MODAL: _modal,
}


def _owner(server: DiscordServer, call: Call) -> Interaction:
    """The interaction whose token is in the path. Raises ApiError: 10015 before it was answered, 50027 when too old."""
    token = call.args["token"]
    found = next((i for i in server.interactions.values() if i.token == token), None)
    if found is None or call.id("application_id") != server.application_id:
        raise ApiError(401, 50027, "Invalid Webhook Token")
    if server.clock.elapsed() > found.fresh_until:
        raise (
            unknown("Webhook") if server.expired_token_code == 10015 else ApiError(401, 50027, "Invalid Webhook Token")
        )
    if found.callback is None:
        raise unknown("Webhook")
    return found


def _message(server: DiscordServer, call: Call, interaction: Interaction) -> Message:
    if call.args.get("message_id") is None:
        message = interaction.original
    else:
        message = next((m for m in interaction.messages if m.id == call.id("message_id")), None)
        if message is None and interaction.message is not None and interaction.message.id == call.id("message_id"):
            message = interaction.message
    if message is None or message.deleted:
        raise unknown("Message")
    return message


def get(server: DiscordServer, call: Call) -> JSON:
    """GET the response or a follow-up."""
    return server.payload(_message(server, call, _owner(server, call)), full=True)


def edit(server: DiscordServer, call: Call) -> JSON:
    """PATCH the response or a follow-up."""
    message = _message(server, call, _owner(server, call))
    content = forms.read(call.body or {}, call.files, forms.WEBHOOK_EDIT, call.form, server.clock, before=message)
    content.apply(message)
    server.edited(message)
    return server.payload(message, full=True)


def delete(server: DiscordServer, call: Call) -> None:
    """DELETE the response or a follow-up."""
    server.delete(_message(server, call, _owner(server, call)))


def follow_up(server: DiscordServer, call: Call) -> JSON:
    """POST a follow-up; the first one after a deferral completes the deferred response and keeps its visibility."""
    interaction = _owner(server, call)
    content = forms.read(call.body or {}, call.files, forms.WEBHOOK_CREATE, call.form, server.clock)
    original = interaction.original
    if original is not None and original.loading and not original.deleted:
        content.flags = content.flags & ~EPHEMERAL | original.flags & EPHEMERAL
        content.apply(original)
        server.edited(original)
        return server.payload(original, full=True)
    message = _new(server, interaction, ephemeral=bool(content.flags & EPHEMERAL))
    if original is not None and not original.ephemeral:
        message.type, message.reference = REPLY, original
    content.apply(message)
    interaction.followups.append(message)
    server.post(message)
    return server.payload(message, full=True)


_WEBHOOK = "/webhooks/{application_id}/{token}"
ROUTES = [
    route("POST", "/interactions/{interaction_id}/{token}/callback", callback, authorized=False),
    route("POST", _WEBHOOK, follow_up, authorized=False),
    *(
        route(method, f"{_WEBHOOK}/messages/{which}", handler, authorized=False)
        for which in ("@original", "{message_id}")
        for method, handler in (("GET", get), ("PATCH", edit), ("DELETE", delete))
    ),
]
