"""The writer contract: what the core relies on when it has an answer written.

A writer IS a `langchain_core.language_models.BaseChatModel`; a model behind an OpenAI-compatible server is langchain-openai's
`ChatOpenAI` (see README.md for what to wrap). The core calls nothing but

    async for chunk in writer.astream(messages, asker="U1", max_tokens=160, temperature=0.0, seed=0, timeout=90.0, stop=[…], lora=…): …

and relies on this (`tests/bot/writers/test_contract.py` checks it):

* **Call arguments**, all optional: `asker` (whose turn it is in a fair queue), `max_tokens`, `temperature` (0: the same prompt gives
  the same text), `seed`, `timeout` (seconds from the call, queue included), `stop`, `lora` (a `LoraFile`; without it the plain base
  writes; a writer that cannot write with it raises `WriterFailed`), `unless_sure` (an `UnlessSure`: what not to begin with in doubt; a
  writer that cannot look at its own probabilities ignores it). Unknown ones are ignored.
* **Pieces** are non-empty text without broken characters; the text does not begin with white space.
* **The last chunk**, and no other, has empty content, `usage_metadata` (`input_tokens`, `output_tokens`; from a local model
  also `input_token_details.cache_read`) and `response_metadata` with `prompt_seconds`, `decode_seconds`, `reused_tokens`,
  `waited_seconds` and `stop` (`end`, `stop`, `length` or `loop`); where it wanted to begin as `unless_sure` says, also
  `refusal` (how probable that was) and `held_back` (whether it was kept from it). A writer that is paid for adds
  `cost_krw`, which the console sums up.
* **Cancelling** = closing the stream (`aclose`) or cancelling the task. A local model stops within about 50 ms, also while it
  still reads the prompt, and is then ready for the next question.
* **Errors** are only those of `bot.errors.WritingError` (`WriterBusy`, `WriterTimeout`, `WriterFailed`, `WritingCancelled`) and
  `BrokenModel`.

What a prompt's author must know besides is `WriterLimits`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from langchain_core.language_models.chat_models import BaseChatModel, agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from bot.writers.engine import Role, Turn, WritingReport

_ROLES: dict[str, Role] = {"system": "system", "human": "user", "ai": "assistant"}


@runtime_checkable
class WriterLimits(Protocol):
    """How much fits into a prompt."""

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may have together."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as message content. Fast enough for the event loop."""


@dataclass(frozen=True, slots=True)
class EstimatedLimits:
    """For a writer whose tokeniser is elsewhere. Two bytes a token is on the safe side: Korean is near 3, English near 4."""

    context_tokens: int
    bytes_per_token: float = 2.0

    def count_tokens(self, text: str) -> int:
        """An upper estimate."""
        return int(len(text.encode("utf-8", "replace")) / self.bytes_per_token) + 1


class StreamingWriter(BaseChatModel):
    """Base of our own writers: implement `_astream` (ending with `last_chunk`), get the rest."""

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop=stop, **kwargs))

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        """For scripts. On a thread of its own, because the caller's may already run an event loop."""
        results: list[ChatResult] = []
        errors: list[BaseException] = []

        def write() -> None:
            try:
                results.append(asyncio.run(self._agenerate(messages, stop=stop, **kwargs)))
            except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
                errors.append(error)

        thread = threading.Thread(target=write, name="saseo-writer-sync")
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]


def turns_of(messages: Sequence[BaseMessage]) -> tuple[Turn, ...]:
    """LangChain messages as plain turns; only their text counts."""
    return tuple(Turn(_ROLES.get(message.type, "user"), message.text) for message in messages)


def text_chunk(text: str) -> ChatGenerationChunk:
    """One piece of the answer."""
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def last_chunk(report: WritingReport, *, waited_seconds: float) -> ChatGenerationChunk:
    """The end of the stream, with the figures of the contract."""
    usage = UsageMetadata(
        input_tokens=report.prompt_tokens,
        output_tokens=report.output_tokens,
        total_tokens=report.prompt_tokens + report.output_tokens,
        input_token_details=InputTokenDetails(cache_read=report.reused_tokens),
    )
    figures = {
        "prompt_seconds": report.prompt_seconds,
        "decode_seconds": report.decode_seconds,
        "reused_tokens": report.reused_tokens,
        "waited_seconds": waited_seconds,
        "stop": report.stop,
    }
    if report.refusal is not None:
        figures["refusal"], figures["held_back"] = report.refusal, report.held_back
    # "last": otherwise LangChain appends an empty chunk of its own after this one.
    message = AIMessageChunk(content="", usage_metadata=usage, response_metadata=figures, chunk_position="last")
    return ChatGenerationChunk(message=message)
