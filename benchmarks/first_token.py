"""Time to the first token of whole questions, beside llama.cpp's own reading of the very same prompt.

    python benchmarks/first_token.py [--model NAME] [--questions 12]

One process: each question goes through the whole flow (condense, search, judge, prompt, writer); right after it the same
messages are read again by the bare engine, whose cache is first put into the state it had before the question. New
questions and follow-ups are reported apart. Prints one JSON, then a Markdown table. The index is built by `saseo index`
on the demo wiki in a temporary data directory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def main() -> None:
    """Index, ask, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--questions", type=int, default=12, help="new questions; as many follow-ups at most")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(f'[writer]\nmodel = "{chosen.model}"\nlora = "none"\n', encoding="utf-8")
        subprocess.run(
            [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), "index"], check=True, stdout=sys.stderr
        )
        report = asyncio.run(_measure(config, chosen.questions))
    print(json.dumps(report, ensure_ascii=False))
    print("| questions | n | first token, s (p50, p95) | search, s (p50) | ratio to bare reading + search (p50, p95) |")
    print("| --- | --- | --- | --- | --- |")
    for kind in ("new", "follow-up"):
        r = report[kind]
        print(
            f"| {kind} | {r['n']} | {r['first_token'][0]:.2f}, {r['first_token'][1]:.2f} | {r['search'][0]:.3f} "
            f"| {r['ratio'][0]:.3f}, {r['ratio'][1]:.3f} |"
        )
    print(
        f"\nconstant prefix reused: {report['reused_share']:.0%} of prompt tokens; peak memory {report['peak_gb']:.2f} GB"
    )


async def _measure(config: Path, count: int) -> dict[str, Any]:
    from bot import prompts
    from bot.app import Root
    from bot.messages import Outcome, Question
    from bot.writers.base import turns_of
    from bot.writers.engine import StopFlag, WritingReport, WritingRequest

    lines = [
        json.loads(line) for line in (ROOT / "examples" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    plain = [line for line in lines if line["kind"] == "plain"][:count]
    follow = [line for line in lines if line["kind"] == "follow-up"][:count]
    root = Root(config)
    samples: dict[str, list[dict[str, float]]] = {"new": [], "follow-up": []}
    async with root.answers.ready() as flow:
        live = flow.live()
        writer = live.writer
        seen: list[Any] = []
        original = type(writer).astream

        def spying(self: Any, messages: Any, **kwargs: Any) -> AsyncIterator[Any]:
            seen.append(messages)
            return original(self, messages, **kwargs)

        type(writer).astream = spying  # type: ignore[method-assign,union-attr]
        worker = writer.worker  # type: ignore[union-attr]

        def read_again(messages: Any, before: Any) -> WritingReport:
            def work(engine: Any) -> WritingReport:
                engine.forget()
                for _ in engine.write(WritingRequest(turns_of(before), max_tokens=1), StopFlag()):
                    pass
                report = None
                for piece in engine.write(WritingRequest(turns_of(messages), max_tokens=1), StopFlag()):
                    report = piece
                assert isinstance(report, WritingReport)
                return report

            future = asyncio.run_coroutine_threadsafe(worker.run(work), loop)
            return future.result()

        loop = asyncio.get_running_loop()
        before: Any = prompts.prefix()
        for kind, line in [*(("new", one) for one in plain), *(("follow-up", one) for one in follow)]:
            seen.clear()
            answer = await flow.answer(Question(line["question"], id="bench", turns=tuple(line.get("turns", ()))))
            if answer.outcome is Outcome.FAILED or answer.seconds.first_token is None or not seen:
                continue
            began = time.perf_counter()
            bare = await asyncio.to_thread(read_again, seen[0], before)
            samples[kind].append(
                {
                    "first_token": answer.seconds.first_token,
                    "search": answer.seconds.search,
                    "bare": bare.prompt_seconds,
                    "reused": bare.reused_tokens / bare.prompt_tokens,
                    "replay": time.perf_counter() - began,
                }
            )
            before = seen[0]
    everything = [sample for of_kind in samples.values() for sample in of_kind]
    return {
        "model": live.model,
        **{kind: _summary(of_kind) for kind, of_kind in samples.items()},
        "reused_share": statistics.mean(sample["reused"] for sample in everything),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def _summary(of_kind: list[dict[str, float]]) -> dict[str, Any]:
    ratios = [s["first_token"] / (s["bare"] + s["search"]) for s in of_kind]
    return {
        "n": len(of_kind),
        "first_token": _percentiles([s["first_token"] for s in of_kind]),
        "search": _percentiles([s["search"] for s in of_kind]),
        "bare": _percentiles([s["bare"] for s in of_kind]),
        "ratio": _percentiles(ratios),
    }


def _percentiles(values: list[float]) -> tuple[float, float]:
    """(p50, p95) by nearest rank."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


if __name__ == "__main__":
    main()
