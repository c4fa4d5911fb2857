"""Where "the wiki does not say" begins, measured on this very edition at publishing time.

Cosines of E5 hardly spread and differ from wiki to wiki, so a fixed threshold never fits. Questions about anything but
the company (`data/off_topic_ko.txt`) are searched in the new edition; answering starts above nearly all of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from knowledge.page import reader_of
from knowledge.search import SearchIndex

OFF_TOPIC_QUANTILE = 0.95


def off_topic_questions() -> list[str]:
    """The questions of `data/off_topic_ko.txt`."""
    text = (Path(__file__).parent / "data" / "off_topic_ko.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def calibrate(index: SearchIndex) -> dict[str, float]:
    """`threshold`: the evidence strength that 95 % of off-topic questions stay below; `median`, `highest` beside it."""
    # As somebody who may read everything: a wiki without open pages has a threshold too.
    clauses = (clause for passage in index.edition.passages for clause in passage.audience.clauses)
    reader = reader_of(group for clause in clauses for group in clause)
    strengths = [index.search(question, reader, k=3).evidence.strength for question in off_topic_questions()]
    return {
        "threshold": round(float(np.quantile(strengths, OFF_TOPIC_QUANTILE)), 4),
        "median": round(float(np.median(strengths)), 4),
        "highest": round(float(max(strengths)), 4),
    }
