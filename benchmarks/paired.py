"""Answers of several sides to the same questions → figures, intervals and paired differences. Pure; used by other benchmarks.

How an answer in sentences is compared with a short gold span. Saseo answers in whole polite sentences, a gold answer is a number or a
name; no single figure is fair to both, so several stand beside each other, and every side is scored by the same code:

* `character_f1` – KorQuAD 1.0's, whole answer against the span. Low by nature: of a span of five characters even the shortest polite
  sentence ("…입니다") cannot get 1. `ceiling` says what that shortest sentence would get on these very questions, so that 0.75 can be read.
* `best_span_f1` – F1 of the stretch of the answer that fits best (it begins where a word begins; a particle at its end costs nothing). What
  a reader gets who looks for the answer in the sentence. It forgives length: a side that copied whole passages would win it.
* `contains` – a gold span stands in the answer, no number cut in two. The strictest of the forgiving ones.
* `characters` – length of the given answers, so that nobody wins the two above by talking much.
* `exact_match` – the whole answer is the span; next to nothing for sentences.

An answerable question that was declined or failed scores 0 in all of them. The suffix `, shown` counts only questions where a gold span
stood in a shown passage of a gold page: retrieval does not depend on the LoRA, so these are the same questions for every side.

Seconds count only where all sides were asked in one run. Every other measure is Σ numerators / Σ denominators over questions; intervals
are 2.5th and 97.5th percentiles of a bootstrap that draws pages with all their questions (questions over one page rise and fall
together), and differences draw both sides at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs import metrics

ROUNDS = 2000
Share = tuple[float, float]
"""(numerator, denominator) of one question; (0, 0): it does not count for this measure."""
Row = Mapping[str, Any]
"""One answered question, as `benchmarks/tuned_answers.py` keeps it."""
_NOTHING: Share = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval over `n` questions; None where there was nothing to count."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def as_json(self) -> dict[str, float | int | None]:
        """Rounded to four digits."""
        rounded = {
            name: None if (x := getattr(self, name)) is None else round(x, 4) for name in ("value", "low", "high")
        }
        return {**rounded, "n": self.n}


def best_span_f1(answer: str, golds: Sequence[str]) -> float:
    """KorQuAD's character F1 of the stretch that fits best: from the beginning of a word to any character, best of the golds."""
    words = metrics.normalise_answer(answer).split()
    best = 0.0
    for gold in golds:
        wanted = metrics.normalise_answer(gold).replace(" ", "")
        for first in range(len(words)):
            # Beyond twice the gold's length F1 only falls.
            text = "".join(words[first:])[: 2 * len(wanted)]
            for end in range(1, len(text) + 1):
                best = max(best, metrics.character_f1(text[:end], [wanted]))
            if best == 1.0:
                return best
    return best


def ceiling(rows: Sequence[Row]) -> float | None:
    """Mean `character_f1` of the shortest polite sentence over the first gold span: what a whole-sentence answer can hope for."""
    golds = [row["answers"] for row in rows if row["answerable"] and row["answers"]]
    scores = [metrics.character_f1(f"{answers[0]}입니다.", answers) for answers in golds]
    return sum(scores) / len(scores) if scores else None


def _text(score: Callable[[str, Sequence[str]], float], *, shown: bool) -> Callable[[Row], Share]:
    def share(row: Row) -> Share:
        if not row["answerable"] or not row["answers"] or (shown and not row["span_shown"]):
            return _NOTHING
        return score(row["text"], row["answers"]), 1.0

    return share


def _contains(text: str, golds: Sequence[str]) -> float:
    return metrics.contains(text, golds)


def _cited(row: Row) -> Share:
    if not (row["answerable"] and row["pages"] and row["outcome"] == "answered" and row["cited"]):
        return _NOTHING
    return metrics.page_precision(row["cited"], row["pages"]), 1.0


def _characters(row: Row) -> Share:
    return (float(len(row["text"])), 1.0) if row["outcome"] == "answered" else _NOTHING


def _declined_rightly(row: Row) -> Share:
    said = row["outcome"] == "abstained"
    return float(said and not row["answerable"]), float(said)


def _declined_of_unanswerable(row: Row) -> Share:
    truth = not row["answerable"]
    return float(truth and row["outcome"] == "abstained"), float(truth)


MEASURES: dict[str, Callable[[Row], Share]] = {
    "exact_match": _text(metrics.exact_match, shown=False),
    "character_f1": _text(metrics.character_f1, shown=False),
    "best_span_f1": _text(best_span_f1, shown=False),
    "contains": _text(_contains, shown=False),
    "character_f1, shown": _text(metrics.character_f1, shown=True),
    "best_span_f1, shown": _text(best_span_f1, shown=True),
    "contains, shown": _text(_contains, shown=True),
    "citation_precision": _cited,
    "abstention_precision": _declined_rightly,
    "abstention_recall": _declined_of_unanswerable,
    "characters": _characters,
}


def groups(rows: Sequence[Row]) -> list[int]:
    """A number for each question: the same where `group` is, or else the first gold page; a question without either stands alone."""
    numbers: dict[str, int] = {}
    keys = [
        row.get("group") or (f"page {row['pages'][0]}" if row["pages"] else f"question {row['id']}") for row in rows
    ]
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def estimate(shares: Sequence[Share], group: Sequence[int], *, seed: int = 0) -> Estimate:
    """One side's figure."""
    above, below = _summed(shares, group)
    if not below.sum():
        return Estimate(None, None, None, 0)
    drawn = _ratios(above, below, _draws(len(above), seed))
    low, high = np.percentile(drawn, [2.5, 97.5])
    counted = sum(share[1] > 0 for share in shares)
    return Estimate(float(above.sum() / below.sum()), float(low), float(high), counted)


