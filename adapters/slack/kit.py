"""What every listener needs: the desk, the clients, who and where a payload comes from, and a word to one person."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack import events, log, web
from adapters.slack.events import Payload
from adapters.slack.people import Directory
from adapters.slack.respond import respond
from bot.conversation import Person, Place, PlaceKind, PlaceSettings
from bot.messages import Language
from bot.platforms import Desk

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a person acted: what a later word to them needs. `ts`: the message that was acted on."""

    channel: str
    user: str
    thread: str = ""
    ts: str = ""
    ephemeral: bool = False
    response_url: str = ""

    @property
    def direct(self) -> bool:
        """In a direct conversation."""
        return self.channel.startswith("D")

    @property
    def root(self) -> str:
        """The thread that an answer to this message belongs into; empty for an ephemeral one at top level."""
        return self.thread or ("" if self.ephemeral else self.ts)

    def dump(self, **more: str) -> str:
        """For a modal's `private_metadata`, without the url: it is a secret."""
        return json.dumps({"channel": self.channel, "thread": self.thread, "ts": self.ts} | more)


def spot(body: Payload) -> Spot:
    """Of a command, a message shortcut, a press in a message, or a message event."""
    event = body.get("event")
    if isinstance(event, Mapping):
        ts = str(event.get("ts") or "")
        return Spot(
            str(event.get("channel") or ""), str(event.get("user") or ""), str(event.get("thread_ts") or ts), ts
        )
    container = body.get("container") or {}
    message = body.get("message") or {}
    return Spot(
        channel=events.channel(body),
        user=events.user(body),
        thread=str(container.get("thread_ts") or message.get("thread_ts") or ""),
        ts=str(container.get("message_ts") or message.get("ts") or ""),
        ephemeral=bool(container.get("is_ephemeral")),
        response_url=str(body.get("response_url") or ""),
    )


def submitted(body: Payload) -> tuple[Spot, dict[str, str]]:
    """Of a modal: where it came from and the rest of its `private_metadata`."""
    kept: dict[str, str] = json.loads(body["view"].get("private_metadata") or "{}")
    found = Spot(
        channel=kept.pop("channel", ""),
        user=events.user(body),
        thread=kept.pop("thread", ""),
        ts=kept.pop("ts", ""),
    )
    return found, kept


def field(body: Payload, action_id: str) -> dict[str, Any]:
    """One filled element of a submitted modal; empty when it is not there."""
    for block in body["view"]["state"]["values"].values():
        if action_id in block:
            found: dict[str, Any] = block[action_id]
            return found
    return {}


@dataclass(frozen=True, slots=True)
class Kit:
    """Shared by the listeners of one adapter."""

    desk: Desk
    clients: web.Clients
    workspace: web.Workspace
    directory: Directory

    async def person(self, body: Payload) -> Person:
        """Who sent a command or an interaction."""
        inner = body.get("user")
        team = inner.get("team_id") if isinstance(inner, dict) else ""
        return await self.directory.person(events.user(body), str(team or ""))

    async def place(self, channel: str, thread: str = "") -> Place:
        """A place for a command or an interaction, whose payloads do not say whether outsiders read there."""
        known = await self.directory.channel(channel)
        return Place(
            platform="slack",
            id=channel,
            kind="direct" if known.direct else "channel",
            server=self.workspace.team,
            thread=thread,
            external=known.external,
        )

    def settings(self, channel: str) -> PlaceSettings:
        """How Saseo behaves there, from memory."""
        kind: PlaceKind = "direct" if channel.startswith("D") else "channel"
        return self.desk.place_settings(Place(platform="slack", id=channel, kind=kind, server=self.workspace.team))

    def language(self, channel: str) -> Language:
        """What is spoken there, from memory."""
        return self.settings(channel).language

    async def whisper(self, at: Spot, text: str, blocks: list[dict[str, Any]] | None = None) -> None:
        """A word for one person's eyes; tries the ways there are and never raises."""
        try:
            await self.clients.promises.chat_postEphemeral(
                channel=at.channel, user=at.user, text=text, blocks=blocks, thread_ts=at.thread or None
            )
        except web.REFUSALS as error:
            log.event(_logger, logging.INFO, "slack_whisper_refused", error=web.code(error))
        else:
            return
        try:
            if at.response_url:
                await respond(self.clients, at.response_url, text=text, blocks=blocks)
            else:
                await self.clients.promises.chat_postMessage(
                    channel=at.user, text=text, blocks=blocks, unfurl_links=False, unfurl_media=False
                )
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_whisper_lost", error=web.code(error))

    async def open_modal(self, body: Payload, view: dict[str, Any]) -> bool:
        """views.open: first of all, for a trigger lives three seconds. False: too late or refused."""
        try:
            await self.clients.courtesies.views_open(trigger_id=str(body.get("trigger_id") or ""), view=view)
        except web.REFUSALS as error:
            log.event(_logger, logging.WARNING, "slack_modal_refused", error=web.code(error))
            return False
        return True
