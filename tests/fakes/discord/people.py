"""People: they say, press, fill in and react; the bot gets what Discord would send it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.fakes.discord import components as parts
from tests.fakes.discord import interactions as kinds
from tests.fakes.discord.commands import BOOLEAN, CHAT_INPUT, INTEGER, MESSAGE_MENU, NUMBER, STRING
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.messages import EPHEMERAL, REPLY, Message, asked_for
from tests.fakes.discord.places import BIG_FILE, EVERYBODY_MAY, PUBLIC_THREAD, Channel, User
from tests.fakes.discord.records import JSON, Pings

if TYPE_CHECKING:
    from tests.fakes.discord.world import World

Value = str | int | float | bool


class Person(User):
    """Somebody who acts. What a real person could not do (no such button, not their ephemeral message) is an AssertionError."""

    def __init__(self, id: int, name: str, *, bot: bool, server: World, locale: str) -> None:
        super().__init__(id, name, bot)
        self._server = server
        self.locale = locale
        """Of their client: `ko`, `en-US`, …"""

    async def slash(
        self, name: str, options: Mapping[str, Value] | None = None, channel: Channel | None = None, *, locale: str = ""
    ) -> Interaction:
        """Use a command, by its base or localised name. Without a channel: in the direct conversation with the bot."""
        place = channel or self._server.direct_channel(self)
        data = self._command_data(CHAT_INPUT, name, place)
        data["options"] = self._options(data, options or {})
        return await self._interact(kinds.COMMAND, data, place, locale=locale)

    async def autocomplete(
        self,
        name: str,
        options: Mapping[str, Value],
        channel: Channel | None = None,
        *,
        focused: str = "",
        locale: str = "",
    ) -> Interaction:
        """Type into an option (`focused`; by default the last one named); see `Interaction.choices`."""
        place = channel or self._server.direct_channel(self)
        data = self._command_data(CHAT_INPUT, name, place)
        data["options"] = self._options(data, options, focused=focused or list(options)[-1])
        return await self._interact(kinds.AUTOCOMPLETE, data, place, locale=locale)

    async def context_menu(self, name: str, message: Message, *, locale: str = "") -> Interaction:
        """Choose a command in the menu of a message. The bot gets its whole content, whatever its intents."""
        self._see(message)
        data = self._command_data(MESSAGE_MENU, name, message.channel)
        data |= {
            "target_id": str(message.id),
            "resolved": {"messages": {str(message.id): message.payload(self._server.bot, full=True)}},
        }
        return await self._interact(kinds.COMMAND, data, message.channel, locale=locale)

    async def press(self, message: Message, which: str, *, values: list[str] | None = None) -> Interaction:
        """Press a button (by custom id, label or emoji), or choose `values` in a select."""
        self._see(message)
        component = parts.find(message.components, which)
        assert component is not None, f"no {which!r} among {message.labels} {message.custom_ids}"
        assert not component.get("disabled"), f"{which!r} is disabled"
        assert "custom_id" in component, "a link only opens a page"
        data: JSON = {"component_type": component["type"], "custom_id": component["custom_id"], "id": component["id"]}
        if component["type"] == parts.STRING_SELECT:
            data |= {"values": _chosen(component, values, which)}
        else:
            assert component["type"] == parts.BUTTON, "selects of users, roles and channels are not in this fake"
        return await self._interact(kinds.COMPONENT, data, message.channel, message=message)

    async def submit(self, shown: Interaction, values: Mapping[str, Any]) -> Interaction:
        """Fill in the modal that answered `shown`: values by custom id or label; the others stay as they were."""
        modal = shown.modal
        assert modal is not None, f"it was answered with type {shown.callback_type}, not with a modal"
        assert shown.user is self, "somebody else's modal"
        filled = parts.number(modal["components"])
        data = {"custom_id": modal["custom_id"], "components": [_fill(c, values) for c in filled]}
        fields = {component["custom_id"] for component in parts.walk(filled) if "custom_id" in component}
        labels = {component.get("label") for component in parts.walk(filled)}
        assert set(values) <= fields | labels, f"no field {set(values) - fields - labels} in the modal"
        return await self._interact(kinds.MODAL_SUBMIT, data, shown.channel, message=shown.message, parent=shown)

    async def say(
        self,
        channel: Channel,
        text: str,
        *,
        reply_to: Message | None = None,
        mention_bot: bool = False,
        reply_ping: bool = True,
    ) -> Message:
        """Write into a channel or thread. `reply_ping`: whether a reply mentions the author of what it replies to."""
        self._enter(channel)
        bot = self._server.bot
        message = self._server.new_message(channel, self)
        message.content = f"{bot.mention} {text}" if mention_bot and bot.mention not in text else text
        asked = asked_for(message.content)
        message.pings, message.mentioned = asked, asked.users
        if reply_to is not None:
            message.type, message.reference = REPLY, reply_to
            if reply_ping:
                message.mentioned |= {reply_to.author.id}
                message.pings |= Pings(users=frozenset({reply_to.author.id}))
        self._server.post(message)
        await asyncio.sleep(0)
        return message

    async def direct(self, text: str, *, reply_to: Message | None = None) -> Message:
        """Write to the bot alone."""
        return await self.say(self._server.direct_channel(self), text, reply_to=reply_to)

    async def thread(self, start: Channel | Message, name: str) -> Channel:
        """Open a public thread in a channel, or from a message."""
        message = start if isinstance(start, Message) else None
        channel = start.channel if isinstance(start, Message) else start
        return self._server.new_thread(channel, name, owner=self, kind=PUBLIC_THREAD, message=message)

    async def react(self, message: Message, emoji: str) -> None:
        """Add a reaction."""
        self._see(message)
        assert not message.ephemeral, "nobody can react to an ephemeral message"
        self._server.react(message, self, emoji)

    async def unreact(self, message: Message, emoji: str) -> None:
        """Take a reaction away."""
        self._server.unreact(message, self, emoji)

    async def edit(self, message: Message, text: str) -> None:
        """Change one's own message."""
        assert message.author is self, "a message of somebody else"
        message.content = text
        message.mentioned |= asked_for(text).users
        self._server.edited(message)

    async def delete(self, message: Message) -> None:
        """Delete one's own message."""
        assert message.author is self, "a message of somebody else"
        self._server.delete(message)

    async def dismiss(self, message: Message) -> None:
        """Hide an ephemeral message. The bot is not told; it can still edit it without an error."""
        assert message.seen_by is self

    def _enter(self, channel: Channel) -> None:
        inside = self in channel.recipients if channel.guild is None else self.id in channel.guild.members
        assert inside, f"{self.name} is not in this channel"

    def _see(self, message: Message) -> None:
        self._enter(message.channel)
        assert not message.deleted, "the message was deleted"
        assert message.seen_by in (None, self), "an ephemeral message of somebody else"

    def _command_data(self, kind: int, name: str, channel: Channel) -> JSON:
        guild = channel.guild
        command = self._server.commands.find(kind, name, guild.id if guild is not None else None)
        assert command is not None, f"no command {name!r} here; is it synchronised?"
        data: JSON = {"id": command["id"], "name": command["name"], "type": kind}
        if command.get("guild_id"):
            data["guild_id"] = command["guild_id"]
        return data

    def _options(self, data: JSON, given: Mapping[str, Value], *, focused: str = "") -> list[JSON]:
        place = int(data["guild_id"]) if "guild_id" in data else None
        command = next(c for c in self._server.commands.listed(place) if c["id"] == data["id"])
        left = dict(given)
        options = []
        for option in command.get("options") or []:
            names = [option["name"], *(option.get("name_localizations") or {}).values()]
            name = next((name for name in names if name in left), None)
            if name is None:
                assert focused or not option.get("required"), f"option {option['name']!r} is required"
                continue
            value = left.pop(name)
            is_focused = bool(focused) and focused in names
            if not is_focused:
                _check(option, value)
            else:
                assert option.get("autocomplete"), f"option {option['name']!r} has no autocomplete"
            described: JSON = {"name": option["name"], "type": option["type"], "value": value}
            options.append(described | ({"focused": True} if is_focused else {}))
        assert not left, f"the command has no option {set(left)}"
        return options

    async def _interact(
        self,
        kind: int,
        data: JSON,
        channel: Channel,
        *,
        message: Message | None = None,
        parent: Interaction | None = None,
        locale: str = "",
    ) -> Interaction:
        self._enter(channel)
        server = self._server
        guild = channel.guild
        id, token = server.clock.snowflake(), secrets.token_urlsafe(140)
        payload: JSON = {
            "id": str(id),
            "application_id": str(server.application_id),
            "type": kind,
            "token": token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": channel.payload(server.bot, in_interaction=True),
            "locale": locale or self.locale,
            "app_permissions": str(channel.permissions()),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "attachment_size_limit": BIG_FILE,
        }
        if guild is not None:
            payload |= {
                "guild_id": str(guild.id),
                "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
                "guild_locale": guild.locale,
                "member": guild.members[self.id].payload(permissions=EVERYBODY_MAY),
                "authorizing_integration_owners": {"0": str(guild.id)},
                "context": 0,
            }
        else:
            payload |= {"user": self.payload(), "authorizing_integration_owners": {"0": "0"}, "context": 1}
        if message is not None:
            flags = EPHEMERAL if message.ephemeral else 0
            payload["message"] = message.payload(server.bot, full=True) | {"flags": message.flags | flags}
        now = server.clock.elapsed()
        interaction = Interaction(
            id, token, kind, server.application_id, self, channel, payload, now, message=message, parent=parent
        )
        interaction.fresh_until = now + kinds.TOKEN_SECONDS
        server.interactions[id] = interaction
        server.gateway.dispatch("INTERACTION_CREATE", payload)
        await asyncio.sleep(0)
        return interaction


