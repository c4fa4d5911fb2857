"""The regression questions of `[index]`: a set as of `saseo evaluate`, asked of every edition before it may serve."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from jobs.evaluate import evaluate_retrieval
from jobs.evaluation_set import load_set
from knowledge.cache import key_of
from knowledge.edition import Recall
from knowledge.search import SearchIndex


class RegressionQuestions:
    """Those questions of a set that name pages. Obeys `knowledge.build.Regression`."""

    def __init__(self, path: Path) -> None:
        """Raises BadEvaluationSet: said before an hour of indexing, not after it."""
        self._cases = [case for case in load_set(path) if case.answerable and case.pages]

    def recall(self, index: SearchIndex, pages: Collection[str]) -> Recall:
        """As `saseo evaluate --retrieval` measures it, each question asked as its reader."""
        there = set(pages)
        cases = [case for case in self._cases if there & set(case.pages)]
        asked = key_of(json.dumps([case.as_json() for case in cases], ensure_ascii=False))[:16]
        found = evaluate_retrieval(cases, index).measures["recall@5"]
        return Recall(questions=asked, at5=round(found.mean or 0.0, 6), asked=found.n)
