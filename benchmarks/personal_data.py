"""How much personal data is masked, and how much else: precision and recall per kind on labelled sentences.

    python benchmarks/personal_data.py                              # tests/data/personal_data.jsonl
    python benchmarks/personal_data.py --part held_out              # the sentences that were written after the patterns
    python benchmarks/personal_data.py --misses                     # also every sentence that is not masked as labelled
    python benchmarks/personal_data.py --clean examples/wiki        # also what is masked in pages

A labelled span counts as found when a finding of its kind covers it; `masked at all` counts whatever kind covers it. A finding
that overlaps no labelled span of its kind is wrong. Sentences and patterns have the same authors, so real text does worse; no
sentence is about a real person.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Mask, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=ROOT / "tests" / "data" / "personal_data.jsonl")
    parser.add_argument("--part", choices=["tuned", "held_out"], help="only these sentences")
    parser.add_argument("--misses", action="store_true", help="print the sentences that are not masked as labelled")
    parser.add_argument("--clean", type=Path, help="a folder of Markdown pages; prints what is masked in them")
    chosen = parser.parse_args()
    samples = [json.loads(line) for line in chosen.set.read_text(encoding="utf-8").splitlines() if line]
    samples = [sample for sample in samples if chosen.part in (None, sample["part"])]
    began = time.perf_counter()
    rows = measure(samples, show=chosen.misses)
    seconds = time.perf_counter() - began
    letters = sum(len(sample["text"]) for sample in samples)
    print(json.dumps({"sentences": len(samples), "characters_per_second": round(letters / seconds), "kinds": rows}))
    print("| kind | labelled | found | masked at all | wrong | recall | precision |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, row in rows.items():
        recall = row["found"] / row["labelled"] if row["labelled"] else 1.0
        right = row["findings"] - row["wrong"]
        precision = right / row["findings"] if row["findings"] else 1.0
        print(
            f"| {kind} | {row['labelled']} | {row['found']} | {row['masked']} | {row['wrong']} "
            f"| {recall:.3f} | {precision:.3f} |"
        )
    if chosen.clean:
        _in_pages(chosen.clean)


def measure(samples: list[dict[str, Any]], show: bool = False) -> dict[str, dict[str, int]]:
    """Counts per kind, and in all."""
    from bot.examples.masking import mask
    from bot.examples.personal_kinds import PersonalKind

    counts: Counter[tuple[str, str]] = Counter()
    for sample in samples:
        masked = mask(sample["text"])
        good = True
        for span in sample["personal"]:
            covering = {one.kind for one in masked.found if one.start <= span["start"] and one.end >= span["end"]}
            counts[span["kind"], "labelled"] += 1
            counts[span["kind"], "found"] += span["kind"] in covering
            counts[span["kind"], "masked"] += bool(covering)
            good &= span["kind"] in covering
        for one in masked.found:
            right = any(
                span["kind"] == one.kind and one.start < span["end"] and span["start"] < one.end
                for span in sample["personal"]
            )
            counts[one.kind, "findings"] += 1
            counts[one.kind, "wrong"] += not right
            good &= right
        if show and not good:
            print(f"{sample['text']!r}\n  → {masked.text!r}", file=sys.stderr)
    names = ("labelled", "found", "masked", "findings", "wrong")
    rows = {kind.value: {name: counts[kind, name] for name in names} for kind in PersonalKind}
    rows["all"] = {name: sum(row[name] for row in rows.values()) for name in names}
    return rows


def _in_pages(folder: Path) -> None:
    from bot.examples.masking import mask

    letters, found = 0, Counter[str]()
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        letters += len(text)
        for one in mask(text).found:
            found[f"{one.kind}: {text[one.start : one.end]}"] += 1
    print(f"\n{letters} characters of pages:")
    for what, times in sorted(found.items()):
        print(f"{times:5} {what}")


if __name__ == "__main__":
    main()
