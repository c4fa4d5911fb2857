"""The base beside LoRAs, through the serving stack, on questions over three wikis. Can be interrupted: what was answered is kept.

    python benchmarks/tuned_answers.py --data DIR --korquad KORQUAD --rnd RND_MANUAL --loras none,path/to/lora.gguf
    python benchmarks/tuned_answers.py --data DIR --sets demo --loras none,runs/7/result --limit 20
    python benchmarks/tuned_answers.py --data DIR --report-only

KORQUAD and RND_MANUAL are folders with `wiki/` (benchmarks/README.md, benchmarks/data/README.md); a set without its folder is left
out. Each wiki is indexed once by `saseo index` into DIR. Each question goes through `AnswerFlow`, as `saseo evaluate` asks it. The
sides alternate every few questions, and which one begins alternates too, so that whatever else the machine does meets all alike.
llama.cpp's memory is emptied when the LoRA changes; the constant beginning of the prompt is therefore read again then,
outside all times, since in service it is there already.

KorQuAD: 200 answerable questions and 50 unanswerable ones, drawn with a fixed seed: one in five, near the other two sets (34 of 165, 34
of 224), which are asked whole. The order is shuffled with the same seed, so that the first N are a fair sample of all.

Answers are appended to DIR/answers.jsonl with LoRA (and its SHA-256), writer, edition, prompt and a hash of all settings that turn an
answer; a rerun goes on where it stopped and asks again only what has another stamp. Settings are tried by their variables, say
SASEO_ANSWER__REFUSAL_CONFIDENCE=0. What is measured, and how sentences are compared with spans: benchmarks/paired.py.
Prints one line of JSON, then a table for each set.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from bot.answering.flow import AnswerFlow
    from bot.app import Root
    from bot.messages import Finished, Question
    from bot.writers.engine import LoraFile
    from jobs.evaluation_set import Case

Asked = TypeVar("Asked")
SEED = 20261126
STAMP = ("writer", "edition", "prompt", "dials")
"""What all compared answers of a set must share."""
QUESTIONS = {"rnd": ROOT / "benchmarks/data/rnd-manual-questions.jsonl", "demo": ROOT / "examples/questions.jsonl"}


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A wiki and what is asked about it, in the order of asking."""

    name: str
    wiki: Path
    cases: tuple[Case, ...]


def question_sets(options: argparse.Namespace) -> list[QuestionSet]:
    """Those that were asked for and have their folder."""
    from jobs.evaluation_set import load_set

    found = []
    for name in options.sets.split(","):
        folder = {"korquad": options.korquad, "rnd": options.rnd, "demo": ROOT / "examples"}[name]
        if folder is None:
            print(f"{name}: left out, no --{name}", file=sys.stderr)
            continue
        if name == "korquad":
            cases = drawn(load_set(folder / "questions.jsonl"), options.answerable, "q")
            cases += drawn(load_set(folder / "unanswerable.jsonl"), options.unanswerable, "u")
        else:
            cases = load_set(QUESTIONS[name])
        random.Random(SEED).shuffle(cases)
        found.append(QuestionSet(name, folder / "wiki", tuple(cases[: options.limit])))
    return found


def drawn(cases: Sequence[Case], count: int, prefix: str) -> list[Case]:
    """A seeded sample in file order; ids become unique over several files."""
    places = sorted(random.Random(SEED).sample(range(len(cases)), min(count, len(cases))))
    return [replace(cases[place], id=f"{prefix}{cases[place].id}") for place in places]


def lora_sides(wanted: str) -> dict[str, LoraFile | None]:
    """`none,FILE,FOLDER,NAME` → side → LoRA. A folder is a tuning run's result; a name is of a LoRA that comes with Saseo."""
    from bot.live import NO_LORA
    from bot.loras.shelf import SHIPPED, LoraShelf
    from bot.writers.engine import LoraFile

    sides: dict[str, LoraFile | None] = {}
    for one in wanted.split(","):
        path = Path(one)
        if one == NO_LORA:
            sides[one] = None
        elif path.is_dir():
            sides[path.name] = LoraFile.of(path / "lora.gguf", path.name)
        elif path.suffix == ".gguf":
            sides[path.stem] = LoraFile.of(path)
        else:
            sides[one] = LoraShelf(SHIPPED).card(one).file
    return sides


