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
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.console_pages import fill  # noqa: E402

_RELOAD = 30.0
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


class Service:
    """`saseo serve` in a process of its own, on free ports."""

    def __init__(self, folder: Path, writer: str, tokens: int) -> None:
        self.folder = folder
        self.web, self.metrics = free_port(), free_port()
        self.config = folder / "config.toml"
        self.config.write_text(
            f'data_dir = "data"\n[writer]\nmodel = "{writer}"\nmax_answer_tokens = {tokens}\n'
            # However busy the machine is: an answer that was cut off would take as long with clients as without.
            f"timeout_seconds = 1200.0\n[web]\nport = {self.web}\n[metrics]\nport = {self.metrics}\n"
            "[jobs]\nenabled = false\n[privacy]\nfirst_use_notice = false\n",
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *verb: str) -> None:
        """Another verb of Saseo, to its end."""
        subprocess.run(self._command(*verb), check=True, cwd=self.folder, env=environment())

    def start(self) -> None:
        """Returns when it is ready for questions."""
        log = (self.folder / "serve.log").open("ab")
        self.process = subprocess.Popen(
            self._command("serve"), cwd=self.folder, env=environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        until = time.monotonic() + 600
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise SystemExit((self.folder / "serve.log").read_text(encoding="utf-8")[-2000:])
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.metrics}/readyz", trust_env=False).status_code == 200:
                    return
            time.sleep(1)
        raise SystemExit("not ready within ten minutes")

    def stop(self) -> None:
        """SIGTERM."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(90)

    def measured(self) -> dict[str, float]:
        """Of its own metrics: seconds of processor, and counts of the event loop's lateness by upper bound in seconds."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics}/metrics", trust_env=False, timeout=60).text
        found = dict(re.findall(r'saseo_event_loop_lateness_seconds_bucket\{le="([^"]+)"\} (\S+)', text))
        found["processor"] = re.findall(r"^process_cpu_seconds_total (\S+)", text, re.MULTILINE)[0]
        return {name: float(value) for name, value in found.items()}

    def _command(self, *verb: str) -> list[str]:
        return [sys.executable, str(ROOT / "saseo.py"), "--config", str(self.config), *verb]


def environment() -> dict[str, str]:
    """Nothing of the shell's own Saseo but where models lie."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SASEO_") or k == "SASEO_MODELS_DIR"}
    return kept | {"NO_PROXY": "127.0.0.1"}


def free_port() -> int:
    """Of this machine."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


# -- the clients, in a process of their own ---------------------------------------------------------------------------------


async def poll(address: str, clients: int, every: float) -> None:
    """Look at pages until the standard input closes, then print what came of it."""
    os.nice(19)
    counts: dict[int, int] = {}
    seconds: list[float] = []
    async with httpx.AsyncClient(
        base_url=address, trust_env=False, timeout=60, headers={"accept": "text/html"}
    ) as first:
        pages = menu((await first.get("/")).text)

        async def fetch(http: httpx.AsyncClient, path: str, **headers: str) -> str:
            began = time.perf_counter()
            response = await http.get(path, headers=headers)
            seconds.append(time.perf_counter() - began)
            counts[response.status_code] = counts.get(response.status_code, 0) + 1
            return response.text

        async def again(http: httpx.AsyncClient, path: str, pause: float, **headers: str) -> None:
            while True:
                await asyncio.sleep(pause)
                await fetch(http, path, **headers)

        async def client(number: int) -> None:
            """A browser with one page open, or, with `every`, one that walks through all of them."""
            await asyncio.sleep(random.Random(number).random() * (every or _RELOAD))
            async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60, headers=first.headers) as http:
                if every:
                    for turn in range(10**9):
                        await fetch(http, pages[(number + turn) % len(pages)])
                        await asyncio.sleep(every)
                page = pages[number % len(pages)]
                own = polls(await fetch(http, page))
                async with asyncio.TaskGroup() as group:
                    for path, pause in own:
                        group.create_task(again(http, path, pause, **{"HX-Request": "true"}))
                    if not own:
                        group.create_task(again(http, page, _RELOAD))

        tasks = [asyncio.create_task(client(number)) for number in range(clients)]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({"statuses": counts, "seconds": sorted(seconds), "pages": pages}), flush=True)


def polls(html: str) -> list[tuple[str, float]]:
    """What a page fetches by itself (htmx), and every how many seconds."""
    found = []
    for tag in re.findall(r"<[^>]*hx-trigger=\"every [^>]*>", html):
        path, pause = re.search(r'hx-get="([^"]+)"', tag), re.search(r'hx-trigger="every (\d+)s', tag)
        if path and pause:
            found.append((path.group(1).replace("&amp;", "&"), float(pause.group(1))))
    return found


