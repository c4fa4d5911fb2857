"""The console over a store with 100,000 questions: how long its pages take on the server, and how heavy they are.

    python benchmarks/console_pages.py                       # SQLite in a temporary folder
    python benchmarks/console_pages.py --url postgresql://…  # an EMPTY database of PostgreSQL
    python benchmarks/console_pages.py --keep var/console    # keep the store there and use it again
    python benchmarks/console_pages.py --keep var/console --serve   # only listen, to look at the pages

The questions are made up (`made_up_questions.py`) and lie in the last 90 days. A console listens on this machine in a process of
its own, in which every page of the wiki may be read. Each page of `VISITS` is fetched over a real socket, one request
after the other, in turn with the query behind it, run bare on the same store: so both see the same load of the machine. Shown are
milliseconds until the first byte, processor time of the server's process for each request, and bytes: of the page, and with every
style, script and picture that it names.
Prints one line of JSON, then Markdown tables.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.made_up_questions import DAY, SEOUL, fill, how_many  # noqa: E402 - a script finds the rooms only now
from jobs.metrics import percentiles  # noqa: E402

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Store
    from bot.web.page import Page

Query = Callable[["Connection", float], object]


@dataclass(frozen=True)
class Visit:
    """A page's address, and the query behind it, for comparison (None: there is not one alone)."""

    path: str
    bare: Query | None = None


def visits(newest: str) -> list[Visit]:
    """What is measured: add a page's addresses here and the page itself to `pages`. `newest`: id of an answered question."""
    from bot.store import conversations, told
    from bot.store.conversations import Filter
    from bot.store.cursor import Cursor
    from bot.store.days import KeptSeconds
    from bot.store.statistics import statistics

    kept = KeptSeconds()  # as the page keeps it

    def counted(**wanted: Any) -> Query:
        return lambda connection, now: statistics(connection, SEOUL, now=now, kept=kept, **wanted)

    def listed(**wanted: Any) -> Query:
        return lambda connection, now: conversations.page(connection, Filter(**wanted))

    middle = Cursor(time.time() - 45 * DAY, "0")
    return [
        Visit("/", counted()),
        Visit("/?days=90", counted(span=90)),
        Visit("/?days=90&place=slack:C000000003", counted(span=90, where=("slack", "C000000003"))),
        Visit("/today/numbers", counted()),
        Visit("/conversations", listed()),
        Visit(f"/conversations?after={middle}", lambda c, now: conversations.page(c, Filter(), after=middle)),
        Visit("/conversations?outcome=abstained", listed(outcome="abstained")),
        Visit("/conversations?where=slack:C000000003", listed(platform="slack", place="C000000003")),
        Visit("/conversations?lora=none", listed(lora="none")),
        Visit("/conversations?vote=down", listed(vote="down")),
        Visit(
            "/conversations?vote=down&outcome=abstained&where=slack:C000000003",
            listed(vote="down", outcome="abstained", platform="slack", place="C000000003"),
        ),
        Visit(f"/conversations?q={quote('연차')}", listed(text="연차", searchable="shared")),
        Visit(f"/conversations?q={quote('없는 말')}", listed(text="없는 말", searchable="shared")),
        Visit(f"/conversations/{newest}", lambda connection, now: told.get(connection, newest)),
    ]


def pages(store: Store) -> Sequence[Page]:
    """The pages that are measured."""
    from bot.web.pages.conversations import ConversationsParts, conversations
    from bot.web.pages.today import TodayParts, today

    ticks = itertools.count()
    # Each look is six seconds after the one before: what 오늘 keeps for five is never used here.
    clock = lambda: time.time() + 6 * next(ticks)  # noqa: E731
    return [
        today(TodayParts(store, SEOUL, clock)),
        conversations(ConversationsParts(store, SEOUL, _all_may_be_read)),
    ]


