"""How often the little text the writer is shown holds the answer at all: the ceiling of any writer, by its budget.

    python benchmarks/evidence.py                                        # the demo wiki and its questions
    python benchmarks/evidence.py KORQUAD/wiki --budgets 300 400 550 700 900

No writer takes part. An index is built by `saseo index` in a temporary data directory; each answerable question is condensed,
searched and cut as the flow does it. Counted, over all questions and by kind: a gold span occurs in the shown text (of questions over
two pages: all spans).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Index, search, cut, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wiki", nargs="?", type=Path, default=ROOT / "examples" / "wiki", help="a folder of pages")
    parser.add_argument("--set", type=Path, help="default: questions.jsonl beside the wiki folder")
    parser.add_argument("--budgets", nargs="+", type=int, default=[300, 400, 550, 700, 900], help="characters")
    parser.add_argument("--passages", type=int, default=4, help="at most so many excerpts")
    chosen = parser.parse_args()
    questions = (chosen.set or chosen.wiki / ".." / "questions.jsonl").resolve()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        wiki = json.dumps(str(chosen.wiki.resolve()), ensure_ascii=False)
        config.write_text(f'data_dir = "var"\n[[sources]]\nname = "wiki"\npath = {wiki}\n', encoding="utf-8")
        subprocess.run(
            [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), "index"], check=True, stdout=sys.stderr
        )
        rows = _measure(config, questions, chosen.budgets, chosen.passages)
    print(json.dumps(rows, ensure_ascii=False))
    print(
        "| budget, characters | shown, characters (mean) | shown text holds the answer | n |\n| --- | --- | --- | --- |"
    )
    for row in rows:
        print(f"| {row['budget']} | {row['shown']:.0f} | {_shown(row['holds_the_answer'])} |")
    print("\n| budget, characters | kind of question | shown text holds the answer | n |\n| --- | --- | --- | --- |")
    for row in rows:
        for kind, held in row["kinds"].items():
            print(f"| {row['budget']} | {kind} | {_shown(held)} |")


def _shown(held: dict[str, Any]) -> str:
    return f"{held['mean']:.3f} [{held['low']:.3f}, {held['high']:.3f}] | {held['n']}"


def _measure(config: Path, questions: Path, budgets: list[int], passages: int) -> list[dict[str, Any]]:
    from bot.answering.condense import condense
    from bot.answering.excerpts import excerpts
    from bot.app import Root
    from jobs.evaluation_set import load_set
    from jobs.metrics import bootstrap, contains, contains_all
    from knowledge.page import reader_of

    index = Root(config).wiki.open_index(None)
    found = []
    for case in load_set(questions):
        if case.answerable and case.answers:
            reader = reader_of(case.groups)
            rarity = index.rarity(reader)
            searched, _ = condense(" ".join(case.question.split()), case.turns, index.analyser, idf=rarity)
            found.append((case, searched, index.search(searched, reader, 2 * passages + 4).hits, rarity))
    rows = []
    for budget in budgets:
        held, lengths, kinds = [], [], dict[str, list[float]]()
        for case, searched, hits, rarity in found:
            shown = excerpts(searched, hits, index.analyser, rarity, most=passages, characters=budget)
            text = "\n".join(one.shown for one in shown)
            held.append((contains_all if len(case.pages) > 1 else contains)(text, case.answers))
            kinds.setdefault(case.kind or "any", []).append(held[-1])
            lengths.append(len(text))
        mean = sum(lengths) / len(lengths)
        by_kind = {kind: bootstrap(some).as_json() for kind, some in sorted(kinds.items())}
        rows.append({"budget": budget, "shown": mean, "holds_the_answer": bootstrap(held).as_json(), "kinds": by_kind})
    return rows


if __name__ == "__main__":
    main()
