"""Question, Answer, Citation, Outcome: all that crosses the door between an adapter and the core. Frozen data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bot.trace import Trace

Language = Literal["ko", "en"]


class Outcome(StrEnum):
    """The one end state of a question."""

    ANSWERED = "answered"
    ABSTAINED = "abstained"
    ESCALATED = "escalated"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asked. `groups`: what the place where the answer is *read* may see; `everyone` is implied."""

    text: str
    id: str
    asker: str = "local"
    groups: frozenset[str] = frozenset()
    turns: tuple[str, ...] = ()
    """Earlier questions of this conversation, oldest first."""
    sources: frozenset[str] = frozenset()
    """Names of the sources that may be used; empty: all of them."""
    language: Language | None = None
    """Of what is said around the answer; None: as configured."""
    conversation: str = ""
    """Its questions are answered by one LoRA as long as a release lasts; empty: the question stands alone."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered source. `quote` is a sentence of the passage, verbatim."""

    n: int
    page: str
    title: str
    url: str | None
    quote: str
    heading: str = ""
    part: str = ""
    """Of a paged file, for a person: the page, slide or sheet, say `12쪽`."""
    source: str = ""
    """The source's name; empty in answers that were kept before it was noted."""

    @property
    def where(self) -> str:
        """Where on the page: the heading, and the part of a paged file."""
        return " · ".join(one for one in (self.heading, self.part) if one)


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds since the question arrived. `first_token` is None when no model wrote."""

    search: float
    first_token: float | None
    total: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the writer read and wrote, in its own tokens."""

    read: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as the writer saw it: what an answer rests on, and what a training example repeats."""

    source: str
    page: str
    number: int
    """Of the passage within its page, from 0."""
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a question. `model` is `extractive` when no model wrote; `lora` is `none` for the plain base."""

    outcome: Outcome
    text: str
    citations: tuple[Citation, ...]
    model: str
    lora: str
    edition: str
    prompt: str
    tokens: Tokens
    seconds: Seconds
    condensed: str = ""
    nearest: tuple[Citation, ...] = ()
    """With an abstention: the pages that come closest."""
    notes: tuple[str, ...] = field(default=())
    """Machine-readable remarks on the way, e.g. `writer_failed`, `rewritten`, `number_removed`."""
    shown: tuple[Shown, ...] = ()
    """The passages in the writer's prompt, in its order."""
    cost_krw: float = 0.0
    """What a paid writer says it cost; a local model costs nothing per answer."""
    leaned: bool = False
    """Whether `condensed` holds an earlier question's words. Not told of answers that were kept before it was noted."""
    tried_model: str = ""
    """What wrote, or broke off, when none of its words could be shown, so that these are quotes; else empty. Missing in answers that
    were kept before it was noted."""
    tried_lora: str = ""
    """Of `tried_model`: `none` for the plain base."""

    @property
    def pages(self) -> frozenset[tuple[str, str]]:
        """(source, page) of everything that it names or rests on; the source is "" where an older answer does not tell."""
        named = ((one.source, one.page) for one in (*self.citations, *self.nearest))
        return frozenset([*named, *((one.source, one.page) for one in self.shown)])

    def as_json(self) -> dict[str, object]:
        """The contract of `saseo ask --json`."""
        cited = [
            {
                "n": c.n,
                "page": c.page,
                "title": c.title,
                "url": c.url,
                "quote": c.quote,
                "heading": c.heading,
                "part": c.part,
            }
            for c in self.citations
        ]
        return {
            "outcome": self.outcome.value,
            "text": self.text,
            "citations": cited,
            "model": self.model,
            "lora": self.lora,
            "edition": self.edition,
            "prompt": self.prompt,
            "tokens": {"in": self.tokens.read, "out": self.tokens.written},
            "cost_krw": self.cost_krw,
            "seconds": {
                "search": round(self.seconds.search, 4),
                "first_token": None if self.seconds.first_token is None else round(self.seconds.first_token, 4),
                "total": round(self.seconds.total, 4),
            },
            "nearest": [{"page": c.page, "title": c.title, "url": c.url, "quote": c.quote} for c in self.nearest],
            "condensed": self.condensed,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Progressed:
    """A step of the flow began: `searching`, `reading`, `writing`, `rewriting`. `detail`: a count for the text."""

    step: str
    detail: int = 0


@dataclass(frozen=True, slots=True)
class Wrote:
    """One more verified sentence of the answer, with the space or line break that precedes it."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every question, exactly one."""

    answer: Answer
    trace: Trace | None = None
    """How it came about, for whoever looks into it later."""


Event = Progressed | Wrote | Finished
