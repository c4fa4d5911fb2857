"""What a command may use, handed in by the composition root. Everything is made on first use, so `--help` stays fast."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.answering.flow import AnswerFlow
    from bot.backup.archive import Manifest
    from bot.backup.restoring import Restored
    from bot.backup.shelf import Kept
    from bot.backup.writing import Told, Written
    from bot.examples.workbench import Workbench
    from bot.models.catalogue import Catalogue
    from bot.models.store import ModelStore
    from bot.privacy.rights import Rights
    from bot.releases.releases import Releases
    from bot.settings import Settings
    from bot.store.database import Store
    from bot.store.job_rows import Run
    from knowledge.build import BuildProgress, BuildReport, BuildRequest
    from knowledge.edition import EditionShelf
    from knowledge.learned_weights import Learned
    from knowledge.search import SearchIndex, SearchOptions


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `saseo doctor`. `remedy` is empty when all is well."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class JobLine:
    """One line of `saseo jobs list`. Times in seconds since the epoch."""

    name: str
    title: str
    enabled: bool
    """It runs by itself."""
    schedule: str
    """As configured; empty: only after another job asked for it."""
    next_at: float | None
    paused: bool
    last: Run | None


class JobTools(Protocol):
    """The jobs, their runs and their switches. All raise StoreError."""

    def lines(self) -> list[JobLine]:
        """One per job. Raises InvalidSetting."""

    def run(
        self,
        job: str,
        *,
        by: str,
        told: Callable[[int, int | None, str], None],
        arguments: Mapping[str, Any] | None = None,
        without: Collection[str] = (),
        watch: Callable[[Mapping[str, Any]], None] = lambda event: None,
    ) -> Run:
        """Run it here; the run as it ended. `told`: done, total, step; `arguments` as JSON. Raises UnknownJob, JobPaused, JobBusy.

        `without`: jobs that do not become due by it, though it asks for them. `watch`: takes the events of `Tools.watch_tuning`.
        """

    def find(self, name: str | None) -> tuple[Run, Path]:
        """A run by id, a job's last one, or the last of all; with its log file, which may be missing. Raises UnknownRun."""

    def switch(self, job: str, pause: bool, *, by: str) -> None:
        """Pause or resume. Raises UnknownJob."""


class BackupTools(Protocol):
    """Makes, lists, checks and restores backups. All raise a `BackupError` or StoreError."""

    folder: Path
    """Of `[backup]`."""

    def make(self, to: Path | None, *, editions: bool | None, by: str, told: Told) -> Written:
        """One at `to`, a file or a folder, or in the folder of the settings. `editions` None: as the settings say."""

    def every(self) -> list[Kept]:
        """Those in the folder, oldest first."""

    def verify(self, path: Path, told: Told) -> Manifest:
        """Compare every checksum."""

    def restore(
        self, path: Path, to: Path | None, *, by: str, sure: Callable[[Manifest, bool], None], told: Told
    ) -> tuple[Restored, bool]:
        """Into `to`, a data directory, or as the settings say; and whether the key of the pseudonyms is missing there."""


class Evaluating(Protocol):
    """Runs an evaluation set; returns the report's JSON."""

    def __call__(
        self, path: Path, *, retrieval: bool, lora: str, details: Path | None, progress: Callable[[int, int], None]
    ) -> dict[str, object]:
        """`retrieval`: only the search is measured. `lora`: as `[writer] lora`."""


class Exporting(Protocol):
    """Writes a LoRA for other runtimes; returns what was written as JSON."""

    def __call__(
        self, name: str, kind: str, out: Path, progress: Callable[[str, int, int | None], None]
    ) -> dict[str, object]:
        """`kind`: `gguf-f16`, `gguf-q8_0` or `peft`. Raises a `LoraError` or `ModelError`."""


class Benches(Protocol):
    """Opens the workbench of examples."""

    def __call__(self, index: SearchIndex | None = None) -> AbstractContextManager[Workbench]:
        """Over the serving edition, or over an index that is open already: Kiwi is then not loaded twice."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The composition root's offer to the commands."""

    settings: Callable[[], Settings]
    reindex: Callable[[BuildRequest, BuildProgress], BuildReport]
    shelf: Callable[[], EditionShelf]
    made_with: Callable[[], tuple[str, str]]
    """Ids of the analyser and the embedder that a question meets now: an edition made with others cannot serve."""
    open_index: Callable[[SearchOptions | None], SearchIndex]
    answering: Callable[[], AbstractAsyncContextManager[AnswerFlow]]
    models: Callable[[], tuple[Catalogue, ModelStore]]
    chat: Callable[[frozenset[str]], Coroutine[None, None, None]]
    evaluate: Evaluating
    open_store: Callable[[], AbstractContextManager[Store]]
    """The store of questions, answers, votes and all that rests on them. Raises StoreError."""
    rights: Callable[[], AbstractContextManager[Rights]]
    """People's rights over what is kept of them. Raises StoreError, PrivacyKeyUnusable, WrongPrivacyKey."""
    backups: Callable[[], BackupTools]
    workbench: Benches
    releases: Callable[[], AbstractContextManager[Releases]]
    export_lora: Exporting
    import_lora: Callable[[Path], str]
    """A PEFT folder → the LoRA's name on the shelf."""
    verdicts: Callable[[Sequence[str]], list[RenderableType]]
    """Ids of evaluations → their tables; those that cannot be read are left out. Raises StoreError."""
    watch_tuning: Callable[[], AbstractContextManager[Callable[[Mapping[str, Any]], None]]]
    """Takes what a tuning run tells of itself and shows it on standard error: at a terminal a bar, elsewhere lines."""
    jobs: Callable[[], AbstractContextManager[JobTools]]
    doctor: Callable[[], Iterable[Check]]
    serve: Callable[[], Coroutine[None, None, None]]
    discord_sync: Callable[[], Coroutine[None, None, int]]
    learn_weights: Callable[[], Learned]
