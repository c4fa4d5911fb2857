"""What `[answer] refusal_confidence` decides: abstention precision and recall at every value of it, from answers that are there.

    python benchmarks/tuned_answers.py --data DIR --korquad KORQUAD --rnd RND_MANUAL --loras none,starter-1
    python benchmarks/abstention.py --data DIR

Asks nothing: `tuned_answers.py` keeps with every answer how sure the LoRA was of declining (`refusal`, the probability of the first
token where it is that of the refusal). At a confidence c a question is declined if it was without evidence, or if the LoRA wanted
to decline and was at least so sure. What a question would have been answered with that is declined now is not known here; only whether
it would be.

Beside precision as `paired.py` counts it (declining an answerable question is always wrong) stands `precision, shown`: it leaves out the
answerable questions whose gold span was in no shown passage. To decline is the right thing to do there; retrieval failed, not the writer.
`best`: the highest precision at a recall of at least 0.8.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.paired import Estimate, Row, Share, estimate, groups  # noqa: E402 - after the path is set
from benchmarks.tuned_answers import AnswerLog, newest  # noqa: E402

CONFIDENCES = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
RECALL = 0.8
"""What the best precision is looked for at."""


def declines(row: Row, confidence: float) -> bool:
    """Whether this question would be declined at this confidence.

    A LoRA that did not want to decline at once answers, or declines for another reason, at any confidence. One that did and was held
    back did what is on record; one that declined and would be held back is taken to answer.
    """
    sure, held_back = row.get("refusal"), "unsure_refusal" in row["notes"]
    at_once = row["outcome"] == "answered" and not held_back  # an answer may begin with the refusal's first token
    if sure is None or at_once:
        return bool(row["outcome"] == "abstained")
    if sure >= confidence:
        return True
    return bool(row["outcome"] == "abstained" and held_back)


def curve(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """At each confidence: precision, precision where the passage was shown, recall."""
    group = groups(rows)
    return [
        {
            "confidence": confidence,
            "precision": estimate([_precision(row, confidence, shown=False) for row in rows], group),
            "precision_shown": estimate([_precision(row, confidence, shown=True) for row in rows], group),
            "recall": estimate([_recall(row, confidence) for row in rows], group),
        }
        for confidence in CONFIDENCES
    ]


def best(points: Sequence[Mapping[str, Any]], precision: str = "precision") -> Mapping[str, Any] | None:
    """The point of the highest precision among those with enough recall, of equals the one that declines most; None: none has it."""
    enough = [one for one in points if (one["recall"].value or 0.0) >= RECALL and one[precision].value is not None]
    return max(enough, key=lambda one: (one[precision].value, -one["confidence"]), default=None)


def _precision(row: Row, confidence: float, *, shown: bool) -> Share:
    if not declines(row, confidence) or (shown and row["answerable"] and not row["span_shown"]):
        return 0.0, 0.0
    return float(not row["answerable"]), 1.0


def _recall(row: Row, confidence: float) -> Share:
    if row["answerable"]:
        return 0.0, 0.0
    return float(declines(row, confidence)), 1.0


def table(points: Sequence[Mapping[str, Any]]) -> str:
    """Markdown, a row for each confidence."""
    lines = ["| refusal_confidence | precision | precision, shown | recall |", "| --- | --- | --- | --- |"]
    for one in points:
        cells = " | ".join(_cell(one[name]) for name in ("precision", "precision_shown", "recall"))
        lines.append(f"| {one['confidence']:.2f} | {cells} |")
    return "\n".join(lines)


def _cell(one: Estimate) -> str:
    return "–" if one.value is None else f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}] n={one.n}"


def _as_json(one: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {name: value.as_json() if isinstance(value, Estimate) else value for name, value in one.items()}


def main() -> None:
    """A table for each set and LoRA."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with answers.jsonl")
    options = parser.parse_args()
    rows = AnswerLog(options.data / "answers.jsonl").rows
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name in dict.fromkeys(row["set"] for row in rows):
        sides = newest([row for row in rows if row["set"] == name])
        found[name] = {
            side: curve(some)
            for side, some in sides.items()
            if side != "none" and all("refusal" in row for row in some)
        }
    told = {
        name: {
            side: {
                "points": [_as_json(one) for one in points],
                "best": _as_json(best(points)),
                "best_shown": _as_json(best(points, "precision_shown")),
            }
            for side, points in sides.items()
        }
        for name, sides in found.items()
    }
    print(json.dumps(told, ensure_ascii=False))
    for name, curves in found.items():
        for side, points in curves.items():
            print(f"\n## {name}, {side}\n\n{table(points)}")


if __name__ == "__main__":
    main()
