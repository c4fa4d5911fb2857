"""`saseo serve` as a process: start, watch, and stop without losing a question.

SIGTERM or Ctrl-C: no new events, answers in flight get `drain_seconds`, what is left is handed to the next process, connections
close. A second signal ends at once. A platform that cannot be reached at the start is tried again while another one works.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot import texts
from bot.errors import AdapterError, StoreError
from bot.platforms import Adapter
from bot.store import facts
from bot.telemetry.observer import Observer
from bot.telemetry.standing import PlatformState
from knowledge.errors import ExplainedError

if TYPE_CHECKING:
    from bot.desk.desk import ReferenceDesk
    from bot.store.database import Store

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 30.0
_LEASE_SECONDS = 30.0
_DEAF_SECONDS = 150.0
"""With no platform connected for so long the process ends, so that its supervisor starts it anew."""
_STALL_STEP = 0.02


@dataclass(frozen=True, slots=True)
class Platform:
    """An adapter and whether only one process may run it at a time (Discord allows one gateway session per token)."""

    adapter: Adapter
    alone: bool = False


class Beside(Protocol):
    """What else runs until the service stops, and must not take it down: the jobs, the console."""

    async def run(self) -> None:
        """Until cancelled."""

    async def close(self, seconds: float) -> None:
        """After that: end what it started within so long."""


class Service:
    """Runs the desk and its adapters until told to stop."""

    def __init__(
        self,
        desk: ReferenceDesk,
        store: Store,
        platforms: Sequence[Platform],
        *,
        owner: str,
        drain_seconds: float,
        say: Callable[[str], None],
        ready: Callable[[], str],
        warn: Callable[[ExplainedError], None],
        language: texts.Language = "ko",
        beside: Sequence[Beside] = (),
        observer: Observer | None = None,
    ) -> None:
        """`say` and `warn` tell the operator; `ready` is the sentence when everything runs."""
        self._observer = observer or Observer()
        self._desk = desk
        self._store = store
        self._platforms = platforms
        self._owner = owner
        self._drain_seconds = drain_seconds
        self._say = say
        self._ready = ready
        self._warn = warn
        self._language = language
        self._beside = beside
        self._ended: AdapterError | None = None
        """Why the process ends although nobody told it to."""
        self._stopping = asyncio.Event()
        self._started: list[Adapter] = []
        self._standing_by: set[str] = set()
        self._attempted: dict[str, Adapter] = {}
        self._leases: set[str] = set()
        self._stalls: list[float] = []
        self._background: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until a signal. Raises AdapterError when no platform can be used, all have gone deaf, or a lease was lost."""
        self._listen_for_signals()
        # Leases are kept from the first one on: a platform may take longer to connect than a lease lasts.
        watching = [asyncio.create_task(self._measure_stalls()), asyncio.create_task(self._keep_leases())]
        watching += [asyncio.create_task(one.run()) for one in self._beside]
        try:
            await self._desk.start()
            await self._unless_stopped(self._connect())
            if not self._stopping.is_set():
                self._say(self._ready())
            await self._watch()
        finally:
            for task in watching:
                task.cancel()
            await self._stop()
        if self._ended is not None:  # so that a supervisor starts the process anew
            raise self._ended

    # -- starting -------------------------------------------------------------------------------------------------------

    async def _unless_stopped(self, work: Coroutine[object, object, None]) -> None:
        """Do it, but leave it when the service is told to stop: a platform that hangs must not outlast a signal."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    async def _connect(self) -> None:
        failed: list[tuple[Platform, AdapterError]] = []
        for platform in self._platforms:
            self._desk.attach(platform.adapter)
            try:
                if await self._start_one(platform):
                    continue
                # Another process holds the only session: wait beside it, ready to take over.
                _log.info(json.dumps({"event": "standing_by", "platform": platform.adapter.name}))
                self._later(platform)
            except AdapterError as error:
                failed.append((platform, error))
        if len(failed) == len(self._platforms) and failed:
            raise failed[0][1]
        for platform, reason in failed:
            self._warn(reason)
            self._later(platform)

    async def _start_one(self, platform: Platform) -> bool:
        """False: another process has the lease."""
        name = platform.adapter.name
        if platform.alone:
            got = await self._store.run(facts.hold_lease, name, self._owner, now=time.time(), seconds=_LEASE_SECONDS)
            if not got:
                self._standing_by.add(name)
                return False
            self._leases.add(name)
        self._standing_by.discard(name)
        self._attempted[name] = platform.adapter
        try:
            await platform.adapter.start()
        except Exception:
            await self._drop_lease(name)  # another process may be able to connect
            raise
        self._started.append(platform.adapter)
        self._desk.ready(name)
        _log.info(json.dumps({"event": "connected", "platform": name}))
        return True

    def _later(self, platform: Platform) -> None:
        async def again() -> None:
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    pause = _LEASE_SECONDS / 3 if platform.alone else _RETRY_SECONDS
                    async with asyncio.timeout(pause):
                        await self._stopping.wait()
                    return
                try:
                    if await self._start_one(platform):
                        return
                except Exception as error:  # noqa: BLE001 - whatever it was may pass, and nobody else would try again
                    known = isinstance(error, AdapterError | StoreError)
                    reason = str(error) if known else type(error).__name__
                    _log.warning(
                        json.dumps({"event": "not_connected", "platform": platform.adapter.name, "reason": reason})
                    )

        task = asyncio.create_task(again(), name=f"connect-{platform.adapter.name}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # -- running --------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        deaf_since: float | None = None
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5.0):
                    await self._stopping.wait()
                return
            health = {adapter.name: adapter.health() for adapter in self._started}
            if any(one.connected for one in health.values()) or not health:
                deaf_since = None
                continue
            deaf_since = deaf_since or time.monotonic()
            _log.warning(
                json.dumps({"event": "disconnected", "platforms": {name: one.detail for name, one in health.items()}})
            )
            if time.monotonic() - deaf_since > _DEAF_SECONDS:
                name, one = next(iter(health.items()))
                raise AdapterError(
                    platform=name, reason=one.detail or "disconnected", remedy=texts.check_network(self._language)
                )

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(_LEASE_SECONDS / 3)
            for name in list(self._leases):
                try:
                    held = await self._store.run(
                        facts.hold_lease, name, self._owner, now=time.time(), seconds=_LEASE_SECONDS
                    )
                except StoreError as error:
                    _log.error(json.dumps({"event": "lease_not_kept", "platform": name, "reason": str(error)}))
                    continue
                if not held and name in self._leases:
                    # Two sessions with one token would both get every event; the other process goes on.
                    _log.error(json.dumps({"event": "lease_lost", "platform": name}))
                    self._leases.discard(name)
                    self._ended = AdapterError(
                        platform=name,
                        reason=texts.lease_lost(self._language),
                        remedy=texts.starts_again(self._language),
                    )
                    self._stopping.set()

    async def _measure_stalls(self) -> None:
        """How late a timer fires is how long something held the event loop."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_STALL_STEP)
            late = time.perf_counter() - before - _STALL_STEP
            self._stalls.append(late)
            self._observer.loop_late(late)
            if len(self._stalls) > 200_000:
                del self._stalls[:100_000]

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def platform_states(self) -> list[PlatformState]:
        """How each platform's connection stands, from memory."""
        health = {adapter.name: adapter.health() for adapter in self._started}
        return [
            PlatformState(
                name,
                connected=name in health and health[name].connected,
                standing_by=name in self._standing_by,
                last_event_seconds=health[name].last_event_seconds if name in health else None,
            )
            for name in (platform.adapter.name for platform in self._platforms)
        ]

    def stalls_ms(self) -> dict[str, float]:
        """Event-loop lateness since the start, in milliseconds."""
        ordered = sorted(self._stalls) or [0.0]
        at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return {
            name: round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2)
            for name, share in at.items()
        }

    # -- stopping -------------------------------------------------------------------------------------------------------

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if self._stopping.is_set():
                os._exit(1)
            self._stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
                loop.add_signal_handler(number, stop)

    def stop(self) -> None:
        """As SIGTERM does."""
        self._stopping.set()

    async def _stop(self) -> None:
        self._stopping.set()
        until = time.monotonic() + self._drain_seconds
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for adapter in self._started:
            await self._calmly("stop_intake", adapter, 5.0)
        try:
            await self._desk.close(self._drain_seconds)
        finally:
            for one in self._beside:
                await one.close(until - time.monotonic())
            for adapter in self._attempted.values():  # also one that was stopped in the middle of connecting
                await self._calmly("close", adapter, 10.0)
            for name in list(self._leases):
                await self._drop_lease(name)
        _log.info(json.dumps({"event": "stopped", "loop_lateness_ms": self.stalls_ms()}))

    async def _drop_lease(self, name: str) -> None:
        if name in self._leases:
            self._leases.discard(name)
            with contextlib.suppress(StoreError):  # then it runs out by itself
                await self._store.run(facts.drop_lease, name, self._owner)

    @staticmethod
    async def _calmly(step: str, adapter: Adapter, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await getattr(adapter, step)()
        except Exception as error:  # noqa: BLE001 - one adapter's trouble must not keep the others from closing
            _log.warning(
                json.dumps({"event": f"{step}_failed", "platform": adapter.name, "error": type(error).__name__})
            )
