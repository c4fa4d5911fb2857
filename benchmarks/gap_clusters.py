"""How well questions are grouped into gaps: pairwise precision, recall and F1 on labelled questions, beside simple baselines.

    python -m benchmarks.gap_clusters [--json]

`benchmarks/data/gap-questions.txt`: questions by topic, near misses included. Half of the subjects (all topics whose headings begin with
the same word) choose the threshold, the other half is what is reported. `page`: the same groups judged by subject, for a page per
subject answers the near misses, too. Rarity of words is that of the demo wiki, as in production it is the company's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.gap_settings import GapsSettings
from bot.gaps.grouping import grouped
from bot.gaps.likeness import DENSE_SHARE, Likeness, Read
from knowledge.embed import Embedder
from knowledge.korean import Analyser
from knowledge.lexicon import Lexicon

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "benchmarks" / "data" / "gap-questions.txt"
STEPS = [round(0.02 * n, 2) for n in range(3, 45)]
SEED = 7
CHUNKS = 6
"""Runs in which the questions arrive, for the incremental figure."""

Groups = list[list[int]]
Scores = dict[str, float]
Likenesses = NDArray[np.float32]
Way = Callable[[Likenesses, float], Groups]


def labelled(path: Path = QUESTIONS) -> list[tuple[str, str]]:
    """(topic, question) in the file's order."""
    found, topic = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            topic = line[3:].strip()
        elif line.strip() and not line.startswith("#"):
            found.append((topic, line.strip()))
    return found


def subject(topic: str) -> str:
    """Its heading's first word."""
    return topic.split()[0]


def halves(topics: Sequence[str]) -> tuple[list[int], list[int]]:
    """Rows to choose by and rows to report, with no subject in both."""
    subjects = list(dict.fromkeys(subject(one) for one in topics))
    random.Random(SEED).shuffle(subjects)
    first: set[str] = set()
    for one in subjects:
        if sum(subject(topic) in first for topic in topics) < len(topics) / 2:
            first.add(one)
    chosen = [row for row, topic in enumerate(topics) if subject(topic) in first]
    return chosen, [row for row, topic in enumerate(topics) if subject(topic) not in first]


def scores(groups: Groups, labels: Sequence[str]) -> Scores:
    """Of all pairs of questions: how many in one group belong together, and how many that belong together are."""
    of = {row: number for number, rows in enumerate(groups) for row in rows}
    right = wrong = missing = 0
    for one in range(len(labels)):
        for other in range(one):
            same, together = labels[one] == labels[other], of[one] == of[other]
            right += same and together
            wrong += together and not same
            missing += same and not together
    precision, recall = right / max(right + wrong, 1), right / max(right + missing, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3), "groups": len(groups)}


def leaders(likeness: Likenesses, least: float) -> Groups:
    """The simple way: each question joins the first one of an earlier group that it is like, else begins its own."""
    groups: Groups = []
    for row in range(len(likeness)):
        near = [number for number, rows in enumerate(groups) if likeness[row, rows[0]] >= least]
        if near:
            groups[max(near, key=lambda number: float(likeness[row, groups[number][0]]))].append(row)
        else:
            groups.append([row])
    return groups


