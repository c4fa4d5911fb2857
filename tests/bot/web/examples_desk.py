"""A console page of examples over the small wiki, with the real check and the real mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.examples.example import Evidence, Example, id_of
from bot.examples.grounding import SentenceGrounding
from bot.examples.guards import Rules
from bot.examples.masking import mask
from bot.examples.pages import EditionPages
from bot.examples.workbench import Workbench
from bot.store import examples
from bot.store.database import Store
from bot.web.bench import ServingBench
from bot.web.page import Page
from bot.web.pages.review import ReviewParts, review
from knowledge.search import SearchIndex

NOW = 1_790_000_000.0
LEAVE, LEAVE_WRONG = "연차는 1년에 15일을 줍니다. [1]", "연차는 1년에 30일을 줍니다. [1]"


def evidence(index: SearchIndex, page: str) -> tuple[Evidence, ...]:
    """A page's passages as the writer would see them."""
    return tuple(
        Evidence(one.source, one.page, one.number, one.context, one.text)
        for one in index.edition.passages
        if one.page == page
    )


def add(store: Store, index: SearchIndex, name: str, **changes: Any) -> Example:
    """One that waits, about leave; `page` names another page."""
    page = changes.pop("page", "휴가.md")
    number = float(changes.pop("number", 0))
    values: dict[str, Any] = {
        "kind": "synthetic",
        "question": f"연차는 며칠입니까? ({name})",
        "condensed": "연차는 며칠입니까?",
        "turns": (),
        "passages": evidence(index, page),
        "answer": LEAVE,
        "rejected": "",
        "lora": "none",
        "made_at": NOW + number,
    }
    made = Example(id=id_of(name), key=name, **values | changes)
    store.run_now(examples.add, made)
    return made


def review_page(store: Store, index: SearchIndex, *, learning: bool = True) -> Page:
    def make(opened: SearchIndex) -> Workbench:
        grounding = SentenceGrounding(opened.analyser, opened.edition.morphemes.idf)
        pages = EditionPages(opened.edition.passages)
        ticks = iter(range(10_000))
        return Workbench(store, pages, grounding, mask, Rules(), lambda: NOW + next(ticks), learning)

    return review(ReviewParts(store, ServingBench(make, lambda: index)))


def states(store: Store, ids: Sequence[str]) -> list[str]:
    """Of examples, by their ids."""
    found = [store.run_now(examples.get, one) for one in ids]
    return [one.state if one is not None else "gone" for one in found]
