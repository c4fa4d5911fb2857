"""What becomes of poisoned files: one real indexing run over all of them, and parsers that hang, eat memory or die.

    python benchmarks/faults.py                              # everything; some pages are given up only after --seconds
    python benchmarks/faults.py --seconds 60 --memory-mb 1024     # the default limits of [index]
    python benchmarks/faults.py --only .docx --json

The run is that of `saseo index`: a folder, the parse cache, the parsing process, Kiwi, an edition that is published; only the
embedder is a stand-in. Between the poison stand three sound pages, which must be found afterwards. The poison is made by
tests/fakes/poison. `as it should`: the page ended in one of the ways that its maker allows. Exit code 1 if any row did not, if a
page failed without being named, or if a sound page is not found. Prints one line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from knowledge.errors import PageError, PageTooHungry, PageTooLarge, PageTooSlow, UnreadablePage  # noqa: E402
from knowledge.page import Audience, Document, reader_of  # noqa: E402
from knowledge.parsing import ParsingProcess  # noqa: E402
from knowledge.sources.base import SourceFile  # noqa: E402
from knowledge.sources.folder import FolderSource  # noqa: E402
from tests.fakes.poison import SECRET, poisons  # noqa: E402

if TYPE_CHECKING:
    from knowledge.build import BuildReport

SOUND = {
    "가.md": "# 연차 규정\n\n미사용 연차는 이월할 수 없습니다.\n",
    "마.md": "# 출장 규정\n\n국내 출장의 일비는 4만 원입니다.\n",
    "하.md": "# 보안 안내\n\n방문객은 안내 데스크에서 출입증을 받습니다.\n",
}
QUESTIONS = {"이월할 수 없는 연차": "가.md", "출장 일비": "마.md", "방문객 출입증": "하.md"}
LINKS = {
    "원.md": "원.md",
    "하나.md": "둘.md",
    "둘.md": "하나.md",
    "위로": "..",
    "밖.md": "../secret.md",
    "passwd.txt": "/etc/passwd",
    "zero.txt": "/dev/zero",
}
MISDEEDS = (
    ("the parser hangs", "hang", PageTooSlow),
    ("the parser computes without end", "spin", PageTooSlow),
    ("the parser eats memory", "eat", PageTooHungry),
    ("the parser eats memory and hides the error", "eat-and-hide", PageTooHungry),
    ("the parser eats shared memory", "eat-unseen", PageTooHungry),
    ("the parser aborts when it gets no more memory", "abort-when-full", PageTooHungry),
    ("the parser crashes (SIGSEGV)", "segfault", UnreadablePage),
    ("the parser ends the process", "exit 3", UnreadablePage),
    ("the parser's result is no document", "no-document", UnreadablePage),
)


@dataclass(frozen=True)
class Row:
    """What happened to one file. `seconds`: on it, by the clock. `new_process`: the child did not survive it; None: not asked."""

    kind: str
    page: str
    happened: str
    well: bool
    seconds: float = 0.0
    new_process: bool | None = None


@dataclass
class Watched:
    """A parser that notes how long each page took and whether the child outlived it."""

    parsing: ParsingProcess
    notes: dict[str, tuple[float, bool]] = field(default_factory=dict)

    def parse(self, data: bytes, name: str) -> Document:
        """As `ParsingProcess.parse`."""
        began, pid, children = time.perf_counter(), self.parsing.pid, self.parsing.started
        try:
            return self.parsing.parse(data, name)
        finally:
            survived = self.parsing.pid is not None and self.parsing.started - children == (pid is None)
            self.notes[name] = (time.perf_counter() - began, not survived)


class WatchedFolder(FolderSource):
    """Notes which files were read at all."""

    def __init__(self, root: Path) -> None:
        super().__init__("wiki", root, Audience.of(["everyone"]))
        self.listed: set[str] = set()
        self.read: set[str] = set()

    def files(self) -> Iterator[SourceFile]:
        """As the folder's."""
        for file in super().files():
            self.listed.add(file.path)
            yield dataclasses.replace(file, read=lambda file=file: self._noted(file))  # type: ignore[misc]

    def _noted(self, file: SourceFile) -> bytes:
        self.read.add(file.path)
        return file.read()


