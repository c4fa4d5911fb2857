"""What more examples bring: 0, 30, 100, 400 of them, the same settings, the same held-out questions. Can be interrupted.

    python benchmarks/learning_curve.py --data DIR                                       # the starter examples, 0.5B
    python benchmarks/learning_curve.py --data DIR --sizes 0,30 --held-out 20            # a first look
    python benchmarks/learning_curve.py --data DIR --sets rnd,demo --rnd RND_MANUAL      # and through the whole flow
    python benchmarks/learning_curve.py --data DIR --report-only

Of all examples some groups are held out first: no passage of theirs is ever learnt. The rest is shuffled with a fixed seed, and
a training set is its first N: each one contains the smaller ones. Each is trained by `jobs.tuning` with its own defaults (rank, rate,
epochs), so larger sets also take more steps, as they do in use. The base and every LoRA then answer the held-out questions through
llama.cpp with the passages given and the serving prompt; the sides alternate as in tuned_answers.py.

`character_f1` is against the example's own whole sentence, hence comparable with nothing but itself; `citation_precision` counts
passage numbers; `abstention_*`: the reference is the refusal, or the answer is. One training of each size: the spread between seeds
is not in the intervals. Prints one line of JSON, tables, and draws DIR/learning-curve.svg.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.paired import MEASURES, compared, table  # noqa: E402 - after the path is set
from benchmarks.tuned_answers import AnswerLog, measure, newest, prepared, question_sets, report, show, turns  # noqa: E402

if TYPE_CHECKING:
    from bot.app import Root
    from bot.writers.engine import LoraFile
    from jobs.tuning.dataset import Example
    from knowledge.korean import Analyser

SEED = 20261126
SET = "held-out"
SHOWN = ("character_f1", "citation_precision", "abstention_precision", "abstention_recall", "characters")


def split(examples: Sequence[Example], held_out: int) -> tuple[list[Example], list[Example]]:
    """(what may be learnt, in its one order; held out)."""
    from jobs.tuning.dataset import split_by_passage

    learnt, held = split_by_passage(examples, held_out / len(examples), SEED)
    random.Random(SEED).shuffle(learnt)
    return learnt, held


def row_of(example: Example, text: str, outcome: str, seconds: float, analyser: Analyser) -> dict[str, Any]:
    """One held-out answer in the form of benchmarks/paired.py; the pages are numbers of passages. Refusals as the gate reads them."""
    from jobs.gate.cases import marks_of, without_marks
    from jobs.gate.refusals import refused

    def declines(said: str) -> bool:
        return refused(said, "\n".join((*example.turns, example.question)), example.passages, analyser)

    gold, unanswerable = list(marks_of(example.answer)), declines(example.answer)
    if outcome == "answered" and (not without_marks(text) or declines(text)):
        outcome = "abstained"
    answered = outcome == "answered"
    return {
        "kind": example.kind,
        "group": example.passages[int(gold[0]) - 1] if gold and int(gold[0]) <= len(example.passages) else "",
        "answerable": not unanswerable,
        "pages": [] if unanswerable else gold,
        "answers": [] if unanswerable else [without_marks(example.answer)],
        "outcome": outcome,
        "text": without_marks(text) if answered else "",
        "cited": list(marks_of(text)) if answered else [],
        "model": "writer",
        "span_shown": True,
        "seconds": round(seconds, 3),
    }


async def written(
    writer: Any, example: Example, lora: LoraFile | None, analyser: Analyser, options: argparse.Namespace
) -> dict[str, Any]:
    """The example's question, put to the writer as serving does."""
    from bot import prompts
    from bot.errors import WritingError

    began, text, outcome = time.perf_counter(), "", "answered"
    prompt = prompts.prompt(example.passages, example.question, example.turns)
    pieces = writer.astream(prompt, asker="benchmark", max_tokens=160, seed=0, timeout=options.timeout, lora=lora)
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                text += str(piece.content)
    except WritingError as error:
        print(f"{example.id}: {type(error).__name__}", file=sys.stderr)
        outcome = "failed"
    return row_of(example, text, outcome, time.perf_counter() - began, analyser)


