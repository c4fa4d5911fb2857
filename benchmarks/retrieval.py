"""Search quality through the product's own command line: fused against lexical only against dense only.

    python benchmarks/retrieval.py [WIKI] [--set FILE.jsonl] [--data-dir DIR]

Indexes WIKI in a temporary data directory and evaluates the set once per weighting of the legs. The pairs of lines
"a − b" resample questions with both searches' scores together, so they see differences that two intervals hide.
One line of JSON, then a Markdown table. Nothing of the person's own configuration or data directory is used but the
models.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jobs.metrics import Mean, bootstrap  # noqa: E402 - a script finds the rooms only after the line above

WEIGHTS: dict[str, dict[str, float] | None] = {
    "fused": None,  # the product's defaults
    "lexical": {"morpheme": 4 / 7, "bigram": 3 / 7, "dense": 0.0},  # the defaults without the dense leg
    "dense": {"morpheme": 0.0, "bigram": 0.0, "dense": 1.0},
}
MEASURES = ("recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")


def main() -> None:
    """Index once, evaluate per weighting, print."""
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="saseo-retrieval-") as made:
        scratch = Path(made)
        data_dir = (wanted.data_dir or scratch / "data").resolve()
        configs = {name: _config(scratch, name, wanted.wiki.resolve(), data_dir) for name in wanted.legs}
        indexed = _saseo(configs[wanted.legs[0]], "index", "--json")
        print(f"indexed: {indexed['pages']} pages, {indexed['seconds']} s", file=sys.stderr)
        runs, ranks = {}, {}
        for name, config in configs.items():
            began, details = time.perf_counter(), scratch / f"{name}.jsonl"
            runs[name] = _saseo(
                config, "evaluate", "--set", str(wanted.set), "--retrieval", "--json", "--details", str(details)
            )
            ranks[name] = _reciprocal_ranks(details)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    differences = {
        f"fused − {name}": bootstrap([a - b for a, b in zip(ranks["fused"], ranks[name], strict=True)])
        for name in ranks
        if name != "fused" and "fused" in ranks
    }
    result = {
        "benchmark": "retrieval",
        "wiki": str(wanted.wiki),
        "set": str(wanted.set),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "index": {key: indexed[key] for key in ("edition", "pages", "passages", "seconds")},
        "runs": runs,
        "mrr@10_differences": {name: found.as_json() for name, found in differences.items()},
    }
    print(json.dumps(result, ensure_ascii=False))
    print()
    print(_table(runs, differences))


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
    parser.add_argument("--legs", nargs="+", choices=list(WEIGHTS), default=list(WEIGHTS))
    wanted = parser.parse_args()
    wanted.set = (wanted.set or wanted.wiki / ".." / "questions.jsonl").resolve()
    for path in (wanted.wiki, wanted.set):
        if not path.exists():
            parser.error(f"{path} does not exist")
    return wanted


def _config(folder: Path, name: str, wiki: Path, data_dir: Path) -> Path:
    lines = [
        f"data_dir = {json.dumps(str(data_dir), ensure_ascii=False)}",
        "[[sources]]",
        'name = "wiki"',
        'kind = "folder"',
        f"path = {json.dumps(str(wiki), ensure_ascii=False)}",
    ]
    weights = WEIGHTS[name]
    if weights is not None:
        lines += ["[search.weights]", *(f"{leg} = {weight}" for leg, weight in weights.items())]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _saseo(config: Path, *arguments: str) -> dict[str, Any]:
    # SASEO_SEARCH__… in the shell would silently win over the configuration compared here.
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith("SASEO_") or key == "SASEO_MODELS_DIR"
    }
    command = [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=kept, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _reciprocal_ranks(details: Path) -> list[float]:
    records = (json.loads(line) for line in details.read_text(encoding="utf-8").splitlines())
    return [record["reciprocal_rank"] for record in records if record["reciprocal_rank"] is not None]


def _table(runs: dict[str, dict[str, Any]], differences: dict[str, Mean]) -> str:
    """Means with their 95 % intervals; times in ms."""
    head = ["search", *MEASURES, "embedding p50 / p95 ms", "search p50 / p95 ms"]
    rows = [head, ["---"] * len(head)]
    for name, run in runs.items():
        times = [run["milliseconds"][part] for part in ("embedding", "search")]
        shown = [f"{one['p50']:.1f} / {one['p95']:.1f}" if one["n"] else "-" for one in times]
        rows.append([name, *(_interval(run[measure]) for measure in MEASURES), *shown])
    for name, found in differences.items():
        rows.append([name, "", "", "", _interval(dict(found.as_json()), sign="+"), "", "", ""])
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
