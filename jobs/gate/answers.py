"""One side's answer to one question, as it is kept on disk, and the stamp of what made it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.messages import Outcome


@dataclass(frozen=True, slots=True)
class Stamp:
    """All that an answer depends on beside the question. A change of any part is another stamp: nothing old counts any more."""

    base: str
    """SHA-256 of the GGUF."""
    lora: str
    """SHA-256 of the LoRA's file, or `none`."""
    edition: str
    prompt: str
    dials: str = ""
    """Whatever else is turned: lengths, thresholds, temperature, the glossary, what search legs count, the program's version."""

    @property
    def without_edition(self) -> Stamp:
        """Of answers over given passages: a new edition of the wiki does not touch them."""
        return dataclasses.replace(self, edition="")

    @property
    def digest(self) -> str:
        """16 hexadecimal characters."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, str]:
        """Its five parts."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Stamp:
        """What `as_json` gave."""
        return cls(**raw)


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What came of one question. No page's text is in it."""

    outcome: Outcome
    text: str = ""
    """The answer's own words, without marks; empty where there is no answer."""
    cited: tuple[str, ...] = ()
    """Pages, or numbers of given passages, once each."""
    notes: tuple[str, ...] = ()
    """As `bot.messages.Answer.notes`."""
    written: int = 0
    """Tokens."""
    first_token: float | None = None
    total: float | None = None
    """Seconds."""
    run: str = ""
    """Which run of the gate asked."""

    def as_json(self) -> dict[str, object]:
        """One line of the kept answers, but for its key."""
        return {**dataclasses.asdict(self), "outcome": self.outcome.value}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> GateAnswer:
        """What `as_json` gave. Raises KeyError, TypeError or ValueError for anything else."""
        many = {key: tuple(raw[key]) for key in ("cited", "notes")}
        known = {one.name for one in dataclasses.fields(cls)}
        return cls(**{key: raw[key] for key in known} | many | {"outcome": Outcome(raw["outcome"])})
