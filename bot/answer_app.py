"""The composition root's part for what answers: the writer's worker, the live value, the flow. Only bot/app.py imports this."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot import texts
from bot.errors import ModelError, WritingError

if TYPE_CHECKING:
    from bot.answering.flow import AnswerFlow
    from bot.app import Root
    from bot.live import Live
    from bot.releases.choosing import Choice, Choosing
    from bot.store.database import Store
    from bot.telemetry.observer import Observer
    from bot.worker import ModelWorker
    from bot.writers.llamacpp import LlamaCppEngine
    from knowledge.search import SearchIndex


class AnswerParts:
    """Over one configuration. Heavy imports stand inside the functions that need them."""

    def __init__(self, root: Root) -> None:
        self._root = root

    @asynccontextmanager
    async def ready(
        self,
        lora: str | None = None,
        store: Store | None = None,
        *,
        opening: Callable[[], SearchIndex] | None = None,
    ) -> AsyncIterator[AnswerFlow]:
        """A flow that is ready to answer: index open, writer loading beside it; both closed at the end.

        `lora`: in place of `[writer] lora`. With `store` it takes over what is released meanwhile. `opening`: of
        another index than the serving edition's; called on a thread of its own.
        """
        self._root.wiki.shelf.current()  # say "no index" before loading anything
        worker = self.start_worker()
        parts = self._root.loras
        choosing = parts.choosing(lora)
        released = parts.released(choosing, store) if worker else None
        choice = parts.choice(choosing, released) if released is not None else None
        warming = asyncio.ensure_future(self.warm(worker, choosing, choice)) if worker and choice else None
        try:
            open_index = opening or (lambda: self._root.wiki.open_index(None))
            search_index = await asyncio.get_running_loop().run_in_executor(None, open_index)
            ready = await warming if warming is not None else None
            flow = self.flow(self.live(search_index, worker, ready))
            try:
                async with AsyncExitStack() as stack:
                    if store is not None and worker is not None and released is not None and ready is not None:
                        following = parts.following(choosing, released, ready, store, worker, flow)
                        await stack.enter_async_context(following)
                    yield flow
            finally:
                flow.close()
        finally:
            if warming is not None:  # else a failed opening would also be told as a failure of the writer
                warming.cancel()
                await asyncio.gather(warming, return_exceptions=True)
            if worker is not None:
                await worker.close(drain=False, deadline=5.0)

    def start_worker(self) -> ModelWorker | None:
        """None, with a warning, when the model cannot be had: answers are then quotes."""
        from bot.worker import ModelWorker

        chosen = self._root.settings.writer
        try:
            path = self._root.store.path(chosen.model, role="writer")
        except ModelError as error:
            self._root.warn(texts.no_writer(error.explain(self._root.settings.language), self._root.settings.language))
            return None
        worker = ModelWorker(
            lambda: self.make_engine(path),
            queue_size=chosen.queue_size,
            per_person=chosen.per_person,
            observer=self._observer,
        )
        if self._root.telemetry is not None:
            self._root.telemetry.standing.writer = worker
        return worker

    def make_engine(self, path: Path) -> LlamaCppEngine:
        """Loads the model; on the thread that will use it."""
        from bot.writers.llamacpp import LlamaCppEngine

        chosen = self._root.settings.writer
        return LlamaCppEngine(
            path,
            context_tokens=chosen.context_tokens,
            threads=chosen.threads,
            template=self.template(),
            gpu_layers=chosen.gpu_layers,
        )

    def template(self) -> str:
        """The catalogue's for a named model; a file given by its path brings its own."""
        from bot.models.store import local_path

        name = self._root.settings.writer.model
        return "gguf" if local_path(name) is not None else self._root.catalogue.get(name).template

    async def warm(self, worker: ModelWorker, choosing: Choosing, choice: Choice) -> Choice | None:
        """Load the model and its LoRA and read the prompt's constant part while the index opens; None when the model cannot be had.

        Raises a `LoraError` when the LoRA that the setting names cannot be used.
        """
        from bot import prompts
        from bot.writers.llamacpp_writer import LlamaCppWriter

        try:
            await worker.start()
            choice = await self._root.loras.prepared(worker, choosing, choice)
            writer = LlamaCppWriter(worker=worker)
            await writer.ainvoke(prompts.prefix(), asker="warm-up", max_tokens=1, lora=choice.lora)
        except (ModelError, WritingError) as error:
            self._root.warn(texts.no_writer(error.explain(self._root.settings.language), self._root.settings.language))
            return None
        return choice

    def live(self, search_index: SearchIndex, worker: ModelWorker | None, choice: Choice | None) -> Live:
        """What answers: one immutable value. `choice` None: no model can be had."""
        from bot import prompts
        from bot.live import EXTRACTIVE, Live
        from bot.writers.llamacpp_writer import LlamaCppWriter

        return Live(
            index=search_index,
            analyser=search_index.analyser,
            writer=LlamaCppWriter(worker=worker, name=self._root.settings.writer.model) if worker and choice else None,
            model=self._root.settings.writer.model if worker and choice else EXTRACTIVE,
            lora=choice.lora if choice else None,
            prompt=prompts.version(),
            threshold=self._threshold(search_index),
            canary=choice.canary if choice else None,
        )

    def flow(self, live: Live) -> AnswerFlow:
        """The way of a question, with `[answer]` and `[writer]` as its dials."""
        from bot.answering.flow import AnswerFlow, FlowOptions

        answer, writer = self._root.settings.answer, self._root.settings.writer
        return AnswerFlow(
            lambda: live,
            FlowOptions(
                language=self._root.settings.language,
                passages=answer.passages,
                evidence_characters=answer.evidence_characters,
                nearest_pages=answer.nearest_pages,
                refusal_confidence=answer.refusal_confidence,
                max_answer_tokens=writer.max_answer_tokens,
                temperature=writer.temperature,
                timeout_seconds=writer.timeout_seconds,
            ),
            observer=self._observer,
        )

    async def reopen(self, flow: AnswerFlow) -> None:
        """Let the newest edition answer from now on."""
        index = await asyncio.to_thread(self._root.wiki.reopened, flow.live().index)
        flow.swap(
            replace(
                flow.live(),  # as it is now: another LoRA may have been released while the index was opened
                index=index,
                analyser=index.analyser,
                threshold=self._threshold(index),
            )
        )

    def _threshold(self, index: SearchIndex) -> float:
        """Evidence below which there is no answer: the edition's, unless the settings name one."""
        chosen = self._root.settings.answer.abstain_threshold
        return float(index.edition.manifest.calibration["threshold"]) if chosen == "auto" else chosen

    @property
    def _observer(self) -> Observer | None:
        return self._root.telemetry.observer if self._root.telemetry is not None else None
