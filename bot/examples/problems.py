"""Why an example may not be learnt as it is: the one place that joins the check of the answer with what masking left behind.

A placeholder in the answer ("문의는 [이메일]로 하십시오") would teach the model to say `[이메일]` to people instead of the address that
the page gives. A question that says next to nothing without its placeholders ("[이름] 좀") teaches nothing. A placeholder in a
passage, or beside other words of a question, does no harm: the answer does not rest on it.
"""

from __future__ import annotations

import re

from bot.examples.example import Example
from bot.examples.grounding import Grounding
from bot.examples.personal_kinds import PLACEHOLDER

_WORD = re.compile(r"[가-힣]{2,}|[A-Za-z]{2,}")
_FEWEST_WORDS = 2
"""Beside its placeholders, a question needs this many words of two letters or more to ask something."""


def problems(example: Example, grounding: Grounding) -> tuple[str, ...]:
    """As keys (`bot/examples/review.py` has the phrases); empty: a reviewer may approve it.

    `masked_answer`, `masked_question`, and those of `grounding`. A thumb down says what not to write: there is nothing to check until
    a reviewer writes an answer for it. Own data without passages claims no page: a company's own instructions, which the reviewer
    vouches for. A refusal has no problem either, right or wrong; so an import never approves one with the rest (`workbench.py`).
    """
    if example.kind == "disliked" and not example.answer.strip():
        return ()
    claims_no_page = example.kind == "imported" and not example.passages and bool(example.answer.strip())
    found = () if claims_no_page else grounding.problems(asked(example), example.passages, example.answer)
    return (*found, *placeholders(example.question, example.answer))


def placeholders(question: str, answer: str) -> tuple[str, ...]:
    """`masked_answer`, `masked_question`, both or neither."""
    found = ["masked_answer"] if PLACEHOLDER.search(answer) else []
    if PLACEHOLDER.search(question) and len(_WORD.findall(PLACEHOLDER.sub(" ", question))) < _FEWEST_WORDS:
        found.append("masked_question")
    return tuple(found)


def asked(example: Example) -> str:
    """The question as the check of an answer sees it."""
    return f"{example.question} {example.condensed}".strip()
