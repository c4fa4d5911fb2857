"""Faults that a test asks for, and Discord's rate limits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next requests of one route."""

    method: str
    """`*`: any."""
    route_part: str
    """A part of the path; an interaction's token reads `:token` in it."""
    status: int | None = None
    code: int = 0
    retry_after: float = 1.0
    """Seconds, with status 429."""
    everywhere: bool = False
    """With status 429: the bot's global limit."""
    drop_connection: bool = False
    """Reset the connection instead of answering."""
    delay: float = 0.0
    """Seconds before anything else happens."""
    applied: bool = False
    """The request takes effect all the same, only the bot does not learn of it."""
    times: int | None = 1
    """How many requests it hits; None: all from now on."""
    after: int = 0
    """How many requests pass untouched first."""

    @property
    def refuses(self) -> bool:
        """Whether it does more than wait."""
        return self.status is not None or self.drop_connection


class Faults:
    """Those still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan one."""
        self._pending.append(fault)

    def clear(self) -> None:
        """All is well again."""
        self._pending.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """What hits this request."""
        for fault in self._pending:
            if fault.method not in (method, "*") or fault.route_part not in path:
                continue
            if fault.after > 0:
                fault.after -= 1
                return None
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._pending.remove(fault)
            return fault
        return None


@dataclass(slots=True)
class RateLimits:
    """One bucket for each route and major parameter: `limit` requests in `window` seconds. Off until `enabled` is set."""

    enabled: bool = False
    limit: int = 5
    window: float = 5.0
    hits: int = 0
    """How many requests were refused."""
    _buckets: dict[str, list[float]] = field(default_factory=dict)

    def take(self, bucket: str) -> tuple[dict[str, str], float | None]:
        """The headers of the answer, and the seconds to wait when the request is refused."""
        if not self.enabled:
            return {}, None
        now = time.monotonic()
        used = self._buckets[bucket] = [at for at in self._buckets.get(bucket, []) if now - at < self.window]
        refused = len(used) >= self.limit
        if refused:
            self.hits += 1
        else:
            used.append(now)
        reset = max(0.0, self.window - (now - used[0]))
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(0 if refused else self.limit - len(used)),
            "X-RateLimit-Reset": f"{time.time() + reset:.3f}",
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Bucket": f"{abs(hash(bucket.split('|')[0])):032x}",
        }
        return headers, (reset if refused else None)


def limited(retry_after: float, *, everywhere: bool = False) -> tuple[dict[str, object], dict[str, str]]:
    """Body and headers of a 429. Without `Via` a client takes it for a ban by the proxy in front of Discord."""
    body: dict[str, object] = {
        "message": "You are being rate limited.",
        "retry_after": round(retry_after, 3),
        "global": everywhere,
    }
    headers = {
        "Retry-After": str(max(1, round(retry_after))),
        "X-RateLimit-Scope": "global" if everywhere else "user",
        "Via": "1.1 google",
    }
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    return body, headers
