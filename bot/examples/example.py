"""A training example: the exact parts of a prompt, the answer to learn, and who stands behind it. Frozen data only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

State = Literal["pending", "approved", "rejected"]
Kind = Literal["liked", "disliked", "corrected", "resolved", "imported", "synthetic"]
"""`liked`, `disliked`: the bot's own answer with a thumb. `corrected`: a person wrote what would be right. `resolved`: a called
person answered, with consent. `imported`: a company's own data. `synthetic`: made from the wiki."""

AUTOMATIC = "auto"
"""`decided_by` of what the configured rule decided, not a person."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage as the writer sees it. `source` is empty where the text is no page of the wiki (imported data)."""

    source: str
    page: str
    number: int
    context: str
    """Title and headings: the line above the text."""
    text: str

    @property
    def shown(self) -> str:
        """As in the prompt, without its number."""
        return f"{self.context}\n{self.text}" if self.context else self.text


@dataclass(frozen=True, slots=True)
class Example:
    """One row of `examples`. Texts are masked before they get here."""

    id: str
    """16 hexadecimal characters, made from `key`."""
    key: str
    """Where it comes from: the same origin is the same example, however often it is built."""
    kind: Kind
    question: str
    """As it stands in the prompt."""
    condensed: str
    """What was searched; empty for imported data."""
    turns: tuple[str, ...]
    passages: tuple[Evidence, ...]
    answer: str
    """To be learnt, its marks being places in `passages` from 1. Empty for `disliked`."""
    rejected: str
    """The bot's answer that was voted down; empty: none."""
    model: str = ""
    lora: str = ""
    edition: str = ""
    prompt: str = ""
    asker: str = ""
    """The pseudonym of who asked the question; empty: nobody."""
    people: tuple[str, ...] = ()
    """Pseudonyms of everyone whose vote or correction made it, sorted. Of `imported`: of the examples that its rows were exported from,
    further askers included."""
    origins: tuple[str, ...] = ()
    """Ids of the answers it was made from, near-duplicates included."""
    problems: tuple[str, ...] = ()
    """Why it cannot be approved as it is (bot/examples/grounding.py)."""
    state: State = "pending"
    made_at: float = 0.0
    decided_at: float | None = None
    decided_by: str = ""
    """Empty while nobody decided; `auto`: the configured rule."""

    @property
    def reviewed(self) -> bool:
        """A person decided."""
        return self.decided_by not in ("", AUTOMATIC)


def id_of(key: str) -> str:
    """The id of the example with this key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]
