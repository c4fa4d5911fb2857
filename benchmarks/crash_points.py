"""What a kill or a full disk leaves behind, at every step of an indexing run.

    python benchmarks/crash_points.py

An edition of 100 pages serves. 300 pages are added and one is removed; a process of its own indexes and is ended by SIGKILL at the named
step, or may not write files beyond a length (RLIMIT_FSIZE: every library's writes fail then, as on a full disk). Afterwards: which
edition serves with all checksums right and answers, what lies about, and what the next run had to do again. Exit code 1 if at any
point another edition than the old one (before `current` was pointed) or the new one (after) serves, or the next run does not publish.
One line of JSON, then a Markdown table. The embedder is the tests' hash embedder; everything else is real.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from knowledge import formats  # noqa: E402 - a script finds the rooms only after the line above
from knowledge.build import BuildOptions, BuildReport, build  # noqa: E402
from knowledge.edition import EditionShelf  # noqa: E402
from knowledge.editions import publishing  # noqa: E402
from knowledge.errors import PublishFailed  # noqa: E402
from knowledge.korean import Analyser  # noqa: E402
from knowledge.page import Audience, Document, reader_of  # noqa: E402
from knowledge.search import SearchIndex  # noqa: E402
from knowledge.sources.folder import FolderSource  # noqa: E402
from knowledge.vectors import VectorIndex  # noqa: E402
from tests.fakes.hash_embedder import HashEmbedder  # noqa: E402

OLD, ADDED = 100, 300
_PARSE_SECONDS = 0.02
"""In the process that is killed while it reads, so that this takes long enough: what is read is kept once a second."""


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _at(step: str, share: float) -> Callable[[str, int, int], None]:
    """Progress that kills when so much of a step is done."""

    def told(now: str, done: int, total: int) -> None:
        if now == step and done >= share * total > 0:
            _die()

    return told


def _instead(owner: Any, name: str) -> Callable[[str, int, int], None]:
    """Killed where a function would be called."""
    setattr(owner, name, _die)
    return lambda step, done, total: None


POINTS: dict[str, Callable[[], Callable[[str, int, int], None]]] = {
    "reading": lambda: _at("reading", 0.7),
    "morphemes": lambda: _at("morphemes", 0.1),
    "vectors": lambda: _at("vectors", 0.1),
    "before the first file": lambda: _instead(publishing, "write_passages"),
    "between two files": lambda: _instead(VectorIndex, "save"),
    "before the checks": lambda: _instead(publishing, "fsync"),
    "before the manifest": lambda: _instead(publishing.Manifest, "as_json"),
    "before the rename": lambda: _instead(Path, "rename"),
    "before current": lambda: _instead(EditionShelf, "_point_at"),
    "inside current": lambda: _instead(Path, "replace"),
    "after current": lambda: _instead(EditionShelf, "_drop_old"),
}
PUBLISHED = frozenset({"after current"})
"""Points at which the new edition serves already."""


def sentence(number: int) -> str:
    """A page's text: each is another one."""
    return f"# 안내 {number}\n\n{number}번 창구는 {number % 17}층에 있으며 내선은 {7000 + number}번입니다.\n"


class Wiki:
    """A data directory with an edition, and pages that wait to be indexed."""

    def __init__(self, folder: Path, analyser: Analyser | None = None, parse_seconds: float = 0.0) -> None:
        self._parse_seconds = parse_seconds
        self.folder = folder
        self.shelf = EditionShelf(folder / "data" / "editions")
        self.analyser = analyser or Analyser()
        self.embedder = HashEmbedder()
        self.parsed = 0
        self.analysed = 0

    def write(self, start: int, end: int) -> None:
        """Pages from `start` to `end`."""
        (self.folder / "wiki").mkdir(parents=True, exist_ok=True)
        for number in range(start, end):
            (self.folder / "wiki" / f"{number:03}.md").write_text(sentence(number), encoding="utf-8")

    def build(self, progress: Callable[[str, int, int], None] = lambda step, done, total: None) -> BuildReport:
        """One run; counts what it parses and analyses."""

        def parse(data: bytes, name: str) -> Document:
            self.parsed += 1
            time.sleep(self._parse_seconds)
            return formats.parse(data, name)

        def analyser() -> Analyser:
            return cast(Analyser, _Counting(self))

        options = BuildOptions(self.shelf, self.folder / "data" / "cache.sqlite", HashEmbedder.id, parse=parse)
        source = FolderSource("wiki", self.folder / "wiki", Audience.of(["everyone"]))
        return build([source], options, analyser, lambda: self.embedder, progress=progress)

    def serving(self) -> tuple[str, bool]:
        """The serving edition, opened with every checksum compared, and whether it finds its first page."""
        index = SearchIndex(self.shelf.open(), self.analyser, self.embedder)
        hits = index.search("1번 창구는 몇 층에 있나요", reader_of(), 3).hits
        return index.name, "001.md" in {hit.passage.page for hit in hits}


