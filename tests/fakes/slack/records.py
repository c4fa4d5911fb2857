"""What the fake writes down: calls, acknowledgements, violations, pings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


class SlackError(Exception):
    """A Web API method refuses: answered as `{"ok": false, "error": code, …}`.

    `violation`: the caller sent something that no correct bot sends, so it is also written to `SlackServer.violations`.
    """

    def __init__(self, code: str, detail: str = "", *, violation: bool = False, **extra: Any) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.violation = violation
        self.extra = extra


@dataclass(slots=True)
class Call:
    """One request to the Web API, or to a response_url (`method` is then `response_url`)."""

    method: str
    args: JSON
    time: float
    """`time.monotonic()` at arrival."""
    error: str = ""
    """Slack's error code, `http_500`, `ratelimited` or `dropped`; empty: it succeeded."""
    response: JSON = field(default_factory=dict)
    answered: bool = False

    @property
    def ok(self) -> bool:
        """Whether the caller was told that it worked."""
        return self.answered and not self.error


@dataclass(frozen=True, slots=True)
class Violation:
    """Something a correct bot never sends."""

    where: str
    """The method, or `socket`."""
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ack:
    """The bot acknowledged an envelope (or answered 200 in HTTP mode)."""

    envelope_id: str
    kind: str
    """`events_api`, `slash_commands` or `interactive`."""
    name: str
    """The event's type, the command, or the interaction's type: `app_mention`, `/wiki`, `block_actions`."""
    attempt: int
    seconds: float
    """After the envelope was sent."""
    late: bool
    """Later than Slack waits: it was, or will be, sent again."""
    payload: JSON | None


@dataclass(frozen=True, slots=True)
class Ping:
    """A message of the bot notified somebody: `<!channel>`, `<@U1>`, `<!subteam^S1>`, …"""

    channel: str
    ts: str
    target: str