def _check(option: JSON, value: Value) -> None:
    """What Discord's client would not let a person enter."""
    types: dict[int, tuple[type, ...]] = {STRING: (str,), BOOLEAN: (bool,), INTEGER: (int,), NUMBER: (int, float)}
    assert option["type"] in types, "options of users, roles, channels and files are not in this fake"
    assert isinstance(value, types[option["type"]]), f"{value!r} does not fit {option['name']!r}"
    choices = [choice["value"] for choice in option.get("choices") or []]
    assert not choices or value in choices, f"{value!r} is not among {choices}"
    if option["type"] == STRING:
        most = option.get("max_length") or 6000
        assert (option.get("min_length") or 0) <= len(str(value)) <= most, f"{option['name']!r}: wrong length"


def _fill(component: JSON, values: Mapping[str, Any], label: str = "") -> JSON:
    """One component of a modal's submission."""
    kind = component["type"]
    if kind == parts.ROW:
        inside = [_fill(child, values, child.get("label") or "") for child in component["components"]]
        return {"type": kind, "id": component["id"], "components": inside}
    if kind == parts.LABEL:
        inner = _fill(component["component"], values, component["label"])
        return {"type": kind, "id": component["id"], "component": inner}
    if kind == parts.TEXT_DISPLAY:
        return {"type": kind, "id": component["id"]}
    filled: JSON = {"type": kind, "id": component["id"], "custom_id": component["custom_id"]}
    value = values.get(component["custom_id"], values.get(label))
    if kind == parts.TEXT_INPUT:
        text = value if value is not None else component.get("value") or ""
        least = component.get("min_length") or (1 if component.get("required", True) else 0)
        if text or component.get("required", True):
            assert least <= len(text) <= (component.get("max_length") or 4000), f"{label or kind}: wrong length"
        return filled | {"value": text}
    if kind in (parts.STRING_SELECT, parts.CHECKBOX_GROUP):
        return filled | {"values": _chosen(component, value, label)}
    if kind == parts.CHECKBOX:
        return filled | {"value": bool(component.get("default") if value is None else value)}
    assert kind == parts.RADIO_GROUP, f"components of type {kind} are not in this fake"
    options = [option["value"] for option in component["options"]]
    assert value in options or (value is None and not component.get("required", True)), f"{label}: {value!r}"
    return filled | {"value": value}


def _chosen(component: JSON, value: Any, label: str) -> list[str]:
    """What a person chooses among options; by default what the bot preselected."""
    options = component.get("options") or []
    default = [option["value"] for option in options if option.get("default")]
    chosen = default if value is None else [value] if isinstance(value, str) else list(value)
    known = {option["value"] for option in options}
    assert set(chosen) <= known, f"{label}: {chosen} not among {known}"
    # A select of a message always wants its least number; one of a modal only when it is required.
    least = component.get("min_values", 1) if component.get("required", True) or chosen else 0
    most = component.get("max_values") or (1 if component["type"] == parts.STRING_SELECT else len(options))
    assert least <= len(chosen) <= most, f"{label}: {len(chosen)} values"
    return chosen
