"""What a job is: a name and a plain function of one argument, callable without a clock. See jobs/README.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bot.examples.workbench import Workbench
    from bot.privacy.rights import Rights
    from bot.settings import Settings
    from bot.store.database import Store
    from jobs.gap_parts import GapParts
    from jobs.learning.parts import LearningParts
    from knowledge.build import BuildProgress, BuildReport, BuildRequest

THEN = "then"
"""Key of a job's result: names of jobs that are due when it is done."""


class JobStopped(Exception):
    """No error: leaves a job that was asked to stop; raised by `JobContext.check`. What was kept so far is gone on with next time."""


class Progress(Protocol):
    """Takes a job's progress."""

    def __call__(self, done: int, total: int | None = None, message: str = "") -> None:
        """`done` of `total` (None: unknown); `message`: a step's name, never a page's or a person's words."""


def _untold(done: int, total: int | None = None, message: str = "") -> None:
    """Nobody watches."""


def _unwatched(event: Mapping[str, Any]) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a run gets. Without a clock: `JobContext("by-hand", folder)`."""

    run: str
    """Its id."""
    folder: Path
    """Of this run: logs and whatever a resumed run goes on from. It exists."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    resumed: bool = False
    """An earlier process worked on this run."""
    progress: Progress = _untold
    """Call it as often as you like: it only remembers the newest."""
    stop_requested: Callable[[], bool] = lambda: False
    """True once the run shall stop: Ctrl-C, SIGTERM, paused, or another process took it over."""

    tell: Callable[[Mapping[str, Any]], None] = _unwatched
    """Takes everything that whoever watches this very process may want to see, one by one; `progress` only remembers the newest."""

    def check(self) -> None:
        """Call it where the job can be left. Raises JobStopped once it shall stop."""
        if self.stop_requested():
            raise JobStopped


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job."""

    name: str
    ko: str
    """Its title."""
    en: str
    run: Callable[[JobContext], Mapping[str, Any]]
    """Returns what `saseo jobs list` may show: numbers and names, as JSON. Raises an ExplainedError, or JobStopped."""
    resumable: bool = True
    """May be run again in the same folder after its process was killed or stopped, and then goes on or starts over harmlessly."""
    kept_after: tuple[type[Exception], ...] = ()
    """Errors after which what was done is kept: the run counts as stopped, and asking for the job again goes on with it. The third one
    ends it; how often it was stopped otherwise does not count."""
    waits_after: tuple[type[Exception], ...] = ()
    """Errors that pass by themselves: a run that nobody watches at a terminal waits again and is tried later, with growing pauses."""
    schedule: str | None = None
    """When it runs by itself, where its times do not stand in `[jobs.NAME]`; empty: only when something else makes it due."""
    group: str = ""
    """Jobs of one group never run at the same time, in any process; empty: only this job does not run beside itself."""

    def title(self, language: str) -> str:
        """For people."""
        return self.ko if language == "ko" else self.en


@dataclass(frozen=True, slots=True)
class JobParts:
    """What jobs are made of, handed in by the composition root; the callables make things when called."""

    settings: Settings
    store: Store
    reindex: Callable[[BuildRequest, BuildProgress], BuildReport]
    workbench: Callable[[], AbstractContextManager[Workbench]]
    learning: Callable[[], LearningParts]
    """Of what tunes, judges and watches. Raises InvalidSetting."""
    backup: Callable[[Store, Callable[[str, int, int | None], None]], Mapping[str, Any]]
    """Makes a backup of the store and lets the oldest go; tells its steps. Raises a `BackupError`."""
    gaps: Callable[[], GapParts]
    """Of what finds gaps and reports them. Raises InvalidSetting."""
    rights: Callable[[], AbstractContextManager[Rights]] | None = None
    """People's rights over what is kept of them; None: nobody is erased again."""
