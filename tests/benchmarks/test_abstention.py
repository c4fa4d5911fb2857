"""Declining at other confidences than the one that was asked with."""

from __future__ import annotations

from typing import Any

from benchmarks.abstention import CONFIDENCES, best, curve, declines


def row(number: int, *, answerable: bool, outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "pages": [f"{number}.md"] if answerable else [],
        "answerable": answerable,
        "outcome": outcome,
        "notes": [],
        "span_shown": answerable,
        "refusal": None,
        **more,
    }


def test_what_is_without_evidence_is_declined_at_any_confidence() -> None:
    one = row(1, answerable=False, outcome="abstained", notes=["no_evidence"])
    assert all(declines(one, confidence) for confidence in CONFIDENCES)
    assert not any(declines(row(1, answerable=True, outcome="answered"), confidence) for confidence in CONFIDENCES)


def test_a_refusal_counts_up_to_how_sure_it_was() -> None:
    sure = row(1, answerable=True, outcome="abstained", notes=["writer_refused"], refusal=0.9)
    assert declines(sure, 0.9)
    assert not declines(sure, 0.95)
    held_back = row(2, answerable=True, outcome="answered", notes=["unsure_refusal"], refusal=0.6)
    assert declines(held_back, 0.5)
    assert not declines(held_back, 0.75)


def test_an_answer_that_only_begins_like_the_refusal_is_none() -> None:
    one = row(1, answerable=True, outcome="answered", refusal=0.97)
    assert not any(declines(one, confidence) for confidence in CONFIDENCES)


def test_one_that_was_held_back_and_declined_all_the_same_does_so_at_any_confidence() -> None:
    one = row(1, answerable=True, outcome="abstained", notes=["unsure_refusal", "ungrounded"], refusal=0.6)
    assert all(declines(one, confidence) for confidence in CONFIDENCES)


def test_more_confidence_gains_precision_and_loses_recall() -> None:
    rows = [row(n, answerable=False, outcome="abstained", notes=["no_evidence"]) for n in range(4)]
    rows.append(row(4, answerable=False, outcome="abstained", refusal=0.85))
    rows.append(row(5, answerable=True, outcome="abstained", refusal=0.8))
    rows.append(row(6, answerable=True, outcome="abstained", refusal=0.97, span_shown=False))
    rows += [row(n, answerable=True, outcome="answered") for n in range(7, 20)]
    points = {one["confidence"]: one for one in curve(rows)}
    assert points[0.75]["precision"].value == 5 / 7
    assert points[0.75]["precision_shown"].value == 5 / 6
    assert points[0.85]["precision"].value == 5 / 6
    assert points[0.85]["precision_shown"].value == 1.0
    assert points[0.75]["recall"].value == points[0.85]["recall"].value == 1.0
    assert (points[0.9]["precision"].value, points[0.9]["recall"].value) == (4 / 5, 0.8)
    assert points[0.98]["precision"].value == 1.0
    found = best(curve(rows))
    assert found is not None
    assert found["confidence"] == 0.98  # right in all it declines, and declines four of five
    lost = [*rows, *(row(n, answerable=False, outcome="answered") for n in range(20, 30))]
    assert best(curve(lost)) is None
