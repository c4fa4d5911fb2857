"""Search time beside bare FAISS and bm25s over the same passages, with and without an audience filter.

    python benchmarks/search_speed.py [WIKI] --passages 10000 100000

A passage is `--sentences` sentences drawn from the pages of WIKI (default: the demo wiki) and a number of its own; its vector is
random, since a flat index does the same work on any. Questions are sentences of other draws, shortened to `--words` words.
"ours" is `SearchIndex.search` without the embedding of the question: its morphemes, the look for typing slips, three legs, fusion, hits.
"bare" is FAISS' 100 nearest and bm25s' 100 best over the same two token lists, from which the question's tokens are made in the same
way; "bare, given tokens" leaves that out, too. The sides take turns question by question, each in one thread. Times are of the
processor (other work on the machine does not count) and, beside them, of the clock. With the filter on, a third of the passages is
for other readers: FAISS gets the same selection and bm25s the same mask. One line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jobs import metrics  # noqa: E402 - a script finds the rooms only after the line above
from knowledge.edition import Edition, Manifest  # noqa: E402
from knowledge.embed import Vectors  # noqa: E402
from knowledge.korean import Analyser, bigrams  # noqa: E402
from knowledge.lexicon import Lexicon  # noqa: E402
from knowledge.page import Audience, Passage, reader_of  # noqa: E402
from knowledge.search import SearchIndex  # noqa: E402
from knowledge.sentences import sentences  # noqa: E402
from knowledge.vectors import VectorIndex  # noqa: E402

DIMENSION, TOP = 384, 100
HIDDEN = Audience.of(["others"])


class RandomVectors:
    """Obeys `knowledge.embed.Embedder`: unit vectors that mean nothing."""

    id = "random@1"
    dimension = DIMENSION

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._drawn, self._next = self.passages([""] * 100), 0

    def passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """One row per text."""
        vectors = self._random.standard_normal((len(texts), DIMENSION), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def query(self, text: str) -> Vectors:
        """Another one each time, drawn beforehand."""
        self._next += 1
        vector: Vectors = self._drawn[self._next % len(self._drawn)]
        return vector


def main() -> None:
    """Build each size, time it, print."""
    wanted = _arguments()
    analyser = Analyser()
    known = sentences_of(wanted.wiki)
    tokens = analyser.morphemes_of(known)
    rows = []
    for size in wanted.passages:
        edition = made_edition(size, known, tokens, analyser.name, wanted.sentences, wanted.seed)
        for hidden in (False, True):
            rows.append(_timed(edition, analyser, known, hidden, wanted))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "search_speed", "wiki": str(wanted.wiki), "rows": rows}, ensure_ascii=False))
    print()
    print(_table(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wiki", nargs="?", type=Path, default=ROOT / "examples" / "wiki")
    parser.add_argument("--passages", nargs="+", type=int, default=[10_000, 100_000])
    parser.add_argument("--sentences", type=int, default=5, help="of a passage")
    parser.add_argument("--words", type=int, default=6, help="of a question")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def sentences_of(wiki: Path) -> list[str]:
    """The sentences of its Markdown pages that are neither very short nor very long, each once."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(wiki.rglob("*.md")))
    found = (one.strip() for text in texts for one in sentences(text))
    return list(dict.fromkeys(one for one in found if 15 <= len(one) <= 200))


def made_edition(
    size: int, known: Sequence[str], tokens: Sequence[list[str]], analyser: str, per: int, seed: int
) -> Edition:
    """`size` passages of `per` of the `known` sentences, whose morphemes are `tokens`; every third one for other readers."""
    drawn = random.Random(seed)
    rows = [[drawn.randrange(len(known)) for _ in range(per)] for _ in range(size)]
    pairs = [bigrams(one) for one in known]
    passages = [
        Passage(
            "wiki",
            f"{n}.md",
            0,
            f"문서 {n}",
            (),
            " ".join(known[i] for i in row),
            audience=HIDDEN if n % 3 == 0 else Audience(),
        )
        for n, row in enumerate(rows)
    ]
    embedder = RandomVectors(seed)
    return Edition(
        manifest=Manifest("speed", "", "", size, size, analyser, embedder.id, DIMENSION, {}),
        passages=passages,
        pages={},
        morphemes=Lexicon.build([[token for i in row for token in tokens[i]] + [str(n)] for n, row in enumerate(rows)]),
        bigrams=Lexicon.build(
            [[pair for i in row for pair in pairs[i]] + bigrams(str(n)) for n, row in enumerate(rows)]
        ),
        vectors=VectorIndex.build(embedder.passages([""] * size)),
    )


