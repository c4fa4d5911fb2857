"""What a command may use, handed in by the composition root. Everything is made on first use, so `--help` stays fast."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.answering.flow import AnswerFlow
    from bot.examples.workbench import Workbench
    from bot.models.catalogue import Catalogue
    from bot.models.store import ModelStore
    from bot.settings import Settings
    from knowledge.build import BuildProgress, BuildReport
    from knowledge.search import SearchIndex, SearchOptions


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `saseo doctor`. `remedy` is empty when all is well."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


class Evaluating(Protocol):
    """Runs an evaluation set; returns the report's JSON."""

    def __call__(
        self, path: Path, *, retrieval: bool, details: Path | None, progress: Callable[[int, int], None]
    ) -> dict[str, object]:
        """`retrieval`: only the search is measured."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The composition root's offer to the commands."""

    settings: Callable[[], Settings]
    reindex: Callable[[bool, BuildProgress], BuildReport]
    open_index: Callable[[SearchOptions | None], SearchIndex]
    answering: Callable[[], AbstractAsyncContextManager[AnswerFlow]]
    models: Callable[[], tuple[Catalogue, ModelStore]]
    chat: Callable[[frozenset[str]], Coroutine[None, None, None]]
    evaluate: Evaluating
    workbench: Callable[[], AbstractContextManager[Workbench]]
    doctor: Callable[[], Iterable[Check]]
    serve: Callable[[], Coroutine[None, None, None]]
    discord_sync: Callable[[], Coroutine[None, None, int]]
