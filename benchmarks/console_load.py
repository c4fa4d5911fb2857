"""Do answers become slower while many people look at the console? One asker, with and without polling clients, alternately.

    python benchmarks/console_load.py                                  # 50 clients, the small writer
    python benchmarks/console_load.py --questions 4 --rounds 2         # a short run
    python benchmarks/console_load.py --editions var/editions          # an index that is there already

`saseo serve` runs as a process of its own over the example wiki, with a store of made-up questions so that pages have something to show.
One asker sends questions one after the other through the console's own chat and waits for each answer. In every second block
`--clients` more connections, from a process of their own at the lowest priority, each have one page of the console's menu open and
fetch what it fetches by itself, as often as it does (a page that fetches nothing is loaded anew twice a minute). With `--every` each
walks through all pages instead, a whole one every so many seconds: far more than people do.

Blocks come in the order without, with, with, without, so that a drift of the machine cancels out, and a block asks several questions,
so that no question directly follows itself (llama.cpp would still have its prompt).

The figure is the ratio of answer times, with clients to without, question by question within a round; the interval is a bootstrap over
the questions. Beside it the ratio of the blocks without clients to each other (second to first): how far apart two equal runs are.
Seconds come from the asker (POST until the page with the answer is there) and from the service (its answer flow alone).
Where other programs compute, too, these say little; then look at the seconds of processor that the service itself took per answer, and at
what the clients cost while nobody asks, as a share of one core: on a machine with n cores that all write, answers become slower by about
that share divided by n.
Prints one line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import re
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.console_clients import RELOAD, polling  # noqa: E402 - a script finds the rooms only after the line above
from benchmarks.made_up_questions import fill  # noqa: E402
from benchmarks.served import Service  # noqa: E402
from jobs.metrics import bootstrap, percentiles  # noqa: E402

ORDER = (False, True, True, False)
"""With clients or without, block by block."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One answer."""

    round: int
    block: int
    question: int
    clients: bool
    seconds: float
    """Of the asker."""
    flow: float
    """Of the service's answer flow."""
    outcome: str
    quoted: bool
    """No model wrote it: such an answer says nothing here."""


def service_of(folder: Path, writer: str, tokens: int) -> Service:
    """One that nothing disturbs but the clients."""
    return Service(
        folder,
        f'data_dir = "data"\n[writer]\nmodel = "{writer}"\nmax_answer_tokens = {tokens}\n'
        # However busy the machine is: an answer that was cut off would take as long with clients as without.
        "timeout_seconds = 1200.0\n[jobs]\nenabled = false\n[privacy]\nfirst_use_notice = false\n",
    )


def measured(service: Service) -> dict[str, float]:
    """Of its own metrics: seconds of processor, and counts of the event loop's lateness by upper bound in seconds."""
    text = httpx.get(f"http://127.0.0.1:{service.metrics}/metrics", trust_env=False, timeout=60).text
    found = dict(re.findall(r'saseo_event_loop_lateness_seconds_bucket\{le="([^"]+)"\} (\S+)', text))
    found["processor"] = re.findall(r"^process_cpu_seconds_total (\S+)", text, re.MULTILINE)[0]
    return {name: float(value) for name, value in found.items()}


# -- the asker --------------------------------------------------------------------------------------------------------------


class Asker:
    """A person at the console's chat, without JavaScript: the form waits for the answer."""

    def __init__(self, service: Service) -> None:
        self._http = httpx.Client(
            base_url=service.address, trust_env=False, timeout=1800, headers={"accept": "text/html"}
        )
        self._store = service.folder / "data" / "saseo.sqlite"

    def ask(self, text: str) -> tuple[float, float, str, bool]:
        """Seconds here, seconds of the flow, outcome, whether quotes stand for the model's words."""
        page = self._http.get("/ask")
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token is not None, page.text[:500]
        began = time.perf_counter()
        response = self._http.post("/ask", data={"csrf": token.group(1), "text": text})
        took = time.perf_counter() - began
        response.raise_for_status()
        with contextlib.closing(sqlite3.connect(f"{self._store.as_uri()}?mode=ro", uri=True, timeout=30)) as store:
            kept, outcome, model = store.execute(
                "SELECT answer, outcome, model FROM answers ORDER BY answered_at DESC LIMIT 1"
            ).fetchone()
        return took, float(json.loads(kept)["seconds"]["total"]), str(outcome), model == "extractive"