async def ask_held_out(
    root: Root,
    held: Sequence[Example],
    sides: Mapping[str, LoraFile | None],
    log: AnswerLog,
    options: argparse.Namespace,
) -> None:
    """Every side answers every held-out question that it has not answered yet."""
    from bot import prompts
    from bot.writers.llamacpp_writer import LlamaCppWriter

    stamp = {"set": SET, "writer": options.writer, "edition": "given", "prompt": prompts.version()}
    keys = [
        (one, side, {**stamp, "id": one.id, "side": side, "lora_sha256": lora.sha256 if lora else "none"})
        for one, side in turns(held, list(sides))
        for lora in [sides[side]]
    ]
    todo = [entry for entry in keys if not log.has(entry[2])]
    if not todo:
        return
    worker = root.answers.start_worker()
    if worker is None:
        raise SystemExit("the writer's model is not here: saseo models pull")
    analyser = root.wiki.make_analyser()
    try:
        await worker.start()
        writer = LlamaCppWriter(worker=worker)
        for number, (example, side, key) in enumerate(todo, start=1):
            await writer.ainvoke(prompts.prefix(), asker="warm-up", max_tokens=1, lora=sides[side])
            row = {**key, "run": log.run, **await written(writer, example, sides[side], analyser, options)}
            log.add(row)
            print(f"{SET} {number}/{len(todo)} {side} {row['outcome']} {row['seconds']} s", file=sys.stderr, flush=True)
    finally:
        await worker.close(drain=False)


def train(root: Root, examples: Sequence[Example], folder: Path, options: argparse.Namespace) -> Path:
    """The folder with `lora.gguf` of one size; goes on from a checkpoint, does nothing when it is done."""
    from jobs.tuning.dataset import write_examples
    from jobs.tuning.job import TuningJob
    from jobs.tuning.run import TuningProcess
    from jobs.tuning.settings import TuningSettings

    result = folder / "result"
    if (result / "lora.json").exists():
        return result
    folder.mkdir(parents=True, exist_ok=True)
    write_examples(folder / "examples.jsonl", examples)
    job = TuningJob(
        gguf=root.store.path(options.writer, role="writer"),
        examples=folder / "examples.jsonl",
        cache=options.data / "bases",
        template=root.answers.template(),
        settings=TuningSettings(
            epochs=options.epochs, threads=options.threads, most_tokens=options.most_tokens, seed=SEED
        ),
    )
    with TuningProcess(folder, job) as process:
        for line in process:
            if line["event"] in ("examples", "step", "held_out", "ended"):
                print(f"{len(examples)}: {json.dumps(line)}", file=sys.stderr, flush=True)
        if process.outcome().result is None:
            raise SystemExit("stopped; start again to go on")
    return result


def trained_sides(root: Root, pool: Sequence[Example], options: argparse.Namespace) -> dict[str, LoraFile | None]:
    """Side → LoRA, smallest set first; the base is `none`. A size that changed nothing is left out."""
    from bot.errors import TuningChangedNothing
    from bot.writers.engine import LoraFile

    sides: dict[str, LoraFile | None] = {}
    for size in sorted(map(int, options.sizes.split(","))):
        if size > len(pool):
            print(f"{size}: only {len(pool)} examples may be learnt, left out", file=sys.stderr)
        elif size:
            writer = Path(options.writer).name.removesuffix(".gguf")  # `stem` would take the `.5b` from `…-0.5b`
            folder = options.data / "runs" / writer / f"{size}-examples-{options.epochs}-epochs"
            try:
                result = train(root, pool[:size], folder, options)
            except TuningChangedNothing as error:  # its answers would be the base's
                print(f"{size}: {error.explain('en')}", file=sys.stderr)
                continue
            sides[str(size)] = LoraFile.of(result / "lora.gguf", str(size))
        else:
            sides["none"] = None
    return sides