def difference(ours: Sequence[Share], base: Sequence[Share], group: Sequence[int], *, seed: int = 0) -> Estimate:
    """`ours` − `base`, both drawn at once; each counts its own questions (those that it answered, say), `n` those that count for both.

    None where a side has nothing to count.
    """
    (a, b), (c, d) = _summed(ours, group), _summed(base, group)
    if not b.sum() or not d.sum():
        return Estimate(None, None, None, 0)
    draws = _draws(len(a), seed)
    usable = [one for one in draws if b[one].sum() and d[one].sum()]
    drawn = _ratios(a, b, usable) - _ratios(c, d, usable)
    low, high = np.percentile(drawn, [2.5, 97.5])
    counted = sum(one[1] > 0 and other[1] > 0 for one, other in zip(ours, base, strict=True))
    return Estimate(float(a.sum() / b.sum() - c.sum() / d.sum()), float(low), float(high), counted)


def percentile(values: Sequence[float], which: float, *, seed: int = 0) -> Estimate:
    """A percentile of times, its interval by drawing questions."""
    if not values:
        return Estimate(None, None, None, 0)
    array = np.asarray(values, dtype=np.float64)
    drawn = [np.percentile(array[one], which) for one in _draws(len(array), seed)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(np.percentile(array, which)), float(low), float(high), len(array))


def compared(
    sides: Mapping[str, Sequence[Row]], measures: Mapping[str, Callable[[Row], Share]] = MEASURES
) -> dict[str, Any]:
    """Every measure of every side and its difference from the first one, over the questions that all sides answered, in one order."""
    common = set.intersection(*({row["id"] for row in rows} for rows in sides.values()))
    shown = {row["id"] for rows in sides.values() for row in rows if row["span_shown"]}  # a failure tells no passages
    kept = {
        name: [{**row, "span_shown": row["id"] in shown} for row in sorted(rows, key=_id) if row["id"] in common]
        for name, rows in sides.items()
    }
    first = next(iter(kept))
    timed = _of_one_run(kept)
    group = groups(kept[first])
    report: dict[str, Any] = {"questions": len(common), "sides": {}}
    if "best_span_f1" in measures:  # golds are spans
        report["ceiling_character_f1"] = ceiling(kept[first])
    shares = {name: {m: [share(row) for row in rows] for m, share in measures.items()} for name, rows in kept.items()}
    for name, rows in kept.items():
        seconds = [row["seconds"] for row in rows if row["outcome"] != "failed" and row["id"] in timed]
        report["sides"][name] = {
            "outcomes": {o: sum(row["outcome"] == o for row in rows) for o in ("answered", "abstained", "failed")},
            "quotes": sum(row["outcome"] == "answered" and row["model"] == "extractive" for row in rows),
            "measures": {m: estimate(some, group).as_json() for m, some in shares[name].items()},
            "seconds_p50": percentile(seconds, 50).as_json(),
            "seconds_p95": percentile(seconds, 95).as_json(),
        }
        if name != first:
            report["sides"][name]["difference"] = {
                m: difference(some, shares[first][m], group).as_json() for m, some in shares[name].items()
            }
    return report


def table(report: Mapping[str, Any]) -> str:
    """Markdown: a row for each measure, a column for each side, then its difference from the first side."""
    sides = report["sides"]
    names = list(sides)
    header = [*names, *(f"{name} − {names[0]}" for name in names[1:])]
    lines = [f"| measure | {' | '.join(header)} |", "| --- " * (len(header) + 1) + "|"]
    for measure in sides[names[0]]["measures"]:
        cells = [_cell(sides[name]["measures"][measure]) for name in names]
        cells += [_cell(sides[name]["difference"][measure], sign="+") for name in names[1:]]
        lines.append(f"| {measure} | {' | '.join(cells)} |")
    for key in ("seconds_p50", "seconds_p95"):
        lines.append(f"| {key} | {' | '.join([*(_cell(sides[n][key]) for n in names), *[''] * (len(names) - 1)])} |")
    for name in names:
        lines.append(f"\n{name}: {sides[name]['outcomes']}, of the answers {sides[name]['quotes']} are quotes")
    top = report.get("ceiling_character_f1")
    if top is not None:
        lines.append(f"\nceiling of character_f1 for the shortest polite sentence: {top:.3f}")
    return "\n".join(lines)


def _of_one_run(sides: Mapping[str, Sequence[Row]]) -> set[str]:
    """Ids of the questions that all sides answered in one run: times of another day or load say nothing about a side."""
    runs: dict[str, set[str]] = {}
    for rows in sides.values():
        for row in rows:
            runs.setdefault(row["id"], set()).add(row["run"])
    return {name for name, seen in runs.items() if len(seen) == 1}


def _id(row: Row) -> str:
    return str(row["id"])


def _cell(raw: Mapping[str, Any], sign: str = "") -> str:
    if raw["value"] is None:
        return "–"
    return f"{raw['value']:{sign}.3f} [{raw['low']:{sign}.3f}, {raw['high']:{sign}.3f}] n={raw['n']}"


def _summed(shares: Sequence[Share], group: Sequence[int]) -> tuple[Any, Any]:
    count = max(group, default=-1) + 1
    above, below = np.zeros(count), np.zeros(count)
    for (numerator, denominator), number in zip(shares, group, strict=True):
        above[number] += numerator
        below[number] += denominator
    return above, below


def _draws(count: int, seed: int) -> list[Any]:
    generator = np.random.default_rng(seed)
    return [generator.integers(count, size=count) for _ in range(ROUNDS)]


def _ratios(above: Any, below: Any, draws: Sequence[Any]) -> Any:
    return np.asarray([above[one].sum() / total for one in draws if (total := below[one].sum())])