def questions(count: int) -> list[str]:
    """Of the example wiki, always the same ones."""
    rows = (ROOT / "examples" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(row)["question"] for row in rows if json.loads(row).get("answerable", True)]
    return random.Random(6).sample(texts, min(count, len(texts)))


def measure(
    service: Service, arguments: argparse.Namespace
) -> tuple[list[Timed], list[dict[str, Any]], list[dict[str, Any]]]:
    """All rounds: answers, what the clients saw, and each block's own figures."""
    asker, texts = Asker(service), questions(arguments.questions)
    for text in texts[:2]:  # the first answers load what is loaded late
        asker.ask(text)
    timed: list[Timed] = []
    seen: list[dict[str, Any]] = []
    blocks: list[dict[str, Any]] = []
    for round_number in range(arguments.rounds):
        for block, clients in enumerate(ORDER):
            before, began = measured(service), time.perf_counter()
            with (
                polling(service.address, arguments.clients, arguments.every, seen)
                if clients
                else contextlib.nullcontext()
            ):
                for number, text in enumerate(texts):
                    timed.append(Timed(round_number, block, number, clients, *asker.ask(text)))
                    print(json.dumps({"load": os.getloadavg()[0]} | vars_of(timed[-1])), file=sys.stderr, flush=True)
            after = measured(service)
            rose = {name: after[name] - before.get(name, 0.0) for name in after}
            seconds = time.perf_counter() - began
            blocks.append({"clients": clients, "seconds": seconds, "processor": rose.pop("processor"), "late": rose})
    return timed, seen, blocks


def idle(service: Service, arguments: argparse.Namespace) -> dict[str, Any]:
    """What the clients alone cost: processor of the service while nobody asks, without and with them, as shares of one core."""
    shares: dict[bool, float] = {}
    seen: list[dict[str, Any]] = []
    for clients in (False, True):
        with (
            polling(service.address, arguments.clients, arguments.every, seen) if clients else contextlib.nullcontext()
        ):
            time.sleep(RELOAD + 5 if clients else 5)  # every page has been opened by then
            before, began = measured(service), time.perf_counter()
            time.sleep(arguments.idle)
            shares[clients] = (measured(service)["processor"] - before["processor"]) / (time.perf_counter() - began)
    return {
        "without": shares[False],
        "with": shares[True],
        "cores": os.cpu_count(),
        "requests": sum(seen[0]["statuses"].values()),
        "p50": statistics.median(seen[0]["seconds"]),
    }


def vars_of(one: Timed) -> dict[str, Any]:
    """For the log."""
    return {name: getattr(one, name) for name in Timed.__slots__}


# -- the figures ------------------------------------------------------------------------------------------------------------


