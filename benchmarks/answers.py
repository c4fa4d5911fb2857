"""Answer quality of the default writer without a LoRA: the baseline that tuning must beat.

    python benchmarks/answers.py                                   # the demo wiki and its questions
    python benchmarks/answers.py --korquad KORQUAD --answerable 200 --unanswerable 100

Builds a fresh index through `saseo index`, draws the sample (seeded, so that everybody draws the same one), runs
`saseo evaluate` and prints its JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261124


def main() -> None:
    """Parse, sample, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--korquad", type=Path, help="folder with wiki/, questions.jsonl and unanswerable.jsonl")
    parser.add_argument("--answerable", type=int, default=10**6, help="how many answerable questions (default: all)")
    parser.add_argument("--unanswerable", type=int, default=10**6, help="how many unanswerable ones (default: all)")
    parser.add_argument("--details", type=Path, help="write one line per question here")
    chosen = parser.parse_args()
    if chosen.korquad:
        wiki = chosen.korquad / "wiki"
        lines = [*_lines(chosen.korquad / "questions.jsonl"), *_lines(chosen.korquad / "unanswerable.jsonl")]
    else:
        wiki = ROOT / "examples" / "wiki"
        lines = _lines(ROOT / "examples" / "questions.jsonl")
    sample = [*_drawn(lines, True, chosen.answerable), *_drawn(lines, False, chosen.unanswerable)]
    with tempfile.TemporaryDirectory() as folder:
        report = _run(Path(folder), wiki.resolve(), sample, chosen.details)
    print(json.dumps(report, ensure_ascii=False))
    print(_table(report))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _drawn(lines: list[dict[str, Any]], answerable: bool, count: int) -> list[dict[str, Any]]:
    """A seeded sample in file order."""
    of_kind = [line for line in lines if bool(line.get("answerable", True)) is answerable]
    drawn = random.Random(SEED).sample(range(len(of_kind)), min(count, len(of_kind)))
    return [of_kind[i] for i in sorted(drawn)]


def _run(folder: Path, wiki: Path, sample: list[dict[str, Any]], details: Path | None) -> dict[str, Any]:
    config, questions = folder / "config.toml", folder / "questions.jsonl"
    config.write_text(
        f'data_dir = "var"\n[[sources]]\nname = "wiki"\npath = {json.dumps(str(wiki), ensure_ascii=False)}\n',
        encoding="utf-8",
    )
    questions.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in sample), encoding="utf-8")
    saseo = [sys.executable, str(ROOT / "saseo.py"), "--config", str(config)]
    subprocess.run([*saseo, "index"], check=True, stdout=sys.stderr)
    extra = ["--details", str(details)] if details else []
    done = subprocess.run(
        [*saseo, "evaluate", "--lora", "none", "--set", str(questions), "--json", *extra],
        check=True,
        capture_output=True,
        text=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _table(report: dict[str, Any]) -> str:
    rows = ["| measure | mean | 95 % interval | n |", "| --- | --- | --- | --- |"]
    for group, suffix in ((report, ""), (report["given_answered"], ", where answered")):
        for name, value in group.items():
            if isinstance(value, dict) and value.get("mean") is not None:
                rows.append(
                    f"| {name}{suffix} | {value['mean']:.3f} | {value['low']:.3f} to {value['high']:.3f} | {value['n']} |"
                )
    rows.append(
        f"\noutcomes: {report.get('outcomes')}; written by: {report.get('models')}; seconds: {report.get('seconds')}"
    )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
