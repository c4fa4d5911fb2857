"""How a question ends: the answer with its stamp, its sources or the nearest pages, and one line in the log."""

from __future__ import annotations

import json
import logging

from bot import texts
from bot.answering.compose import Composed
from bot.answering.excerpts import Excerpt
from bot.answering.extractive import unmarked
from bot.answering.way import State, Way
from bot.live import EXTRACTIVE, NO_LORA, name_of
from bot.messages import Answer, Citation, Finished, Language, Outcome, Question, Seconds, Shown, Tokens
from knowledge.page import Passage
from knowledge.search import Hit

_log = logging.getLogger("saseo.answering")


def answer_of(
    way: Way,
    state: State,
    outcome: Outcome,
    text: str,
    citations: tuple[Citation, ...],
    *,
    composed: Composed | None,
    nearest: tuple[Citation, ...] = (),
    notes: tuple[str, ...],
) -> Answer:
    """Stamped with what wrote it; an answer that no model wrote is stamped so, and with whose words were thrown away."""
    wrote = composed is not None and not composed.extractive
    # A second try comes after words that were thrown away, whatever became of it.
    tried = composed is not None and not wrote and (composed.thrown_away or state["attempt"] > 1)
    return Answer(
        outcome=outcome,
        text=text,
        citations=citations,
        model=way.live.model if wrote else EXTRACTIVE,
        lora=name_of(way.live.lora) if wrote else NO_LORA,
        edition=way.live.index.name,
        prompt=way.live.prompt,
        tokens=composed.tokens if composed else Tokens(),
        seconds=Seconds(state["search_seconds"], composed.first_token if composed else None, way.since()),
        condensed=state["searched"],
        nearest=nearest,
        notes=tuple(dict.fromkeys(notes)),
        shown=tuple(
            Shown(one.passage.source, one.passage.page, one.passage.number, one.text) for one in state.get("shown", ())
        ),
        cost_krw=composed.cost_krw if composed else 0.0,
        leaned=bool(state["turns"]),
        tried_model=way.live.model if tried else "",
        tried_lora=name_of(way.live.lora) if tried else "",
    )


def failed(way: Way, text: str, note: str) -> Finished:
    """The question ends without an answer; `note` says why."""
    answer = Answer(
        outcome=Outcome.FAILED,
        text=text,
        citations=(),
        model=way.live.model,
        lora=name_of(way.live.lora),
        edition=way.live.index.name,
        prompt=way.live.prompt,
        tokens=Tokens(),
        seconds=Seconds(0.0, None, way.since()),
        notes=(note,),
    )
    return Finished(answer, way.trace(answer.model, answer.lora, note))


def citation(n: int, excerpt: Excerpt, quote: str, language: Language) -> Citation:
    """The numbered source that `quote` is from."""
    return _cited(n, excerpt.passage, unmarked(quote), language)


def _cited(n: int, passage: Passage, quote: str, language: Language) -> Citation:
    part = texts.part(passage.page, passage.page_number, language)
    return Citation(
        n, passage.page, passage.title, passage.url, quote, " > ".join(passage.heading), part, passage.source
    )


def nearest_pages(hits: tuple[Hit, ...], most: int, language: Language) -> tuple[Citation, ...]:
    """The first pages of `hits` that are not outdated, each once."""
    pages: dict[tuple[str, str], Citation] = {}
    for hit in hits:
        passage = hit.passage
        if passage.replaced_by is None and len(pages) < most:
            first_line = passage.text.splitlines()[0][:120]
            nearest = _cited(len(pages) + 1, passage, first_line, language)
            pages.setdefault((passage.source, passage.page), nearest)
    return tuple(pages.values())


def record(question: Question, answer: Answer) -> None:
    """One line per question: numbers and names only, never a text."""
    _log.info(
        json.dumps(
            {
                "event": "outcome",
                "question": question.id,
                "outcome": answer.outcome,
                "model": answer.model,
                "lora": answer.lora,
                "edition": answer.edition,
                "prompt": answer.prompt,
                "citations": len(answer.citations),
                "seconds": round(answer.seconds.total, 3),
                "notes": answer.notes,
            }
        )
    )