def ratio(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Geometric mean of second to first, with the 95 % interval of a bootstrap over the pairs."""
    mean = bootstrap([math.log(after / before) for before, after in pairs], seed=6, rounds=4000)
    found = {"ratio": mean.mean, "low": mean.low, "high": mean.high}
    return {name: math.exp(value) for name, value in found.items() if value is not None} | {"n": mean.n}


def report(
    timed: Sequence[Timed],
    seen: Sequence[dict[str, Any]],
    blocks: Sequence[dict[str, Any]],
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """What is printed. One pair per question and round: the mean of its two answers on each side."""
    figures: dict[str, Any] = {"clients": arguments.clients, "every": arguments.every, "writer": arguments.writer}
    for measure_name in ("seconds", "flow"):
        by: dict[tuple[int, int], dict[int, float]] = {}
        for one in timed:
            by.setdefault((one.round, one.question), {})[one.block] = getattr(one, measure_name)
        both = [((b[0] + b[3]) / 2, (b[1] + b[2]) / 2) for b in by.values()]
        figures[measure_name] = {
            "with_to_without": ratio(both),
            "without_to_without": ratio([(b[0], b[3]) for b in by.values()]),
            "median_without": statistics.median(before for before, _ in both),
            "median_with": statistics.median(after for _, after in both),
        }
    page_seconds = [s for one in seen for s in one["seconds"]]
    half_and_slow = percentiles(page_seconds)
    statuses: dict[str, int] = {}
    for one in seen:
        for status, count in one["statuses"].items():
            statuses[status] = statuses.get(status, 0) + count
    figures["pages"] = {
        "fetched": statuses,
        "p50": half_and_slow.p50,
        "p95": half_and_slow.p95,
        "of": seen[0]["pages"] if seen else [],
    }
    # Other programs make answers slower, but add nothing to what this process itself computes.
    per_answer = {
        on: sum(b["processor"] for b in blocks if b["clients"] is on) / (len(timed) / 2) for on in (False, True)
    }
    figures["processor"] = {
        "per_answer_without": per_answer[False],
        "per_answer_with": per_answer[True],
        "ratio": per_answer[True] / per_answer[False],
        "per_page": (per_answer[True] - per_answer[False]) * len(timed) / 2 / max(len(page_seconds), 1),
        "pages_per_second": len(page_seconds) / sum(b["seconds"] for b in blocks if b["clients"]),
    }
    late = [b["late"] for b in blocks if b["clients"]]
    figures["late_over_50_ms"] = {
        "with": 1 - sum(b["0.05"] for b in late) / sum(b["+Inf"] for b in late),
        "without": 1
        - sum(b["late"]["0.05"] for b in blocks if not b["clients"])
        / sum(b["late"]["+Inf"] for b in blocks if not b["clients"]),
    }
    figures["outcomes"] = {o: sum(one.outcome == o for one in timed) for o in sorted({one.outcome for one in timed})}
    figures["quoted"] = sum(one.quoted for one in timed)
    figures["load"] = os.getloadavg()[2]
    return figures


def table(figures: dict[str, Any]) -> str:
    """For people."""
    lines = [
        "| measure | without clients | with clients | with ÷ without | two runs without |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, told in (("seconds", "asker, s"), ("flow", "answer flow, s")):
        one = figures[name]
        main, noise = one["with_to_without"], one["without_to_without"]
        lines.append(
            f"| {told} | {one['median_without']:.2f} | {one['median_with']:.2f} | "
            f"{main['ratio']:.3f} ({main['low']:.3f}–{main['high']:.3f}, n = {main['n']}) | "
            f"{noise['ratio']:.3f} ({noise['low']:.3f}–{noise['high']:.3f}) |"
        )
    cpu = figures["processor"]
    lines.append(
        f"| processor per answer, s | {cpu['per_answer_without']:.2f} | {cpu['per_answer_with']:.2f} | {cpu['ratio']:.3f} | – |"
    )
    if figures["alone"]:
        alone = figures["alone"]
        lines.append(f"| share of one core while nobody asks | {alone['without']:.1%} | {alone['with']:.1%} | – | – |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writer", default="qwen2.5-coder-0.5b")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--every", type=float, default=0.0, help="seconds between two whole pages of one client")
    parser.add_argument("--questions", type=int, default=8, help="per block")
    parser.add_argument("--rounds", type=int, default=3, help="of four blocks")
    parser.add_argument("--tokens", type=int, default=160, help="of one answer at most")
    parser.add_argument("--stored", type=int, default=5000, help="made-up questions in the store")
    parser.add_argument("--editions", type=Path, help="folder of an index to copy; default: index the example wiki")
    parser.add_argument(
        "--idle", type=float, default=60.0, help="seconds of clients alone, and of nobody; 0: leave out"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        service = service_of(Path(temporary), arguments.writer, arguments.tokens)
        if arguments.editions:
            shutil.copytree(arguments.editions, service.folder / "data" / "editions")
        else:
            service.run("index")
        from bot.store.database import open_store

        store = open_store("", service.folder / "data")
        fill(store, arguments.stored, time.time())
        store.close()
        alone = None
        with service.serving():
            if arguments.idle:
                alone = idle(service, arguments)
                print(json.dumps(alone), file=sys.stderr, flush=True)
            timed, seen, blocks = measure(service, arguments)
    figures = report(timed, seen, blocks, arguments) | {"alone": alone}
    print(json.dumps(figures, ensure_ascii=False))
    print()
    print(table(figures))


if __name__ == "__main__":
    main()