def plot(one: Mapping[str, Any], path: Path, title: str) -> None:
    """The measures over the number of examples, with their intervals. Without matplotlib there is no picture."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture: matplotlib is not installed", file=sys.stderr)
        return
    names = sorted(one["sides"], key=_size)
    figure = Figure(figsize=(8.0, 4.0), layout="constrained")
    axes = figure.subplots()
    drawn = SHOWN[:-1]
    for number, measure_name in enumerate(drawn):
        points = [(place, one["sides"][name]["measures"][measure_name]) for place, name in enumerate(names)]
        points = [(place, point) for place, point in points if point["value"] is not None]
        if points:
            values = [point["value"] for _, point in points]
            below = [value - point["low"] for value, (_, point) in zip(values, points, strict=True)]
            above = [point["high"] - value for value, (_, point) in zip(values, points, strict=True)]
            beside = 0.06 * (number - (len(drawn) - 1) / 2)  # or the intervals would hide each other
            at = [place + beside for place, _ in points]
            axes.errorbar(at, values, yerr=[below, above], marker="o", capsize=3, label=measure_name)
    axes.set_xticks(range(len(names)), [str(_size(name)) for name in names])
    axes.set(xlabel="examples", ylim=(0, 1.02), title=title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small", frameon=False)
    figure.savefig(path)


def _size(side: str) -> int:
    return 0 if side == "none" else int(side)


def show_held_out(log: AnswerLog, options: argparse.Namespace) -> None:
    """JSON, table and picture of what is there for this writer."""
    by_side = newest([row for row in log.rows if row["set"] == SET and row["writer"] == options.writer])
    if not by_side:
        return
    one = compared(dict(sorted(by_side.items(), key=lambda item: _size(item[0]))), {m: MEASURES[m] for m in SHOWN})
    print(json.dumps({"set": SET, "writer": options.writer, **one}, ensure_ascii=False))
    print(f"\n## {SET}: {one['questions']} questions with given passages, {options.writer}\n")
    print(table(one))
    plot(one, options.data / "learning-curve.svg", f"{options.writer}, {one['questions']} held-out questions")


def main() -> None:
    """Train what is missing, ask what is missing, report what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="where runs and answers are kept between runs")
    parser.add_argument("--examples", type=Path, nargs="+", help="JSON Lines; default: examples/tuning/*.jsonl")
    parser.add_argument("--writer", default="qwen2.5-coder-0.5b", help="the base: a name of the catalogue or a .gguf")
    parser.add_argument("--sizes", default="0,30,100,400")
    parser.add_argument(
        "--held-out", type=int, default=40, help="examples, at most: groups that share a passage stay whole"
    )
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, help="of training")
    parser.add_argument("--most-tokens", type=int, default=1536, help="longer examples are left out")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one answer")
    parser.add_argument("--sets", default="", help="also through the whole flow: korquad,rnd,demo")
    parser.add_argument("--korquad", type=Path)
    parser.add_argument("--rnd", type=Path)
    parser.add_argument("--answerable", type=int, default=200, help="of KorQuAD")
    parser.add_argument("--unanswerable", type=int, default=50, help="of KorQuAD")
    parser.add_argument("--limit", type=int, help="questions of each set, at most")
    parser.add_argument("--report-only", action="store_true")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    log = AnswerLog(options.data / "answers.jsonl")
    if not options.report_only:
        work(options, log)
    show_held_out(log, options)
    show(report([row for row in log.rows if row["set"] != SET]), sys.stdout)


def work(options: argparse.Namespace, log: AnswerLog) -> None:
    """Everything that takes time."""
    from bot.app import Root
    from jobs.tuning.dataset import load_examples

    files = options.examples or sorted((ROOT / "examples" / "tuning").glob("*.jsonl"))
    pool, held = split([example for file in files for example in load_examples(file)], options.held_out)
    config = options.data / "config.toml"
    config.write_text(f'data_dir = "var"\nlog_level = "ERROR"\n[writer]\nmodel = {json.dumps(options.writer)}\n')
    root = Root(config)
    sides = trained_sides(root, pool, options)
    asyncio.run(ask_held_out(root, held, sides, log, options))
    if options.sets:
        for questions in question_sets(options):
            asyncio.run(measure(questions, sides, prepared(questions, options), options.writer, log))


if __name__ == "__main__":
    main()
