"""The shipped manifests: valid, no more than is used, and everything that is used."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapters.slack import listeners
from adapters.slack.checks import NEEDED_SCOPES
from tests.adapters.slack.conftest import running
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer

ROOT = Path(__file__).resolve().parents[3]
FACTS = ROOT / "tests/fakes/slack/data"
METHODS: dict[str, Any] = json.loads((FACTS / "methods.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((FACTS / "manifest-schema.json").read_text(encoding="utf-8"))
NAMES = ("manifest.json", "manifest-threads.json")
CALLED = {
    "apps.connections.open",
    "assistant.threads.setStatus",
    "assistant.threads.setSuggestedPrompts",
    "auth.test",
    "chat.appendStream",
    "chat.delete",
    "chat.postEphemeral",
    "chat.postMessage",
    "chat.startStream",
    "chat.stopStream",
    "chat.update",
    "conversations.history",
    "conversations.info",
    "conversations.replies",
    "reactions.add",
    "reactions.remove",
    "usergroups.list",
    "users.info",
    "views.open",
    "views.publish",
}
"""Every Web API method of the adapter; a test compares with its source."""
KINDS = ("channels", "groups", "im")
EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "deploy/slack" / name).read_text(encoding="utf-8"))
    return found


def scopes(name: str) -> set[str]:
    return set(manifest(name)["oauth_config"]["scopes"]["bot"])


def needed(method: str) -> set[str]:
    """Scopes of a method, for every kind of channel the bot is used in."""
    return {
        scope.replace("{kind}", kind)
        for scope in METHODS[method]["scopes"]
        for kind in KINDS
        if "connections" not in scope
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid(name: str) -> None:
    jsonschema.validate(manifest(name), SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_every_method_that_is_called_is_granted(name: str) -> None:
    missing = {method: needed(method) - scopes(name) for method in CALLED}
    assert {method: lacking for method, lacking in missing.items() if lacking} == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_scope_is_used(name: str) -> None:
    used = set().union(*(needed(method) for method in CALLED)) | set(EVENT_SCOPES.values())
    used |= {"commands", "im:write", "users:read.email"}  # the command; a DM by user id; Person.email
    assert scopes(name) - used == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_event_has_a_listener_and_its_scope(name: str) -> None:
    events = manifest(name)["settings"]["event_subscriptions"]["bot_events"]
    assert {event.split(".")[0] for event in events} == set(listeners.EVENTS)
    assert {EVENT_SCOPES[event] for event in events if event in EVENT_SCOPES} <= scopes(name)


def test_the_shortcut_and_doctor_agree_with_it() -> None:
    [shortcut] = manifest("manifest.json")["features"]["shortcuts"]
    assert shortcut["callback_id"] == listeners.SHORTCUT
    assert scopes("manifest.json") == set(NEEDED_SCOPES)


def test_only_the_events_differ_between_the_two() -> None:
    plain, threads = (manifest(name) for name in NAMES)
    more = threads["settings"]["event_subscriptions"].pop("bot_events")
    fewer = plain["settings"]["event_subscriptions"].pop("bot_events")
    assert set(more) - set(fewer) == {"message.channels", "message.groups"}
    assert plain == threads


def test_the_list_of_methods_is_that_of_the_source() -> None:
    found = set()
    for path in (ROOT / "adapters/slack").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and re.match(
                r"(chat|assistant|conversations|reactions|users|usergroups|views|apps|auth)_", node.attr
            ):
                found.add(node.attr.replace("_", "."))
    called = {method for method in METHODS if method in found}
    assert found <= called | {"apps.connections.open"}, found - called
    assert called | {"apps.connections.open"} == CALLED


async def test_a_day_with_the_shipped_manifest_lacks_no_scope(slack: SlackServer, desk: ScriptedDesk) -> None:
    slack.use_manifest(manifest("manifest.json"))
    desk.options = {"can_vote": True, "can_escalate": True}
    desk.may_call = True
    kim = slack.user("U1")
    async with running(slack, desk):
        await kim.open_home("home")
        await kim.open_home("messages")
        sent = await kim.mention("C1", "연차는?")
        await kim.direct("반차는?")
        await kim.slash("/wiki", "휴가는?", "C1")
        await slack.wait_for(lambda: len(desk.delivered) == 3)
        [answer] = slack.final_answers("C1", sent.ts)
        await kim.press(answer, "answer_feedback", "down")
        await kim.press(answer, "answer_escalate")
        await kim.react(answer, "+1")
        await slack.wait_for(lambda: len(desk.votes) == 2 and desk.calls)
    assert [call for call in slack.calls if call.error == "missing_scope"] == []
    assert slack.violations == []
    assert {call.method for call in slack.calls} <= CALLED | {"response_url"}
