"""What answers now: edition, writer, LoRA and prompt as one immutable value. A question takes it once and keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.korean import Analyser
from knowledge.search import SearchIndex

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class Live:
    """`writer` is None when no model can be had: answers are then extractive, and `model` says so."""

    index: SearchIndex
    analyser: Analyser
    writer: BaseChatModel | None
    model: str
    lora: str
    prompt: str
    threshold: float
    """Evidence strength below which Saseo declines (knowledge/calibrate.py, or set in config.toml)."""


EXTRACTIVE = "extractive"
NO_LORA = "none"
