"""What a LoRA has learnt from, as its card tells it on any machine: ids of examples and fingerprints of passages, nobody's words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

KEY = "seen"
"""Of the card. Missing: nothing is known (a LoRA that another program trained, or Saseo before it told)."""
_MOST = 1_000_000
"""Entries of either list that are read: a card is an untrusted file."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was learnt, not what was held out."""

    examples: frozenset[str]
    """Ids. Of examples that come with Saseo (replay) there are none, since these are no lineage."""
    passages: frozenset[str]
    """`fingerprint` of each passage that was read, those of the replay included."""

    def as_json(self) -> dict[str, list[str]]:
        """For the card."""
        return {"examples": sorted(self.examples), "passages": sorted(self.passages)}

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Seen | None:
        """None where the card does not say, or not in this form."""
        raw = card.get(KEY)
        if not isinstance(raw, dict):
            return None
        examples, passages = raw.get("examples"), raw.get("passages")
        if not texts(examples) or not texts(passages):
            return None
        return cls(frozenset(examples), frozenset(passages))


def fingerprint(passage: str) -> str:
    """16 hexadecimal characters, the same however its words are spaced."""
    return hashlib.sha256(" ".join(passage.split()).encode()).hexdigest()[:16]


def texts(many: object) -> TypeGuard[list[str]]:
    """Whether it is a list of them."""
    return isinstance(many, list) and len(many) <= _MOST and all(isinstance(one, str) for one in many)


def counts_in(card: Mapping[str, Any]) -> dict[str, int]:
    """How many examples were `learnt`, `held_out` to judge a run by, and how many `replay` chose from: as far as a card tells, which may
    hold anything."""
    told = card.get("examples")
    found = {}
    for part in ("learnt", "held_out", "replay"):
        one = told.get(part) if isinstance(told, Mapping) else None
        count = one.get("count") if isinstance(one, Mapping) else None
        if isinstance(count, int) and count >= 0:
            found[part] = count
    return found