class AnswerLog:
    """DIR/answers.jsonl: read once, then appended to, one line at an answer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.run = secrets.token_hex(4)
        """Of this process."""
        self.rows: list[dict[str, Any]] = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    self.rows.append(json.loads(line))
                except ValueError:  # the last line of a killed run
                    print(f"{path}: a broken line is passed over", file=sys.stderr)
        self._known = {self.key(row) for row in self.rows}

    @staticmethod
    def key(row: Mapping[str, Any]) -> tuple[str, ...]:
        """What makes an answer the same answer."""
        return tuple(str(row.get(name, "")) for name in ("set", "id", "lora_sha256", *STAMP))

    def has(self, row: Mapping[str, Any]) -> bool:
        """Whether it was answered before."""
        return self.key(row) in self._known

    def add(self, row: dict[str, Any]) -> None:
        """Keep it, on disk first."""
        with self._path.open("a+b") as file:
            if file.tell() and not _ends_line(file):
                file.write(b"\n")
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self.rows.append(row)
        self._known.add(self.key(row))


def _ends_line(file: Any) -> bool:
    file.seek(-1, 2)
    return bool(file.read(1) == b"\n")


def turns(cases: Sequence[Asked], sides: Sequence[str], together: int = 1) -> Iterator[tuple[Asked, str]]:
    """Of every so many questions `together` all sides; the side that begins changes from one group to the next."""
    for number, first in enumerate(range(0, len(cases), together)):
        shift = number % len(sides)
        for side in (*sides[shift:], *sides[:shift]):
            for case in cases[first : first + together]:
                yield case, side


async def ask(
    questions: QuestionSet,
    sides: Mapping[str, LoraFile | None],
    flow: AnswerFlow,
    writer: str,
    log: AnswerLog,
    tell: Callable[[str], None],
    dials: str = "",
    together: int = 1,
) -> None:
    """Ask what is not yet answered under the stamp of `flow` and `dials`."""
    from bot import prompts
    from bot.messages import Question

    live = flow.live()
    stamp = {"set": questions.name, "writer": writer, "edition": live.index.name, "prompt": live.prompt, "dials": dials}
    todo = []
    for case, side in turns(questions.cases, list(sides), together):
        lora = sides[side]
        key = {**stamp, "id": case.id, "side": side, "lora_sha256": lora.sha256 if lora else "none"}
        if not log.has(key):
            todo.append((case, side, key))
    before: str | None = None
    for number, (case, side, key) in enumerate(todo, start=1):
        if side != before:
            flow.swap(replace(live, lora=sides[side], canary=None))
            if live.writer is None:
                raise SystemExit("the writer's model is not here: saseo models pull")
            await live.writer.ainvoke(prompts.prefix(), asker="warm-up", max_tokens=1, lora=sides[side])
            before = side
        question = Question(case.question, f"{questions.name}-{case.id}", "benchmark", case.groups, case.turns)
        row = {**key, "run": log.run, **kept(case, await finished(flow, question))}
        log.add(row)
        tell(f"{questions.name} {number}/{len(todo)} {side} {row['outcome']} {row['seconds']:.1f} s")


async def finished(flow: AnswerFlow, question: Question) -> Finished:
    """The end of one question: answer and trace."""
    from bot.messages import Finished

    *_, last = [event async for event in flow.stream(question)]
    assert isinstance(last, Finished)
    return last


def kept(case: Case, end: Finished) -> dict[str, Any]:
    """What is written down of one answer: no page's text, but whether a gold span was in what the writer was shown."""
    from jobs import metrics
    from jobs.evaluate import AnswerRecord

    answer = end.answer
    record = AnswerRecord(case, answer)
    read = "\n".join(one.text for one in answer.shown if one.page in case.pages)
    both_needed = case.kind == "two-page"
    return {
        "kind": case.kind,
        "question": case.question,
        "answerable": case.answerable,
        "pages": list(case.pages),
        "answers": list(case.answers),
        "outcome": record.outcome.value,
        "text": record.text,
        "cited": list(record.cited) if record.answered else [],
        "model": answer.model,
        "stamped": answer.lora,
        "span_shown": bool((metrics.contains_all if both_needed else metrics.contains)(read, case.answers)),
        "notes": list(answer.notes),
        "refusal": end.trace.refusal if end.trace is not None else None,
        "written": answer.tokens.written,
        "first_token": answer.seconds.first_token,
        "seconds": round(answer.seconds.total, 3),
    }


