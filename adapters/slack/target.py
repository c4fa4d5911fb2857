"""Where an answer goes: the adapter's own note that travels in `Asked.reply_to` and survives a crash."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.messages import Language

RESPONSE_URL_SECONDS = 29 * 60
"""A `response_url` works for 30 minutes and five uses (docs.slack.dev, handling user interaction); one minute of reserve."""


@dataclass(frozen=True, slots=True)
class Target:
    """`asked`: ts of the question's own message, empty for a command. `thread`: where the answer hangs, empty: nowhere."""

    channel: str
    user: str
    team: str
    language: Language
    thread: str = ""
    asked: str = ""
    direct: bool = False
    private: bool = False
    command: bool = False
    """Asked by a slash command: its `response_url` may replace what it posted before. A shortcut's would replace the message
    that the shortcut was used on."""
    response_url: str = dataclasses.field(default="", repr=False)
    response_until: float = 0.0
    """Seconds since the epoch."""

    @property
    def ephemeral(self) -> bool:
        """For the asker's eyes alone in a place where others read."""
        return self.private and not self.direct

    def can_respond(self, now: Callable[[], float] = time.time) -> bool:
        """Whether the `response_url` may still be used."""
        return bool(self.response_url) and now() < self.response_until

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def parse(cls, text: str) -> Target:
        """Back from JSON. Fields that a later version added are ignored, so that a downgrade can still answer."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in json.loads(text).items() if key in known})


def split_ref(ref: str) -> tuple[str, str]:
    """`<channel>:<ts>` in two; an empty ts when it is none of ours."""
    channel, _, ts = ref.partition(":")
    return channel, ts
