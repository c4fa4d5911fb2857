"""Search quality: fused against lexical only, dense only, and with each of the search's other parts on or off.

    python benchmarks/retrieval.py [WIKI] [--set FILE.jsonl] [--data-dir DIR] [--any] [--glossary FILE] [--mistyped slips] [--other-names]

Indexes WIKI in a temporary data directory with `saseo index` and evaluates the set once per variant with the functions of
`saseo evaluate --retrieval`. Each question is embedded once, and its vector kept in --data-dir for another run. The lines
"a − b" resample questions with both searches' ranks together, so they see differences that two intervals hide. One line of JSON,
then a Markdown table. Nothing of the person's own configuration or data directory is used but the models.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.mistyped import MISTAKES, mistyped  # noqa: E402 - a script finds the rooms only after the line above
from benchmarks.served import command, environment  # noqa: E402
from bot.app import Root  # noqa: E402
from jobs import metrics  # noqa: E402
from jobs.evaluate import DEPTH, evaluate_retrieval  # noqa: E402
from jobs.evaluation_set import Case, load_set  # noqa: E402
from jobs.metrics import Mean, bootstrap  # noqa: E402
from knowledge.embed import Embedder, Vectors  # noqa: E402
from knowledge.glossary import load_glossary  # noqa: E402
from knowledge.learned_weights import LEGS, Learned, Voted, learn  # noqa: E402
from knowledge.page import reader_of  # noqa: E402
from knowledge.search import SearchIndex, SearchOptions  # noqa: E402
from knowledge.signals import MOST, Signals  # noqa: E402

VARIANTS: dict[str, SearchOptions] = {
    "fused": SearchOptions(),  # the product's defaults
    # The defaults without the dense leg.
    "lexical": SearchOptions(weights={"morpheme": 4 / 7, "bigram": 3 / 7, "dense": 0.0}),
    "dense": SearchOptions(weights={"morpheme": 0.0, "bigram": 0.0, "dense": 1.0}),
    "strict": SearchOptions(tolerant=False),
    "recency": SearchOptions(signals=Signals(recency=MOST)),
    "authority": SearchOptions(signals=Signals(authority=MOST)),
}
OTHERS = ("learned", "glossary")
MEASURES = ("recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")

Record = dict[str, Any]


class Remembering:
    """An embedder that embeds a question once; `file` keeps the vectors for another run with the same embedder."""

    def __init__(self, embedder: Embedder, file: Path) -> None:
        self._embedder = embedder
        self._file = file
        self._known: dict[str, Vectors] = {}
        self.id = embedder.id
        self.dimension = embedder.dimension
        if file.is_file():
            with np.load(file, allow_pickle=False) as kept:
                if str(kept["embedder"]) == self.id:
                    self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """As the other one does."""
        return self._embedder.passages(texts, progress)

    def query(self, text: str) -> Vectors:
        """As the other one does, the first time."""
        if text not in self._known:
            self._known[text] = self._embedder.query(text)
        return self._known[text]

    def keep(self) -> None:
        """Write what is known."""
        texts, vectors = list(self._known), np.stack(list(self._known.values()))
        np.savez(self._file, embedder=np.array(self.id), texts=np.array(texts), vectors=vectors)


def main() -> None:
    """Index once, evaluate per variant, print."""
    wanted = _arguments()
    cases = _cases(wanted)
    with tempfile.TemporaryDirectory(prefix="saseo-retrieval-") as made:
        scratch = Path(made)
        data_dir = (wanted.data_dir or scratch / "data").resolve()
        config = _config(scratch, wanted.wiki.resolve(), data_dir)
        indexed = _saseo(config, "index", "--json")
        print(f"indexed: {indexed['pages']} pages, {indexed['seconds']} s", file=sys.stderr)
        index = Root(config).wiki.open_index(None)
        index.embedder = embedder = Remembering(index.embedder, data_dir / "question-vectors.npz")
        found: dict[str, list[Record]] = {}
        learned: list[Learned] = []
        for name in wanted.legs:
            began = time.perf_counter()
            if name == "learned":
                found[name], learned = _learned(cases, index)
            elif name == "glossary":
                other = _with_glossary(scratch, wanted, data_dir, index.embedder)
                found[name] = _evaluated(cases, other)
            else:
                found[name] = _evaluated(cases, _variant(index, VARIANTS[name]))
            embedder.keep()
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    _print(wanted, indexed, found, learned)


def _print(
    wanted: argparse.Namespace, indexed: dict[str, Any], found: dict[str, list[Record]], learned: list[Learned]
) -> None:
    runs = {name: _measured(records, wanted.any) for name, records in found.items()}
    ranks = {
        name: [_scores(one, wanted.any)["mrr@10"] for one in records if _has_gold(one)]
        for name, records in found.items()
    }
    differences = {
        f"fused − {name}": bootstrap([a - b for a, b in zip(ranks["fused"], ranks[name], strict=True)])
        for name in ranks
        if name != "fused" and "fused" in ranks
    }
    result = {
        "benchmark": "retrieval",
        "wiki": str(wanted.wiki),
        "set": str(wanted.set),
        "any": wanted.any,
        "mistyped": wanted.mistyped,
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "index": {key: indexed[key] for key in ("edition", "pages", "passages", "seconds")},
        "runs": {name: {key: _shown(value) for key, value in run.items()} for name, run in runs.items()},
        "leaks": sum(len(one["leaks"]) for records in found.values() for one in records),
        "mrr@10_differences": {name: mean.as_json() for name, mean in differences.items()},
        "learned": [asdict(one) for one in learned],
    }
    print(json.dumps(result, ensure_ascii=False))
    print()
    print(_table(runs, differences))


def _shown(value: Mean | metrics.Percentiles) -> dict[str, Any]:
    return dict(value.as_json())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "wiki",
        nargs="?",
        type=Path,
        default=ROOT / "examples" / "wiki",
        help="a folder of pages (default: the demo wiki)",
    )
    parser.add_argument("--set", type=Path, help="default: questions.jsonl beside the wiki folder")
    parser.add_argument("--data-dir", type=Path, help="keep the index here; default: a temporary folder")
    parser.add_argument(
        "--legs", nargs="+", choices=[*VARIANTS, *OTHERS], default=["fused", "lexical", "dense", "strict"]
    )
    parser.add_argument("--any", action="store_true", help="each gold page alone is right: one of them counts as all")
    parser.add_argument("--glossary", type=Path, help="for the variant of that name")
    parser.add_argument("--mistyped", choices=MISTAKES, help="put this mistake into every question")
    parser.add_argument(
        "--other-names",
        action="store_true",
        help="ask only what holds a name of the glossary, once with each other name of that entry",
    )
    wanted = parser.parse_args()
    wanted.set = (wanted.set or wanted.wiki / ".." / "questions.jsonl").resolve()
    for path in (wanted.wiki, wanted.set):
        if not path.exists():
            parser.error(f"{path} does not exist")
    if wanted.glossary is None and ("glossary" in wanted.legs or wanted.other_names):
        parser.error("--legs glossary and --other-names need --glossary FILE")
    return wanted


def _cases(wanted: argparse.Namespace) -> list[Case]:
    cases = load_set(wanted.set)
    if wanted.other_names:
        cases = [
            replace(case, question=case.question.replace(name, other))
            for case in cases
            for entry in load_glossary(wanted.glossary).entries
            for name in [max((one for one in entry.names if one in case.question), key=len, default="")]
            for other in (entry.names if name else ())
            if other not in case.question
        ]
    if wanted.mistyped is None:
        return cases
    drawn = random.Random(0)
    return [replace(one, question=mistyped(one.question, wanted.mistyped, drawn)) for one in cases]


def _variant(index: SearchIndex, options: SearchOptions) -> SearchIndex:
    return SearchIndex(index.edition, index.analyser, index.embedder, options)


def _evaluated(cases: Sequence[Case], index: SearchIndex) -> list[Record]:
    """The records of `saseo evaluate --retrieval --details`."""
    with tempfile.TemporaryDirectory() as folder:
        details = Path(folder) / "details.jsonl"
        evaluate_retrieval(cases, index, details=details)
        return [json.loads(line) for line in details.read_text(encoding="utf-8").splitlines()]


def _with_glossary(scratch: Path, wanted: argparse.Namespace, data_dir: Path, embedder: Embedder) -> SearchIndex:
    """Indexed again with the glossary: vectors are kept, words are cut anew."""
    path = json.dumps(str(wanted.glossary.resolve()), ensure_ascii=False)
    config = _config(scratch, wanted.wiki.resolve(), data_dir, f"[search]\nglossary = {path}\n")
    _saseo(config, "index", "--json")
    root = Root(config)
    return SearchIndex(root.wiki.shelf.open(), root.wiki.make_analyser(), embedder, root.wiki.search_options())


def _learned(cases: Sequence[Case], index: SearchIndex) -> tuple[list[Record], list[Learned]]:
    """Two-fold: the weights for one half of the questions come from the other half, as if each of its gold pages had been cited with 👍.

    Kinder than votes, which are wrong at times: an upper bound of what they can bring.
    """
    records: dict[str, Record] = {}
    learned = []
    for half in (0, 1):
        votes = [vote for vote in (_vote(case, index) for case in cases[half::2]) if vote is not None]
        # As few as there are: the sets are small, and the check on other questions stays.
        learned.append(learn(votes, SearchOptions().weights, least=1))
        other = _variant(index, SearchOptions(weights=learned[-1].weights))
        records |= {one["id"]: one for one in _evaluated(cases[1 - half :: 2], other)}
    return [records[case.id] for case in cases], learned


def _vote(case: Case, index: SearchIndex) -> Voted | None:
    if not (case.answerable and case.pages):
        return None
    hits = index.search(case.question, reader_of(case.groups), 2 * DEPTH).hits
    shares = tuple(
        (hit.shares.get(LEGS[0], 0.0), hit.shares.get(LEGS[1], 0.0), hit.shares.get(LEGS[2], 0.0)) for hit in hits
    )
    return Voted(case.id, shares, tuple(hit.passage.page in case.pages for hit in hits), good=True)


def _has_gold(record: Record) -> bool:
    return bool(record["answerable"] and record["pages"])


def _scores(record: Record, any_page: bool) -> dict[str, float]:
    found, gold = record["found"], record["pages"]
    if any_page:  # the first gold page that was found stands for all of them
        gold = [next((page for page in found if page in gold), gold[0])]
    return {
        **{f"recall@{k}": metrics.recall_at(found, gold, k) for k in (1, 5, 10)},
        "mrr@10": metrics.reciprocal_rank(found, gold, DEPTH),
        "ndcg@10": metrics.ndcg(found, gold, DEPTH),
    }


def _measured(records: Sequence[Record], any_page: bool) -> dict[str, Any]:
    scores = [_scores(one, any_page) for one in records if _has_gold(one)]
    times = [one["milliseconds"] for one in records if one["milliseconds"]]
    return {
        **{measure: bootstrap([one[measure] for one in scores]) for measure in MEASURES},
        "search_ms": metrics.percentiles([search for _, search in times]),
    }


def _config(folder: Path, wiki: Path, data_dir: Path, more: str = "") -> Path:
    lines = [
        f"data_dir = {json.dumps(str(data_dir), ensure_ascii=False)}",
        "[[sources]]",
        'name = "wiki"',
        'kind = "folder"',
        f"path = {json.dumps(str(wiki), ensure_ascii=False)}",
    ]
    path = folder / ("glossary.toml.config" if more else "plain.config")
    path.write_text("\n".join(lines) + "\n" + more, encoding="utf-8")
    return path


def _saseo(config: Path, *arguments: str) -> dict[str, Any]:
    words = command(config, *arguments)
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment(), check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _table(runs: dict[str, dict[str, Any]], differences: dict[str, Mean]) -> str:
    """Means with their 95 % intervals; times in ms, without embedding."""
    head = ["search", *MEASURES, "search p50 / p95 ms"]
    rows = [head, ["---"] * len(head)]
    for name, run in runs.items():
        times = run["search_ms"]
        rows.append(
            [name, *(_interval(run[measure].as_json()) for measure in MEASURES), f"{times.p50:.1f} / {times.p95:.1f}"]
        )
    for name, found in differences.items():
        rows.append([name, "", "", "", _interval(dict(found.as_json()), sign="+"), "", ""])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _interval(found: dict[str, Any], sign: str = "") -> str:
    if found["mean"] is None:
        return "-"
    return f"{found['mean']:{sign}.3f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    main()
