"""Does the wiki say anything about this? Decided on the search's evidence before a word is written."""

from __future__ import annotations

from typing import Literal

from knowledge.search import Evidence

Verdict = Literal["enough", "try_again", "nothing"]


def judge(evidence: Evidence, threshold: float, *, can_rewrite: bool) -> Verdict:
    """`threshold`: of the edition (knowledge/calibrate.py). Below it another wording is tried while there is one."""
    if evidence.strength >= threshold:
        return "enough"
    return "try_again" if can_rewrite else "nothing"
