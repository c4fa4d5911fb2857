"""Who may write to the bot directly: members of an allowed server, with their roles there.

Asked one by one (`GET /guilds/{id}/members/{user}`), which needs no privileged intent, and members are kept for ten minutes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

KEPT_SECONDS = 600.0
STRANGER_SECONDS = 20.0
"""Strangers are told to join: once they did, they must not be strangers for long."""
MOST_KEPT = 10_000

Fetch = Callable[[int, int], Awaitable[frozenset[str] | None]]
"""(server, person) → ids of their roles there, or None when they are no member."""


class Membership:
    """Answers from memory where it can."""

    def __init__(self, fetch: Fetch, servers: Sequence[int], clock: Callable[[], float] = monotonic) -> None:
        self._fetch = fetch
        self._servers = tuple(servers)
        self._clock = clock
        self._kept: dict[int, tuple[float, frozenset[str] | None]] = {}

    def known(self, person: int) -> frozenset[str] | None:
        """The person's roles if they were looked up lately and are a member; never asks Discord."""
        until, roles = self._kept.get(person, (0.0, None))
        return roles if until > self._clock() else None

    async def roles(self, person: int) -> frozenset[str] | None:
        """Their roles over all allowed servers, or None for a stranger. Raises what `fetch` raises."""
        until, roles = self._kept.get(person, (0.0, None))
        if until > self._clock():
            return roles
        found = [have for server in self._servers if (have := await self._fetch(server, person)) is not None]
        roles = frozenset().union(*found) if found else None
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[person] = (self._clock() + (STRANGER_SECONDS if roles is None else KEPT_SECONDS), roles)
        return roles
