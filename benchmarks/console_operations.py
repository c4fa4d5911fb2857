"""The console's other pages (위키, 빈틈, 검토, 모델, 작업, 물어보기) of a whole service whose store holds 100,000 questions.

    python benchmarks/console_operations.py                            # index the example wiki first
    python benchmarks/console_operations.py --editions var/editions    # an index that is there already
    python benchmarks/console_operations.py --keep var/operations      # keep the installation and use it again

The questions are those of console_pages.py. Before anything is measured the jobs `gaps` and `examples` run over them, and examples are made
of the wiki (`saseo tune synthesize`), each timed: what two of the pages show. The answers cite pages that do not exist, so no example comes
of them. `saseo serve` then runs as a process of its own, and each page is fetched as there, without a query beside it.
Prints one line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.console_pages import Visit, filled_store, table, visited  # noqa: E402 - a script finds the rooms only now
from benchmarks.served import Service  # noqa: E402

BEFORE = (("jobs", "run", "gaps"), ("jobs", "run", "examples"), ("tune", "synthesize"))
PATHS = ("/wiki", "/gaps", "/review", "/models", "/jobs", "/ask")


def main() -> None:
    """Fill, run the jobs, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=40, help="of each page")
    parser.add_argument("--writer", default="qwen2.5-coder-0.5b")
    parser.add_argument("--editions", type=Path, help="folder of an index to copy; default: index the example wiki")
    parser.add_argument("--keep", type=Path, help="folder of the installation; what is there already is used as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report = measure(options.keep or Path(temporary), options)
    print(json.dumps(report, ensure_ascii=False))
    print(table(report))


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Everything, as one JSON object. Seconds of what ran before; milliseconds of pages."""
    folder.mkdir(parents=True, exist_ok=True)
    service = service_of(folder.resolve(), options.writer)
    data = service.folder / "data"
    if not (data / "editions").exists():
        if options.editions:
            shutil.copytree(options.editions, data / "editions")
        else:
            service.run("index")
    filled = filled_store(data, "", options.questions)
    before = {" ".join(verb): _seconds(service, *verb) for verb in BEFORE}
    with service.serving() as address, closing(_connected(address)) as connection:
        found = {path: visited(connection, service.pid, None, Visit(path), options.requests) for path in PATHS}
    return {**filled, "before": before, "pages": found}


def service_of(folder: Path, writer: str) -> Service:
    """Without its clock: nothing runs but what is asked for."""
    return Service(
        folder,
        f'data_dir = "data"\n[writer]\nmodel = {json.dumps(writer)}\n[jobs]\nenabled = false\n'
        "[tuning]\nlearn_from_feedback = true\n[privacy]\nfirst_use_notice = false\n",
    )


def _connected(address: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)


def _seconds(service: Service, *verb: str) -> float:
    began = time.perf_counter()
    service.run(*verb)
    return round(time.perf_counter() - began, 1)


if __name__ == "__main__":
    main()