def newest(of_set: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Side → its answers under the last stamp of one set, and of a name by the last LoRA: others are of another thing."""
    latest = [of_set[-1].get(key, "") for key in STAMP] if of_set else []
    current = [row for row in of_set if [row.get(key, "") for key in STAMP] == latest]
    shas = {row["side"]: row["lora_sha256"] for row in current}
    by_side: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in current:
        if row["lora_sha256"] == shas[row["side"]]:
            by_side[row["side"]].append(row)
    return dict(by_side)


def report(rows: Sequence[Mapping[str, Any]], sides: Sequence[str] | None = None) -> dict[str, Any]:
    """For each set the latest stamp's answers, compared; the first side is the base. `sides` None: all that are there."""
    from benchmarks.paired import compared

    found: dict[str, Any] = {}
    for name in dict.fromkeys(row["set"] for row in rows):
        of_set = [row for row in rows if row["set"] == name]
        by_side = {side: some for side, some in newest(of_set).items() if sides is None or side in sides}
        ordered = dict(sorted(by_side.items(), key=lambda item: item[0] != "none"))
        if ordered:
            shas = {side: some[0]["lora_sha256"] for side, some in ordered.items()}
            told = {**{key: of_set[-1].get(key, "") for key in STAMP}, "lora_sha256": shas}
            found[name] = {**told, "older_answers": len(of_set) - sum(map(len, ordered.values())), **compared(ordered)}
    return found


def show(reports: Mapping[str, Any], out: TextIO) -> None:
    """One line of JSON, then a table for each set."""
    from benchmarks.paired import table

    print(json.dumps(reports, ensure_ascii=False), file=out)
    for name, one in reports.items():
        print(f"\n## {name}: {one['questions']} questions, {one['writer']}, prompt {one['prompt']}\n", file=out)
        print(table(one), file=out)


def prepared(questions: QuestionSet, options: argparse.Namespace) -> Root:
    """The composition root over this wiki in DIR, indexed if it was not. The limit of time is generous: a slow machine must not turn
    answers into quotes."""
    from bot.app import Root

    folder = options.data / questions.name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    wiki = json.dumps(str(questions.wiki.resolve()), ensure_ascii=False)
    config.write_text(
        f'data_dir = "var"\nlog_level = "ERROR"\n[[sources]]\nname = "wiki"\npath = {wiki}\n'
        f"[writer]\nmodel = {json.dumps(options.writer)}\ntimeout_seconds = {options.timeout}\n",
        encoding="utf-8",
    )
    root = Root(config)
    if not root.wiki.shelf.names():
        saseo = [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), "index"]
        subprocess.run(saseo, check=True, stdout=sys.stderr)
    return root


async def measure(
    questions: QuestionSet,
    sides: Mapping[str, LoraFile | None],
    root: Root,
    writer: str,
    log: AnswerLog,
    together: int = 1,
) -> None:
    """Load everything once, then ask."""
    from bot.learning_app import dials
    from bot.live import NO_LORA

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    async with root.answers.ready(NO_LORA) as flow:
        await ask(questions, sides, flow, writer, log, tell, dials(root.settings), together)


def main() -> None:
    """Ask what is missing, report what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="where indexes and answers are kept between runs")
    parser.add_argument("--korquad", type=Path, help="folder with wiki/, questions.jsonl and unanswerable.jsonl")
    parser.add_argument("--rnd", type=Path, help="folder with wiki/ of the R&D manuals")
    parser.add_argument("--sets", default="korquad,rnd,demo")
    parser.add_argument(
        "--loras", default="none", help="sides by comma: none, a .gguf, a folder with lora.gguf, a shipped name"
    )
    parser.add_argument("--writer", default="qwen2.5-coder-1.5b", help="the base: a name of the catalogue or a .gguf")
    parser.add_argument("--answerable", type=int, default=200, help="of KorQuAD")
    parser.add_argument("--unanswerable", type=int, default=50, help="of KorQuAD")
    parser.add_argument("--limit", type=int, help="questions of each set, at most")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one answer")
    parser.add_argument(
        "--together", type=int, default=8, help="questions that one side answers before it is the next one's turn"
    )
    parser.add_argument("--report-only", action="store_true", help="ask nothing, print what is there")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    log = AnswerLog(options.data / "answers.jsonl")
    if not options.report_only:
        for questions in question_sets(options):
            sides = lora_sides(options.loras)
            asyncio.run(measure(questions, sides, prepared(questions, options), options.writer, log, options.together))
    show(report(log.rows), sys.stdout)


if __name__ == "__main__":
    main()
