"""Votes, corrections and resolved escalations → candidate examples, masked, checked, near-duplicates merged. Pure.

What was said comes from the store, pages from the serving edition; nothing is written here (bot/examples/refresh.py does).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot import prompts
from bot.answering.reading import LONGEST_QUESTION
from bot.answering.verify import MARKS
from bot.examples.example import Evidence, Example, Kind, id_of
from bot.examples.grounding import Grounding
from bot.examples.guards import clusters, numbers
from bot.examples.problems import asked, problems
from bot.live import EXTRACTIVE
from bot.messages import Answer, Outcome, Shown
from bot.store.feedback import Said

LONGEST_ANSWER = 1000
"""Characters of a correction or resolution: what is longer is no answer to one question."""

_MARK = re.compile(r"\[(\d{1,2})\]")


class Masked(Protocol):
    """What masking gives back (bot/examples/masking.py)."""

    @property
    def text(self) -> str:
        """The text with personal data replaced."""


Mask = Callable[[str], Masked]


class Pages(Protocol):
    """The wiki as it is now."""

    def context(self, source: str, page: str, number: int, text: str) -> str | None:
        """Title and headings of the passage that still says `text`; None when none does or not everyone may read the page."""

    def is_open(self, source: str, page: str) -> bool:
        """Whether the page is there and everyone may read it."""


@dataclass(slots=True)
class Candidates:
    """What came of a build."""

    examples: list[Example] = field(default_factory=list)
    up: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By example: everybody who voted for it, near-duplicates included."""
    down: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By example: everybody who voted it down; of the bot's own answers, wherever it said the same."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Why answers gave no example: `page_gone`, `extractive`, `outdated`, `no_passages`, `no_place`, `too_long`."""


def candidates(everything: Sequence[Said], pages: Pages, grounding: Grounding, mask: Mask, *, now: float) -> Candidates:
    """Every example that can be made of what people said."""
    made = Candidates()
    raw = [pair for one in everything for pair in _of_answer(one, pages, made.skipped)]
    hidden = _Hidden(mask)
    masked = [(_marked(_masked(example, hidden, now), grounding), said) for example, said in raw]
    against = _against(masked)
    # One answer in two wordings may be two facts ("15일", "16일"): only the questions may differ.
    for same in clusters(
        masked,
        lambda pair: (pair[0].question,),
        lambda pair: (pair[0].kind, pair[0].answer, pair[0].rejected, pair[0].passages, numbers(pair[0].question)),
    ):
        first = same[0][0]
        example = replace(
            first,
            people=tuple(sorted({person for one, _ in same for person in one.people})),
            origins=tuple(sorted({origin for one, _ in same for origin in one.origins})),
            problems=problems(first, grounding),
        )
        made.examples.append(example)
        made.up[example.id] = tuple(sorted({person for _, said in same for person in said.up}))
        down = {person for _, said in same for person in said.down}
        if example.kind == "liked":
            down |= against[_bare(example)]
        made.down[example.id] = tuple(sorted(down))
    return made


def _against(masked: Iterable[tuple[Example, Said]]) -> dict[str, set[str]]:
    """By what the bot said: everybody who voted it down, whoever asked, in whatever words and over whatever passages.

    Otherwise a few people who ask where nobody else looks (a direct message) would never meet a thumb down. Too many count
    rather than too few: what is left goes to a reviewer.
    """
    found: dict[str, set[str]] = {}
    for example, said in masked:
        if example.kind in ("liked", "disliked"):
            found.setdefault(_bare(example), set()).update(said.down)
    return found


def _bare(example: Example) -> str:
    """The bot's own words, without marks: over other passages the same sentence has others."""
    return MARKS.sub("", example.answer if example.kind == "liked" else example.rejected)


def _of_answer(said: Said, pages: Pages, skipped: Counter[str]) -> Iterator[tuple[Example, Said]]:
    answer = said.kept.answer
    # Cut in two, a number is no number to the mask any more: of such a question nothing is learnt.
    why = _unusable(answer) or ("too_long" if len(_line(said.kept.question)) > LONGEST_QUESTION else "")
    passages = None if why else _evidence(answer.shown, pages)
    own = None if passages is None else _own(answer, passages)
    if passages is None:
        skipped[why or "page_gone"] += 1
        return
    if own is None and (said.up or said.down):
        skipped["no_place"] += 1
    if own is not None and said.up:
        yield _example(said, "liked", passages, said.up, answer=own), said
    if own is not None and said.down:
        yield _example(said, "disliked", passages, said.down, rejected=own), said
    for person, correction in said.corrections:
        yield from _written(said, "corrected", passages, person, correction, own or "", skipped)
    if said.resolution is not None:
        yield from _written(said, "resolved", passages, *said.resolution, "", skipped)


