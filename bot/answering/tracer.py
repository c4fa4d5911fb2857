"""Notes down how one answer comes about, while it does. Decides nothing: an answer is the same with and without it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bot.trace import Fate, Reading, Retrieved, Said, Searched, Sentence, Step, Trace

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from bot.answering.excerpts import Excerpt
    from knowledge.search import Found

_DIGITS = 4
_WRITER_STEPS = {"queue": "waited_seconds", "read": "prompt_seconds", "write": "decode_seconds"}


class Tracer:
    """One per question; used by one step at a time."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._searches: list[Searched] = []
        self._sentences: list[Sentence] = []
        self._found: Found | None = None
        self._shown: Sequence[Excerpt] = ()
        self._prompt: tuple[Said, ...] = ()
        self._condensed = ""
        self._turns: tuple[str, ...] = ()
        self._rewritten = False
        self._reused = 0
        self._refusal: float | None = None
        self._attempt = -1

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What happens inside is one step; one that comes again is added up."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._add(name, time.perf_counter() - began)

    def condensed(self, text: str, turns: tuple[str, ...], *, rewritten: bool = False) -> None:
        """What is searched, and the earlier questions that it leans on."""
        self._condensed, self._turns, self._rewritten = text, turns, rewritten or self._rewritten

    def searched(self, text: str, found: Found) -> None:
        """A search ended."""
        evidence = found.evidence
        self._searches.append(
            Searched(
                text,
                _short(evidence.strength),
                _short(evidence.cosine),
                _short(evidence.coverage),
                (_short(found.seconds[0]), _short(found.seconds[1])),
            )
        )
        self._add("embed", found.seconds[0])
        self._add("search", found.seconds[1])

    def kept(self, found: Found, searched: str, turns: tuple[str, ...]) -> None:
        """The search that is gone on with."""
        self._found, self._condensed, self._turns = found, searched, turns

    def excerpted(self, shown: Sequence[Excerpt]) -> None:
        """What the writer is shown."""
        self._shown = shown

    def writes(self, messages: Sequence[BaseMessage]) -> None:
        """The writer is asked, for the first time or again."""
        self._prompt = tuple(Said(message.type, message.text) for message in messages)
        self._attempt += 1

    def wrote(self, figures: Mapping[str, Any]) -> None:
        """The writer's last chunk (bot/writers/base.py)."""
        for step, figure in _WRITER_STEPS.items():
            self._add(step, float(figures.get(figure, 0.0)))
        self._reused = int(figures.get("reused_tokens", 0))
        if "refusal" in figures:
            self._refusal = _short(figures["refusal"])

    def sentence(
        self,
        text: str,
        fate: Fate,
        cites: Sequence[int] = (),
        supports: Sequence[float] = (),
        nearness: float | None = None,
    ) -> None:
        """What became of a sentence. `cites`: places in the excerpts, from 0."""
        self._sentences.append(
            Sentence(
                text,
                fate,
                max(self._attempt, 0),
                tuple(place + 1 for place in cites),
                tuple(_short(support) for support in supports),
                None if nearness is None else _short(nearness),
            )
        )

    def trace(self, *, edition: str, model: str, lora: str, prompt: str, threshold: float, error: str = "") -> Trace:
        """All so far."""
        places = {
            (one.passage.source, one.passage.page, one.passage.number): n for n, one in enumerate(self._shown, start=1)
        }
        found = self._found
        return Trace(
            edition=edition,
            model=model,
            lora=lora,
            prompt_version=prompt,
            threshold=_short(threshold),
            condensed=self._condensed,
            turns=self._turns,
            rewritten=self._rewritten,
            searches=tuple(self._searches),
            understood=tuple(Reading(one.reading, one.written, one.meant) for one in found.understood) if found else (),
            passages=tuple(
                Retrieved(
                    hit.passage.source,
                    hit.passage.page,
                    hit.passage.number,
                    hit.passage.title,
                    " > ".join(hit.passage.heading),
                    _short(hit.score),
                    _short(hit.lexical),
                    _short(hit.dense),
                    _short(hit.coverage),
                    places.get((hit.passage.source, hit.passage.page, hit.passage.number), 0),
                )
                for hit in (found.hits if found else ())
            ),
            prompt=self._prompt,
            sentences=tuple(self._sentences),
            steps=tuple(Step(name, _short(seconds)) for name, seconds in self._seconds.items()),
            reused_tokens=self._reused,
            refusal=self._refusal,
            error=error,
        )

    def _add(self, name: str, seconds: float) -> None:
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds


def _short(number: float) -> float:
    return round(float(number), _DIGITS)
