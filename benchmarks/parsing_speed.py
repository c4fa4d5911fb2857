"""What parsing in a process of its own costs: the same pages parsed here and there, taking turns.

    python benchmarks/parsing_speed.py                      # 1,000 small Markdown pages made for it
    python benchmarks/parsing_speed.py --wiki KORQUAD/wiki

By the clock (which others' work disturbs) and by CPU seconds of this process and the child together (Linux). Prints one line of
JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from knowledge.formats import parse  # noqa: E402
from knowledge.page import Document  # noqa: E402
from knowledge.parsing import ParsingProcess  # noqa: E402

Pages = list[tuple[bytes, str]]


def main() -> None:
    """Parse, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wiki", type=Path, help="its Markdown pages instead of made ones")
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    pages = found(chosen.wiki, chosen.pages) if chosen.wiki else made(chosen.pages)
    here: list[tuple[float, float]] = []
    there: list[tuple[float, float]] = []
    with ParsingProcess() as parsing:
        started = time.perf_counter()
        parsing.parse(*pages[0])
        first = time.perf_counter() - started
        for data, name in pages:
            assert parsing.parse(data, name) == parse(data, name)
        for _ in range(chosen.rounds):
            here.append(spent(pages, parse, parsing))
            there.append(spent(pages, parsing.parse, parsing))
        children = parsing.started
    per_page = 1000 / len(pages)
    report = {
        "benchmark": "parsing_speed",
        "pages": len(pages),
        "bytes_per_page": round(statistics.mean(len(data) for data, _ in pages)),
        "start_and_first_page_s": round(first, 2),
        "children": children,
        "here_ms": [round(per_page * statistics.median(column), 3) for column in zip(*here, strict=True)],
        "there_ms": [round(per_page * statistics.median(column), 3) for column in zip(*there, strict=True)],
        "ratio": [
            round(statistics.median(b / a for a, b in zip(ours, theirs, strict=True)), 2)
            for ours, theirs in zip(zip(*here, strict=True), zip(*there, strict=True), strict=True)
        ],
    }
    print(json.dumps(report))
    print("\n| ms per page | in this process | in a process of its own | ratio |\n| --- | --- | --- | --- |")
    for at, name in enumerate(("by the clock", "CPU")):
        print(f"| {name} | {report['here_ms'][at]} | {report['there_ms'][at]} | {report['ratio'][at]} |")  # type: ignore[index]


def made(count: int) -> Pages:
    """Pages as a wiki has them: a few headings, paragraphs, a list, a table; about 3 kB."""
    paragraph = "신청은 그룹웨어에서 하고 팀장의 승인을 받습니다. 승인된 뒤에 바뀐 것은 총무팀에 알립니다.\n\n"
    table = "| 항목 | 금액 |\n| --- | --- |\n" + "| 일비 | 40,000원 |\n" * 8
    body = f"## 절차\n\n{paragraph * 6}## 기준\n\n- 첫째 기준\n- 둘째 기준\n- 셋째 기준\n\n{table}"
    return [
        (f"---\ntitle: 규정 {n}\nupdated: 2026-01-05\n---\n# 규정 {n}\n\n{body}{n}".encode(), f"{n}.md")
        for n in range(count)
    ]


def found(wiki: Path, count: int) -> Pages:
    """Of a folder, over and over if it has too few."""
    pages = [(path.read_bytes(), path.name) for path in sorted(wiki.rglob("*.md"))]
    return list(itertools.islice(itertools.cycle(pages), count))


def spent(pages: Pages, parser: Callable[[bytes, str], Document], parsing: ParsingProcess) -> tuple[float, float]:
    """Seconds by the clock, and of CPU."""
    clock, before = time.perf_counter(), cpu(parsing)
    for data, name in pages:
        parser(data, name)
    return time.perf_counter() - clock, cpu(parsing) - before


def cpu(parsing: ParsingProcess) -> float:
    """Seconds on a processor so far: of this process, of the children that have ended, of the one that runs."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = f"/proc/{parsing.pid}/schedstat"
    child = int(Path(running).read_text().split()[0]) / 1e9 if parsing.pid is not None else 0.0
    return time.process_time() + ended.ru_utime + ended.ru_stime + child


if __name__ == "__main__":
    main()