def main() -> None:
    """Fill, measure, print; or only serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=40, help="of each page")
    parser.add_argument("--url", default="", help="of an empty PostgreSQL database; default: SQLite")
    parser.add_argument("--keep", type=Path, help="folder of the store; one that is filled already is used as it is")
    parser.add_argument("--serve", action="store_true", help="fill if need be, then listen until Ctrl-C")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        if options.serve:
            filled_store(folder, options.url, options.questions)
            asyncio.run(_serve(folder, options.url))
            return
        report = measure(folder, options.url, options.questions, options.requests)
    print(json.dumps(report, ensure_ascii=False))
    print(table(report))


def measure(folder: Path, url: str, questions: int, requests: int) -> dict[str, Any]:
    """Everything, as one JSON object. Seconds as milliseconds."""
    from bot.store import conversations, days
    from bot.store.conversations import Filter
    from bot.store.database import open_store

    filled = filled_store(folder, url, questions)
    command = [sys.executable, __file__, "--keep", str(folder), "--serve", "--url", url]
    store = open_store(url, folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, closing(store):
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip().removeprefix("http://")
            began, rolled = time.perf_counter(), 0
            while store.run_now(days.roll_up, SEOUL, now=time.time()):
                rolled += 1
            counting = time.perf_counter() - began
            newest = store.run_now(conversations.page, Filter(outcome="answered")).rows[0].id
            with closing(http.client.HTTPConnection(address, timeout=120)) as connection:
                found = {one.path: visited(connection, server.pid, store, one, requests) for one in visits(newest)}
        finally:
            server.terminate()
    file = folder / "saseo.sqlite"
    return {
        **filled,
        "database": "postgresql" if url else "sqlite",
        "store_mb": round(file.stat().st_size / 2**20) if file.exists() else None,
        "days_counted": rolled,
        "counting_seconds": round(counting, 1),
        "pages": found,
    }


def visited(
    connection: http.client.HTTPConnection, pid: int, store: Store | None, one: Visit, requests: int
) -> dict[str, Any]:
    """One page so many times over `connection`, the process `pid` answering; its bare query over `store`."""
    page, _ = _fetched(connection, one.path)  # to warm up
    taken, bare, used = [], [], 0.0
    for _ in range(requests):
        before = _processor(pid)
        page, seconds = _fetched(connection, one.path)
        used += _processor(pid) - before
        taken.append(seconds)
        if one.bare is not None and store is not None:
            began = time.perf_counter()
            store.run_now(one.bare, time.time())
            bare.append(time.perf_counter() - began)
    named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.decode()))
    weight = len(page) + sum(len(_fetched(connection, name)[0]) for name in sorted(named))
    half, slow = _half_and_slow(taken)
    found: dict[str, Any] = {"p50": half, "p95": slow, "processor": round(1000 * used / requests, 1)}
    if bare:
        found["bare_p50"], found["bare_p95"] = _half_and_slow(bare)
        found["ratio"] = round(slow / max(found["bare_p95"], 0.1), 2)
    return found | {"page_kb": round(len(page) / 1000, 1), "whole_kb": round(weight / 1000, 1)}


def _fetched(connection: http.client.HTTPConnection, path: str) -> tuple[bytes, float]:
    """(the body, seconds until the head of the answer was there)."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"Accept": "text/html"})
    response = connection.getresponse()
    seconds = time.perf_counter() - began
    body = response.read()
    assert response.status == 200, (path, response.status)
    return body, seconds


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used: user and system, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _half_and_slow(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    found = percentiles([1000 * one for one in seconds])
    assert found.p50 is not None
    assert found.p95 is not None
    return round(found.p50, 1), round(found.p95, 1)


async def _serve(folder: Path, url: str) -> None:
    from bot.store.database import open_store
    from bot.web.app import WebOptions, make_app
    from bot.web.server import WebServer

    store = open_store(url, folder)
    app = make_app(pages(store), store, WebOptions("127.0.0.1", "", "ko", "shared", SEOUL))
    server = WebServer(app, "127.0.0.1", 0)
    server.open()
    print(server.address, flush=True)
    await server.run()


async def _all_may_be_read(groups: Collection[str], pages: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The pages are made up, too; shown in full they weigh most."""
    return frozenset(pages)


def filled_store(folder: Path, url: str, questions: int) -> dict[str, Any]:
    """A store with so many made-up questions; one that has any is left as it is."""
    from bot.store.database import open_store

    began = time.perf_counter()
    store = open_store(url, folder)
    try:
        there = store.run_now(how_many)
        if not there:
            fill(store, questions, time.time())
        return {"questions": there or questions, "fill_seconds": round(time.perf_counter() - began, 1)}
    finally:
        store.close()


def table(report: dict[str, Any]) -> str:
    """Markdown, a line for each page."""
    lines = [
        "| page | p50 ms | p95 ms | bare query p50 ms | p95 ms | p95 / bare p95 | processor ms | page KB | with assets KB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for path, one in report["pages"].items():
        bare = [one.get(name, "–") for name in ("bare_p50", "bare_p95", "ratio")]
        cells = [one["p50"], one["p95"], *bare, one["processor"], one["page_kb"], one["whole_kb"]]
        lines.append(f"| `{path}` | " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
