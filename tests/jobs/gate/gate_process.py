"""A gate in a process of its own, over a tiny base and a tiny LoRA: `python -m tests.jobs.gate.gate_process FOLDER`. Prints every answered
question and, at the end, the verdict. What the test kills."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.messages import Answer, Question
from bot.models.hashing import sha256_of
from bot.worker import ModelWorker
from bot.writers.engine import LoraFile
from bot.writers.llamacpp import LlamaCppEngine
from bot.writers.llamacpp_writer import LlamaCppWriter
from jobs.gate.answers import Stamp
from jobs.gate.asking import Answerers, Side, WriterDials
from jobs.gate.cases import of_examples
from jobs.gate.kept import KeptAnswers
from jobs.gate.run import run_gate
from jobs.gate.settings import GateSettings
from jobs.tuning.dataset import Example
from knowledge.korean import Analyser

QUESTIONS = 8


class NoFlow:
    """Every case brings its passages."""

    async def answer(self, question: Question) -> Answer:
        raise AssertionError


def tell(**line: object) -> None:
    """To the test."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main(folder: Path) -> None:
    """Both sides on one model, as in the service."""
    examples = [Example(f"e{n}", f"{n}번?", (f"문서 {n}\n답은 {n}일.",), f"{n}일입니다 [1].") for n in range(QUESTIONS)]
    base = folder / "base.gguf"
    worker = ModelWorker(lambda: LlamaCppEngine(base, context_tokens=4096, threads=1), queue_size=2, per_person=2)
    writer, analyser = LlamaCppWriter(worker=worker, name="tiny"), Analyser()

    def side(lora: LoraFile | None) -> Side:
        @asynccontextmanager
        async def opening() -> AsyncIterator[Answerers]:
            tell(event="opened", side=lora.name if lora else "none")
            yield Answerers(NoFlow(), writer, lora, analyser, WriterDials(max_answer_tokens=6))

        stamp = Stamp(sha256_of(base), lora.sha256 if lora else "none", "", "ko-1")
        return Side(lora.name if lora else "none", stamp, opening)

    with KeptAnswers(folder / "gate") as kept:
        verdict = await run_gate(
            side(LoraFile.of(folder / "faq-1.gguf")),
            side(None),
            of_examples("held-out", examples),
            kept,
            GateSettings(resamples=1000, timed_questions=1),
            progress=lambda name, done, total: tell(event="asked", side=name, done=done, total=total),
        )
    tell(event="verdict", verdict=verdict.as_json())
    await worker.close(drain=False)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
