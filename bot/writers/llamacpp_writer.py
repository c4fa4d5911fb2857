"""The in-process writer: a chat model in front of a `ModelWorker`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import ConfigDict

from bot.errors import WriterFailed
from bot.worker import ModelWorker
from bot.writers.base import StreamingWriter, last_chunk, text_chunk, turns_of
from bot.writers.engine import LoraFile, UnlessSure, WritingRequest


class LlamaCppWriter(StreamingWriter):
    """Writes with the engine of `worker`; also its `WriterLimits`.

    `name` appears in traces. The other fields are defaults for calls that do not say.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    worker: ModelWorker
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0
    timeout: float | None = None

    @property
    def _llm_type(self) -> str:
        return "saseo-llamacpp"

    @property
    def context_tokens(self) -> int:
        """Tokens of prompt and answer together. Before the model is loaded this waits for it: `await worker.start()` first."""
        return self.worker.context_tokens

    def count_tokens(self, text: str) -> int:
        """Exact tokens of `text` as message content. Before the model is loaded this waits for it."""
        return self.worker.count_tokens(text)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        *,
        asker: str = "local",
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        timeout: float | None = None,
        lora: LoraFile | None = None,
        unless_sure: UnlessSure | None = None,
        **_: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = WritingRequest(
            turns=turns_of(messages),
            max_tokens=self.max_tokens if max_tokens is None else max_tokens,
            temperature=self.temperature if temperature is None else temperature,
            seed=self.seed if seed is None else seed,
            stop=tuple(stop or ()),
            lora=lora,
            unless_sure=unless_sure,
        )
        ticket = self.worker.submit(request, asker=asker, timeout=self.timeout if timeout is None else timeout)
        # aclosing: when this stream is closed, the model stops now and not when the garbage collector comes by.
        async with aclosing(ticket.pieces()) as pieces:
            async for piece in pieces:
                yield text_chunk(piece)
        if ticket.report is None:  # pieces() ends with a report or raises
            raise WriterFailed(reason="no report")
        yield last_chunk(ticket.report, waited_seconds=ticket.waited_seconds)
