"""Who a user id is, and what a channel is, asked of Slack at most every ten minutes.

What cannot be found out is assumed to the asker's disadvantage, never to a page's: who cannot be looked up counts as a guest,
and a channel that cannot be read as shared with other companies.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import log, web
from adapters.slack.tasks import Tasks
from bot.conversation import Person

CACHED_SECONDS = 600.0
_ENTRIES = 5000
_PATIENCE_SECONDS = 1.5
"""A question waits this long for such a look-up, then goes on without. The look-up goes on for the questions to come."""
_CALL_SECONDS = 20.0
_logger = logging.getLogger(__name__)
V = TypeVar("V")


class Cache(Generic[V]):
    """Bounded, oldest out; what failed is not kept. Questions that need the same at the same time share one look-up."""

    def __init__(self, clock: Callable[[], float], tasks: Tasks) -> None:
        self._clock = clock
        self._tasks = tasks
        self._kept: OrderedDict[str, tuple[float, V]] = OrderedDict()
        self._looking: dict[str, asyncio.Task[None]] = {}

    async def get(self, key: str, find: Callable[[], Awaitable[V | None]]) -> V | None:
        """From memory or from `find`; None when neither knows, or not in time."""
        found = self._fresh(key)
        if found is None:
            if key not in self._looking:
                self._looking[key] = self._tasks.spawn(self._look(key, find), "slack-lookup")
            await asyncio.wait([self._looking[key]], timeout=_PATIENCE_SECONDS)
            found = self._fresh(key)
        return found

    def _fresh(self, key: str) -> V | None:
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._clock() - kept[0] < CACHED_SECONDS else None

    async def _look(self, key: str, find: Callable[[], Awaitable[V | None]]) -> None:
        try:
            found = await find()
        finally:
            del self._looking[key]
        if found is None:
            return
        self._kept[key] = (self._clock(), found)
        self._kept.move_to_end(key)
        while len(self._kept) > _ENTRIES:
            self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What `users.info` says about somebody."""

    email: str
    guest: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """What `conversations.info` says. `direct`: a conversation of one person with the bot."""

    external: bool
    direct: bool


class Directory:
    """users.info, usergroups.list and conversations.info behind caches. Never raises for what Slack refuses."""

    def __init__(
        self, client: AsyncWebClient, team: str, tasks: Tasks, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._team = team
        self._profiles: Cache[Profile] = Cache(clock, tasks)
        self._channels: Cache[Channel] = Cache(clock, tasks)
        self._groups: Cache[Mapping[str, frozenset[str]]] = Cache(clock, tasks)
        self._denied: set[str] = set()
        """Methods whose scope was not granted: asked once, not with every question. Of conversations.info, whose scope depends
        on the kind of conversation, `conversations.info:<channel>`: one group DM must not close every channel."""

    async def person(self, user: str, team: str = "") -> Person:
        """`team`: the person's own workspace where the event names it (Slack Connect)."""
        profile, groups = await asyncio.gather(
            self._profiles.get(user, lambda: self._profile(user)), self._groups.get("", self._memberships)
        )
        foreign = bool(team) and team != self._team
        return Person(
            platform="slack",
            id=user,
            email=profile.email if profile else "",
            roles=frozenset(group for group, members in (groups or {}).items() if user in members),
            roles_known=groups is not None and "usergroups.list" not in self._denied,
            guest=foreign or (profile.guest if profile else True),
        )

    async def channel(self, channel: str) -> Channel:
        """A channel that the bot may not look at is `external`, and a DM between others is no `direct` place."""
        found = await self._channels.get(channel, lambda: self._channel(channel))
        return found or Channel(external=True, direct=False)

    async def members(self, group: str) -> frozenset[str]:
        """User ids in a user group; empty when it cannot be read."""
        return (await self._groups.get("", self._memberships) or {}).get(group, frozenset())

    async def _profile(self, user: str) -> Profile | None:
        data = await self._call("users.info", self._client.users_info, user=user)
        if data is None:
            return None
        found: Mapping[str, Any] = data.get("user") or {}
        foreign = bool(found.get("team_id")) and found.get("team_id") != self._team
        flags = ("is_restricted", "is_ultra_restricted", "is_stranger")
        unconfirmed = found.get("is_email_confirmed") is False  # anybody's address, as typed
        return Profile(
            email="" if unconfirmed else str((found.get("profile") or {}).get("email") or "").lower(),
            guest=foreign or any(found.get(flag) for flag in flags),
        )

    async def _channel(self, channel: str) -> Channel | None:
        method = f"conversations.info:{channel}"
        data = await self._call(method, self._client.conversations_info, channel=channel)
        if data is None:
            # A kind of conversation that the app has no scope for stays as unknown as the next question would find it.
            return Channel(external=True, direct=False) if method in self._denied else None
        found: Mapping[str, Any] = data.get("channel") or {}
        return Channel(external=bool(found.get("is_ext_shared")), direct=bool(found.get("is_im")))

    async def _memberships(self) -> Mapping[str, frozenset[str]] | None:
        data = await self._call("usergroups.list", self._client.usergroups_list, include_users=True)
        if data is None:
            # Without the scope nobody has roles; that is an answer, and worth keeping for ten minutes.
            return {} if "usergroups.list" in self._denied else None
        return {str(group["id"]): frozenset(group.get("users") or ()) for group in data.get("usergroups") or ()}

    async def _call(
        self, method: str, call: Callable[..., Awaitable[Any]], **arguments: object
    ) -> Mapping[str, Any] | None:
        if method in self._denied:
            return None
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                response = await call(**arguments)
        except web.REFUSALS as error:
            reason = web.code(error)
            if reason == "missing_scope":
                self._denied.add(method)
            log.event(_logger, logging.WARNING, "slack_lookup_failed", method=method, error=reason)
            return None
        data: Mapping[str, Any] = response.data
        return data
