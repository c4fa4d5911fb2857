"""What a person does in Slack. Every action returns when the bot acknowledged it, or when Slack would give up."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.fakes.slack import payloads
from tests.fakes.slack.delivery import COMMANDS, EVENTS, INTERACTIONS, Postman, Sent
from tests.fakes.slack.records import JSON
from tests.fakes.slack.state import BOT, BOT_USER, Channel, Message, ResponseUrl, Trigger, User, View, Workspace
from tests.fakes.slack.views import Views


class Office:
    """What all people share: the workspace, the post, what the app subscribed to."""

    def __init__(self, workspace: Workspace, postman: Postman, views: Views, base: Callable[[], str]) -> None:
        self.workspace = workspace
        self.postman = postman
        self.views = views
        self.subscriptions: set[str] = set()
        self._base = base

    def subscribed(self, channel: Channel) -> bool:
        """Whether the app gets `message` events from there: subscribed, and a member."""
        names = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}
        return f"message.{names[channel.kind]}" in self.subscriptions and BOT_USER in channel.members

    def wrap(self, event: JSON, channel: Channel | None = None) -> JSON:
        """An Events API payload with a new event id."""
        shared = channel is not None and channel.ext_shared
        return payloads.envelope(event, self.workspace.new_id("Ev"), ext_shared=shared)

    async def events(
        self, events: Sequence[JSON], channel: Channel | None, message: Message | None = None, copies: int = 1
    ) -> Sent:
        """Deliver events about one thing at the same time."""
        wrapped = [self.wrap(event, channel) for event in events]
        if not wrapped:
            return Sent(EVENTS, {}, message=message)
        sent = await asyncio.gather(*(self.postman.deliver(EVENTS, payload, copies) for payload in wrapped))
        sent[0].message = message
        sent[0].also = list(sent[1:])
        return sent[0]

    def trigger(self, user: str) -> str:
        """A new trigger_id."""
        trigger_id = f"{len(self.workspace.triggers) + 1}.1000.{secrets.token_hex(16)}"
        self.workspace.triggers[trigger_id] = Trigger(user, time.monotonic())
        return trigger_id

    def response_url(self, user: str, channel: str, message: Message | None = None) -> str:
        """A new response_url."""
        url_id = secrets.token_hex(12)
        thread = message.thread_ts if message is not None else None
        self.workspace.response_urls[url_id] = ResponseUrl(user, channel, message, time.monotonic(), thread)
        return f"{self._base()}/response/{url_id}"


class Person:
    """Somebody with a Slack account."""

    def __init__(self, office: Office, user: User) -> None:
        self.user = user
        self._office = office

    @property
    def id(self) -> str:
        """`U…`."""
        return self.user.id

    @property
    def im(self) -> str:
        """The channel of their direct conversation with the bot."""
        return self._office.workspace.im(self.id).id

    @property
    def modal(self) -> View | None:
        """The modal they see."""
        return self._office.views.top(self.id)

    @property
    def home(self) -> View | None:
        """Their Home tab, once published."""
        return self._office.workspace.homes.get(self.id)

    def sees(self, channel: str) -> list[Message]:
        """What only they see in a channel, oldest first."""
        found = [m for m in self._office.workspace.messages if m.channel == channel and m.ephemeral_to == self.id]
        return [m for m in found if not m.deleted]

    # Writing

    async def mention(self, channel: str, text: str, thread_ts: str | None = None, *, copies: int = 1) -> Sent:
        """Write `@bot text`. Sends app_mention, and the message event too where the app subscribes to it.

        `copies`: deliver each event so many times at once (same event_id), over different connections where there are some.
        """
        return await self.say(channel, f"<@{BOT_USER}> {text}", thread_ts, copies=copies)

    async def direct(self, text: str, thread_ts: str | None = None, *, copies: int = 1) -> Sent:
        """Write to the bot directly."""
        return await self.say(self.im, text, thread_ts, copies=copies)

    async def say(
        self, channel: str, text: str, thread_ts: str | None = None, *, subtype: str | None = None, copies: int = 1
    ) -> Sent:
        """Write anything anywhere; the bot hears of it as Slack would let it."""
        room = self._room(channel)
        room.members.add(self.id)
        workspace = self._office.workspace
        escaped = payloads.escape(text)
        message = Message(
            room.id,
            workspace.new_ts(),
            self.id,
            escaped,
            thread_ts=thread_ts,
            blocks=payloads.rich_text(text),
            subtype=subtype,
        )
        workspace.messages.append(message)
        events = []
        mentioned = f"<@{BOT_USER}>" in escaped and room.kind != "im"
        if mentioned and "app_mention" in self._office.subscriptions and BOT_USER in room.members:
            events.append(payloads.app_mention(message, self.user, room))
        if self._office.subscribed(room):
            events.append(payloads.message_event(message, self.user, room))
        return await self._office.events(events, room, message, copies)

    async def edit(self, message: Message | Sent, text: str) -> Sent:
        """Change an own message."""
        target, room = self._target(message)
        before = target.as_json()
        target.text = payloads.escape(text)
        target.blocks = payloads.rich_text(text)
        target.edits += 1
        event = payloads.message_changed(target, before, room, self._office.workspace.new_ts())
        return await self._office.events([event] if self._office.subscribed(room) else [], room, target)

    async def delete(self, message: Message | Sent) -> Sent:
        """Delete an own message (an admin: anybody's)."""
        target, room = self._target(message)
        before = target.as_json()
        target.deleted = True
        event = payloads.message_deleted(before, room, self._office.workspace.new_ts())
        return await self._office.events([event] if self._office.subscribed(room) else [], room, target)

    async def react(self, message: Message | Sent, name: str, *, copies: int = 1) -> Sent:
        """Add a reaction, such as `+1::skin-tone-3`."""
        target, _ = self._target(message)
        target.reactions.setdefault(name, []).append(self.id)
        return await self._react("reaction_added", target, name, copies)

    async def unreact(self, message: Message | Sent, name: str) -> Sent:
        """Take a reaction away."""
        target, _ = self._target(message)
        target.reactions[name].remove(self.id)
        if not target.reactions[name]:
            del target.reactions[name]
        return await self._react("reaction_removed", target, name, 1)

    async def _react(self, kind: str, target: Message, name: str, copies: int) -> Sent:
        assert target.ephemeral_to is None, "nobody can react to an ephemeral message"
        room = self._room(target.channel)
        event = payloads.reaction(kind, self.id, target, name, self._office.workspace.new_ts())
        heard = kind in self._office.subscriptions and BOT_USER in room.members
        return await self._office.events([event] if heard else [], room, target, copies)

    # Commands and interactions

    async def slash(self, name: str, text: str, channel: str) -> Sent:
        """Run a slash command; also where the bot is no member. A text in the acknowledgement becomes an ephemeral message."""
        room = self._room(channel)
        room.members.add(self.id)
        office = self._office
        url = office.response_url(self.id, room.id)
        payload = payloads.command(name, text, self.user, room, office.trigger(self.id), url)
        sent = await office.postman.deliver(COMMANDS, payload)
        answer = sent.response
        if answer and (answer.get("text") or answer.get("blocks")):
            public = answer.get("response_type") == "in_channel"
            message = Message(room.id, office.workspace.new_ts(), BOT_USER, str(answer.get("text", "")))
            message.bot_id = BOT
            message.blocks = answer.get("blocks") or []
            message.ephemeral_to = None if public else self.id
            office.workspace.messages.append(message)
        return sent

    async def shortcut(self, callback_id: str, message: Message | Sent | None = None) -> Sent:
        """Use a message shortcut, or without a message a global one."""
        office = self._office
        trigger = office.trigger(self.id)
        if message is None:
            return await office.postman.deliver(INTERACTIONS, payloads.global_shortcut(callback_id, self.user, trigger))
        target, room = self._target(message)
        url = office.response_url(self.id, room.id, target)
        payload = payloads.message_action(callback_id, target, self.user, room, trigger, url)
        return await office.postman.deliver(INTERACTIONS, payload)

    async def press(self, where: Message | View, action_id: str, value: Any = None) -> Sent:
        """Press a button, a thumb of `feedback_buttons` (`value`: its value, or "up"/"down"), or choose in a menu.

        With several elements of one action_id (never in one block) `value` says which button. Fails if there is none.
        """
        office = self._office
        trigger = office.trigger(self.id)
        if isinstance(where, View):
            block, element = _element(_view_elements(where), action_id, value)
            action = payloads.action_of(block, element, value)
            return await office.postman.deliver(
                INTERACTIONS, payloads.pressed_view(action, where, self.user, trigger, {})
            )
        assert where.ephemeral_to in (None, self.id), "somebody else's ephemeral message"
        assert not where.deleted, "the message is gone"
        block, element = _element(list(where.elements()), action_id, value)
        action = payloads.action_of(block, element, value)
        room = self._room(where.channel)
        url = office.response_url(self.id, room.id, where)
        payload = payloads.pressed_message(action, where, self.user, room, trigger, url)
        return await office.postman.deliver(INTERACTIONS, payload)

    async def submit(self, view: View, values: Mapping[str, Any]) -> Sent:
        """Fill in a modal and submit. `values` by action_id or block_id; what is left out keeps its initial value.

        Fails where Slack's own client would not let the person submit. `Sent.response` has what the bot answered; the modal
        then closes, stays with errors, or changes accordingly.
        """
        assert view.open, "the modal is closed"
        state = _state(view, values)
        payload = payloads.submission(view, self.user, self._office.trigger(self.id), state)
        sent = await self._office.postman.deliver(INTERACTIONS, payload)
        if sent.acked:
            self._office.views.submitted(view, sent.response)
        return sent

    async def close_modal(self, view: View) -> Sent:
        """Cancel it; the bot hears of it when it asked to."""
        view.open = False
        if not view.body.get("notify_on_close"):
            return Sent(INTERACTIONS, {})
        return await self._office.postman.deliver(INTERACTIONS, payloads.closing(view, self.user))

    async def open_home(self, tab: str = "home") -> Sent:
        """Open the app's `home` or `messages` tab."""
        office = self._office
        room = office.workspace.im(self.id)
        event = payloads.home_opened(self.user, room, tab, self.home, office.workspace.new_ts())
        return await office.events([event] if "app_home_opened" in office.subscriptions else [], room)

    def _room(self, channel: str) -> Channel:
        return self._office.workspace.channels[channel]

    def _target(self, message: Message | Sent) -> tuple[Message, Channel]:
        target = message.message if isinstance(message, Sent) else message
        assert target is not None, "this action wrote no message"
        return target, self._room(target.channel)


def _view_elements(view: View) -> list[tuple[JSON, JSON]]:
    found = []
    for block in view.body["blocks"]:
        for element in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
            if isinstance(element, dict) and "action_id" in element:
                found.append((block, element))
    return found


def _element(elements: list[tuple[JSON, JSON]], action_id: str, value: Any) -> tuple[JSON, JSON]:
    found = [(block, element) for block, element in elements if element["action_id"] == action_id]
    if len(found) > 1 and value is not None:
        found = [(block, element) for block, element in found if element.get("value") == value]
    there = [element["action_id"] for _, element in elements]
    assert found, f"nothing to press with action_id {action_id!r} and value {value!r}; there is {there}"
    return found[0]


def _state(view: View, values: Mapping[str, Any]) -> JSON:
    """`state.values` of a modal, checked as Slack's client checks it."""
    left = set(values)
    state: JSON = {}
    for block in view.body["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        names = {element["action_id"], block["block_id"]} & left
        value = values[names.pop()] if names else element.get("initial_value")
        left -= {element["action_id"], block["block_id"]}
        if not names and "initial_option" in element and value is None:
            value = element["initial_option"]["value"]
        if element["type"] == "plain_text_input" and value is not None:
            assert len(value) <= element.get("max_length", 3000), f"{element['action_id']}: too long to submit"
        filled = payloads.value_of(element, value)
        if not block.get("optional"):
            assert any(v for k, v in filled.items() if k != "type"), f"{element['action_id']} is required"
        state[block["block_id"]] = {element["action_id"]: filled}
    assert not left, f"the modal has no {sorted(left)}"
    return state
