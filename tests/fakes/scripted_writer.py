"""A writer without a model that obeys the writer contract (`bot.writers.base`): it recites a script."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import ConfigDict, PrivateAttr

from bot.errors import WriterTimeout
from bot.writers.base import StreamingWriter, last_chunk, text_chunk
from bot.writers.engine import StopReason, WritingReport
from bot.writers.text_stream import TextStream

Script = Callable[[Sequence[BaseMessage]], str]


class ScriptedWriter(StreamingWriter):
    """`script`: a function from the messages to the text, or texts to give one after the other (the last one repeats).

    `delay` seconds before each piece of `piece_size` characters; one character counts as one token. `failure` is raised
    after `fail_after` pieces. Afterwards `calls` has the messages and arguments of each call, `cancelled` how many were given up.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    script: Script | list[str]
    piece_size: int = 3
    delay: float = 0.0
    failure: Exception | None = None
    fail_after: int = 0
    context_tokens: int = 4096
    _calls: list[tuple[list[BaseMessage], dict[str, Any]]] = PrivateAttr(default_factory=list)
    _cancelled: int = PrivateAttr(default=0)

    @property
    def _llm_type(self) -> str:
        return "saseo-scripted"

    @property
    def calls(self) -> list[tuple[list[BaseMessage], dict[str, Any]]]:
        """Messages and call arguments, in order."""
        return self._calls

    @property
    def cancelled(self) -> int:
        """Calls that were closed or cancelled before their end."""
        return self._cancelled

    def count_tokens(self, text: str) -> int:
        """One per character."""
        return len(text)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self._calls.append((messages, kwargs))
        seconds: float | None = kwargs.get("timeout")
        began = time.perf_counter()
        text, reason = self._text(messages, tuple(stop or ()), kwargs.get("max_tokens"))
        over = False
        try:
            for n, at in enumerate(range(0, len(text) + 1, self.piece_size)):
                if self.failure is not None and n >= self.fail_after:
                    over = True
                    raise self.failure
                left = None if seconds is None else seconds - (time.perf_counter() - began)
                if left is not None and self.delay > left:
                    await asyncio.sleep(max(left, 0))
                    over = True
                    raise WriterTimeout(seconds=seconds)
                await asyncio.sleep(self.delay)
                if piece := text[at : at + self.piece_size]:
                    yield text_chunk(piece)
            over = True
        finally:
            if not over:
                self._cancelled += 1
        prompt_tokens = sum(len(message.text) for message in messages)
        report = WritingReport(prompt_tokens, len(text), 0, self.delay, time.perf_counter() - began, reason)
        yield last_chunk(report, waited_seconds=0.0)

    def _text(self, messages: list[BaseMessage], stops: tuple[str, ...], limit: int | None) -> tuple[str, StopReason]:
        if callable(self.script):
            whole = self.script(messages)
        else:
            whole = self.script[min(len(self._calls), len(self.script)) - 1]
        stream = TextStream(stops)
        text = stream.feed(whole.encode()) + stream.finish()
        if limit is not None and len(text) > limit:
            return text[:limit], "length"
        return text, "stop" if stream.stopped else "end"