def main() -> None:
    """Make, index, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="for one page")
    parser.add_argument("--memory-mb", type=int, default=512, help="for one page")
    parser.add_argument("--only", default="", help="poison whose name holds this")
    parser.add_argument("--json", action="store_true", help="no table")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="saseo-faults-") as folder:
        rows = indexed(Path(folder), chosen.seconds, chosen.memory_mb, chosen.only)
    rows += misdeeds(chosen.seconds, chosen.memory_mb)
    report: dict[str, Any] = {
        "benchmark": "faults",
        "limits": {"seconds": chosen.seconds, "memory_mb": chosen.memory_mb},
        "rows": [dataclasses.asdict(row) for row in rows],
        "wrong": [row.page for row in rows if not row.well],
    }
    print(json.dumps(report, ensure_ascii=False))
    if not chosen.json:
        print(table(rows))
    sys.exit(1 if report["wrong"] else 0)


def indexed(folder: Path, seconds: float, memory_mb: int, only: str = "") -> list[Row]:
    """One indexing run over everything; a row for each poisoned file and each link, one for the run."""
    wiki = folder / "wiki"
    wiki.mkdir()
    makers = {one.name: one for one in poisons() if only in one.name}
    for one in makers.values():
        (wiki / one.name).write_bytes(one.make())
    for name, text in SOUND.items():
        (wiki / name).write_text(text, encoding="utf-8")
    (folder / "secret.md").write_text(SECRET, encoding="utf-8")
    for name, target in LINKS.items():
        os.symlink(target, wiki / name)
    with (wiki / "거대.txt").open("wb") as file:
        file.truncate(1 << 30)
    source = WatchedFolder(wiki)
    with ParsingProcess(seconds=seconds, memory_mb=memory_mb) as parsing:
        watched = Watched(parsing)
        report, texts, found = build(source, watched, folder / "data")
    failed = {one.page: one.error for one in report.failed}
    rows = []
    for name, one in makers.items():
        spent, new = watched.notes.get(name, (0.0, None))
        error = failed.get(name)
        well = one.ended_well(error) and (error is not None or name in texts) and SECRET not in texts.get(name, "")
        rows.append(Row(one.kind, name, told(error, texts.get(name)), well, round(spent, 1), new))
    error = failed.get("거대.txt")
    unread = isinstance(error, PageTooLarge) and "거대.txt" not in source.read
    rows.append(Row("a file of 1 GB", "거대.txt", told(error, None) + ("; never opened" if unread else ""), unread))
    for name, target in LINKS.items():
        away = name not in source.listed
        rows.append(Row(f"a link to {target}", name, "not followed" if away else "listed", away))
    missed = [question for question, page in QUESTIONS.items() if found[question] != page]
    unnamed = set(makers) - set(failed) - set(texts)
    happened = f"{report.pages} pages published as {report.passages} passages, {len(failed)} reported by name"
    happened += f"; {len(QUESTIONS) - len(missed)} of {len(QUESTIONS)} sound pages found first"
    return [Row("the run over all of them", "-", happened, not missed and not unnamed, round(report.seconds, 1)), *rows]


def build(source: FolderSource, watched: Watched, data: Path) -> tuple[BuildReport, dict[str, str], dict[str, str]]:
    """The report, the text of each published page, and which page each question finds first."""
    from knowledge.build import BuildOptions, build
    from knowledge.edition import EditionShelf
    from knowledge.korean import Analyser
    from knowledge.search import SearchIndex
    from tests.fakes.hash_embedder import HashEmbedder

    shelf, analyser, embedder = EditionShelf(data / "editions"), Analyser(), HashEmbedder()
    options = BuildOptions(shelf, data / "cache.sqlite", HashEmbedder.id, parse=watched.parse)
    report = build([source], options, lambda: analyser, lambda: embedder)
    edition = shelf.open()
    texts: dict[str, list[str]] = {}
    for passage in edition.passages:
        texts.setdefault(passage.page, []).append(passage.text)
    index = SearchIndex(edition, analyser, embedder)
    found = {question: index.search(question, reader_of(), 1).hits[0].passage.page for question in QUESTIONS}
    return report, {page: "\n".join(parts) for page, parts in texts.items()}, found


def misdeeds(seconds: float, memory_mb: int) -> list[Row]:
    """Parsers that misbehave in the ways that no file of ours brings about, each followed by a sound page."""
    rows = []
    with ParsingProcess(seconds=seconds, memory_mb=memory_mb, parser="tests.fakes.parsers:obey") as parsing:
        watched = Watched(parsing)
        for kind, deed, expected in MISDEEDS:
            watched.parse("문서".encode(), "a.md")
            error: PageError | None = None
            try:
                watched.parse(deed.encode(), deed)
            except PageError as caught:
                error = caught
            watched.parse("다음 문서".encode(), "b.md")  # raises if the run could not go on
            spent, new = watched.notes[deed]
            rows.append(
                Row(kind, "-", told(error, None) + "; next page read", type(error) is expected, round(spent, 1), new)
            )
    return rows


def told(error: PageError | None, text: str | None) -> str:
    """In a cell of the table."""
    if error is not None:
        reason = error.details.get("reason")
        return type(error).__name__ + (f": {reason}" if reason else "")
    return f"read as text, {len(text):,} characters" if text is not None else "not in the edition"


def table(rows: list[Row]) -> str:
    """For people."""
    lines = [
        "\n| poison | file | what happened | s | process | as it should |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        process = {True: "replaced", False: "kept", None: "-"}[row.new_process]
        cells = (row.kind, row.page, row.happened, f"{row.seconds:.1f}", process, "yes" if row.well else "NO")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
