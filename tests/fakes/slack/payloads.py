"""The shapes of what Slack sends: events, commands, interactions. Sources: docs.slack.dev reference/events and
reference/interaction-payloads; what bolt 1.30 routes by was read in `slack_bolt/request`."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from tests.fakes.slack.records import JSON
from tests.fakes.slack.state import APP, BOT_USER, DOMAIN, TEAM, Channel, Message, User, View

_ENTITY = re.compile(r"(<[@#!][^<>]*>|<https?://[^<>]*>)")
VERIFICATION = "verification-token-of-the-fake"  # deprecated at Slack, still sent


def escape(text: str) -> str:
    """As a person's text arrives: `&`, `<`, `>` escaped, except in mentions and links."""
    parts = _ENTITY.split(text)
    escaped = [p.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for p in parts[::2]]
    return "".join(part for pair in zip(escaped, [*parts[1::2], ""], strict=True) for part in pair)


def envelope(event: JSON, event_id: str, *, ext_shared: bool) -> JSON:
    """An Events API payload around an event."""
    return {
        "token": VERIFICATION,
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": ext_shared,
        "event_context": f"4-{event_id}",
    }


def written(message: Message, user: User | None, channel: Channel) -> JSON:
    """What `app_mention` and `message` events share."""
    event: JSON = {
        "user": message.user,
        "ts": message.ts,
        "client_msg_id": f"00000000-0000-4000-8000-{message.ts.replace('.', '')[-12:]}",
        "text": message.text,
        "team": user.team if user else TEAM,
        "blocks": message.blocks,
        "channel": channel.id,
        "event_ts": message.ts,
    }
    if message.thread_ts:
        event["thread_ts"] = message.thread_ts
    if message.subtype:
        event["subtype"] = message.subtype
    if message.bot_id:
        event |= {"bot_id": message.bot_id, "app_id": message.as_json()["app_id"]}
        del event["client_msg_id"]
    if user is not None and user.is_stranger:
        event |= {"user_team": user.team, "source_team": user.team}
    return event


def app_mention(message: Message, user: User, channel: Channel) -> JSON:
    """Somebody wrote `<@bot>`."""
    return {"type": "app_mention"} | written(message, user, channel)


def message_event(message: Message, user: User | None, channel: Channel) -> JSON:
    """A message in a conversation the bot is in."""
    return {"type": "message"} | written(message, user, channel) | {"channel_type": channel.event_type}


def message_changed(message: Message, before: JSON, channel: Channel, ts: str) -> JSON:
    """An edit."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": message.as_json(),
        "previous_message": before,
        "channel": channel.id,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.event_type,
    }


def message_deleted(before: JSON, channel: Channel, ts: str) -> JSON:
    """A deletion."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": before["ts"],
        "previous_message": before,
        "channel": channel.id,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.event_type,
    }


def reaction(kind: str, user: str, message: Message, name: str, ts: str) -> JSON:
    """`reaction_added` or `reaction_removed`."""
    return {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.user,
        "event_ts": ts,
    }


def home_opened(user: User, channel: Channel, tab: str, view: View | None, ts: str) -> JSON:
    """`app_home_opened`."""
    event: JSON = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": tab, "event_ts": ts}
    return event | ({"view": view.as_json()} if tab == "home" and view is not None else {})


def rich_text(text: str) -> list[JSON]:
    """The block a Slack client sends with typed text (mentions as elements, which nothing here needs exactly)."""
    elements: list[JSON] = []
    for part in _ENTITY.split(text):
        if part.startswith("<@"):
            elements.append({"type": "user", "user_id": part[2:-1].split("|")[0]})
        elif part:
            elements.append({"type": "text", "text": part})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "rt1", "elements": [section]}]