class _Counting:
    """Kiwi, with a count of the texts it was given."""

    def __init__(self, wiki: Wiki) -> None:
        self._wiki = wiki

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wiki.analyser, name)

    def morphemes_of(self, texts: list[str]) -> list[list[str]]:
        self._wiki.analysed += len(texts)
        return self._wiki.analyser.morphemes_of(texts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found after one crash. `ended`: the signal's number, or the error's name."""

    point: str
    ended: str
    serves: str
    answers: bool
    left: int
    again_parsed: int
    again_analysed: int
    again_embedded: int
    published: bool

    @property
    def held(self) -> bool:
        """Whether it is as promised."""
        wanted = "new" if self.point in PUBLISHED else "old"
        return self.serves == wanted and self.answers and self.published


def prepared(folder: Path, analyser: Analyser | None = None) -> tuple[Wiki, str]:
    """A wiki whose first edition serves and whose pages have changed since; that edition's name."""
    wiki = Wiki(folder, analyser)
    wiki.write(0, OLD)
    time.sleep(2.1)  # files that changed just now are read again to be sure
    edition = wiki.build().edition
    wiki.write(OLD, OLD + ADDED)
    (folder / "wiki" / "000.md").unlink()
    time.sleep(2.1)
    return wiki, edition


def crash(folder: Path, point: str, *, analyser: Analyser | None = None, longest: int = 0) -> Outcome:
    """Prepare, index in a child until it dies, look, and index again. `longest`: bytes that a file may have, instead of a kill."""
    wiki, old = prepared(folder, analyser)
    command = [sys.executable, str(Path(__file__).resolve()), "--folder", str(folder)]
    command += ["--longest", str(longest)] if longest else ["--die", point]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ended = f"signal {-done.returncode}" if done.returncode < 0 else done.stdout.strip() or f"exit {done.returncode}"
    name, answers = wiki.serving()
    left = sum(1 for path in wiki.shelf.root.glob(".building-*"))
    wiki.parsed = wiki.analysed = wiki.embedder.embedded = 0
    report = wiki.build()
    now, answers_again = wiki.serving()
    published = report.pages == OLD + ADDED - 1 and now == report.edition != old and answers_again
    published = published and not list(wiki.shelf.root.glob(".building-*"))
    return Outcome(
        point, ended, "old" if name == old else "new", answers, left, wiki.parsed, wiki.analysed,
        wiki.embedder.embedded, published,
    )  # fmt: skip


def lengths(folder: Path) -> list[int]:
    """One byte less than files of an edition of all pages have, each from another library: of one made here, to know what a limit hits."""
    wiki, _ = prepared(folder)
    made = wiki.shelf.root / wiki.build().edition
    files = (
        "manifest.json",
        "morphemes/data.csc.index.npy",
        "bigrams/data.csc.index.npy",
        "passages.jsonl",
        "vectors.faiss",
    )
    return sorted((made / file).stat().st_size - 1 for file in files)


def _child(folder: Path, point: str, longest: int) -> None:
    if longest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (longest, longest))
        try:
            Wiki(folder).build()
        except PublishFailed as error:
            print(f"{type(error).__name__}: {error.details['reason']}"[:80])
        return
    wiki = Wiki(folder, parse_seconds=_PARSE_SECONDS if point == "reading" else 0.0)
    wiki.build(POINTS[point]())


def main() -> None:
    """Every point, then every length; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--die", "--folder", "--longest"):
        parser.add_argument(option, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.folder:
        _child(Path(wanted.folder), wanted.die or "", int(wanted.longest or 0))
        return
    analyser = Analyser()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="saseo-crash-") as made:
        for number, point in enumerate(POINTS):
            outcomes.append(crash(Path(made) / str(number), point, analyser=analyser))
            print(outcomes[-1], file=sys.stderr)
        for longest in lengths(Path(made) / "lengths"):
            point = f"no file beyond {longest:,} bytes"
            outcomes.append(crash(Path(made) / str(longest), point, analyser=analyser, longest=longest))
            print(outcomes[-1], file=sys.stderr)
    print(json.dumps({"benchmark": "crash_points", "held": all(one.held for one in outcomes)}, ensure_ascii=False))
    print(
        f"\n{OLD + ADDED - 1} pages, {ADDED} of them new. Next run: what was parsed, analysed, embedded (2 are the self-test) again.\n\n"
        "| ended at | by | serves and answers | left aside | parsed | analysed | embedded | next run publishes |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    for one in outcomes:
        serves = f"{one.serves}, {'yes' if one.answers else 'NO'}"
        columns = (one.point, one.ended, serves, one.left, one.again_parsed, one.again_analysed, one.again_embedded)
        print(f"| {' | '.join(map(str, columns))} | {'yes' if one.published else 'NO'} |")
    sys.exit(0 if all(one.held for one in outcomes) else 1)


if __name__ == "__main__":
    main()