def menu(html: str) -> list[str]:
    """The pages that the console's menu links to, the first one included."""
    nav = re.search(r"<nav\b.*?</nav>", html, re.DOTALL)
    return list(dict.fromkeys(["/", *re.findall(r'href="(/[a-z/-]*)"', nav.group(0) if nav else "")]))


@contextlib.contextmanager
def polling(address: str, clients: int, every: float, told: list[dict[str, Any]]) -> Iterator[None]:
    """Meanwhile the clients poll; what they saw is added to `told`."""
    command = [sys.executable, __file__, "--poll", address, "--clients", str(clients), "--every", str(every)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.stdin.close()
        told.append(json.loads(process.stdout.read()))
        process.wait()


# -- the asker --------------------------------------------------------------------------------------------------------------


class Asker:
    """A person at the console's chat, without JavaScript: the form waits for the answer."""

    def __init__(self, service: Service) -> None:
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{service.web}", trust_env=False, timeout=1800, headers={"accept": "text/html"}
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
    address = f"http://127.0.0.1:{service.web}"
    for text in texts[:2]:  # the first answers load what is loaded late
        asker.ask(text)
    timed: list[Timed] = []
    seen: list[dict[str, Any]] = []
    blocks: list[dict[str, Any]] = []
    for round_number in range(arguments.rounds):
        for block, clients in enumerate(ORDER):
            before, began = service.measured(), time.perf_counter()
            with polling(address, arguments.clients, arguments.every, seen) if clients else contextlib.nullcontext():
                for number, text in enumerate(texts):
                    timed.append(Timed(round_number, block, number, clients, *asker.ask(text)))
                    print(json.dumps({"load": os.getloadavg()[0]} | vars_of(timed[-1])), file=sys.stderr, flush=True)
            after = service.measured()
            rose = {name: after[name] - before.get(name, 0.0) for name in after}
            seconds = time.perf_counter() - began
            blocks.append({"clients": clients, "seconds": seconds, "processor": rose.pop("processor"), "late": rose})
    return timed, seen, blocks


def idle(service: Service, arguments: argparse.Namespace) -> dict[str, Any]:
    """What the clients alone cost: processor of the service while nobody asks, without and with them, as shares of one core."""
    shares: dict[bool, float] = {}
    seen: list[dict[str, Any]] = []
    address = f"http://127.0.0.1:{service.web}"
    for clients in (False, True):
        with polling(address, arguments.clients, arguments.every, seen) if clients else contextlib.nullcontext():
            time.sleep(_RELOAD + 5 if clients else 5)  # every page has been opened by then
            before, began = service.measured(), time.perf_counter()
            time.sleep(arguments.idle)
            shares[clients] = (service.measured()["processor"] - before["processor"]) / (time.perf_counter() - began)
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


def ratio(pairs: Sequence[tuple[float, float]], seed: int = 6) -> dict[str, float]:
    """Geometric mean of second to first, with the 95 % interval of a bootstrap over the pairs."""
    logs = np.log([after / before for before, after in pairs])
    drawn = np.random.default_rng(seed).choice(logs, (4000, len(logs))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "ratio": float(np.exp(logs.mean())),
        "low": float(np.exp(low)),
        "high": float(np.exp(high)),
        "n": len(pairs),
    }


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
    page_seconds = sorted(s for one in seen for s in one["seconds"])
    statuses: dict[str, int] = {}
    for one in seen:
        for status, count in one["statuses"].items():
            statuses[status] = statuses.get(status, 0) + count
    figures["pages"] = {
        "fetched": statuses,
        "p50": page_seconds[len(page_seconds) // 2] if page_seconds else None,
        "p95": page_seconds[int(len(page_seconds) * 0.95)] if page_seconds else None,
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
    parser.add_argument("--poll", metavar="ADDRESS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.poll:
        asyncio.run(poll(arguments.poll, arguments.clients, arguments.every))
        return
    with tempfile.TemporaryDirectory() as temporary:
        service = Service(Path(temporary), arguments.writer, arguments.tokens)
        if arguments.editions:
            shutil.copytree(arguments.editions, service.folder / "data" / "editions")
        else:
            service.run("index")
        from bot.store.database import open_store

        store = open_store("", service.folder / "data")
        fill(store, arguments.stored, time.time())
        store.close()
        service.start()
        alone = None
        try:
            if arguments.idle:
                alone = idle(service, arguments)
                print(json.dumps(alone), file=sys.stderr, flush=True)
            timed, seen, blocks = measure(service, arguments)
        finally:
            service.stop()
    figures = report(timed, seen, blocks, arguments) | {"alone": alone}
    print(json.dumps(figures, ensure_ascii=False))
    print()
    print(table(figures))


if __name__ == "__main__":
    main()
