"""The composition root's part for LoRAs: which one answers, from settings, store and shelf. Only bot/app.py imports this."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot import texts
from bot.errors import LoraError, MarkedLora, ModelError, StoreError

if TYPE_CHECKING:
    from bot.answering.flow import AnswerFlow
    from bot.releases.choosing import Choice, Choosing, Released
    from bot.releases.releases import Releases
    from bot.settings import Settings
    from bot.store.database import Store
    from bot.worker import ModelWorker


@dataclass(frozen=True, slots=True)
class LoraParts:
    """Over one configuration."""

    settings: Settings
    base: Callable[[], str]
    """SHA-256 of the served GGUF; raises ModelError."""
    warn: Callable[[str], None]

    def choosing(self, lora: str | None = None) -> Choosing:
        """How it is decided which LoRA answers. `lora`: in place of `[writer] lora`."""
        from bot import prompts
        from bot.loras.shelf import LoraShelf
        from bot.releases.choosing import Choosing

        shelf = LoraShelf(self.settings.data_dir / "loras", zone=ZoneInfo(self.settings.jobs.timezone))
        return Choosing(lora or self.settings.writer.lora, shelf, self.base, prompts.version())

    def released(self, choosing: Choosing, store: Store | None = None) -> Released:
        """What the store says; nothing, with a warning, when it cannot be asked. Without `store` it is opened for that, if it exists."""
        from bot.releases.choosing import Released, released
        from bot.store.database import open_store, store_exists

        url, folder = self.settings.store.url, self.settings.data_dir
        if choosing.off or (store is None and not store_exists(url, folder)):
            return Released()
        try:
            opened = store or open_store(url, folder)
            try:
                return opened.run_now(released, choosing.base())
            finally:
                if store is None:
                    opened.close()
        except StoreError as error:
            self._warn(error)
            return Released()

    def choice(self, choosing: Choosing, released: Released) -> Choice:
        """What answers. Raises the problem of a LoRA that the setting names; any other is a warning, and the plain base answers."""
        choice = choosing.choose(released)
        if choice.problem is not None and choosing.pinned:
            raise choice.problem
        for problem in (choice.problem, choice.canary_problem):
            if problem is not None:
                self._warn(problem)
        return choice

    def now(self) -> tuple[Choice, str]:
        """What a service that starts now would answer with, and the version of the prompt it was tuned on (none for the plain base)."""
        choosing = self.choosing()
        choice = choosing.choose(self.released(choosing))
        return choice, choosing.shelf.card(choice.lora.name).prompt if choice.lora is not None else ""

    async def prepared(self, worker: ModelWorker, choosing: Choosing, choice: Choice) -> Choice:
        """The choice once what answers is in the model's memory. Raises a `LoraError` for a LoRA that the setting names."""
        from bot.releases.choosing import Choice
        from bot.releases.following import prepare

        try:
            return await prepare(worker, choice)
        except LoraError as error:
            if choosing.pinned:
                raise
            self._warn(error)
            return Choice(None, "unusable", problem=error)

    @asynccontextmanager
    async def following(
        self,
        choosing: Choosing,
        released: Released,
        ready: Choice,
        store: Store,
        worker: ModelWorker,
        flow: AnswerFlow,
        *,
        every: float = 5.0,
    ) -> AsyncIterator[None]:
        """Meanwhile `flow` answers with what is released. `ready`: what could be had of `released` at the start; the rest is tried again.

        `every`: seconds between looks.
        """
        import asyncio

        from bot.releases.choosing import released as read
        from bot.releases.following import follow

        reading = partial(store.run, read, choosing.base())
        known = None if ready.lacking else released
        task = asyncio.create_task(follow(reading, choosing, worker, flow, known=known, every=every))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @contextmanager
    def releases(self) -> Iterator[Releases]:
        """Decisions about what answers."""
        from bot.releases.releases import Releases
        from bot.store.database import open_store

        choosing = self.choosing()
        store = open_store(self.settings.store.url, self.settings.data_dir)
        try:
            yield Releases(store, choosing.shelf, choosing, time.time)
        finally:
            store.close()

    def take_in(self, peft: Path, base: Path) -> str:
        """Name of the LoRA of PEFT's folder on the shelf; `base`: the served GGUF. Raises a `LoraError` or `ModelError`.

        Where its card says from which examples it learnt that is recorded, so that who is forgotten here is found in it, too. Raises
        MarkedLora, and its weights are gone, when somebody behind one was forgotten before, or objects.
        """
        import json

        from bot.examples.workbench import withheld
        from bot.loras.foreign import CARD, write_foreign
        from bot.loras.seen import Seen
        from bot.releases.releases import AUTOMATIC
        from bot.store.forgetting import REASON

        with tempfile.TemporaryDirectory() as folder, self.releases() as releases:
            result = Path(folder)
            write_foreign(peft, base, self.base(), result)
            seen = Seen.of_card(json.loads((result / CARD).read_text(encoding="utf-8")))
            learnt = sorted(seen.examples) if seen is not None else []
            name = releases.take_in(result, learnt).name
            # Only now that it is on record: who is forgotten from here on is found in it.
            if releases.store.run_now(withheld, learnt):
                releases.withdraw(name, REASON, by=AUTOMATIC)
                raise MarkedLora(name=name, reason=REASON)
            return name

    def _warn(self, error: LoraError | ModelError | StoreError) -> None:
        language = self.settings.language
        self.warn(texts.without_lora(error.explain(language), language))
