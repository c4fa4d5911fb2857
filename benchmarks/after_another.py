"""What a conversation does to a question that the wiki cannot answer: is it let through to the writer after another question?

    python benchmarks/after_another.py [--data-dir DIR] [--each 4]

Each unanswerable question of `examples/questions.jsonl` is put after `--each` questions that have nothing to do with it, drawn with a fixed
seed, and condensed, searched and judged as the flow does it. No model writes. Counted are those that go to the writer leaning on the
earlier question, as they are short or point back, and those whose own search tells too little, so that it is added: how many the bare
strength of that second search would let through, and how many are left where what it found must be about the question, too
(`still_about`). The answerable follow-ups of the set are counted beside them: whom the rule costs
something. One line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.served import Service  # noqa: E402 - a script finds the rooms only after the line above
from bot.answering.condense import condense, may_stand_alone, names_only_unknown, still_about  # noqa: E402
from bot.answering.judge import judge  # noqa: E402
from bot.app import Root  # noqa: E402
from jobs.evaluation_set import Case, load_set  # noqa: E402
from knowledge.page import reader_of  # noqa: E402
from knowledge.search import SearchIndex  # noqa: E402

FOUND = 12
"""Passages that the flow asks for with its default of four shown."""
OWN, LEANING, NOTHING, ADDED, KEPT = "own", "leaning", "nothing", "added", "kept"


def main() -> None:
    """Index if need be, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="keep the index here; default: a temporary folder")
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = (options.data_dir or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        wiki = json.dumps(str(ROOT / "examples/wiki"))
        service = Service(folder, f'data_dir = "var"\nlog_level = "ERROR"\n[[sources]]\nname = "wiki"\npath = {wiki}\n')
        root = Root(service.config)
        if not root.wiki.shelf.names():
            service.run("index")
        found = counted(root.wiki.open_index(None), load_set(ROOT / "examples/questions.jsonl"), options)
    print(json.dumps({"benchmark": "after_another", **found}))
    print(
        "\n| questions | asked | leaning, let through | their own search tells too little | let through by strength alone | let through |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, one in found.items():
        print(
            f"| {name} | {one['asked']} | {one['leaning']} | {one['weak']} | {one['by_strength']} | {one['through']} |"
        )


def counted(index: SearchIndex, cases: Sequence[Case], options: argparse.Namespace) -> dict[str, dict[str, int]]:
    """Of both kinds of questions."""
    drawn = random.Random(options.seed)
    before = [case.question for case in cases if case.answerable and not case.turns]
    alone = [case for case in cases if not case.answerable and not case.turns]
    others = [(case, (drawn.choice(before),)) for case in alone for _ in range(options.each)]
    follow_ups = [(case, case.turns) for case in cases if case.answerable and case.turns]
    return {
        "unanswerable, after another question": _table(Counter(_way(index, *one) for one in others)),
        "follow-ups": _table(Counter(_way(index, *one) for one in follow_ups)),
    }


def _table(ways: Counter[str]) -> dict[str, int]:
    weak = ways[NOTHING] + ways[ADDED] + ways[KEPT]
    return {
        "asked": ways.total(),
        "leaning": ways[LEANING],
        "weak": weak,
        "by_strength": ways[ADDED] + ways[KEPT],
        "through": ways[KEPT],
    }


def _way(index: SearchIndex, case: Case, turns: Sequence[str]) -> str:
    """As `AnswerFlow` goes, up to the writer: by itself, leaning on the question before, or with that one added."""
    reader, threshold = reader_of(case.groups), float(index.edition.manifest.calibration["threshold"])
    rarity = index.rarity(reader)
    searched, used = condense(case.question, turns, index.analyser, idf=rarity)
    first = index.search(searched, reader, FOUND)
    enough = judge(first.evidence, threshold, can_rewrite=False) == "enough"
    if used:
        alone = may_stand_alone(case.question, index.analyser)
        beside = alone and names_only_unknown(case.question, first, index.analyser, rarity)
        if enough and not beside:
            return LEANING
        again = alone and index.search(case.question, reader, FOUND).evidence.strength >= threshold
        return OWN if again else NOTHING
    if enough:
        return OWN
    second = index.search(f"{turns[-1]} {case.question}", reader, FOUND)
    if second.evidence.strength <= first.evidence.strength or second.evidence.strength < threshold:
        return NOTHING
    return KEPT if still_about(case.question, second.hits, index.analyser, rarity) else ADDED


if __name__ == "__main__":
    main()