def in_chunks(likeness: Likenesses, least: float) -> Groups:
    """As it happens: some questions a run, in an order drawn once, and groups keep what they have."""
    order = list(range(len(likeness)))
    random.Random(SEED).shuffle(order)
    named: dict[int, str] = {}
    seen: list[int] = []
    size = -(-len(order) // CHUNKS)
    for start in range(0, len(order), size):
        seen += order[start : start + size]
        groups = grouped(likeness[np.ix_(seen, seen)].copy(), [named.get(row) for row in seen], least)
        for rows in groups:
            name = next(
                (named[seen[row]] for row in rows if seen[row] in named),
                f"gap{len(set(named.values()))}:{seen[rows[0]]}",
            )
            named |= {seen[row]: name for row in rows}
    found: dict[str, list[int]] = {}
    for row in range(len(likeness)):
        found.setdefault(named[row], []).append(row)
    return list(found.values())


def averaged(likeness: Likenesses, least: float) -> Groups:
    """Average linkage over all at once."""
    return grouped(likeness.copy(), [None] * len(likeness), least)


def on(matrix: Likenesses, way: Way, least: float, rows: Sequence[int], labels: Sequence[str]) -> Scores:
    """One way's scores over some of the questions."""
    return scores(way(matrix[np.ix_(rows, rows)], least), [labels[row] for row in rows])


def _f1(matrix: Likenesses, way: Way, rows: Sequence[int], labels: Sequence[str], least: float) -> tuple[float, float]:
    return on(matrix, way, least, rows, labels)["f1"], least


def measure(embedder: Embedder, analyser: Analyser) -> dict[str, object]:
    """Every way, with its threshold chosen on one half."""
    topics, texts = zip(*labelled(), strict=True)
    chosen, reported = halves(topics)
    likeness = Likeness(analyser, embedder, rarity(analyser))
    read = Read(np.stack([likeness.vector(text) for text in texts]), tuple(likeness.words(text) for text in texts))
    plain = Likeness(analyser, embedder, lambda word: 1.0)
    words = Read(read.vectors, tuple(plain.words(text) for text in texts))
    whole = likeness.between(read, read)
    cosines: NDArray[np.float32] = (read.vectors @ read.vectors.T).astype(np.float32)
    ways: Mapping[str, tuple[Likenesses, Way, Sequence[float]]] = {
        "same words, first come": (_only(plain, words, 0.0), leaders, STEPS),
        "cosine, first come": (cosines, leaders, [round(0.8 + 0.005 * n, 3) for n in range(38)]),
        "cosine, average linkage": (cosines, averaged, [round(0.8 + 0.005 * n, 3) for n in range(38)]),
        "words and letters alone": (_only(likeness, read, 0.0), averaged, STEPS),
        "vectors alone, zero measured": (_only(likeness, read, 1.0), averaged, STEPS),
        "ours": (whole, averaged, STEPS),
        "ours, in six runs": (whole, in_chunks, STEPS),
    }
    table = {}
    for name, (matrix, way, steps) in ways.items():
        least = max(steps, key=partial(_f1, matrix, way, chosen, topics))
        table[name] = {
            "threshold": least,
            "chosen on": on(matrix, way, least, chosen, topics),
            "reported": on(matrix, way, least, reported, topics),
            "page": on(matrix, way, least, reported, [subject(topic) for topic in topics]),
        }
    setting = GapsSettings().likeness
    return {
        "questions": len(texts),
        "topics": len(set(topics)),
        "reported questions": len(reported),
        "reported topics": len({topics[row] for row in reported}),
        "embedder": embedder.id,
        "dense share": DENSE_SHARE,
        "unrelated cosine": round(likeness.unrelated, 4),
        "setting": setting,
        "at the setting": scores(averaged(whole[np.ix_(reported, reported)], setting), [topics[row] for row in reported]),
        "ways": table,
    }  # fmt: skip


def _only(likeness: Likeness, read: Read, dense_share: float) -> NDArray[np.float32]:
    """With the vectors' share changed."""
    before = likeness.dense_share
    likeness.dense_share = dense_share
    try:
        return likeness.between(read, read)
    finally:
        likeness.dense_share = before


def rarity(analyser: Analyser) -> Callable[[str], float]:
    """IDF over the sections of the demo wiki."""
    pages = sorted((ROOT / "examples" / "wiki").rglob("*.md"))
    sections = [part for page in pages for part in page.read_text(encoding="utf-8").split("\n## ")]
    return Lexicon.build(analyser.morphemes_of(sections)).idf


def main() -> None:
    """Measure with the configured embedder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from bot.app import Root

    root = Root()
    found = measure(root.wiki.make_embedder(1), root.wiki.make_analyser())
    if given.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    ways = found.pop("ways")
    for key, value in found.items():
        print(f"{key}: {value}")
    assert isinstance(ways, dict)
    for name, row in ways.items():
        told = "  ".join(
            f"{where} P {one['precision']:.3f} R {one['recall']:.3f} F1 {one['f1']:.3f}"
            for where, one in row.items()
            if isinstance(one, dict)
        )
        print(f"{name:32} {row['threshold']:<6} {told}")


if __name__ == "__main__":
    main()
