"""The questions over rnd-manual: well-formed here; true where the pages are, which the project may not carry.

    SASEO_RND_MANUAL=…/rnd-manual pytest tests/benchmarks/test_rnd_manual_questions.py

`near` names the page that an unanswerable question is about, `absent` patterns of what that page would have to say and no page says.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jobs.evaluation_set import load_set

FILE = Path(__file__).parents[2] / "benchmarks" / "data" / "rnd-manual-questions.jsonl"
RAW: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
_WHERE = os.environ.get("SASEO_RND_MANUAL")
needs_pages = pytest.mark.skipif(not _WHERE, reason="SASEO_RND_MANUAL is not set")
_LONGEST_ANSWER = 25
"""Characters: facts, never the pages' text."""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Page → text, NFC, with every run of white space as one space."""
    wiki = Path(str(_WHERE)) / "wiki"
    return {
        unicodedata.normalize("NFC", str(path.relative_to(wiki))): _spaced(path.read_text(encoding="utf-8"))
        for path in wiki.rglob("*.md")
    }


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _squeezed(text: str) -> str:
    """No white space and one kind of middle dot: line breaks of the print fall anywhere."""
    return re.sub(r"\s+", "", re.sub("[･‧∙•ㆍ․]", "·", text))


def test_the_set_is_large_mixed_and_readable() -> None:
    cases = load_set(FILE)
    assert len(cases) >= 120
    assert len({case.id for case in cases}) == len({case.question for case in cases}) == len(cases)
    kinds = Counter(case.kind for case in cases)
    assert kinds["unanswerable"] >= 25
    assert min(kinds[kind] for kind in ("paraphrase", "deadline", "table", "terse", "banmal")) >= 10


def test_answerable_questions_have_short_answers_and_unanswerable_ones_none() -> None:
    for case in load_set(FILE):
        assert bool(case.answers) == bool(case.pages) == case.answerable == (case.kind != "unanswerable"), case.id
        assert all(len(answer) <= _LONGEST_ANSWER for answer in case.answers), case.id


@needs_pages
@pytest.mark.parametrize("raw", [raw for raw in RAW if raw["answerable"]], ids=lambda raw: raw["id"])
def test_every_answer_stands_in_a_gold_page_and_every_gold_page_has_one(
    raw: dict[str, Any], pages: dict[str, str]
) -> None:
    gold = raw.get("pages") or [raw["page"]]
    for answer in raw["answers"]:
        assert any(_spaced(answer) in pages[page] for page in gold), answer
    for page in gold:
        assert any(_spaced(answer) in pages[page] for answer in raw["answers"]), page


@needs_pages
@pytest.mark.parametrize("raw", [raw for raw in RAW if not raw["answerable"]], ids=lambda raw: raw["id"])
def test_what_an_unanswerable_question_asks_stands_nowhere(raw: dict[str, Any], pages: dict[str, str]) -> None:
    assert raw["near"] in pages, "the subject has a page"
    for page, text in pages.items():
        for pattern in raw["absent"]:
            assert not re.search(pattern, _squeezed(text)), (page, pattern)
