"""A company's own rows → examples: passages looked up where a row names a page, masked, checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Protocol

from bot import prompts
from bot.errors import BadExampleFile
from bot.examples.build import Mask
from bot.examples.example import Evidence, Example, id_of
from bot.examples.formats import Row
from bot.examples.grounding import Grounding
from bot.examples.guards import clusters, numbers
from bot.examples.problems import problems
from bot.jsonl import MOST_TOLD

MOST_PASSAGES, MOST_CHARACTERS = 4, 700
"""Of a page that a row names: about what serving shows (`[answer]`); what carries the answer is always in."""


class NamedPages(Protocol):
    """The wiki by the names people use."""

    def evidence(self, page: str) -> tuple[Evidence, ...]:
        """The passages of a page that everyone may read; empty when there is none."""

    def like(self, page: str) -> str:
        """The name of such a page that is nearest to this one; empty: none is near."""


def merged(looked: Iterable[tuple[Row, Example]], behind: Mapping[str, Example]) -> list[Example]:
    """What `checked` made of each row, in the order of the file; rows that say the same in nearly the same words are one.

    `behind`: examples of the store by the ids that rows have. Whoever stands behind one stands behind what its row becomes, so that
    forgetting, objecting and the most that may rest on one person find the copy, too.
    """
    found: dict[str, Example] = {}
    for row, example in looked:
        known = behind.get(row.id)
        copy = example if known is None else together(example, known)
        found[copy.id] = together(found[copy.id], copy) if copy.id in found else copy
    same = clusters(
        found.values(),
        lambda one: (one.question,),
        lambda one: (one.answer, one.rejected, one.turns, one.passages, numbers(one.question)),
    )
    return [reduce(together, some) for some in same]


def together(one: Example, other: Example) -> Example:
    """`one`, with everybody behind it who stands behind either. It has one asker: another one joins the people."""
    asker = one.asker or other.asker
    people = {*one.people, *other.people, *({other.asker} - {"", asker})}
    origins = {*one.origins, *other.origins}
    return replace(one, asker=asker, people=tuple(sorted(people)), origins=tuple(sorted(origins)))


def name_of(row: Row, example: Example) -> str:
    """What a row is known by: its own id, else that of the example it becomes, which is made from what it says."""
    return row.id or example.id


def checked(
    rows: Sequence[Row], path: Path, pages: NamedPages, grounding: Grounding, mask: Mask, *, now: float
) -> Iterator[Example]:
    """Exactly one per row, masked, with what stands against it.

    Raises BadExampleFile, before the first one, for the rows whose page is not there for everyone.
    """
    _need_pages(rows, path, pages)
    for place, row in enumerate(rows):
        question, answer, passages = row.question, row.answer, row.passages
        if row.page:
            passages, answer = _looked_up(row, pages, grounding)
        if passages:
            question = " ".join(question.split())  # as the prompt has it
        parts = (
            mask(question).text,
            mask(answer).text,
            tuple(mask(turn).text for turn in row.turns),
            tuple(replace(one, context=mask(one.context).text, text=mask(one.text).text) for one in passages),
            mask(row.rejected).text if row.rejected else "",
        )
        # A microsecond apart: what lists and reviews show, oldest first, is then in the order of the file.
        example = _example(*parts, now + place * 1e-6)
        yield replace(example, problems=problems(example, grounding))


def _example(
    question: str, answer: str, turns: tuple[str, ...], passages: tuple[Evidence, ...], rejected: str, now: float
) -> Example:
    key = id_of("imported:" + json.dumps([question, answer, turns, [one.shown for one in passages]]))
    return Example(
        id=id_of(key),
        key=key,
        kind="imported",
        question=question,
        condensed="",
        turns=turns,
        passages=passages,
        answer=answer,
        rejected=rejected,
        prompt=prompts.version(),
        made_at=now,
    )


def _need_pages(rows: Sequence[Row], path: Path, pages: NamedPages) -> None:
    """All of them at once: who has renamed a folder would else mend and start again for every page of it."""
    absent: dict[str, list[int]] = {}
    for row in rows:
        if row.page and (row.page in absent or not pages.evidence(row.page)):
            absent.setdefault(row.page, []).append(row.line)
    if not absent:
        return
    named = list(absent.items())[:MOST_TOLD]
    reason = "; ".join(_absent(page, lines, pages.like(page)) for page, lines in named)
    if len(named) < len(absent):
        reason += f"; 그 밖에 문서 {len(absent) - len(named)}개"
    first = next(iter(absent.values()))[0]
    raise BadExampleFile(path=path, line=first, reason=f"위키에 없거나 모두가 읽을 수는 없는 문서입니다: {reason}")


def _absent(page: str, lines: Sequence[int], like: str) -> str:
    shown = ", ".join(map(str, lines[:MOST_TOLD])) + (", …" if len(lines) > MOST_TOLD else "")
    return f"{page} ({shown}행{f', 비슷한 이름: {like}' if like else ''})"


def _looked_up(row: Row, pages: NamedPages, grounding: Grounding) -> tuple[tuple[Evidence, ...], str]:
    every = pages.evidence(row.page)
    marked = grounding.marked(row.question, every, row.answer)
    carrying = [one for place, one in enumerate(every, start=1) if f"[{place}]" in marked]
    chosen = list(carrying)
    for one in every:
        fits = sum(len(each.text) for each in chosen) + len(one.text) <= MOST_CHARACTERS
        if one not in chosen and (not chosen or (fits and len(chosen) < MOST_PASSAGES)):
            chosen.append(one)
    shown = tuple(one for one in every if one in chosen)
    refused = row.answer.strip() == prompts.REFUSAL
    return shown, row.answer if refused else grounding.marked(row.question, shown, row.answer)