def _timed(
    edition: Edition, analyser: Analyser, known: Sequence[str], hidden: bool, wanted: argparse.Namespace
) -> dict[str, Any]:
    drawn = random.Random(wanted.seed + 1)
    questions = [" ".join(drawn.choice(known).split()[: wanted.words]) for _ in range(wanted.questions + 20)]
    index = SearchIndex(edition, analyser, RandomVectors(wanted.seed + 2))
    # The open reader misses a third; one who may read everything has no filter.
    reader = reader_of() if hidden else reader_of(["others"])
    bare = Bare(edition, index.readable(reader) if hidden else None)
    spent: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": [], "given": []}
    for number, question in enumerate(questions):
        tokens, pairs = analyser.morphemes(question), bigrams(question)
        vector = index.embedder.query(question)
        sides: list[tuple[str, Callable[[], object]]] = [
            ("ours", partial(index.search, question, reader)),
            ("bare", partial(_from_text, bare, analyser, question, vector)),
            ("given", partial(bare.search, tokens, pairs, vector)),
        ]
        first = number % len(sides)  # who comes first finds the caches cold
        for side, work in sides[first:] + sides[:first]:
            spent[side].append(_spent(work))
    row: dict[str, Any] = {"passages": len(edition.passages), "filter": hidden}
    for place, clock in enumerate(("cpu", "clock")):
        # The first questions read the memory in.
        found = {side: [1000 * one[place] for one in times[20:]] for side, times in spent.items()}
        row[clock] = {
            **{side: metrics.percentiles(times).as_json() for side, times in found.items()},
            **{f"ratio_{side}": _ratio(found["ours"], found[side]) for side in ("bare", "given")},
        }
    return row


def _from_text(bare: Bare, analyser: Analyser, question: str, vector: Vectors) -> None:
    bare.search(analyser.morphemes(question), bigrams(question), vector)


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Of the medians and of the 95th percentiles."""
    return [round(float(np.percentile(ours, q) / np.percentile(theirs, q)), 2) for q in (50, 95)]


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of this thread's processor time, and by the clock."""
    cpu, clock = time.thread_time(), time.perf_counter()
    work()
    return time.thread_time() - cpu, time.perf_counter() - clock


class Bare:
    """FAISS and bm25s as their manuals use them."""

    def __init__(self, edition: Edition, mask: np.ndarray[Any, Any] | None) -> None:
        import faiss

        self._index = edition.vectors._index  # the very same index, without our class around it
        self._lexicons = [edition.morphemes._bm25, edition.bigrams._bm25]
        self._parameters, self._weights = None, None
        if mask is not None:
            self._selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))  # type: ignore[call-arg,arg-type]
            self._parameters = faiss.SearchParameters(sel=self._selector)  # type: ignore[call-arg]
            self._weights = mask.astype(np.float32)

    def search(self, tokens: list[str], pairs: list[str], vector: Vectors) -> None:
        """Three lists of candidates, which are not joined."""
        self._index.search(vector[None, :], TOP, params=self._parameters)
        for lexicon, words in zip(self._lexicons, (tokens, pairs), strict=True):
            lexicon.retrieve([words], k=TOP, show_progress=False, weight_mask=self._weights)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """Milliseconds and ratios, each p50 / p95."""
    head = ["passages", "filter", "time", "ours", "bare", "bare, given tokens", "ours : bare", "ours : given"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        for clock in ("cpu", "clock"):
            found = row[clock]
            times = [f"{found[side]['p50']:.2f} / {found[side]['p95']:.2f}" for side in ("ours", "bare", "given")]
            ratios = ["{} / {}".format(*found[f"ratio_{side}"]) for side in ("bare", "given")]
            lines.append([f"{row['passages']:,}", "on" if row["filter"] else "off", clock, *times, *ratios])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
