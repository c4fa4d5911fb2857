"""The way of one question, step by step: what was searched, found, shown, written, left out, and how long each step took.

Frozen data only, and as JSON for the store. It repeats no page's text but what stands in the prompt; its passages name their
source and page, so that whoever shows it can ask first who may read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Fate = Literal[
    "shown", "quoted", "repeated", "beside", "cut",
    "empty", "refusal", "language", "number", "name", "negation", "support",
]  # fmt: skip
"""Of a sentence: `shown` as written; `quoted` from a page instead of the writer's words; all others are why it was left out
(bot/answering/verify.py; `beside`: true but not about the question; `cut`: the token limit ended it)."""


@dataclass(frozen=True, slots=True)
class Searched:
    """One search. `strength` is compared with the edition's threshold; `seconds`: embedding the question, everything else."""

    text: str
    strength: float
    cosine: float
    coverage: float
    seconds: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """Something that was also searched in other words, and why: glossary, keys, spacing, spelling."""

    reading: str
    written: str
    meant: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage that was found, best first. Scores as in `knowledge.hits.Hit`: fused, lexical and coverage 0..1, dense a cosine."""

    source: str
    page: str
    number: int
    """Of the passage within its page, from 0."""
    title: str
    heading: str
    score: float
    lexical: float
    dense: float
    coverage: float
    shown: int = 0
    """Its number in the prompt, from 1; 0: the writer did not see it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the prompt: `system`, `human` or `ai`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that the writer wrote (or that was quoted instead), and what became of it."""

    text: str
    fate: Fate
    attempt: int
    """0: the first; 1: written again."""
    cites: tuple[int, ...] = ()
    """Numbers of passages in the prompt."""
    supports: tuple[float, ...] = ()
    """Of each passage in the prompt, in its order: the share (0..1) of the sentence's weight that it holds; empty: not looked at."""
    nearness: float | None = None
    """To the question, on the scale of the evidence; None: what follows an answer need not be near."""


@dataclass(frozen=True, slots=True)
class Step:
    """What took how many seconds: `condense`, `embed`, `search`, `excerpts`, `queue`, `read`, `write`, `check`, `quote`."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Trace:
    """All of it. Empty where the question did not come so far."""

    edition: str
    model: str
    lora: str
    prompt_version: str
    threshold: float
    condensed: str = ""
    turns: tuple[str, ...] = ()
    """Earlier questions that this one leans on."""
    rewritten: bool = False
    searches: tuple[Searched, ...] = ()
    understood: tuple[Reading, ...] = ()
    passages: tuple[Retrieved, ...] = ()
    prompt: tuple[Said, ...] = ()
    """As the writer got it, the last time it wrote; empty: none wrote."""
    sentences: tuple[Sentence, ...] = ()
    steps: tuple[Step, ...] = ()
    reused_tokens: int = 0
    """Of the prompt, read for an earlier question."""
    refusal: float | None = None
    """How sure (0..1) a LoRA was of declining, where it wanted to (`[answer] refusal_confidence`); None: it did not, or the base wrote."""
    error: str = ""
    """Name of what went wrong; empty: nothing."""

    @property
    def strength(self) -> float:
        """Of the evidence that was decided on."""
        return max((search.strength for search in self.searches), default=0.0)

    @property
    def shown(self) -> tuple[Retrieved, ...]:
        """The passages in the prompt, in its order."""
        return tuple(sorted((one for one in self.passages if one.shown), key=lambda one: one.shown))

    def as_json(self) -> dict[str, Any]:
        """For the store."""
        return asdict(self)

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Trace:
        """What `as_json` made, also in an earlier version: what it did not know yet is empty."""
        parts: dict[str, Any] = {
            "turns": tuple(data.get("turns", ())),
            "searches": tuple(Searched(**(one | {"seconds": tuple(one["seconds"])})) for one in data["searches"]),
            "understood": tuple(Reading(**one) for one in data["understood"]),
            "passages": tuple(Retrieved(**one) for one in data["passages"]),
            "prompt": tuple(Said(**one) for one in data["prompt"]),
            "sentences": tuple(
                Sentence(**(one | {"cites": tuple(one["cites"]), "supports": tuple(one["supports"])}))
                for one in data["sentences"]
            ),
            "steps": tuple(Step(**one) for one in data["steps"]),
        }
        return cls(**(dict(data) | parts))
