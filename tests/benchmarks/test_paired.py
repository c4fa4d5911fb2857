"""Figures of two sides: what they count, and that pairs are drawn together."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.paired import MEASURES, best_span_f1, ceiling, compared, difference, estimate, groups, table


def row(number: int, outcome: str = "answered", text: str = "", **changed: Any) -> dict[str, Any]:
    """An answered question over page p<number>, gold `15일`."""
    usual = {
        "id": f"{number:03}",
        "answerable": True,
        "pages": [f"p{number}.md"],
        "answers": ["15일"],
        "outcome": outcome,
        "text": text,
        "cited": [f"p{number}.md"] if outcome == "answered" else [],
        "span_shown": True,
        "model": "m",
        "seconds": 1.0 + number,
        "run": "r1",
    }
    return usual | changed


@pytest.mark.parametrize(
    ("answer", "gold", "wanted"),
    [
        ("연차는 15일입니다.", "15일", 1.0),
        ("연차는 15일입니다.", "5일", 0.8),  # a stretch begins where a word begins: `15일` against `5일`
        ("연차는 없습니다.", "15일", 0.0),
        ("국가연구시설장비진흥센터의 정책기획실에 문의합니다.", "정책기획실", 1.0),
        ("", "15일", 0.0),
    ],
)
def test_the_best_stretch_of_an_answer(answer: str, gold: str, wanted: float) -> None:
    assert best_span_f1(answer, [gold]) == pytest.approx(wanted)


def test_the_best_gold_counts() -> None:
    assert best_span_f1("최대 5일까지 이월합니다.", ["닷새", "최대 5일"]) == 1.0


def test_the_ceiling_is_that_of_the_shortest_polite_sentence() -> None:
    assert ceiling([row(1)]) == pytest.approx(2 * 3 / (3 + 6))
    assert ceiling([row(1, answerable=False, answers=[])]) is None


def test_declining_an_answerable_question_scores_nothing_in_the_texts_and_costs_precision() -> None:
    rows = [
        row(1, text="15일입니다."),
        row(2, "abstained"),
        row(3, "abstained", answerable=False, answers=[], pages=[]),
    ]
    report = compared({"none": rows})["sides"]["none"]["measures"]
    assert report["contains"]["value"] == 0.5
    assert report["abstention_precision"]["value"] == 0.5
    assert report["abstention_recall"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}
    assert report["citation_precision"]["n"] == 1


def test_shown_counts_the_same_questions_for_every_side() -> None:
    base = [row(1, text="15일입니다."), row(2, "failed", span_shown=False), row(3, text="모릅니다.", span_shown=False)]
    tuned = [row(1, text="15일입니다."), row(2, text="15일입니다."), row(3, text="모릅니다.", span_shown=False)]
    sides = compared({"none": base, "lora": tuned})["sides"]
    assert sides["none"]["measures"]["contains, shown"]["n"] == 2  # a failure tells no passages: the other side does
    assert sides["none"]["measures"]["contains, shown"]["value"] == 0.5
    assert sides["lora"]["difference"]["contains, shown"]["value"] == 0.5


def test_seconds_count_only_where_all_sides_were_asked_in_one_run() -> None:
    base = [row(1), row(2, run="yesterday")]
    tuned = [row(1, seconds=5.0), row(2, seconds=50.0)]
    sides = compared({"none": base, "lora": tuned})["sides"]
    assert (sides["none"]["seconds_p50"]["value"], sides["none"]["seconds_p50"]["n"]) == (2.0, 1)
    assert sides["lora"]["seconds_p95"]["value"] == 5.0


def test_only_what_all_sides_answered_is_compared() -> None:
    report = compared({"none": [row(1), row(2)], "lora": [row(2, text="15일입니다."), row(3)]})
    assert report["questions"] == 1
    assert report["sides"]["lora"]["difference"]["contains"]["value"] == 1.0


def test_a_constant_gain_has_an_interval_without_width_though_each_side_varies() -> None:
    base = [(float(number % 2), 1.0) for number in range(40)]
    ours = [(one + 1.0, 1.0) for one, _ in base]
    group = list(range(40))
    assert estimate(base, group).low < estimate(base, group).high  # type: ignore[operator]
    gain = difference(ours, base, group)
    assert (gain.value, gain.low, gain.high) == pytest.approx((1.0, 1.0, 1.0))
    assert gain.n == 40


def test_questions_of_one_page_are_drawn_together() -> None:
    rows = [row(1), row(1, id="b"), row(2), row(3, pages=[], answerable=False), row(4, pages=[], answerable=False)]
    assert groups(rows) == [0, 0, 1, 2, 3]
    alone = estimate([(1.0, 1.0)] * 20 + [(0.0, 1.0)] * 20, list(range(40)))
    together = estimate([(1.0, 1.0)] * 20 + [(0.0, 1.0)] * 20, [0] * 20 + [1] * 20)
    assert (together.low, together.high) == (0.0, 1.0)
    assert alone.low is not None
    assert alone.low > 0.2


def test_the_table_has_a_row_for_every_measure() -> None:
    lines = table(compared({"none": [row(1)], "lora": [row(1, text="15일입니다.")]})).splitlines()
    assert lines[0] == "| measure | none | lora | lora − none |"
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2 : 2 + len(MEASURES)]] == list(MEASURES)
    contains = next(line for line in lines if line.startswith("| contains |"))
    assert contains.endswith("| +1.000 [+1.000, +1.000] n=1 |")
