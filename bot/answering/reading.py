"""How much of a question is read: what the prompt has room for."""

from __future__ import annotations

from dataclasses import replace

from bot.messages import Question
from bot.small_talk import asks_nothing

LONGEST_QUESTION, LONGEST_TURN, MOST_TURNS = 500, 100, 4
"""Characters of the question and of an earlier one, and how many earlier ones: of a pasted letter the beginning is read."""


def as_read(question: Question) -> Question:
    """On one line, as much as fits into the prompt, and without halves of characters, which no model can take.

    Of the conversation what asks something: thanks and the like would be searched, and stand in the prompt as questions.
    """

    def line(text: str, longest: int) -> str:
        return " ".join(text.encode("utf-8", "replace").decode().split())[:longest]

    turns = [line(turn, LONGEST_TURN) for turn in question.turns if not asks_nothing(turn)]
    return replace(question, text=line(question.text, LONGEST_QUESTION), turns=tuple(filter(None, turns[-MOST_TURNS:])))
