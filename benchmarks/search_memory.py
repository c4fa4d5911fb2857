"""What a served edition takes of memory and of the disk, by its number of passages.

    python benchmarks/search_memory.py [WIKI] --passages 10000 100000

The passages are those of search_speed.py. An edition of them is written to the disk as an index run writes it; a process of its own then
opens it with its checksums, as `saseo serve` does, and asks `--questions` questions for each of `--readers` groups of readers who may see
different parts of it. Read at each step is what Linux tells in /proc/self/status: `own` memory (RssAnon), which only this process has, and
`mapped` files (RssFile), which the system takes back when it needs them. The step before opening, with Kiwi loaded, is subtracted. The
model that makes vectors of questions is not part of it. One line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.search_speed import RandomVectors, made_edition, sentences_of  # noqa: E402 - after the path is set
from knowledge.edition import EditionShelf  # noqa: E402
from knowledge.editions.publishing import Approval, Contents  # noqa: E402
from knowledge.korean import Analyser  # noqa: E402
from knowledge.page import Audience, reader_of  # noqa: E402
from knowledge.search import SearchIndex  # noqa: E402

MB = 1024
"""kB, as /proc/self/status counts."""


def main() -> None:
    """Write each size, open it elsewhere, print."""
    wanted = _arguments()
    if wanted.opened:
        print(json.dumps(opened(wanted.opened, sentences_of(wanted.wiki), wanted)))
        return
    rows = []
    for size in wanted.passages:
        with tempfile.TemporaryDirectory(prefix="saseo-memory-") as made:
            shelf = written(Path(made), size, wanted)
            rows.append({"passages": size, "disk_mb": round(_bytes(shelf) / 2**20), **_elsewhere(shelf)})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "search_memory", "wiki": str(wanted.wiki), "rows": rows}, ensure_ascii=False))
    head = [
        "passages",
        "on disk",
        "opened: own",
        "mapped",
        "after the questions: own",
        "mapped",
        "own, per 100,000 passages",
    ]
    print(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        steps = [f"{row[step][kind]} MB" for step in ("opened", "asked") for kind in ("own", "mapped")]
        rate = row["asked"]["own"] * 100_000 / row["passages"]
        print(f"| {row['passages']:,} | {row['disk_mb']} MB | {' | '.join(steps)} | {rate:.0f} MB |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wiki", nargs="?", type=Path, default=ROOT / "examples" / "wiki")
    parser.add_argument("--passages", nargs="+", type=int, default=[10_000, 100_000])
    parser.add_argument("--sentences", type=int, default=5, help="of a passage")
    parser.add_argument("--questions", type=int, default=100, help="of each group of readers")
    parser.add_argument("--readers", type=int, default=6, help="groups of readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--opened", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def written(folder: Path, size: int, wanted: argparse.Namespace) -> Path:
    """The shelf with one edition; of the passages each group of readers may see another half."""
    analyser, known = Analyser(), sentences_of(wanted.wiki)
    edition = made_edition(size, known, analyser.morphemes_of(known), analyser.name, wanted.sentences, wanted.seed)
    drawn = random.Random(wanted.seed)
    groups = [f"group-{n}" for n in range(wanted.readers)]
    audiences = [Audience.of(sorted(drawn.sample(groups, max(1, len(groups) // 2)))) for _ in range(20)]
    passages = [replace(one, audience=audiences[n % len(audiences)]) for n, one in enumerate(edition.passages)]
    contents = Contents(
        fingerprint="0" * 16,
        recipe="",
        passages=passages,
        pages={f"wiki/{one.page}": "0" * 64 for one in passages},
        morphemes=edition.morphemes,
        bigrams=edition.bigrams,
        vectors=edition.vectors.matrix(),
        analyser=analyser.name,
        embedder=RandomVectors.id,
    )
    shelf = EditionShelf(folder / "editions")
    shelf.publish(contents, lambda _: Approval({}, dt.date.today().isoformat(), 0))
    return folder / "editions"


def opened(shelf: Path, known: list[str], wanted: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own: MB more than before the edition was opened."""
    analyser, embedder = Analyser(), RandomVectors(wanted.seed)
    analyser.morphemes(known[0])
    before = _memory()
    index = SearchIndex(EditionShelf(shelf).open(), analyser, embedder)
    after = _memory()
    drawn = random.Random(wanted.seed + 1)
    for group in range(wanted.readers):
        for _ in range(wanted.questions):
            index.search(" ".join(drawn.choice(known).split()[:6]), reader_of([f"group-{group}"]))
    asked = _memory()
    return {"opened": _more(before, after), "asked": _more(before, asked)}


def _elsewhere(shelf: Path) -> dict[str, Any]:
    command = [sys.executable, *sys.argv, "--opened", str(shelf)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _memory() -> dict[str, int]:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(fields[key].split()[0]) for name, key in (("own", "RssAnon"), ("mapped", "RssFile"))}


def _more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: (after[name] - before[name]) // MB for name in before}


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
