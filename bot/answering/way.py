"""What one question carries through the graph of `flow.py`: fixed at its start, and what the steps hand on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypedDict

from langgraph.runtime import Runtime

from bot import texts
from bot.answering.compose import Composed
from bot.answering.excerpts import Excerpt
from bot.answering.tracer import Tracer
from bot.live import Live
from bot.messages import Answer, Question
from bot.telemetry.observer import Spans
from bot.trace import Trace
from knowledge.search import Found


@dataclass(slots=True)
class Way:
    """What one question carries through the graph: fixed at its start, beside LangGraph's state."""

    question: Question
    live: Live
    language: texts.Language
    started: float = field(default_factory=time.perf_counter)
    tracer: Tracer = field(default_factory=Tracer)
    spans: Spans = field(default_factory=Spans)

    def trace(self, model: str, lora: str, error: str = "") -> Trace:
        """The way so far. `model`, `lora`: as the answer is stamped."""
        live = self.live
        return self.tracer.trace(
            edition=live.index.name, model=model, lora=lora, prompt=live.prompt, threshold=live.threshold, error=error
        )

    def since(self) -> float:
        """Seconds since the question arrived."""
        return time.perf_counter() - self.started


class State(TypedDict, total=False):
    """What the steps hand on. Replaced, never changed in place."""

    rarity: Callable[[str], float]
    """How rare a morpheme is in what the reader may read."""
    searched: str
    turns: tuple[str, ...]
    leaned: tuple[str, ...]
    """The earlier questions that the first wording leans on."""
    alone: bool
    """It does so only because it is short: it may as well be about something else."""
    wordings: tuple[str, ...]
    """Wordings still to try."""
    found: Found
    beside: bool
    """What was found is about the earlier questions alone: no passage has a word of what this one names."""
    search_seconds: float
    shown: tuple[Excerpt, ...]
    composed: Composed
    attempt: int
    notes: tuple[str, ...]
    answer: Answer


class Node(Protocol):
    """A step of the graph."""

    def __call__(self, state: State, runtime: Runtime[Way]) -> Awaitable[State]:
        """What it changes."""


def timed(name: str, node: Node) -> Node:
    """The same step of the graph, noted down in `Way.spans`."""

    async def measured(state: State, runtime: Runtime[Way]) -> State:
        with runtime.context.spans.span(name):
            return await node(state, runtime)

    return measured
