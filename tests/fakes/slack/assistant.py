"""Statuses, suggested prompts and the bot's own reactions."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from tests.fakes.slack.records import JSON, SlackError
from tests.fakes.slack.state import BOT_USER, Channel, Message, Workspace

STATUS_SECONDS = 120.0  # docs.slack.dev: a status is cleared after two minutes, or by a reply
MOST_LOADING_MESSAGES = 10
MOST_PROMPTS = 4
_REACTION = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


class Assistant:
    """Handlers over a workspace. `echo(kind, message, name)` tells of the bot's own reactions."""

    def __init__(
        self, workspace: Workspace, channel: Callable[[str], Channel], echo: Callable[[str, Message, str], None]
    ) -> None:
        self.unsupported: set[str] = set()
        """Kinds of channel (`im`, `public`, `private`) where setStatus answers `channel_type_not_supported`."""
        self.status_seconds = STATUS_SECONDS
        self.prompts: dict[str, list[JSON]] = {}
        """Channel → the prompts last set."""
        self._workspace = workspace
        self._channel = channel
        self._echo = echo

    def set_status(self, args: JSON) -> JSON:
        """assistant.threads.setStatus; an empty text clears."""
        channel = self._channel(str(args["channel_id"]))
        if channel.kind in self.unsupported:
            raise SlackError("channel_type_not_supported")
        loading = args.get("loading_messages") or []
        if not isinstance(loading, list) or len(loading) > MOST_LOADING_MESSAGES:
            raise SlackError("invalid_arguments", f"at most {MOST_LOADING_MESSAGES} loading_messages", violation=True)
        thread = str(args["thread_ts"])
        if self._workspace.find(channel.id, thread) is None:
            raise SlackError("invalid_thread_ts")
        if args["status"]:
            self._workspace.statuses[channel.id, thread] = (str(args["status"]), time.monotonic())
        else:
            self._workspace.statuses.pop((channel.id, thread), None)
        return {}

    def status(self, channel: str, thread_ts: str) -> str:
        """What the person sees now."""
        text, since = self._workspace.statuses.get((channel, thread_ts), ("", 0.0))
        return text if time.monotonic() - since < self.status_seconds else ""

    def set_prompts(self, args: JSON) -> JSON:
        """assistant.threads.setSuggestedPrompts."""
        channel = self._channel(str(args["channel_id"]))
        prompts = args["prompts"]
        if channel.kind != "im":
            raise SlackError("channel_type_not_supported")
        if not isinstance(prompts, list) or not 1 <= len(prompts) <= MOST_PROMPTS:
            raise SlackError("invalid_arguments", f"1 to {MOST_PROMPTS} prompts", violation=True)
        for prompt in prompts:
            if set(prompt) != {"title", "message"} or not all(prompt.values()):
                raise SlackError("invalid_arguments", "a prompt is a title and a message", violation=True)
        self.prompts[channel.id] = prompts
        return {}

    def add_reaction(self, args: JSON) -> JSON:
        """reactions.add."""
        message, name = self._target(args)
        users = message.reactions.setdefault(name, [])
        if BOT_USER in users:
            raise SlackError("already_reacted")
        users.append(BOT_USER)
        self._echo("reaction_added", message, name)
        return {}

    def remove_reaction(self, args: JSON) -> JSON:
        """reactions.remove."""
        message, name = self._target(args)
        if BOT_USER not in message.reactions.get(name, []):
            raise SlackError("no_reaction")
        message.reactions[name].remove(BOT_USER)
        if not message.reactions[name]:
            del message.reactions[name]
        self._echo("reaction_removed", message, name)
        return {}

    def _target(self, args: JSON) -> tuple[Message, str]:
        if not args.get("channel") or not args.get("timestamp"):
            raise SlackError("no_item_specified", violation=True)
        channel = self._channel(str(args["channel"]))
        message = self._workspace.find(channel.id, str(args["timestamp"]))
        if message is None:
            raise SlackError("message_not_found")
        name = str(args["name"])
        if not _REACTION.fullmatch(name):
            raise SlackError("invalid_name", name, violation=True)
        return message, name
