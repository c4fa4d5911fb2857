"""What passes between the worker's queue and a model engine: plain data, no chat framework, no C library.

An `Engine` is one loaded model. It is built, called and closed by exactly one thread (`bot.worker.ModelWorker` owns it), with two
exceptions: `count_tokens` may be called from any thread, and a `StopFlag` may be set from any thread.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from bot.models.hashing import sha256_of

Role = Literal["system", "user", "assistant"]
StopReason = Literal["end", "stop", "length", "loop"]
"""`end`: the model finished; `stop`: a stop string came; `length`: max_tokens or the context was used up; `loop`: it repeated itself."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation that the model is asked to continue."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class LoraFile:
    """A LoRA to write with. Two with one name and other bytes are two LoRAs."""

    name: str
    """What answers are stamped with."""
    path: Path
    """The GGUF."""
    sha256: str
    """Of the GGUF: other bytes are refused."""

    @classmethod
    def of(cls, path: Path, name: str = "") -> LoraFile:
        """The file as it is now, under its own name unless another is given. Raises OSError."""
        return cls(name or path.stem, path, sha256_of(path))


@dataclass(frozen=True, slots=True)
class UnlessSure:
    """Words not to begin with, say a refusal, unless the model is sure of them."""

    text: str
    least: float
    """Of the first token's probability, from 0 (always sure enough) to 1."""


@dataclass(frozen=True, slots=True)
class WritingRequest:
    """One piece of writing: what to continue, and how."""

    turns: tuple[Turn, ...]
    max_tokens: int = 512
    temperature: float = 0.0
    """0 is greedy: the same prompt gives the same text."""
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Texts at which to stop, besides those of the template. They are not part of the answer."""
    lora: LoraFile | None = None
    """What to write with; None: the plain base. Never what happens to be attached from the request before."""
    unless_sure: UnlessSure | None = None


@dataclass(frozen=True, slots=True)
class WritingReport:
    """How a finished piece of writing went. Always the last thing an engine yields."""

    prompt_tokens: int
    output_tokens: int
    reused_tokens: int
    """Of the prompt: how many were still in the key/value cache."""
    prompt_seconds: float
    """From the start of work to the first token, without the time in the queue."""
    decode_seconds: float
    stop: StopReason
    refusal: float | None = None
    """How probable the beginning that `unless_sure` names was where it wanted to begin so; None: it did not, or was not asked."""
    held_back: bool = False
    """Whether `unless_sure` kept it from that beginning."""


class StopFlag:
    """A stop sign for one piece of writing, readable from Python and, without Python, from C.

    The flag is the first byte of a zeroed buffer, hence also the length of a C string: a native function can poll it from
    inside a long computation without taking the interpreter's lock (see `bot.writers.llamacpp`).
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(64)

    def set(self) -> None:
        """Ask the engine to stop. Any thread, any number of times."""
        self._buffer[0] = b"\x01"

    def is_set(self) -> bool:
        """Whether stopping was asked for."""
        return self._buffer[0] != b"\0"

    @property
    def address(self) -> int:
        """Where the byte lives; valid as long as this object is kept."""
        return ctypes.addressof(self._buffer)


class Engine(Protocol):
    """One loaded model."""

    @property
    def name(self) -> str:
        """How the model is called in stamps and messages."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    def write(self, request: WritingRequest, stop: StopFlag) -> Iterator[str | WritingReport]:
        """Yield non-empty pieces of text, then one report. All of it is written with `request.lora`, or nothing is.

        Raises a `WritingError`; `WritingCancelled` soon after `stop` was set. May be closed between any two pieces, and must
        be ready for the next request after every ending.
        """

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is, as content of a message. Any thread."""

    def load_lora(self, lora: LoraFile) -> None:
        """Check it and read it into memory, so that the first answer with it need not wait. Raises `LoraError`, `BrokenModel`."""

    def forget(self) -> None:
        """Drop everything remembered from earlier requests (key/value cache)."""

    def close(self) -> None:
        """Free the model."""