def command(name: str, text: str, user: User, channel: Channel, trigger_id: str, response_url: str) -> JSON:
    """A slash command. Slack names direct messages and private channels `directmessage` and `privategroup`."""
    names = {"im": "directmessage", "private": "privategroup", "mpim": "privategroup"}
    return {
        "token": VERIFICATION,
        "team_id": TEAM,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": names.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": escape(text),
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def _interaction(kind: str, user: User) -> JSON:
    return {
        "type": kind,
        "team": {"id": TEAM, "domain": DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "api_app_id": APP,
        "token": VERIFICATION,
    }


def _channel(channel: Channel) -> JSON:
    return {"id": channel.id, "name": channel.name or "directmessage"}


def message_action(
    callback_id: str, message: Message, user: User, channel: Channel, trigger_id: str, response_url: str
) -> JSON:
    """A message shortcut."""
    return _interaction("message_action", user) | {
        "callback_id": callback_id,
        "action_ts": f"{time.time():.6f}",
        "trigger_id": trigger_id,
        "response_url": response_url,
        "message_ts": message.ts,
        "message": message.as_json(),
        "channel": _channel(channel),
    }


def global_shortcut(callback_id: str, user: User, trigger_id: str) -> JSON:
    """A shortcut from the search bar: no channel, no response_url."""
    extra = {"callback_id": callback_id, "action_ts": f"{time.time():.6f}", "trigger_id": trigger_id}
    return _interaction("shortcut", user) | extra


def pressed_message(
    action: JSON, message: Message, user: User, channel: Channel, trigger_id: str, response_url: str
) -> JSON:
    """`block_actions` on a message. An ephemeral message itself is not in the payload, only its timestamp."""
    ephemeral = message.ephemeral_to is not None
    container: JSON = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction("block_actions", user) | {
        "container": container,
        "trigger_id": trigger_id,
        "channel": _channel(channel),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }
    return payload if ephemeral else payload | {"message": message.as_json()}


def pressed_view(action: JSON, view: View, user: User, trigger_id: str, state: JSON) -> JSON:
    """`block_actions` in a modal or Home tab."""
    return _interaction("block_actions", user) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": trigger_id,
        "view": view.as_json(state),
        "actions": [action],
    }


def submission(view: View, user: User, trigger_id: str, state: JSON) -> JSON:
    """`view_submission`."""
    return _interaction("view_submission", user) | {
        "trigger_id": trigger_id,
        "view": view.as_json(state),
        "response_urls": [],
    }


def closing(view: View, user: User) -> JSON:
    """`view_closed`, sent when the view asked with notify_on_close."""
    return _interaction("view_closed", user) | {"view": view.as_json(), "is_cleared": False}


def action_of(block: JSON, element: JSON, value: Any) -> JSON:
    """The entry of `actions` for a pressed element."""
    action: JSON = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": f"{time.time():.6f}",
    }
    if element["type"] == "feedback_buttons":
        wanted = {"up": "positive_button", "down": "negative_button"}.get(value, value)
        for side in ("positive_button", "negative_button"):
            button = element[side]
            if wanted in (side, button["value"]):
                return action | {"value": button["value"], "text": button["text"]}
        raise AssertionError(f"no feedback button with value {value!r}")
    if element["type"] in ("button", "icon_button"):
        return action | {"text": element["text"]} | ({"value": element["value"]} if "value" in element else {})
    return action | value_of(element, value)


def value_of(element: JSON, value: Any) -> JSON:
    """What an input element holds, as in `state.values` and in `actions`."""
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": value if value != "" else None}
    if kind in ("static_select", "radio_buttons", "overflow"):
        return {"type": kind, "selected_option": None if value is None else _option(element, value)}
    if kind in ("checkboxes", "multi_static_select"):
        return {"type": kind, "selected_options": [_option(element, one) for one in value or []]}
    if kind == "users_select":
        return {"type": kind, "selected_user": value}
    if kind == "multi_users_select":
        return {"type": kind, "selected_users": list(value or [])}
    if kind == "conversations_select":
        return {"type": kind, "selected_conversation": value}
    raise AssertionError(f"the fake cannot fill in a {kind}")


def _option(element: Mapping[str, Any], value: str) -> JSON:
    for option in element.get("options") or []:
        if option["value"] == value:
            return {"text": option["text"], "value": option["value"]}
    raise AssertionError(f"{element['action_id']} has no option {value!r}")