def _written(
    said: Said,
    kind: Kind,
    passages: tuple[Evidence, ...],
    person: str,
    text: str,
    rejected: str,
    skipped: Counter[str],
) -> Iterator[tuple[Example, Said]]:
    line = _line(text)
    if len(line) > LONGEST_ANSWER:
        skipped["too_long"] += 1
        return
    yield _example(said, kind, passages, (person,), answer=line, rejected=rejected), said


def _line(text: str) -> str:
    return " ".join(text.split())


def _unusable(answer: Answer) -> str:
    if not answer.shown:
        return "no_passages"
    if answer.model == EXTRACTIVE and answer.outcome is Outcome.ANSWERED:
        return "extractive"  # quotes under a heading of ours are not how the writer should answer
    return "outdated" if "outdated" in answer.notes else ""


def _evidence(shown: Iterable[Shown], pages: Pages) -> tuple[Evidence, ...] | None:
    found = []
    for one in shown:
        context = pages.context(one.source, one.page, one.number, one.text)
        if context is None:
            return None
        found.append(Evidence(one.source, one.page, one.number, context, one.text))
    return tuple(found)


def _own(answer: Answer, passages: Sequence[Evidence]) -> str | None:
    """What the writer should have written for this answer: marks are places in the prompt, not numbers of the sources."""
    if answer.outcome is Outcome.ABSTAINED:
        return prompts.REFUSAL
    if answer.outcome is not Outcome.ANSWERED:
        return None
    places: dict[int, int] = {}
    for citation in answer.citations:
        for place, passage in enumerate(passages, start=1):
            if passage.page == citation.page and citation.quote in passage.text and place not in places.values():
                places[citation.n] = place
                break
    if any(int(number) not in places for number in _MARK.findall(answer.text)):
        return None
    return _MARK.sub(lambda mark: f"[{places[int(mark[1])]}]", answer.text)


def _example(
    said: Said,
    kind: Kind,
    passages: tuple[Evidence, ...],
    people: Sequence[str],
    *,
    answer: str = "",
    rejected: str = "",
) -> Example:
    kept, made = said.kept, said.kept.answer
    question = _line(kept.question)
    # A follow-up's earlier questions are forgotten when it has been answered: what was searched holds their topic.
    leaned = made.leaned or (made.condensed != question and made.condensed.endswith(question))
    # Words that a person may still change are part of the key: a reviewer's "approve ID" then means the words they have read.
    key = key_of_correction(kept.id, people[0], answer) if kind == "corrected" else id_of(f"{kind}:{kept.id}")
    return Example(
        id=key,
        key=key,  # a hash: who a person is must not stand in a second place
        kind=kind,
        question=made.condensed if leaned else question,
        condensed=made.condensed,
        turns=(),
        passages=passages,
        answer=answer,
        rejected=rejected,
        model=made.model,
        lora=made.lora,
        edition=made.edition,
        prompt=made.prompt,
        asker=kept.asker,
        people=tuple(sorted(set(people))),
        origins=(kept.id,),
    )


def key_of_correction(answer_id: str, person: str, correction: str) -> str:
    """Of the example that this person's correction of this answer becomes. `person`: as rows name them."""
    return id_of(f"corrected:{answer_id}:{person}:{_line(correction)}")


class _Hidden:
    """Masked texts, each worked out once: the same passages stand under many answers."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        if text not in self._known:
            self._known[text] = self._mask(text).text if text else ""
        return self._known[text]


def _marked(example: Example, grounding: Grounding) -> Example:
    """What a person wrote gets the marks of the passages that carry it: theirs, if any, are numbers of the message they saw."""
    if example.kind not in ("corrected", "resolved") or example.answer.strip() == prompts.REFUSAL:
        return example
    bare = MARKS.sub("", example.answer)
    return replace(example, answer=grounding.marked(asked(example), example.passages, bare))


def _masked(example: Example, hidden: Callable[[str], str], now: float) -> Example:
    return replace(
        example,
        question=hidden(example.question),
        condensed=hidden(example.condensed),
        turns=tuple(hidden(turn) for turn in example.turns),
        passages=tuple(replace(one, context=hidden(one.context), text=hidden(one.text)) for one in example.passages),
        answer=hidden(example.answer),
        rejected=hidden(example.rejected),
        made_at=now,
    )
