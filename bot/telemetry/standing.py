"""How things stand at this moment, for a scrape and for readiness: read where they are, off the event loop where it takes time.

The composition root tells a `Standing` of the parts as they come to life, so that it can be asked from the first second on.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.errors import StoreError
from bot.live import name_of
from bot.store.standing import StoreStanding, standing

if TYPE_CHECKING:
    from bot.live import Live
    from bot.store.database import Store
    from bot.worker import WorkerStats

_STORE_SECONDS = 3.0
"""For the store to answer; a scrape that waits longer than Prometheus does tells nothing at all."""
_KEPT_SECONDS = 1.0
"""So long one answer of the store serves everybody: whoever may ask for health without a login must not be able to load it."""


@dataclass(frozen=True, slots=True)
class PlatformState:
    """How an adapter stands."""

    name: str
    connected: bool
    standing_by: bool
    """Another process has the platform's only session; this one waits to take over."""
    last_event_seconds: float | None = None


class Line(Protocol):
    """The desk, as far as it is looked at."""

    def line(self) -> tuple[int, int]:
        """How many questions wait, and how many are being answered."""


class Doors(Protocol):
    """The service, as far as it is looked at."""

    def platform_states(self) -> Sequence[PlatformState]:
        """Every enabled platform."""

    @property
    def stopping(self) -> bool:
        """Whether it takes no more questions."""


class Writer(Protocol):
    """The model's worker, as far as it is looked at."""

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""

    def stats(self) -> WorkerStats:
        """Its queue."""


@dataclass(frozen=True, slots=True)
class Places:
    """How much may wait: `[service]` and `[writer] queue_size`."""

    questions: int
    writer: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at everything. What is None or empty could not be seen."""

    places: Places
    live: Live | None = None
    line: tuple[int, int] | None = None
    writer: WorkerStats | None = None
    model_loaded: bool = False
    platforms: Sequence[PlatformState] = ()
    stopping: bool = False
    store: StoreStanding | None = None
    """None: it does not answer."""
    failed_pages: Mapping[str, int] = field(default_factory=dict)
    """By source: pages that cannot be read."""
    held_back: frozenset[str] | None = None
    """Sources whose former pages were taken over."""
    backup_at: float | None = None
    disk_free: int | None = None
    """Bytes that Saseo's process may still write to its data directory."""


class Standing:
    """Looks. `live`, `line`, `doors` and `writer` are set when there are such parts."""

    def __init__(
        self,
        places: Places,
        data_dir: Path,
        sources: Collection[str],
        *,
        failed_pages: Callable[[], Mapping[str, int]] = dict,
        held_back: Callable[[], Collection[str]] = tuple,
        backup_at: Callable[[], float | None] = lambda: None,
    ) -> None:
        """`sources`: as configured; others are not told of. `failed_pages`, `held_back`, `backup_at`: read files, in a
        thread."""
        self.places = places
        self.sources = frozenset(sources)
        self.store: Store | None = None
        self.live: Callable[[], Live] | None = None
        self.line: Line | None = None
        self.doors: Doors | None = None
        self.writer: Writer | None = None
        self._data_dir = data_dir
        self._failed_pages = failed_pages
        self._held_back = held_back
        self._backup_at = backup_at
        self._asking: asyncio.Task[StoreStanding] | None = None
        self._answered: tuple[float, StoreStanding] | None = None

    async def snapshot(self) -> Snapshot:
        """For a scrape."""
        store, (failed_pages, held_back, backup_at, disk_free) = await asyncio.gather(
            self.ask_store(), asyncio.to_thread(self._files)
        )
        return Snapshot(
            self.places,
            live=self.live() if self.live is not None else None,
            line=self.line.line() if self.line is not None else None,
            writer=self.writer.stats() if self.writer is not None else None,
            model_loaded=self.writer is not None and self.writer.loaded,
            platforms=self.doors.platform_states() if self.doors is not None else (),
            stopping=self.doors is not None and self.doors.stopping,
            store=store,
            failed_pages={source: count for source, count in failed_pages.items() if source in self.sources},
            held_back=held_back & self.sources if held_back is not None else None,
            backup_at=backup_at,
            disk_free=disk_free,
        )

    async def ask_store(self) -> StoreStanding | None:
        """What the store says now or said a moment ago; None when it does not answer in time. Never two questions at once."""
        if self.store is None:
            return None
        if self._answered is not None and time.monotonic() - self._answered[0] < _KEPT_SECONDS:
            return self._answered[1]
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self.store.run(standing), name="standing")
            self._asking.add_done_callback(
                lambda task: task.cancelled() or task.exception()
            )  # it is told below, if at all
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                found = await asyncio.shield(self._asking)
        except (TimeoutError, StoreError):
            self._answered = None
            return None
        self._answered = (time.monotonic(), found)
        return found

    def _files(self) -> tuple[Mapping[str, int], frozenset[str] | None, float | None, int | None]:
        failed: Mapping[str, int] = {}
        held_back: frozenset[str] | None = None
        backup_at: float | None = None
        free: int | None = None
        with contextlib.suppress(OSError):  # what cannot be read must not keep the rest from being told
            failed = self._failed_pages()
        with contextlib.suppress(OSError):
            held_back = frozenset(self._held_back())
        with contextlib.suppress(OSError):
            backup_at = self._backup_at()
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self._data_dir).free
        return failed, held_back, backup_at, free


def names_of(live: Live) -> tuple[tuple[str, str], ...]:
    """(role, LoRA) of what answers."""
    told = [("serving", name_of(live.lora))]
    if live.canary is not None:
        told.append(("canary", name_of(live.canary.lora)))
    return tuple(told)
