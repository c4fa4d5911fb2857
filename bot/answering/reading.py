"""How much of a question is read: what the prompt has room for."""

from __future__ import annotations

from dataclasses import replace

from bot.messages import Question

LONGEST_QUESTION, LONGEST_TURN, MOST_TURNS = 500, 100, 4
"""Characters of the question and of an earlier one, and how many earlier ones: of a pasted letter the beginning is read."""


def as_read(question: Question) -> Question:
    """On one line, as much as fits into the prompt, and without halves of characters, which no model can take."""

    def line(text: str, longest: int) -> str:
        return " ".join(text.encode("utf-8", "replace").decode().split())[:longest]

    turns = tuple(line(turn, LONGEST_TURN) for turn in question.turns[-MOST_TURNS:])
    return replace(question, text=line(question.text, LONGEST_QUESTION), turns=tuple(filter(None, turns)))
