"""What answers now: edition, writer, LoRA and prompt as one immutable value. A question takes it once and keeps it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from bot.writers.engine import LoraFile
    from knowledge.korean import Analyser
    from knowledge.search import SearchIndex

EXTRACTIVE = "extractive"
NO_LORA = "none"


def name_of(lora: LoraFile | None) -> str:
    """What an answer is stamped with."""
    return lora.name if lora is not None else NO_LORA


@dataclass(frozen=True, slots=True)
class Canary:
    """A candidate that answers some of the conversations beside what answers now."""

    lora: LoraFile | None
    share: float
    """Of the conversations: above 0, below 1."""
    release: int
    """Number of the release: another one draws other conversations."""

    def answers(self, conversation: str) -> bool:
        """Whether this conversation is one of them: always the same for one release."""
        drawn = hashlib.sha256(f"{self.release}:{conversation}".encode("utf-8", "replace")).digest()[:8]
        return int.from_bytes(drawn) < self.share * 2**64


@dataclass(frozen=True, slots=True)
class Live:
    """`writer` is None when no model can be had: answers are then extractive, and `model` says so."""

    index: SearchIndex
    analyser: Analyser
    writer: BaseChatModel | None
    model: str
    lora: LoraFile | None
    """What the writer is told to write with, and hence what answers are stamped with; None: the plain base."""
    prompt: str
    threshold: float
    """Evidence strength below which Saseo declines (knowledge/calibrate.py, or set in config.toml)."""
    canary: Canary | None = None

    def of(self, conversation: str) -> Live:
        """What answers one conversation (or one question outside of any): the canary decided, and gone."""
        if self.canary is None:
            return self
        lora = self.canary.lora if self.canary.answers(conversation) else self.lora
        return replace(self, lora=lora, canary=None)
