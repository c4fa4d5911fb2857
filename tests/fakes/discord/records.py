"""What the fake writes down (requests, violations, pings), how it refuses, and its clock."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]
Step = str | int
EPOCH_MS = 1_420_070_400_000
"""Discord's epoch, the first second of 2015 (docs: reference, snowflakes)."""


class ApiError(Exception):
    """Discord's answer to a request it refuses: an HTTP status with `{"code", "message", "errors"}`.

    `violation`: a correct bot never sends such a request, so it is also written to `DiscordServer.violations`.
    """

    def __init__(
        self, status: int, code: int, message: str, *, errors: JSON | None = None, violation: bool = False
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.violation = violation

    def body(self) -> JSON:
        """As Discord words it."""
        answer: JSON = {"message": self.message, "code": self.code}
        if self.errors is not None:
            answer["errors"] = self.errors
        return answer


def unknown(what: str) -> ApiError:
    """404 for a thing that is not there, or not there for the bot (docs: JSON error codes)."""
    codes = {
        "Channel": 10003,
        "Guild": 10004,
        "Member": 10007,
        "Message": 10008,
        "User": 10013,
        "Emoji": 10014,
        "Webhook": 10015,
        "Interaction": 10062,
        "Application": 10002,
        "application command": 10063,
    }
    return ApiError(404, codes[what], f"Unknown {what}")


def refused(code: int) -> ApiError:
    """403 with one of the codes that a bot has to cope with."""
    messages = {
        50001: "Missing Access",
        50005: "Cannot edit a message authored by another user",
        50007: "Cannot send messages to this user",
        50013: "Missing Permissions",
    }
    return ApiError(403, code, messages[code])


class Form:
    """Collects all that is wrong with one body, then refuses it with 50035 and Discord's tree of errors."""

    def __init__(self) -> None:
        self._errors: JSON = {}
        self.unknown_fields: list[str] = []

    def bad(self, path: Iterable[Step], code: str, message: str) -> None:
        """One field is wrong."""
        node = self._errors
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def known(self, body: JSON, allowed: Iterable[str], path: tuple[Step, ...] = ()) -> None:
        """Note the fields that Discord does not define here. Discord ignores them; a test should not."""
        self.unknown_fields += [".".join(map(str, (*path, key))) for key in sorted(set(body) - set(allowed))]

    def length(self, value: Any, path: tuple[Step, ...], *, most: int, least: int = 0) -> None:
        """A string of so many characters (code points)."""
        if not isinstance(value, str):
            self.bad(path, "BASE_TYPE_STRING", "Must be a string.")
        elif len(value) < least:
            required = least == 1 and not value
            self.bad(
                path,
                "BASE_TYPE_REQUIRED" if required else "BASE_TYPE_MIN_LENGTH",
                "This field is required" if required else f"Must be {least} or more in length.",
            )
        elif len(value) > most:
            self.bad(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def close(self) -> None:
        """Raises ApiError when anything was bad."""
        if self._errors:
            raise ApiError(400, 50035, "Invalid Form Body", errors=self._errors, violation=True)


class Clock:
    """Discord's time. `advance` moves it ahead of the bot's."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._last_id = 0

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at Discord."""
        self._ahead += seconds

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def elapsed(self) -> float:
        """Seconds since some moment, never backwards."""
        return time.monotonic() + self._ahead

    def snowflake(self) -> int:
        """A new id, larger than all before."""
        fresh = int(self.now() * 1000 - EPOCH_MS) << 22
        self._last_id = max(fresh, self._last_id + 1)
        return self._last_id


@dataclass(frozen=True, slots=True)
class Violation:
    """Something a correct bot never sends."""

    where: str
    """Method and path (without tokens), or `gateway`."""
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.detail}"


@dataclass(slots=True)
class Request:
    """One REST request of the bot."""

    method: str
    path: str
    """After `/api/v10`, with an interaction's token replaced by `:token`."""
    body: Any
    files: dict[str, bytes]
    at: float
    """`time.monotonic()` at arrival."""
    status: int = 0
    """0 while it is being handled, and when the connection was dropped."""
    code: int = 0
    """Discord's error code."""
    response: Any = None
    query: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the bot was told that it worked."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Pings:
    """Whom a message notifies. False when nobody."""

    everyone: bool = False
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everyone or bool(self.users) or bool(self.roles)

    def __or__(self, other: Pings) -> Pings:
        return Pings(self.everyone or other.everyone, self.users | other.users, self.roles | other.roles)
