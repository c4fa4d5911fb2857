"""A passage → its facts. Pure but for Kiwi."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.examples.synthesis import page_facts, sentence_facts, table_facts, topics
from bot.examples.synthesis.fact import Fact
from bot.examples.synthesis.wording import Wording
from knowledge.page import Passage
from knowledge.sentences import sentences

_HISTORY = re.compile(r"변경 이력|개정 이력|변경 내역|회의록|연혁")


def facts_of(passage: Passage, wording: Wording) -> Iterator[Fact]:
    """In the order in which they stand."""
    lines, headings, places = _with_topics(passage)
    yield from table_facts.facts(passage, lines)
    yield from sentence_facts.facts(passage, lines, wording)
    yield from page_facts.faq(passage, lines, wording, places)
    yield from page_facts.steps(passage, lines, wording, headings)


def _with_topics(passage: Passage) -> tuple[list[tuple[str, str]], list[str], list[int]]:
    """Every sentence with its topic; the heading that each stands under; the number of its line.

    Small sections share a passage, each below its own heading line, which is told from a sentence by having no ending.
    """
    title = topics.of_title(passage.title)
    heading = passage.heading[-1] if passage.heading else ""
    lines: list[tuple[str, str]] = []
    headings: list[str] = []
    places: list[int] = []
    blocks = passage.text.split("\n")
    for place, block in enumerate(blocks):
        if _is_heading(block, blocks[place - 1] if place else "", blocks[place + 1] if place + 1 < len(blocks) else ""):
            heading = block.strip()
            continue
        if _HISTORY.search(heading):
            continue
        topic = topics.joined(title, topics.of_heading(heading))
        for sentence in sentences(block):
            lines.append((sentence, topic if len(topic) <= 24 else title))
            headings.append(heading)
            places.append(place)
    return lines, headings, places


def _is_heading(line: str, above: str, below: str) -> bool:
    text = line.strip()
    if not text or len(text) > 30 or above.strip() or " | " in text or text[-1] in ".?!:다":
        return False
    return bool(below.strip()) and not re.match(r"[-*•\d]", text)
